"""What the archive has of each box's recordings: asked of whoever keeps recordings, which is above the rooms."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from archive.accounts.models import User


@dataclass(frozen=True)
class Uploads:
    """What the archive has of a box's recordings."""

    current_s: float = 0.0
    """Seconds of audio here of the recording that the box is making now."""
    waiting: int = 0
    """Recordings of this box that have not arrived as a whole, not counting the one being made now."""
    unsealed: int = 0
    """Recordings that arrived and wait for their seal."""


Opener = Callable[[User, set[str]], dict[str, str]]
"""Given a reader and recordings, returns the page of each that this reader may open."""
Provider = Callable[[set[str]], dict[str, Uploads]]
"""Given the recordings that are being made now, returns the uploads of each box that has any."""
_providers: list[Provider] = []
_openers: list[Opener] = []


def provide_uploads(provider: Provider, opener: Opener) -> None:
    """Register who knows the uploads and their pages; the recordings' app does that when it is ready."""
    _providers[:] = [provider]
    _openers[:] = [opener]


def pages_for(user: User, recordings: set[str]) -> dict[str, str]:
    """Return the page of each of these recordings that `user` may open."""
    return _openers[0](user, recordings) if _openers and recordings else {}


def uploads(running: set[str]) -> dict[str, Uploads]:
    """Return each box's uploads; `running` are the recordings being made now."""
    return _providers[0](running) if _providers else {}
