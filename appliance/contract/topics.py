"""MQTT topics; nothing in them but random ids, states and codes (promise 7)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from .amber_codes import TABLE
from .health import SOURCES
from .ids import BOX_PATTERN

PREFIX = "plainsight"
EVENTS: Final = ("recording-started", "recording-ended", "sealed")
"""Kinds of events."""


@dataclass(frozen=True)
class Topics:
    """The topics of one box."""

    box: str

    @property
    def online(self) -> str:
        """Retained; also the Will."""
        return f"{PREFIX}/{self.box}/online"

    @property
    def recorder(self) -> str:
        """Retained; on change and every 30 s."""
        return f"{PREFIX}/{self.box}/state/recorder"

    @property
    def about(self) -> str:
        """Retained; at connection."""
        return f"{PREFIX}/{self.box}/state/about"

    def health(self, source: str) -> str:
        """Retained; when an examination found something else than before."""
        return f"{PREFIX}/{self.box}/state/health/{source}"

    def fault(self, code: str) -> str:
        """Retained while the fault holds; cleared by an empty payload."""
        return f"{PREFIX}/{self.box}/state/fault/{code}"

    def event(self, kind: str) -> str:
        """Not retained."""
        return f"{PREFIX}/{self.box}/event/{kind}"

    def all(self) -> tuple[str, ...]:
        """Every topic that a box writes to: so many, and so long a message each, can a broker be made to keep."""
        return (
            self.online,
            self.recorder,
            self.about,
            *map(self.health, SOURCES),
            *(self.fault(one.code) for one in TABLE),
            *map(self.event, EVENTS),
        )


ALL = f"{PREFIX}/+/#"
"""What the archive subscribes to."""


def parse(topic: str) -> tuple[str, str] | None:
    """Return box and the rest of one of our topics, or None for anything else."""
    prefix, _, rest = topic.partition("/")
    box, _, tail = rest.partition("/")
    if prefix != PREFIX or not tail or not re.match(BOX_PATTERN, box):
        return None
    return box, tail
