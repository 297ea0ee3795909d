"""What the archive's apps know about a recording, as chapters of the summary and as files of the package.

Who knows something stands above this app, and registers itself. Words are in `words`, so that each is said once, in
every language, and as a parent would say it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Fact:
    """One thing that is known."""

    code: str
    """What it is: a key of `words.LABELS`, and the member's name in the package's JSON."""
    value: str
    """It, as a program reads it: a day as 2026-11-26."""
    said: str = ""
    """It, as a person reads it; empty where that is the value itself, or stands in `words.CHOICES`."""


@dataclass(frozen=True)
class Attachment:
    """A file that goes into the package as it is."""

    name: str
    """File name, of letters, digits, `.`, `-` and `_`."""
    data: bytes


@dataclass(frozen=True)
class Chapter:
    """What one app knows."""

    code: str
    """A key of `words.HEADINGS`; the name of its file and folder in the package."""
    items: tuple[tuple[Fact, ...], ...]
    """One entry for each thing: a meeting, a statement, a consent."""
    attachments: tuple[Attachment, ...] = ()

    def as_json(self) -> bytes:
        """Return its items for programs."""
        listed = [{fact.code: fact.value for fact in item} for item in self.items]
        return (json.dumps(listed, indent=1, ensure_ascii=False) + "\n").encode("utf-8")


Provider = Callable[[str], Chapter]
_providers: Final[list[Provider]] = []


def register(provider: Provider) -> None:
    """Have `provider` tell what it knows about a recording; the order of registration is the order in the summary."""
    _providers.append(provider)


def chapters_of(recording: str) -> list[Chapter]:
    """Return what is known about a recording, said in the language that is active."""
    return [provider(recording) for provider in _providers]
