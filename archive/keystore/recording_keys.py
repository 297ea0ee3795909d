"""The recordings' own keys: each `key.age`, apart from every package, so that destroying it destroys every copy.

They lie beside the store and not in it: a store's packages are locked and copied, and a key must remain destroyable.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from django.conf import settings

from appliance.contract.durable_files import sync_folder
from appliance.contract.errors import PlainSightError
from archive.store.local import LocalStore, sweep_folder, told_as

_guards: Final[list[Callable[[str], str]]] = []
_owners: Final[list[Callable[[], AbstractSet[str]]]] = []


class KeyHeldError(PlainSightError):
    """A key may not be destroyed, whoever asks."""

    code = "key-held"
    status = 409


def register_guard(guard: Callable[[str], str]) -> None:
    """Have `guard` asked before any key is destroyed: it says why not, or nothing."""
    _guards.append(guard)


def why_kept(recording: str, guards: Iterable[Callable[[str], str]] = _guards) -> str:
    """Return why a key may not be destroyed, whoever asks; empty if it may. The guards read the database alone."""
    return next((said for guard in guards if (said := guard(recording))), "")


def register_owner(identifiers: Callable[[], AbstractSet[str]]) -> None:
    """Have `identifiers` tell whose keys, and whose bytes on their way in, belong to others than box recordings."""
    _owners.append(identifiers)


def owned_elsewhere() -> set[str]:
    """Return the identifiers of what others than box recordings keep keys for."""
    return {one for owner in _owners for one in owner()}


class RecordingKeys(Protocol):
    """Keeps each recording's encrypted key. Every method raises StorageError when the disk says no."""

    def put_once(self, recording: str, key_age: bytes) -> None:
        """Keep a key: the same bytes again succeed, others raise ConflictError."""

    def exists(self, recording: str) -> bool:
        """Tell whether the recording's key is here."""

    def read(self, recording: str) -> bytes:
        """Return `key.age`."""

    def recordings(self) -> Iterator[str]:
        """Yield every recording whose key is here, in no order."""

    def destroy_key(self, recording: str) -> None:
        """Remove a key for good; nothing happens if there is none. Nobody can hear that recording afterwards.

        Raises KeyHeldError, before anything is touched, where a guard says that it must be kept.
        """

    def sweep(self) -> None:
        """Remove copies of keys that a crash left under a temporary name."""


@dataclass(frozen=True)
class LocalRecordingKeys:
    """Keys as files below one folder."""

    root: Path
    guards: tuple[Callable[[str], str], ...] = ()
    """Each is asked before a key is destroyed, and says why not, or nothing."""

    @property
    def _store(self) -> LocalStore:
        return LocalStore(self.root)

    def put_once(self, recording: str, key_age: bytes) -> None:
        """Keep a key: the same bytes again succeed, others raise ConflictError."""
        self._store.put_once(f"{recording}.age", key_age)

    def exists(self, recording: str) -> bool:
        """Tell whether the recording's key is here."""
        return self._store.exists(f"{recording}.age")

    def read(self, recording: str) -> bytes:
        """Return `key.age`."""
        return self._store.read(f"{recording}.age")

    def recordings(self) -> Iterator[str]:
        """Yield every recording whose key is here, in no order."""
        for name in self._store.names(""):
            yield name.removesuffix(".age")

    def destroy_key(self, recording: str) -> None:
        """Remove a key for good, temporary copies as well, and make that durable. Raises KeyHeldError."""
        if why := why_kept(recording, self.guards):
            raise KeyHeldError(f"the key is not destroyed: {why}")
        with told_as(f"{recording}.age"):
            if self.root.is_dir():
                for path in [self.root / f"{recording}.age", *self.root.glob(f".{recording}.age.*")]:
                    path.unlink(missing_ok=True)
                sync_folder(self.root)

    def sweep(self) -> None:
        """Remove copies of keys that a crash left more than an hour ago."""
        with told_as("sweeping"):
            sweep_folder(self.root)


def recording_keys() -> RecordingKeys:
    """Return the recordings' keys of this archive."""
    return LocalRecordingKeys(settings.ARCHIVE_HOME / "recording-keys", tuple(_guards))
