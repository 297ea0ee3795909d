"""Killing an act at a random moment, as a power cut would; `PLAINSIGHT_KILLS=200` makes a campaign of it."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from itertools import count


def kills(usual: int) -> range:
    """Return how often a test kills."""
    return range(int(os.environ.get("PLAINSIGHT_KILLS", str(usual))))


class Killer:
    """Runs acts in a forked process and kills it, sooner and later within the time that an act took undisturbed."""

    def __init__(self, act: Callable[[], object], seed: int = 17) -> None:
        """Run `act` once, which must succeed, and learn how long it takes."""
        self._random = random.Random(seed)
        began = time.monotonic()
        act()
        self._takes_s = time.monotonic() - began
        self._number: Iterator[int] = count()

    def kill(self, act: Callable[[], object]) -> None:
        """Run `act` in a process of its own and kill that; no connection to the database may be open here."""
        child = os.fork()
        if not child:
            try:
                act()
            finally:
                os._exit(0)
        # each third one soon after its begin, where most is decided
        longest = self._takes_s / 3 if next(self._number) % 3 == 0 else self._takes_s * 1.5
        time.sleep(self._random.uniform(0, longest))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
