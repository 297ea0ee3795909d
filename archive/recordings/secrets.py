"""Recordings' secrets, opened by the keeper and remembered for a while in this process's memory only."""

from __future__ import annotations

import threading
from collections import OrderedDict

from appliance.contract.encryption import Identity
from appliance.contract.errors import DecryptionError, StorageError
from appliance.contract.signed import digest
from archive.keystore.current import keystore
from archive.store.base import key_name
from archive.store.current import store

REMEMBERED = 32
"""Most secrets that a process remembers."""


class SecretCache:
    """The last few secrets, by the digest of the key.age that they came from. Many threads may use one."""

    def __init__(self, size: int = REMEMBERED) -> None:
        self._size = size
        self._lock = threading.Lock()
        self._known: OrderedDict[str, Identity] = OrderedDict()

    def get(self, key_age: bytes) -> Identity:
        """Return the secret in `key_age`; raise OpeningError if the keeper cannot open it."""
        name = digest(key_age)
        with self._lock:
            if name in self._known:
                self._known.move_to_end(name)
                return self._known[name]
        identity = keystore().open_secret(key_age)
        with self._lock:
            self._known[name] = identity
            while len(self._known) > self._size:
                self._known.popitem(last=False)
        return identity


_cache = SecretCache()


def secret_of(recording: str) -> Identity:
    """Return a recording's secret; raise OpeningError if its key is not there (any more) or does not open.

    `key.age` is read anew each time, so that a destroyed key opens nothing from the moment it is gone.
    """
    name = key_name(recording)
    if not store().exists(name):
        raise DecryptionError(f"the key of recording {recording} is not in the key store; without it nobody can listen")
    try:
        key_age = store().read(name)
    except StorageError as error:
        raise DecryptionError(f"the key of recording {recording} cannot be read: {error.message}") from error
    return _cache.get(key_age)
