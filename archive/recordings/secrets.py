"""Recordings' secrets, decrypted by the keystore and remembered for a while in this process's memory only."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from appliance.contract.encryption import Identity
from appliance.contract.errors import DecryptionError, StorageError
from archive.keystore.current import keystore
from archive.keystore.recording_keys import recording_keys

REMEMBERED: Final = 1024
"""Secrets that a process remembers: twice as many as one archive's rooms, so that no recording that arrives loses its
place to the next one's in a circle, and is decrypted again with each request."""


@lru_cache(maxsize=REMEMBERED)
def _decrypted(key_age: bytes) -> Identity:
    return keystore().decrypt_secret(key_age)


def secret_of(recording: str) -> Identity:
    """Return a recording's secret; raise DecryptionError if its key is not there (any more) or does not open.

    `key.age` is read anew each time, so that a destroyed key decrypts nothing from the moment it is gone.
    """
    if not recording_keys().exists(recording):
        raise DecryptionError(f"the key of recording {recording} is not in the key store; without it nobody can listen")
    try:
        key_age = recording_keys().read(recording)
    except StorageError as error:
        raise DecryptionError(f"the key of recording {recording} cannot be read: {error.message}") from error
    return _decrypted(key_age)
