"""Recordings' secrets in memory: each is decrypted once, however many rooms record at once."""

from __future__ import annotations

import pytest

from appliance.contract.encryption import Identity
from appliance.contract.errors import DecryptionError
from archive.keystore.file import FileKeyStore
from archive.recordings import secrets
from archive.recordings.secrets import secret_of
from tests.support.archives import Archive, lose_key

ROOMS = 500
"""As many as one archive serves."""


def test_no_recording_loses_its_place_to_another_one_that_arrives_at_the_same_time(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[bytes] = []
    identity = Identity.generate()

    def decrypted(_: FileKeyStore, key_age: bytes) -> Identity:
        opened.append(key_age)
        return identity

    secrets._decrypted.cache_clear()
    monkeypatch.setattr(FileKeyStore, "decrypt_secret", decrypted)
    rooms = [f"{number:032x}" for number in range(ROOMS)]
    (archive.home / "recording-keys").mkdir()
    for room in rooms:
        (archive.home / "recording-keys" / f"{room}.age").write_bytes(room.encode())
    for _ in range(2):
        for room in rooms:
            assert secret_of(room) is identity
    assert len(opened) == ROOMS
    lose_key(rooms[0])
    with pytest.raises(DecryptionError):
        secret_of(rooms[0])
    secrets._decrypted.cache_clear()
