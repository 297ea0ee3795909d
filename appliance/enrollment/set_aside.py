"""Setting a former identity aside: keys and settings of a box that this board no longer is. Nothing is deleted.

The power may be cut between any two moves. So the file by which the next start learns that this identity has to go is
moved after those that would be kept by mistake, each move is durable before the next one, and the next start goes on.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from appliance.contract.board import is_another_board
from appliance.contract.durable_files import sync_folder
from appliance.contract.errors import StorageError
from appliance.contract.former_boxes import FILE as FORMER
from appliance.contract.keys import SigningKey

from . import known

_OTHER_KEYS: Final = (FORMER, "mqtt/client.key", "mqtt/client.pem", "courier.key")
_SETTINGS: Final = (known.RECORDER, known.COURIER)
STAGED: Final = "new-board"
"""Folder of the keys of a box whose archive is asked while the card is still another box's."""
SPOOL_WORDS: Final = (
    "What the former box recorded and had not sent is not lost, but is not sent either: it stays on this card, in "
    "/var/lib/plainsight/spool (docs/enrollment.md says how it gets to the archive)"
)
"""What is told wherever an identity was set aside."""


def of_another_board(folder: Path, board: str) -> bool:
    """Set the identity aside that another board was enrolled with, whose card this is a copy of; tell whether it was.

    The settings tell whose it is, so they go last. Raises StorageError.
    """
    other = known.board(folder)
    if not is_another_board(other, board):
        return False
    names = (known.BOX_KEY, *_OTHER_KEYS, *known.AUTHORITIES, *reversed(_SETTINGS))
    _move(folder, folder / f"of-board-{other}", names)
    return True


def of_a_retired_box(folder: Path) -> None:
    """Set the identity aside that its own archive has retired; raise StorageError or KeyFileError.

    Its key is what the archive knows it by. The settings go first, so that no recorder starts with them and a new key;
    the pinned authority goes after the key, so that it vouches for who is asked as long as the key is here.
    """
    key = SigningKey.load(folder / known.BOX_KEY).public
    name = f"of-key-{hashlib.sha256(key.encode('ascii')).hexdigest()[:16]}"
    _move(folder, folder / name, (*_SETTINGS, *_OTHER_KEYS, known.BOX_KEY, *known.AUTHORITIES))


def take_staged(folder: Path) -> None:
    """Move the keys that the archive was first asked with to their places; raise StorageError."""
    staged = folder / STAGED
    try:
        for name in (known.BOX_KEY, *_OTHER_KEYS):
            source, target = staged / name, folder / name
            if source.exists() and not target.exists():
                target.parent.mkdir(mode=0o750, exist_ok=True)
                source.rename(target)
                sync_folder(target.parent)
                sync_folder(source.parent)
    except OSError as error:
        raise StorageError(f"cannot move {error.filename} into {folder}: {error.strerror}; run this as root") from error


def _move(folder: Path, aside: Path, names: Iterable[str]) -> None:
    try:
        aside.mkdir(mode=0o700, exist_ok=True)
        sync_folder(folder)
        for name in names:
            path = folder / name
            if path.exists():
                path.rename(_free(aside / path.name))
                sync_folder(aside)
                sync_folder(path.parent)
    except OSError as error:
        raise StorageError(f"cannot move {error.filename} into {aside}: {error.strerror}; run this as root") from error


def _free(path: Path) -> Path:
    """Return `path`, or with a number behind it where that is taken: a card may come back to a board."""
    number, free = 1, path
    while free.exists():
        number += 1
        free = path.with_name(f"{path.name}.{number}")
    return free
