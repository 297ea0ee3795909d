"""The one way in which tests wait: look again and again, for as long as the busiest machine may need."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
PATIENCE_S = 60.0
"""What happens within milliseconds on an idle machine happens within this time on one that is busy.

No test waits for less (tests/test_support.py): a bound costs nothing when it is not reached. How soon something has
to happen is a rule of its own, held against the moments in a log (lateness.py), never against the end of a wait.
"""


class TimedOutError(AssertionError):
    """Something did not happen in time; the message says what."""


def _always() -> bool:
    return True


def until(
    condition: Callable[[], T | None],
    what: str = "what the test waits for",
    seconds: float = PATIENCE_S,
    *,
    alive: Callable[[], object] = _always,
    pause: Callable[[], object] = lambda: time.sleep(0.01),
) -> T:
    """Return the first value of `condition` that is true; raise TimedOutError after `seconds`, or when not `alive`.

    `pause` runs between two looks: a pass of a loop that the test drives by hand, for example.
    """
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        if not alive():
            raise TimedOutError(f"the process ended before: {what}")
        if time.monotonic() > deadline:
            raise TimedOutError(f"not within {seconds:g} s: {what}")
        pause()
    return value
