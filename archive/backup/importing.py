"""Taking a whole archive in again, on another host, from what `exporting` wrote; everything is checked.

The bag's digests come first, then the keys, which tell whether the archive that they belong to signed the bag; only
then are rows and packages taken, and at last every recording and the custody log are verified.
"""

from __future__ import annotations

import io
import shutil
import tarfile
import time
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Final

from django.conf import settings
from django.db import connections

from appliance.contract.durable_files import create
from appliance.contract.encryption import Identity
from appliance.contract.errors import FormatError, KeyFileError, SettingsError, StorageError
from appliance.contract.version import software
from archive.custody.heads import FILE as HEADS
from archive.keystore.current import keystore
from archive.keystore.generations import INSIDE
from archive.store.local import make_folder, told_as

from .exporting import KEYS, MANIFEST, ROWS, STATEMENT, STORE, ExportStatement
from .manifest import CONFIGURATION
from .open_rows import read_rows
from .packages import file_sha256
from .restoring import Restored, check_all, chosen_database, require_empty, take_settings

_DIGEST: Final = 64
Progress = Callable[[str, int, int], None]


def import_archive(
    folder: Path, identity: Identity, *, audio: bool = True, progress: Progress = lambda *_: None
) -> Restored:
    """Take an export into the archive's folder, which must be empty.

    Raises SettingsError, KeyFileError, DecryptionError or StorageError that says what to do; nothing of a damaged
    export is taken.
    """
    began, home = time.monotonic(), settings.ARCHIVE_HOME
    require_empty(home)
    line, statement = _statement(folder)
    _check_digests(folder, statement, progress)
    chosen = chosen_database(folder / "data")
    keys = identity.decrypt((folder / KEYS).read_bytes())
    with told_as(str(home)):
        make_folder(home)
        _take_keys(keys, home)
        keystore.cache_clear()
        if statement.archive_key != keystore().public:
            raise KeyFileError("this export is another archive's than these keys")
        ExportStatement.read(line, statement.archive_key)
        read_rows(folder / ROWS)
        for name in (HEADS, CONFIGURATION):
            if (folder / "data" / name).is_file():
                shutil.copyfile(folder / "data" / name, home / name)
        if (home / CONFIGURATION).exists():
            (home / CONFIGURATION).chmod(0o640)
        if chosen is not None:
            take_settings(chosen, home)
        if (folder / STORE).is_dir():
            shutil.copytree(folder / STORE, home / "store", dirs_exist_ok=True)
        connections.close_all()
    found = Restored(folder.name, statement.made_at, "")
    check_all(found, audio=audio)
    found.seconds = round(time.monotonic() - began, 3)
    return found


def _statement(folder: Path) -> tuple[bytes, ExportStatement]:
    if not (folder / STATEMENT).is_file():
        raise SettingsError(f"{folder} is no export of an archive: it has no {STATEMENT}", field="FOLDER")
    line = (folder / STATEMENT).read_bytes()
    try:
        statement = ExportStatement.read(line, None)
        ExportStatement.read(line, statement.archive_key)
    except FormatError as error:
        raise SettingsError(f"{folder / STATEMENT} is damaged: {error.message}", field="FOLDER") from error
    if statement.software != software():
        raise SettingsError(
            f"{folder.name} was made by {statement.software}, and this is {software()}; install that one",
            field="FOLDER",
        )
    return line, statement


def _check_digests(folder: Path, statement: ExportStatement, progress: Progress) -> None:
    """Raise StorageError unless exactly the files are there that the archive signed."""
    with told_as(str(folder)):
        if file_sha256(folder / MANIFEST) != statement.manifest_sha256:
            raise StorageError(f"{MANIFEST} is not the one that the archive signed; take another copy of the export")
        named = dict(_named(line) for line in (folder / MANIFEST).read_text(encoding="ascii").splitlines())
        there = {path.relative_to(folder).as_posix() for path in (folder / "data").rglob("*") if not path.is_dir()}
        if differ := sorted(named.keys() ^ there):
            raise StorageError(f"{differ[0]} is missing, or nobody signed that it is there; take another copy")
        for done, (name, sha256) in enumerate(named.items()):
            progress("digests", done, len(named))
            if (folder / name).is_symlink() or file_sha256(folder / name) != sha256:
                raise StorageError(f"{name} is damaged; take another copy of the export")


def _named(line: str) -> tuple[str, str]:
    sha256, _, name = line.partition("  ")
    if len(sha256) != _DIGEST or not name.startswith("data/") or ".." in PurePosixPath(name).parts:
        raise StorageError(f"{MANIFEST} has a line that names no file of it")
    return name, sha256


def _take_keys(data: bytes, home: Path) -> None:
    with tarfile.open(fileobj=io.BytesIO(data)) as file:
        for member in file.getmembers():
            folder, _, name = member.name.partition("/")
            held = file.extractfile(member) if member.isreg() else None
            if folder in INSIDE and name and "/" not in name and not name.startswith(".") and held is not None:
                make_folder(home / folder)
                create(home / member.name, [held.read()], mode=0o400 if folder == "recording-keys" else 0o600)
