"""When a recording was made, as far as that is known: a box's clock may stand in 1970 or in the year 9999. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

BELIEVABLE: Final = timedelta(days=45)
"""A box keeps recordings for two weeks without a network; a clock that is off by more than this is plainly wrong."""
AHEAD: Final = timedelta(days=1)
"""How far a box's clock may be ahead of the archive's and still be believed."""


@dataclass(frozen=True)
class Listed:
    """By what moment a recording is listed."""

    at: datetime
    """When the button was pressed, or, where nobody knows that, when the recording began to arrive."""
    dated: bool
    """Whether it is the first of these."""


def believable(began: datetime, arrived: datetime) -> bool:
    """Tell whether a recording that arrived at `arrived` can have begun at `began`."""
    return -AHEAD < arrived - began < BELIEVABLE


def listed(began: datetime, arrived: datetime) -> Listed:
    """Return by what moment a recording is listed that began at `began` by its box's clock."""
    return Listed(began, True) if believable(began, arrived) else Listed(arrived, False)
