"""What a box without a screen has to say before its archive knows it: a text on its card, which every computer shows.

There is nobody to read its journal: nobody can log in (docs/install.md).
"""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from appliance.contract.durable_files import replace

FILE: Final = "plainsight-says.txt"
"""Beside the claim, on the card's boot partition; `plainsight card`'s first boot writes it as well."""


def say(card: Path, words: str) -> None:
    """Write why the box is not enrolled, unless that stands there: a card wears out by what is written each minute."""
    text = f"{words}\n"
    # whatever keeps it from being written, the reason itself goes to the journal
    with suppress(OSError):
        path = card / FILE
        if not path.exists() or not path.read_bytes().endswith(text.encode()):
            since = f"Since {datetime.now(UTC):%Y-%m-%d %H:%M} UTC by the box's clock, which may be wrong:\n"
            replace(path, (since + text).encode(), mode=0o644, durable=True)


def say_nothing(card: Path) -> None:
    """Remove what was said before."""
    with suppress(OSError):
        (card / FILE).unlink(missing_ok=True)
