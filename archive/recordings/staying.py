"""Which recordings must stay whatever else is decided. The records know it, and register it here."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Set as AbstractSet
from typing import Final

Identifiers = Callable[[], AbstractSet[str]]
_held: Final[list[Identifiers]] = []
_ever_held: Final[list[Identifiers]] = []


def register_holds(held: Identifiers, ever_held: Identifiers) -> None:
    """Have `held` tell which recordings, whoever made them, are on hold now, and `ever_held` which ever were."""
    _held.append(held)
    _ever_held.append(ever_held)


def held_now() -> set[str]:
    """Return the recordings that are on hold, sealed or not."""
    return {one for known in _held for one in known()}


def ever_held() -> set[str]:
    """Return the recordings that are on hold or were once, as far as the database knows."""
    return {one for known in _ever_held for one in known()}
