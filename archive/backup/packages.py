"""Copying what is kept for good into a place of backups: each package once, and as it was sealed.

A package that is damaged in the store is no copy, and is told; so is a copy that is damaged, which is made anew. The
size of each copy is compared every night, and its digest in its turn, so that all had theirs in `[fixity] every_days`.
"""

from __future__ import annotations

import hashlib
import shutil
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from django.conf import settings

from appliance.contract.durable_files import create, sync_folder
from appliance.contract.errors import DigestError
from archive.recordings.models import Recording, State
from archive.records.outside_recordings.models import OutsideRecording
from archive.records.outside_recordings.models import State as OutsideState
from archive.records.outside_recordings.plain_file import outside_package
from archive.store.base import BUFFER, INCOMING, derivatives_folder, open_object, package_name
from archive.store.current import store
from archive.store.local import make_folder

from .manifest import FORMAT, backups_in


@dataclass(frozen=True)
class Sealed:
    """A sealed recording."""

    recording: str
    name: str
    """Of its package in the store."""
    sha256: str
    size: int
    destroyed_at: datetime | None


@dataclass
class Copied:
    """What was done in a place of backups."""

    copied: int = 0
    """Packages that were new there."""
    removed: int = 0
    """Packages of destroyed recordings that were taken away from there."""
    problems: list[str] = field(default_factory=list)
    """Packages that are not what was sealed, here or there."""


def sealed() -> Iterator[Sealed]:
    """Yield each sealed recording."""
    columns = ("pk", "package_sha256", "package_size", "destroyed_at")
    for pk, sha256, size, destroyed_at in Recording.objects.filter(state=State.SEALED).values_list(*columns).iterator():
        yield Sealed(pk, package_name(pk), sha256, size, destroyed_at)
    brought = OutsideRecording.objects.filter(state=OutsideState.SEALED).values_list(*columns)
    for pk, sha256, size, destroyed_at in brought.iterator():
        yield Sealed(pk, outside_package(pk), sha256, size, destroyed_at)


def copy_packages(folder: Path, now: datetime) -> Copied:
    """Copy what `folder` lacks, look at what it has, and take away what was destroyed."""
    done, turns, destroyed = Copied(), _turns(folder, now), set[str]()
    for one in sealed():
        path = folder / one.name
        if one.destroyed_at is None:
            _copy(one, path, done, look_inside=_turn(one.recording) in turns)
        else:
            destroyed.add(one.recording)
            if path.exists():
                path.unlink()
                sync_folder(path.parent)
                done.removed += 1
        _copy_derivatives(folder, one)
    _drop_arrived(folder, destroyed)
    return done


def _copy(one: Sealed, path: Path, done: Copied, *, look_inside: bool) -> None:
    there = path.exists()
    if there and path.stat().st_size == one.size and not (look_inside and file_sha256(path) != one.sha256):
        return
    if there:
        done.problems.append(f"the copy {path} does not hold, and is made anew from the store; look at its disk")
    try:
        copied = copy_object(one.name, path, one.sha256)
    except DigestError as error:
        done.problems.append(f"{error.message}; restore it from an older copy")
    else:
        done.copied += copied and not there


def _turns(folder: Path, now: datetime) -> set[int]:
    """Return whose turn it is, by number: of each day since the last backup in that place, so that none is missed."""
    every = settings.ARCHIVE.fixity.every_days
    made = [datetime.strptime(name, FORMAT).replace(tzinfo=UTC).date() for name in backups_in(folder)]
    today = now.astimezone(UTC).date()
    since = max([day for day in made if day <= today], default=None)
    days = every if since is None else min((today - since).days, every)
    return {(today - timedelta(days=number)).toordinal() % every for number in range(days)}


def _turn(recording: str) -> int:
    return zlib.crc32(recording.encode("ascii")) % settings.ARCHIVE.fixity.every_days


def _copy_derivatives(folder: Path, one: Sealed) -> None:
    """Copy what was made of a recording for others; of a destroyed one, take it away again."""
    names = derivatives_folder(one.recording)
    if one.destroyed_at is not None:
        if (folder / names).is_dir():
            shutil.rmtree(folder / names)
            sync_folder((folder / names).parent)
        return
    for name in store().names(names):
        if not (folder / name).exists():
            copy_object(name, folder / name)


def _drop_arrived(folder: Path, destroyed: set[str]) -> None:
    """Take away what had arrived of destroyed recordings when older backups were made."""
    for name in backups_in(folder):
        arrived = folder / name / INCOMING
        for path in arrived.iterdir() if arrived.is_dir() else ():
            if path.name in destroyed:
                shutil.rmtree(path)
                sync_folder(arrived)


def copy_object(name: str, path: Path, sha256: str | None = None) -> bool:
    """Copy a stored object under a temporary name first; return False for one that is gone meanwhile.

    Raises DigestError, and leaves what is there, where it does not have the digest `sha256`.
    """
    if not store().exists(name):
        return False
    make_folder(path.parent)
    temporary, known = path.with_name(f".{path.name}"), hashlib.sha256()
    temporary.unlink(missing_ok=True)

    def pieces() -> Iterator[bytes]:
        with open_object(store(), name) as file:
            while piece := file.read(BUFFER):
                known.update(piece)
                yield piece

    create(temporary, pieces(), mode=0o400)
    if sha256 not in {None, known.hexdigest()}:
        temporary.unlink()
        raise DigestError(f"{name} in the store is not what was sealed, and was not copied")
    temporary.rename(path)
    sync_folder(path.parent)
    return True


def file_sha256(path: Path) -> str:
    """Return the digest of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
