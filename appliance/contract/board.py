"""Which board this is. A box's identity is bound to it, so that a copied card is told from its original."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

SERIALS: Final = (Path("/proc/device-tree/serial-number"), Path("/sys/class/dmi/id/product_uuid"))
"""The Raspberry Pi's serial number; on other machines the firmware's. The second is root's to read."""
MODELS: Final = (Path("/proc/device-tree/model"), Path("/sys/class/dmi/id/product_name"))


def board_serial(sources: tuple[Path, ...] = SERIALS) -> str:
    """Return the board's serial number, or an empty text where it has none that this user may read."""
    return re.sub(r"[^0-9A-Za-z._-]", "", _first(sources))[:64]


def board_model(sources: tuple[Path, ...] = MODELS) -> str:
    """Return what the board calls itself, or an empty text."""
    return "".join(letter for letter in _first(sources) if letter.isprintable() and letter.isascii())[:100]


def _first(sources: tuple[Path, ...]) -> str:
    for path in sources:
        try:
            text = path.read_bytes().rstrip(b"\0\n").decode("ascii", "replace").strip()
        except OSError:
            # not this kind of machine, or not for this user: the next source may tell
            continue
        if text:
            return text
    return ""


def is_another_board(enrolled: str, here: str) -> bool:
    """Tell whether an identity that was enrolled on the board `enrolled` runs `here`; unknown numbers tell nothing."""
    return bool(enrolled and here and enrolled != here)
