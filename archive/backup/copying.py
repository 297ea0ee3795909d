"""Making a backup: packages and database into one place, a generation of the keys into two others.

Its manifest is written last, and the folder gets its name last: what a kill or a full disk left is no backup. Packages
are copied once, whatever number of backups names them; those of destroyed recordings are taken away again.
"""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
from dataclasses import dataclass, replace
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
from archive.keystore.last_backup import note_backup, place_of_last_backup
from archive.store.base import INCOMING
from archive.store.current import store
from archive.store.local import told_as

from .manifest import CONFIGURATION, DATABASE, FORMAT, MANIFEST, BackupManifest
from .packages import copy_object, copy_packages, sealed
from .place import one_run_in, require_there
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
    """What is missing or damaged: the rest is there all the same."""
    left: int = 0
    """What earlier runs left that were killed, and what was removed now."""


def back_up(folder: Path, now: datetime) -> Made:
    """Make a backup in `folder`; raise StorageError.

    Database and packages are kept also where the keys could not be copied to every place, or a package is damaged.
    """
    if why := why_not_now():
        raise StorageError(why)
    require_there(folder, place_of_last_backup())
    with one_run_in(folder) as left:
        return replace(_back_up(folder, now), left=left)


def _back_up(folder: Path, now: datetime) -> Made:
    name = now.astimezone(UTC).strftime(FORMAT)
    work = folder / f".{name}"
    with told_as(str(folder)):
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(mode=0o700)
    signed_head()
    try:
        with told_as(f"backup {name}"):
            sha256 = _copy_database(work / DATABASE)
            # before the packages: what is sealed meanwhile is dropped from here, and is among those
            _copy_incoming(work)
            done = copy_packages(folder, now)
            for path in (settings.ARCHIVE_HOME / HEADS, settings.ARCHIVE_HOME / CONFIGURATION):
                if path.is_file():
                    create(work / path.name, [path.read_bytes()])
            generation, missing = _copy_keys(now)
            create(work / MANIFEST, [_manifest(now, sha256, generation)])
            work.rename(folder / name)
            sync_folder(folder)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    if not missing:
        note_backup(folder / name, now)
    return Made(name, generation, done.copied, done.removed, (*missing, *done.problems))


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


def _manifest(now: datetime, sha256: str, generation: str) -> bytes:
    head = Head.objects.filter(pk=1).first()
    return keystore().sign(
        BackupManifest(
            archive_key=keystore().public,
            made_at=wall(now),
            software=software(),
            database_sha256=sha256,
            entries=head.n if head else 0,
            recordings=sum(one.destroyed_at is None for one in sealed()),
            generation=generation,
        )
    )
