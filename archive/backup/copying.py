"""Making a backup: packages and database into one place, a generation of the keys into two others.

Its manifest is written last, and the folder gets its name last: what a kill or a full disk left is no backup. Packages
are copied once, whatever number of backups names them; those of destroyed recordings are taken away again.
"""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings
from django.db import connection

from appliance.contract.durable_files import create, sync_folder
from appliance.contract.errors import KeyFileError, StorageError
from appliance.contract.times import wall
from appliance.contract.version import software
from archive.custody.heads import FILE as HEADS
from archive.custody.heads import signed_head
from archive.custody.models import Head
from archive.keystore.current import keystore
from archive.keystore.generations import PartOfItError, make_generation, why_not_now
from archive.recordings.models import Recording, State
from archive.records.outside_recordings.models import OutsideRecording
from archive.records.outside_recordings.models import State as OutsideState
from archive.records.outside_recordings.plain_file import outside_package
from archive.store.base import BUFFER, INCOMING, derivatives_folder, open_object, package_name
from archive.store.current import store
from archive.store.local import make_folder, told_as

from .finished import note_finished
from .manifest import CONFIGURATION, DATABASE, FORMAT, MANIFEST, BackupManifest
from .rows import write_file


@dataclass(frozen=True)
class Made:
    """A backup that was made."""

    name: str
    generation: str
    packages: int
    """Packages that were new in this place."""
    removed: int
    """Packages of destroyed recordings that were taken away from it."""
    problems: tuple[str, ...] = ()
    """What is missing of it: database and packages are there all the same."""


def back_up(folder: Path, now: datetime) -> Made:
    """Make a backup in `folder`; raise StorageError.

    Database and packages are kept also where the keys could not be copied to every place.
    """
    if why := why_not_now():
        raise StorageError(why)
    name = now.astimezone(UTC).strftime(FORMAT)
    work = folder / f".{name}"
    with told_as(str(folder)):
        make_folder(folder)
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(mode=0o700)
    signed_head()
    try:
        with told_as(f"backup {name}"):
            sha256 = _copy_database(work / DATABASE)
            # before the packages: what is sealed meanwhile is dropped from here, and is among those
            _copy_incoming(work)
            copied, removed = _copy_packages(folder)
            for path in (settings.ARCHIVE_HOME / HEADS, settings.ARCHIVE_HOME / CONFIGURATION):
                if path.is_file():
                    create(work / path.name, [path.read_bytes()])
            generation, problems = _copy_keys(now)
            create(work / MANIFEST, [_manifest(now, sha256, generation)])
            work.rename(folder / name)
            sync_folder(folder)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    if not problems:
        note_finished(name, now)
    return Made(name, generation, copied, removed, problems)


def _copy_keys(now: datetime) -> tuple[str, tuple[str, ...]]:
    """Make a generation of the keys; return its name, empty if there is none, and what is wrong with it."""
    try:
        return make_generation(now), ()
    except PartOfItError as error:
        return error.name, (error.message,)
    except (StorageError, KeyFileError) as error:
        return "", (f"no copy of the keys was made: {error.message}",)


def _copy_database(path: Path) -> str:
    """Make the file of the database, a SQLite one on either engine, and return its digest."""
    if connection.vendor == "sqlite":
        connection.ensure_connection()
        assert connection.connection is not None  # noqa: S101 - told to the type checker
        copy = sqlite3.connect(path)
        try:
            connection.connection.backup(copy)
        finally:
            copy.close()
    else:
        write_file(path.parent)
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _copy_incoming(work: Path) -> None:
    for name in store().names(INCOMING):
        try:
            copy_object(name, work / name)
        except StorageError:
            if store().exists(name):
                raise
            # it was sealed while it was copied
            (work / name).with_name(f".{Path(name).name}").unlink(missing_ok=True)


def _copy_packages(folder: Path) -> tuple[int, int]:
    copied = removed = 0
    for recording, name, destroyed_at in sealed():
        path = folder / name
        if destroyed_at is None and not path.exists():
            copied += copy_object(name, path)
        elif destroyed_at is not None and path.exists():
            path.unlink()
            sync_folder(path.parent)
            removed += 1
        _copy_derivatives(folder, recording, destroyed=destroyed_at is not None)
    return copied, removed


def sealed() -> Iterator[tuple[str, str, datetime | None]]:
    """Yield each sealed recording, its package's name in the store, and when it was destroyed."""
    rows = Recording.objects.filter(state=State.SEALED).values_list("pk", "destroyed_at")
    for recording, destroyed_at in rows.iterator():
        yield recording, package_name(recording), destroyed_at
    brought = OutsideRecording.objects.filter(state=OutsideState.SEALED).values_list("pk", "destroyed_at")
    for recording, destroyed_at in brought.iterator():
        yield recording, outside_package(recording), destroyed_at


def _copy_derivatives(folder: Path, recording: str, *, destroyed: bool) -> None:
    """Copy what was made of a recording for others; of a destroyed one, take it away again."""
    names = derivatives_folder(recording)
    if destroyed:
        if (folder / names).is_dir():
            shutil.rmtree(folder / names)
            sync_folder((folder / names).parent)
        return
    for name in store().names(names):
        if not (folder / name).exists():
            copy_object(name, folder / name)


def copy_object(name: str, path: Path) -> bool:
    """Copy a stored object under a temporary name first; return False for one that is gone meanwhile."""
    if not store().exists(name):
        return False
    make_folder(path.parent)
    temporary = path.with_name(f".{path.name}")
    temporary.unlink(missing_ok=True)
    with open_object(store(), name) as file:
        create(temporary, _pieces(file), mode=0o400)
    temporary.rename(path)
    sync_folder(path.parent)
    return True


def _pieces(file: object) -> Iterator[bytes]:
    return iter(lambda: file.read(BUFFER), b"")  # type: ignore[attr-defined]  # any reader of bytes


def _manifest(now: datetime, sha256: str, generation: str) -> bytes:
    head = Head.objects.filter(pk=1).first()
    return keystore().sign(
        BackupManifest(
            archive_key=keystore().public,
            made_at=wall(now),
            software=software(),
            database_sha256=sha256,
            entries=head.n if head else 0,
            recordings=sum(destroyed_at is None for _, _, destroyed_at in sealed()),
            generation=generation,
        )
    )
