"""Taking a backup back into an empty folder, and checking everything that it brought.

The keys come first: they tell whether the backup is what this archive signed. What was destroyed since stays destroyed,
also where the database is older than that: the folder of generation keys keeps a list.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.db import connection, connections
from django.utils import timezone

from appliance.contract.durable_files import create
from appliance.contract.errors import DecryptionError, KeyFileError, PlainSightError, SettingsError, StorageError
from appliance.contract.times import parse_wall
from appliance.contract.verification import Report
from appliance.contract.verification.report import SOUND
from appliance.contract.version import software
from archive.configuration.file import load
from archive.core.database_clock import SLACK
from archive.custody.actors import Actor
from archive.custody.check import check as check_custody
from archive.keystore.current import keystore
from archive.keystore.generations import adopt, destroyed_in, generations_in, made_at, read_generation
from archive.keystore.recording_keys import recording_keys
from archive.recordings.models import Recording, State, StoredArrival, TailSegment
from archive.recordings.verification import verify_again
from archive.records.destruction.restored_deeds import destroy_restored
from archive.records.outside_recordings.checking import check_outside
from archive.records.outside_recordings.models import OutsideRecording
from archive.records.outside_recordings.models import State as OutsideState
from archive.records.outside_recordings.plain_file import OUTSIDE
from archive.store.base import DERIVATIVES, PACKAGES, package_name
from archive.store.current import store
from archive.store.local import make_folder, told_as

from .manifest import CONFIGURATION, DATABASE, MANIFEST, BackupManifest, chosen
from .rows import read_file


@dataclass(frozen=True)
class Source:
    """Where a backup comes from."""

    folder: Path
    keys: Path
    """Generations of the keys."""
    generation_keys: Path
    """What opens them."""
    name: str | None = None
    """The backup; None: the newest."""
    generation: str | None = None
    """The copy of the keys; None: the newest that is there and opens."""


@dataclass
class Restored:
    """What was restored, and what was found."""

    name: str
    made_at: str
    generation: str
    recordings: int = 0
    """Sealed recordings in the database that were not destroyed."""
    verified: int = 0
    """Those whose package, signatures and audio hold; of those that no box made, package and file."""
    without_key: int = 0
    """Those whose package holds, and whose key had arrived and is not here: nobody can hear them."""
    failed: tuple[str, ...] = ()
    """Those that do not hold."""
    destroyed: int = 0
    """Keys that the copy held of recordings which were destroyed since; they were not taken."""
    erased: int = 0
    """Recordings of the backup that were destroyed since: tombstones again, and the names beside them erased."""
    newer: int = 0
    """Recordings that were sealed while the backup was made, so that its database does not know them as sealed."""
    custody: str = ""
    """Where the custody log does not hold; empty if it does."""
    seconds: float = 0.0
    """How long it took."""

    @property
    def holds(self) -> bool:
        """Whether all of it is here, and can be heard."""
        return not (self.failed or self.custody or self.without_key)

    def as_json(self) -> dict[str, object]:
        """Return it for scripts."""
        return json.loads(json.dumps(asdict(self)))  # type: ignore[no-any-return]  # an object, by its making


def restore(source: Source, *, audio: bool = True) -> Restored:
    """Restore into the archive's folder, which must be empty; raise SettingsError, KeyFileError or StorageError."""
    began, home = time.monotonic(), settings.ARCHIVE_HOME
    require_empty(home)
    folder = chosen(source.folder, source.name)
    line = (folder / MANIFEST).read_bytes()
    manifest = BackupManifest.read(line, None)
    if manifest.software != software():
        raise SettingsError(
            f"{folder.name} was made by {manifest.software}, and this is {software()}; install that one"
        )
    chosen_settings = chosen_database(folder)
    generation = source.generation or _newest(source, parse_wall(manifest.made_at))
    with told_as(str(home)):
        make_folder(home)
        destroyed = _take_keys(source, generation, home)
        _check_signed(line, manifest)
        _take_database(folder, manifest, home)
        if chosen_settings is not None:
            take_settings(chosen_settings, home)
        for packages in (PACKAGES, DERIVATIVES, OUTSIDE):
            if (source.folder / packages).is_dir():
                shutil.copytree(source.folder / packages, home / "store" / packages, dirs_exist_ok=True)
        if (folder / "incoming").is_dir():
            shutil.copytree(folder / "incoming", home / "store" / "incoming")
        adopt(source.generation_keys)
    found = Restored(folder.name, manifest.made_at, generation, destroyed=destroyed)
    found.erased = destroy_restored(destroyed_in(source.generation_keys))
    check_all(found, audio=audio)
    found.newer = max(manifest.recordings - found.recordings - found.erased, 0)
    found.seconds = round(time.monotonic() - began, 3)
    return found


def require_empty(home: Path) -> None:
    """Raise SettingsError unless the archive's folder is empty, or not there yet."""
    there = sorted(path.name for path in home.iterdir()) if home.is_dir() else []
    if there:
        raise SettingsError(f"{home} holds {', '.join(there[:5])}; restore into an empty folder", field="ARCHIVE_HOME")


def take_settings(path: Path, home: Path) -> None:
    """Make a settings file the archive's: from now on its database is the one that was restored into."""
    shutil.copyfile(path, home / CONFIGURATION)
    (home / CONFIGURATION).chmod(0o640)


def chosen_database(folder: Path) -> Path | None:
    """Return the settings file that names the database to restore into; None where the backup's own settings do.

    Raises SettingsError where neither does, or where that database is not empty.
    """
    engine, named = settings.ARCHIVE.database.engine, os.environ.get("ARCHIVE_CONFIG")
    theirs = load(folder / CONFIGURATION).database.engine if (folder / CONFIGURATION).exists() else "sqlite"
    if named is None and engine != theirs:
        raise SettingsError(
            f"{folder.name} was made on {theirs}; set ARCHIVE_CONFIG to a settings file that names the database to "
            f"restore into, such as a copy of {folder / CONFIGURATION}",
            field="ARCHIVE_CONFIG",
        )
    if engine == "postgresql" and connection.introspection.table_names():
        raise SettingsError(
            f"the database {settings.ARCHIVE.database.name} is not empty; make a new one with createdb, and name that",
            field="database.name",
        )
    return Path(named) if named is not None else None


def _newest(source: Source, backup_made_at: datetime) -> str:
    """Return the newest copy of the keys; one that a wrong clock named after a time to come only where it is alone."""
    names = generations_in(source.keys, source.generation_keys)
    if not names:
        raise KeyFileError(
            f"no copy of the keys in {source.keys} is opened by what lies in {source.generation_keys}; "
            "without the keys nobody can hear what is restored"
        )
    latest = max(timezone.now(), backup_made_at) + SLACK
    return max([name for name in names if made_at(name) <= latest] or names)


def _take_keys(source: Source, generation: str, home: Path) -> int:
    gone, dropped = destroyed_in(source.generation_keys), 0
    for name, data in read_generation(source.keys, source.generation_keys, generation):
        if name.startswith("recording-keys/") and name.removeprefix("recording-keys/").removesuffix(".age") in gone:
            dropped += 1
            continue
        path = home / name
        make_folder(path.parent)
        create(path, [data], mode=0o400 if name.startswith("recording-keys/") else 0o600)
    return dropped


def _check_signed(line: bytes, manifest: BackupManifest) -> None:
    keystore.cache_clear()
    BackupManifest.read(line, keystore().public)
    if manifest.archive_key != keystore().public:
        raise KeyFileError("this backup is another archive's than these keys")


def _take_database(folder: Path, manifest: BackupManifest, home: Path) -> None:
    with (folder / DATABASE).open("rb") as file:
        if hashlib.file_digest(file, "sha256").hexdigest() != manifest.database_sha256:
            raise StorageError(f"the database in {folder} is not the one that was backed up; take another backup")
    if connection.vendor == "sqlite":
        shutil.copyfile(folder / DATABASE, home / DATABASE)
        (home / DATABASE).chmod(0o600)
    else:
        read_file(folder)
    for path in folder.iterdir():
        if path.is_file() and path.name not in {MANIFEST, DATABASE}:
            shutil.copyfile(path, home / path.name)
    if (home / CONFIGURATION).exists():
        (home / CONFIGURATION).chmod(0o640)
    connections.close_all()


def check_all(found: Restored, *, audio: bool) -> None:
    """Check the custody log and every recording that is not destroyed, and note what was found."""
    broken = check_custody()
    found.custody = f"entry {broken.n}: {broken.problem}" if broken else ""
    failed = []
    for row in Recording.objects.filter(state=State.SEALED, destroyed_at=None).order_by("pk"):
        found.recordings += 1
        try:
            report = verify_again(row, Actor.operator(), audio=audio)
        except PlainSightError:
            failed.append(row.pk)
            continue
        if report.verdict not in SOUND:
            failed.append(row.pk)
        elif row.key_arrived and not _is_heard(row, report, audio=audio):
            found.without_key += 1
        else:
            found.verified += 1
    for brought in OutsideRecording.objects.filter(state=OutsideState.SEALED, destroyed_at=None).order_by("pk"):
        found.recordings += 1
        try:
            check_outside(brought, audio=audio)
        except DecryptionError:
            found.without_key += 1
        except PlainSightError:
            failed.append(brought.pk)
        else:
            found.without_key += not recording_keys().exists(brought.pk)
            found.verified += recording_keys().exists(brought.pk)
    found.failed = (*failed, *_lost_on_the_way())


def _is_heard(row: Recording, report: Report, *, audio: bool) -> bool:
    """Tell whether the key of a recording is here, and opened its audio if that was asked for."""
    return recording_keys().exists(row.pk) and (not audio or not row.frames or bool(report.audio_md5))


def _lost_on_the_way() -> list[str]:
    """Return the recordings that were not sealed of which something that had arrived is not here, nor a package."""
    named = [
        one
        for model in (StoredArrival, TailSegment)
        for one in model.objects.exclude(stored="")
        .filter(recording__destroyed_at=None)
        .values_list("recording_id", "stored")
    ]
    lost = {recording for recording, name in named if not store().exists(name)}
    return sorted(recording for recording in lost if not store().exists(package_name(recording)))
