"""Documents that go along with every copy of a recording that no box made: a parent's statement (34 CFR 99.21(c)).

As recordings/companions.py has it of a box's: who knows such documents stands above this app and registers itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from archive.recordings.companions import Companion

from .models import OutsideRecording

Provider = Callable[[OutsideRecording], Iterable[Companion]]
_providers: Final[list[Provider]] = []


def register_outside(provider: Provider) -> None:
    """Have `provider` tell the documents of a recording that no box made."""
    _providers.append(provider)


def companions_of_outside(row: OutsideRecording) -> list[Companion]:
    """Return the documents that go along with a copy of it; a copy is always one of all of it."""
    return [one for provider in _providers for one in provider(row)]
