"""The one list of what can stand in the custody log. Each app registers its own kinds, each with its wording.

They stand in a module `custody_kinds` of the app, which is imported when Django starts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

_kinds: Final[dict[str, Kind]] = {}


@dataclass(frozen=True)
class Kind:
    """What was done."""

    code: str
    """Stable and hashed: it never changes its meaning."""
    words: str
    """What a person reads, in the past tense."""
    detail: tuple[str, ...] = ()
    """Members that its detail may have. None of them may hold a name of a person, room or meeting."""


def register(code: str, words: str, *detail: str) -> Kind:
    """Return a new kind; raise ValueError if another one has the code already."""
    kind = Kind(code, words, detail)
    if _kinds.setdefault(code, kind) != kind:
        raise ValueError(f"two kinds of custody entries are called {code!r}")
    return kind


def kinds() -> dict[str, Kind]:
    """Return all kinds by their code."""
    return dict(_kinds)
