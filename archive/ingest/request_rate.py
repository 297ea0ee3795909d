"""How many requests of one box are served within a minute."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from typing import ClassVar, Final

from appliance.contract.errors import PlainSightError

MINUTE_S: Final = 60.0


class TooManyRequestsError(PlainSightError):
    """A box asks more often than it may; it tries again later, and has lost nothing."""

    code: ClassVar[str] = "too-many-requests"
    status: ClassVar[int] = 429

    def __init__(self, wait_s: float) -> None:
        seconds = math.ceil(wait_s)
        super().__init__(f"this box asks more often than the archive serves one box; ask again in {seconds} s")
        self.headers = {"Retry-After": str(seconds)}
        """Until another request is served."""


class RequestRate:
    """A bucket of requests for each box, which fills up evenly and holds a minute's worth.

    It keeps two numbers for each box that ever asked. Any thread may call it.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` counts seconds."""
        self._clock = clock
        self._lock = threading.Lock()
        self._buckets: dict[str, tuple[float, float]] = {}
        """Requests left, and when they were counted."""

    def count(self, box: str, a_minute: int) -> None:
        """Count a request of `box`; raise TooManyRequestsError if `a_minute` of them are used up."""
        each_s = MINUTE_S / a_minute
        with self._lock:
            now = self._clock()
            left, counted = self._buckets.get(box, (float(a_minute), now))
            left = min(left + (now - counted) / each_s, float(a_minute))
            if left < 1:
                raise TooManyRequestsError((1 - left) * each_s)
            self._buckets[box] = (left - 1, now)
