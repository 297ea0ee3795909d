"""Where generations of the keys lie, and what opens them: folders of the archive's own, and a second place for each.

A second place is a stick, a disk or a share that is mounted. While it is away, its folder is often still there, and
empty: what is not found in it would count as removed, and what is written goes to another disk. So the first generation
leaves a mark in each place, and nothing is written to, or taken for removed from, one that does not show its mark. The
archive's own folder names the places that have one.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from django.conf import settings

from appliance.contract.durable_files import create, replace
from appliance.contract.errors import StorageError
from archive.store.local import make_folder, told_as

OWN_FOLDER: Final = "key-generations"
"""Generations, in the archive's folder."""
OWN_KEYS: Final = "generation-keys"
"""What opens them, in the archive's folder."""
MARK: Final = "plainsight-place.txt"
"""The mark of a second place. What is in it says nothing."""
MARKED: Final = "places.txt"
"""Beside the archive's own keys of generations: the second places that were given a mark, one on each line."""
_WORDS: Final = b"Copies of an archive's keys lie here, or what opens them. Leave this file: it tells the archive so.\n"


@dataclass(frozen=True)
class Places:
    """Where generations and their keys lie; the archive's own folder is the first of each."""

    generations: tuple[Path, ...]
    keys: tuple[Path, ...]

    @property
    def own(self) -> Path:
        """The archive's own folder of generation keys."""
        return self.keys[0]

    @property
    def second(self) -> tuple[Path, ...]:
        """All places outside of the archive's folder."""
        return (*self.generations[1:], *self.keys[1:])


def places() -> Places:
    """Return the archive's own folders, and those that the configuration names besides."""
    backup, home = settings.ARCHIVE.backup, settings.ARCHIVE_HOME
    return Places(
        tuple(path for path in (home / OWN_FOLDER, backup.keys) if path is not None),
        tuple(path for path in (home / OWN_KEYS, backup.generation_keys) if path is not None),
    )


def open_places(where: Places, *, first: bool) -> dict[Path, str]:
    """Make the second places ready to be written to; return those that cannot be, with what is wrong.

    A place that was never used gets its mark. `first` says that the archive knows of no generation yet. Where it knows
    of some and not of places, it was restored: any place may have been used, so each must show a mark.
    """
    marked = set[str]() if first and _marked(where) is None else _marked(where)
    wrong: dict[Path, str] = {}
    for place in where.second:
        try:
            _open(place, marked)
        except StorageError as error:
            wrong[place] = error.message
    if marked is not None or not wrong:
        _keep_marked(where, (marked or set()) | {str(one) for one in where.second if one not in wrong})
    return wrong


def require_there(where: Places, place: Path) -> bool:
    """Tell whether anything can lie in a second place; raise StorageError where something can, and it is away."""
    marked = _marked(where)
    if marked is not None and str(place) not in marked:
        return False
    if not (place / MARK).exists():
        raise StorageError(_away(place))
    return True


def _open(place: Path, marked: set[str] | None) -> None:
    if (place / MARK).exists():
        return
    if marked is None or str(place) in marked:
        raise StorageError(_away(place))
    with told_as(str(place)):
        make_folder(place)
        create(place / MARK, [_WORDS])


def _marked(where: Places) -> set[str] | None:
    """Return the second places that were given a mark; None where that is not known."""
    path = where.own / MARKED
    with told_as(str(path)):
        return set(path.read_text(encoding="utf-8").splitlines()) if path.exists() else None


def _keep_marked(where: Places, marked: set[str]) -> None:
    if marked == _marked(where):
        return
    with told_as(str(where.own)):
        make_folder(where.own)
        text = "".join(f"{one}\n" for one in sorted(marked))
        replace(where.own / MARKED, text.encode("utf-8"), mode=0o600, durable=True)


def _away(place: Path) -> str:
    return (
        f"{place} is away: the file {MARK}, which shows that copies of the keys or what opens them lie there, is not "
        "in it; mount it. Where another disk took its place for good, and what lay on the former one was destroyed, "
        f"make that file: touch {place / MARK}"
    )
