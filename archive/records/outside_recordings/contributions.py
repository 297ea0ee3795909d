"""What apps above add to the page of a recording that no box made, and to that of a box's by the same provider."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from archive.recordings import contributions
from archive.recordings.contributions import Contribution, Reader, joined

from .either import Either
from .models import OutsideRecording

Provider = Callable[[Either, Reader], Contribution]
_PROVIDERS: Final[list[Provider]] = []


def provide(provider: Provider) -> None:
    """Let `provider` add to the page of each recording of either kind; registration gives the order."""
    contributions.provide(provider)
    _PROVIDERS.append(provider)


def contributed(row: OutsideRecording, reader: Reader) -> Contribution:
    """Return what all providers add to the page of a recording that no box made."""
    return joined([provider(row, reader) for provider in _PROVIDERS])
