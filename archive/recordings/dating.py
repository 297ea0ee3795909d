"""When a recording was made, as far as that is known: a box's clock may stand in 1970 or in the year 9999. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

BELIEVABLE: Final = timedelta(days=45)
"""A clock that nothing kept right, and that is off by more than this, is plainly wrong."""
EARLIEST: Final = datetime(2020, 1, 1, tzinfo=UTC)
"""No box recorded before."""
AHEAD: Final = timedelta(days=1)
"""How far a box's clock may be ahead of the archive's and still be believed."""


@dataclass(frozen=True)
class Listed:
    """By what moment a recording is listed."""

    at: datetime
    """When the button was pressed, or, where nobody knows that, when the recording began to arrive."""
    dated: bool
    """Whether it is the first of these."""


def believable(began: datetime, arrived: datetime, *, trusted: bool) -> bool:
    """Tell whether what arrived at `arrived` can have begun at `began`; `trusted`: the clock was kept right.

    A box keeps what has no receipt: one that stood without a network all summer sends in August what it heard in May.
    """
    if arrived - began <= -AHEAD:
        return False
    return began >= EARLIEST if trusted else arrived - began < BELIEVABLE


def listed(began: datetime, arrived: datetime, *, trusted: bool) -> Listed:
    """Return by what moment a recording is listed that began at `began` by its box's clock."""
    return Listed(began, True) if believable(began, arrived, trusted=trusted) else Listed(arrived, False)
