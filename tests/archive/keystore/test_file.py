"""The keystore of files: decrypts what is encrypted to the archive, and says what is missing."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance.contract.encryption import Identity, encrypt
from appliance.contract.errors import DecryptionError, KeyFileError
from appliance.contract.keys import SigningKey
from archive.keystore.file import FileKeyStore


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    Identity.generate().save(tmp_path / "opening.txt")
    SigningKey.generate().save(tmp_path / "signing.pem")
    return tmp_path


def test_a_recordings_secret_opens(folder: Path) -> None:
    keystore, secret = FileKeyStore.load(folder), Identity.generate()
    opened = keystore.decrypt_secret(encrypt(secret.secret_line(), [keystore.recipient, Identity.generate().recipient]))
    assert opened.recipient == secret.recipient


def test_a_retired_key_still_opens_what_was_sealed_to_it(folder: Path) -> None:
    before, secret = FileKeyStore.load(folder), Identity.generate()
    key_age = encrypt(secret.secret_line(), [before.recipient])
    (folder / "opening.txt").rename(folder / "opening-retired-2026.txt")
    Identity.generate().save(folder / "opening.txt")
    after = FileKeyStore.load(folder)
    assert after.recipient != before.recipient
    assert after.decrypt_secret(key_age).recipient == secret.recipient


def test_what_is_sealed_to_others_does_not_open(folder: Path) -> None:
    stranger = Identity.generate()
    with pytest.raises(DecryptionError, match="none of this archive's"):
        FileKeyStore.load(folder).decrypt_secret(encrypt(stranger.secret_line(), [stranger.recipient]))


def test_what_opens_and_holds_no_identity_is_refused_without_showing_it(folder: Path) -> None:
    keystore = FileKeyStore.load(folder)
    with pytest.raises(DecryptionError) as caught:
        keystore.decrypt_secret(encrypt(b"AGE-SECRET-KEY-1NOTAKEY\n", [keystore.recipient]))
    assert "NOTAKEY" not in str(caught.value)
    assert caught.value.__suppress_context__


@pytest.mark.parametrize("name", ["opening.txt", "signing.pem"])
def test_a_missing_or_broken_key_is_named(folder: Path, name: str) -> None:
    (folder / name).write_text("nonsense\n")
    with pytest.raises(KeyFileError, match=name):
        FileKeyStore.load(folder)
    (folder / name).unlink()
    with pytest.raises(KeyFileError, match="make-keys"):
        FileKeyStore.load(folder)


def test_a_systemd_credential_goes_first(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    identity = Identity.generate()
    identity.save(credentials / "archive-opening.txt")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(credentials))
    assert FileKeyStore.load(folder).recipient == identity.recipient


def test_a_keystore_shows_no_secret(folder: Path) -> None:
    assert "SECRET" not in repr(FileKeyStore.load(folder))
