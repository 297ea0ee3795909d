"""Short-lived copies of the key store, apart from the general backup: what is destroyed must not come back from one.

A generation is a tar file of the recordings' keys and the archive's own, encrypted with age to an identity of its own.
That identity lies in another folder, of which no backup is made, and is forgotten after some days; then the generation
opens nothing any more, wherever copies of it lie. Both folders may be doubled elsewhere (places.py); an identity counts
as forgotten only when every place has forgotten it.
"""

from __future__ import annotations

import io
import logging
import os
import re
import secrets
import tarfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from django.conf import settings
from django.utils import timezone

from appliance.contract.durable_files import create, sync_folder
from appliance.contract.encryption import Identity, encrypt
from appliance.contract.errors import KeyFileError, PlainSightError, StorageError
from appliance.contract.stop_signal import StopSignal
from archive.core.database_clock import SLACK
from archive.store.local import make_folder, told_as

from .places import Places, open_places, places, require_there

_NAME: Final = re.compile(r"(\d{8}T\d{6}Z)-[0-9a-f]{8}")
_FORMAT: Final = "%Y%m%dT%H%M%SZ"
FORGET_S: Final = 3600.0
"""How often the worker looks for what is old enough to be forgotten, in seconds."""
_log = logging.getLogger(__name__)
DESTROYED: Final = "destroyed.txt"
"""Beside the keys of generations: identifiers of recordings that were destroyed, so that none is restored."""
INSIDE: Final = ("recording-keys", "keys")
"""Folders of the archive that a generation holds."""


class PartOfItError(StorageError):
    """A generation was made, and not in every place."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.name = name


_guards: Final[list[Callable[[], str]]] = []


def register_guard(guard: Callable[[], str]) -> None:
    """Have `guard` asked before a generation is made or forgotten: it says why not now, or nothing."""
    _guards.append(guard)


def why_not_now() -> str:
    """Return in a sentence why no generation can be made or forgotten now, or nothing.

    Its name says when it was made: by a clock that is ahead it would be the newest one for years, and as long open
    what is destroyed.
    """
    return next((why for guard in _guards if (why := guard())), "")


def made_at(name: str) -> datetime:
    """Return when a generation was begun; raise KeyFileError for what is no generation's name."""
    found = _NAME.fullmatch(name)
    if found is None:
        raise KeyFileError(f"{name!r} is no generation of keys; their names are like 20261126T045500Z-0f3c9a52")
    return datetime.strptime(found[1], _FORMAT).replace(tzinfo=UTC)


def make_generation(now: datetime, where: Places | None = None) -> str:
    """Copy all keys into a new generation, and return its name; raise StorageError or KeyFileError.

    Its key is made first, in every place: so whatever holds a copy of a recording's key has a name from its begin on.
    One that is whole in the archive's own folder, and not in each second place, raises PartOfItError.
    """
    where = where or places()
    if why := why_not_now():
        raise StorageError(why)
    name = f"{now.astimezone(UTC).strftime(_FORMAT)}-{secrets.token_hex(4)}"
    identity = Identity.generate()
    wrong = open_places(where, first=not generations(where))
    gone = destroyed_in(where.own)

    def add_key(folder: Path) -> None:
        _add_destroyed(folder, gone)
        create(folder / f"{name}.txt", [identity.secret_line()])

    _in_each(where.keys, wrong, add_key)
    try:
        sealed = encrypt(_packed(settings.ARCHIVE_HOME), [identity.recipient])

        def add_generation(folder: Path) -> None:
            make_folder(folder)
            create(folder / f"{name}.tar.age", [sealed])

        _in_each(where.generations, wrong, add_generation)
    except (PlainSightError, OSError):
        _drop(name, where, wrong)
        raise
    if wrong:
        raise PartOfItError(name, f"the copy {name} of the keys is not everywhere: {'; '.join(wrong.values())}")
    return name


def _in_each(folders: tuple[Path, ...], wrong: dict[Path, str], write: Callable[[Path], None]) -> None:
    """Write to the archive's own folder, which must work, and to each second one that is there; note what failed."""
    own, *others = folders
    with told_as(str(own)):
        write(own)
    for folder in others:
        if folder not in wrong:
            try:
                with told_as(str(folder)):
                    write(folder)
            except StorageError as error:
                wrong[folder] = error.message


def _drop(name: str, where: Places, wrong: dict[Path, str]) -> None:
    """Take the keys of a generation away that nothing was encrypted to after all: it must not pass for one."""
    for folder in reversed(where.keys):
        if folder not in wrong:
            with suppress(OSError):
                (folder / f"{name}.txt").unlink(missing_ok=True)


def _packed(home: Path) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as file:
        for folder in INSIDE:
            for path in sorted((home / folder).glob("*")):
                # a key may be destroyed while they are copied, and temporary files are nobody's
                if path.is_file() and not path.name.startswith("."):
                    _add(file, path, f"{folder}/{path.name}")
    return out.getvalue()


def _add(file: tarfile.TarFile, path: Path, name: str) -> None:
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return
    info = tarfile.TarInfo(name)
    info.size, info.mode = len(data), 0o600
    file.addfile(info, io.BytesIO(data))


def generations(where: Places | None = None) -> list[str]:
    """Return the generations that some key still opens, oldest first.

    A key is forgotten elsewhere first and in the archive's own folder last, so that folder names them all.
    """
    own = (where or places()).keys[0]
    if not own.exists():
        return []
    with told_as(str(own)):
        return sorted(path.stem for path in own.iterdir() if _NAME.fullmatch(path.stem))


def forget_old(now: datetime, where: Places | None = None) -> list[str]:
    """Forget the keys of generations older than the configuration says, and return their names.

    Of each place the newest complete one is never forgotten: where backups stopped, or did not reach that place,
    nothing is lost by waiting. Raises StorageError where a place is away; what could not be forgotten there stays
    listed. Nothing is forgotten where a guard says why.
    """
    where = where or places()
    names = generations(where)
    kept = {_newest(names, folder, where, now) for folder in where.keys}
    limit = now - timedelta(days=settings.ARCHIVE.backup.keep_days)
    old = [name for name in names if name not in kept and made_at(name) < limit]
    if not old:
        return []
    if why := why_not_now():
        _log.error("no old copy of the keys is forgotten now: %(problem)s", {"problem": why})
        return []
    # before anything goes: what is not found in a place that is away was not removed from it
    unused = {folder for folder in where.second if not require_there(where, folder)}
    for name in old:
        for folder in reversed(where.generations):
            if folder not in unused:
                _remove(folder / f"{name}.tar.age")
        for folder in reversed(where.keys):
            if folder not in unused:
                _remove(folder / f"{name}.txt")
    return old


def _newest(names: list[str], folder: Path, where: Places, now: datetime) -> str:
    """Return the newest of the generations whose key lies in `folder`, and which lie somewhere; empty if none does.

    One that is named after a time to come was made by a wrong clock, and counts only where there is no other.
    """
    opened = [
        name
        for name in names
        if (folder / f"{name}.txt").exists() and any((one / f"{name}.tar.age").exists() for one in where.generations)
    ]
    come = [name for name in opened if made_at(name) <= now + SLACK]
    return max(come or opened, default="")


def generations_in(folder: Path, keys: Path) -> list[str]:
    """Return the generations of a folder whose keys lie in another one, oldest first."""
    with told_as(str(folder)):
        there = {path.name.removesuffix(".tar.age") for path in folder.iterdir() if path.name.endswith(".tar.age")}
        return sorted(name for name in there if _NAME.fullmatch(name) and (keys / f"{name}.txt").exists())


def adopt(folder: Path) -> None:
    """Take over the keys of all generations that lie in `folder`, and its list of what was destroyed.

    For an archive that was restored: these opened what lies elsewhere before it was here, and are to be forgotten in
    every place like its own.
    """
    own = places().own
    _add_destroyed(own, destroyed_in(folder))
    with told_as(str(folder)):
        for path in sorted(folder.glob("*.txt")):
            if _NAME.fullmatch(path.stem):
                create(own / path.name, [path.read_bytes()])


def note_destroyed(recording: str) -> None:
    """Write down that a recording was destroyed, where restoring a copy of the keys looks.

    It must stand in the archive's own folder; where another place is away, the next generation brings it there.
    """
    where = places()
    _add_destroyed(where.own, {recording})
    for folder in where.keys[1:]:
        try:
            if require_there(where, folder):
                _add_destroyed(folder, {recording})
        except StorageError as error:
            _log.warning(
                "the list of what was destroyed is not in %(path)s yet: %(problem)s", {"path": folder, "problem": error}
            )


def destroyed_in(folder: Path) -> set[str]:
    """Return the recordings of which a folder of generation keys says that they were destroyed."""
    path = folder / DESTROYED
    with told_as(str(path)):
        # what is damaged costs its own line alone
        lines = path.read_text(encoding="ascii", errors="replace").split() if path.exists() else []
        return {one for one in lines if one.isascii()}


def _add_destroyed(folder: Path, recordings: set[str]) -> None:
    with told_as(str(folder)):
        make_folder(folder)
        new = recordings - destroyed_in(folder)
        if new:
            # on a line of its own, whatever a crash cut off or an editor left without an end
            path = folder / DESTROYED
            torn = path.exists() and path.read_bytes()[-1:] not in {b"", b"\n"}
            with path.open("a", encoding="ascii") as file:
                file.write(("\n" if torn else "") + "".join(f"{one}\n" for one in sorted(new)))
                file.flush()
                os.fsync(file.fileno())
            sync_folder(folder)
        if missing := recordings - destroyed_in(folder):
            raise StorageError(f"{folder / DESTROYED} does not name {min(missing)} although it was written there")


def forget_due(_stop: StopSignal) -> None:
    """Forget what is old enough: a job of the worker."""
    for name in forget_old(timezone.now()):
        _log.info("the copy %(generation)s of the keys was forgotten", {"generation": name})


def _remove(path: Path) -> None:
    with told_as(str(path)):
        if path.exists():
            path.unlink()
            sync_folder(path.parent)


def read_generation(generations_in: Path, keys_in: Path, name: str) -> Iterator[tuple[str, bytes]]:
    """Yield the files of a generation, each with its path in the archive's folder.

    Raises KeyFileError where its key was forgotten or does not open it, StorageError where it is gone.
    """
    key = keys_in / f"{name}.txt"
    if not key.exists():
        raise KeyFileError(f"the key of generation {name} is not in {keys_in}: it was forgotten, and opens nothing")
    with told_as(f"generation {name}"):
        sealed = (generations_in / f"{name}.tar.age").read_bytes()
    plain = Identity.load(key).decrypt(sealed)
    with tarfile.open(fileobj=io.BytesIO(plain)) as file:
        for member in file.getmembers():
            folder, _, rest = member.name.partition("/")
            data = file.extractfile(member)
            if folder in INSIDE and rest and "/" not in rest and not rest.startswith(".") and data is not None:
                yield member.name, data.read()
