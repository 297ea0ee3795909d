"""Signing keys and key rings: written forms, files, and what is said when a file is wrong."""

from __future__ import annotations

import json
import stat
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key

from appliance.contract.errors import KeyFileError
from appliance.contract.keys import KeyRing, SigningKey, parse_public, public_pem, signature_fits
from tests.support.spools import Keys


def test_a_key_survives_its_file_which_only_its_owner_reads(tmp_path: Path) -> None:
    key, path = SigningKey.generate(), tmp_path / "key.pem"
    key.save(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert SigningKey.load(path).public == key.public
    with pytest.raises(FileExistsError):
        SigningKey.generate().save(path)


def test_promise_6_openssl_checks_a_signature(tmp_path: Path) -> None:
    key = SigningKey.generate()
    for name, data in {"pem": public_pem(key.public), "message": b"said", "signature": key.sign(b"said")}.items():
        (tmp_path / name).write_bytes(data)
    command = "openssl pkeyutl -verify -rawin -pubin -inkey pem -in message -sigfile signature"
    assert subprocess.run(command.split(), cwd=tmp_path, check=False, capture_output=True).returncode == 0
    (tmp_path / "message").write_bytes(b"saiD")
    assert subprocess.run(command.split(), cwd=tmp_path, check=False, capture_output=True).returncode != 0


def test_a_signature_of_any_length_only_fits_its_message() -> None:
    key = SigningKey.generate()
    good = key.sign(b"m")
    assert signature_fits(key.public, good, b"m")
    for bad in (b"", good[:-1], good + b"\0", bytes(64)):
        assert not signature_fits(key.public, bad, b"m")
    # the same signature plus the group's order: RFC 8032 section 5.1.7 refuses it
    order = 2**252 + 27742317777372353535851937790883648493
    twin = good[:32] + (int.from_bytes(good[32:], "little") + order).to_bytes(32, "little")
    assert not signature_fits(key.public, twin, b"m")


@pytest.mark.parametrize(
    "text",
    ["", "ed25519:", "rsa:AAAA", "ed25519:!!!!", "ed25519:" + "A" * 42 + "==", "ed25519:" + "A" * 42 + "B="],
)
def test_what_is_no_public_key_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"public key|base64|32 bytes"):
        parse_public(text)


def test_a_file_that_is_no_signing_key_is_named(tmp_path: Path) -> None:
    missing, text, other = tmp_path / "missing.pem", tmp_path / "text.pem", tmp_path / "other.pem"
    text.write_text("a letter")
    other.write_bytes(
        generate_private_key(SECP256R1()).private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    for path in (missing, text, other, tmp_path):
        with pytest.raises(KeyFileError, match=str(path)):
            SigningKey.load(path)


def test_a_key_never_shows_in_a_message() -> None:
    key = SigningKey.generate()
    secret = key.private.private_bytes_raw()
    assert secret.hex() not in repr(key)
    assert repr(secret) not in repr(key)


def test_a_key_ring_is_read(tmp_path: Path) -> None:
    keys = Keys()
    assert KeyRing.load(keys.save_ring(tmp_path / "ring.json")) == keys.ring()


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ("a letter", "not a key ring"),
        ("[]", "not a key ring"),
        ('{"boxs": {}}', "boxs"),
        ('{"boxes": {"room 12": []}}', "boxes"),
        ('{"archives": ["ed25519:AA"]}', "archives.0"),
    ],
)
def test_a_file_that_is_no_key_ring_is_named_with_its_member(tmp_path: Path, content: str, named: str) -> None:
    path = tmp_path / "ring.json"
    path.write_text(content)
    with pytest.raises(KeyFileError, match=named) as caught:
        KeyRing.load(path)
    assert str(path) in caught.value.message


def test_a_missing_key_ring_is_named(tmp_path: Path) -> None:
    with pytest.raises(KeyFileError, match=r"none\.json"):
        KeyRing.load(tmp_path / "none.json")


def test_the_form_in_the_document_is_a_key_ring() -> None:
    text = (Path(__file__).resolve().parents[3] / "docs" / "format.md").read_text()
    shown = next(line.strip() for line in text.splitlines() if line.strip().startswith('{"boxes"'))
    key = SigningKey.generate().public
    assert KeyRing.model_validate(json.loads(shown.replace("ed25519:...", key))).archives == [key]
