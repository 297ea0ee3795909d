"""Removing what is left of a recording that was destroyed: the decision stands in archive.records.destruction."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

from django.db.models import QuerySet

from archive.keystore.recording_keys import recording_keys
from archive.store.base import derivatives_folder
from archive.store.current import store

from .models import BucketLock


def remove_destroyed(recording: str, package: str) -> None:
    """Remove key, package and derivatives of a recording that two people decided to destroy, as far as they are there.

    `package` is the package's name in the store.

    The key goes first: from then on nobody opens what is left. Raises KeyHeldError where it was not decided, and
    StorageError when the disk says no; either way it can be called again.
    """
    recording_keys().destroy_key(recording)
    store().remove(package)
    BucketLock.objects.filter(pk=recording).delete()
    for name in list(store().names(derivatives_folder(recording))):
        store().remove(name)
    store().drop_incoming(recording)


_elsewhere: Final[list[Callable[[], Iterable[tuple[str, str]]]]] = []


def register_destroyed(rows: Callable[[], Iterable[tuple[str, str]]]) -> None:
    """Have `rows` tell what was destroyed and is no row of a box's recording: identifier, and its package's name."""
    _elsewhere.append(rows)


def destroyed_elsewhere() -> dict[str, str]:
    """Return the packages' names of what was destroyed and is no row of a box's recording, by identifier."""
    return {recording: package for rows in _elsewhere for recording, package in rows()}


_identifying: Final[list[tuple[str, Callable[[str], QuerySet[Any]]]]] = []


def register_identifying(name: str, rows: Callable[[str], QuerySet[Any]]) -> None:
    """Have `rows` of a recording removed with it, since they name somebody; `name` stands in the certificate."""
    _identifying.append((name, rows))


def identifying_rows(recording: str) -> dict[str, QuerySet[Any]]:
    """Return what apps above the records keep of a recording that names somebody, by what it is."""
    return {name: rows(recording) for name, rows in _identifying}


_never_kept: Final[list[Callable[[str], bool]]] = []


def register_never_kept(told: Callable[[str], bool]) -> None:
    """Have `told` say of which recordings key and package may go although nobody decided it: they never had a row."""
    _never_kept.append(told)


def was_never_kept(recording: str) -> bool:
    """Tell whether what is here of a recording is only what was left of an attempt to take it in."""
    return any(told(recording) for told in _never_kept)
