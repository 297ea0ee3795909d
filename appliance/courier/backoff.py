"""How long to wait before the next attempt: pure, so that it can be tried for every case."""

from __future__ import annotations

import random
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Pace:
    """A pause that doubles with each attempt, from a shortest to a longest one."""

    shortest: float
    """First pause in seconds."""
    longest: float
    """Longest pause in seconds."""
    constant: int = 0
    """Attempts before the pause begins to double."""

    def pause(self, attempt: int, chance: float) -> float:
        """Return the pause before attempt `attempt` (1 is the first after a failure), in seconds.

        `chance` (0 to 1) spreads it over the upper half, so that a district's boxes do not all come back at once.
        """
        doublings = min(max(attempt - 1 - self.constant, 0), 40)
        return min(self.shortest * 2.0**doublings, self.longest) * (0.5 + 0.5 * chance)


@dataclass
class Backoff:
    """When something may be tried again."""

    attempts: int = 0
    """Failures in a row."""
    until: float = 0.0
    """CLOCK_MONOTONIC in seconds before which nothing is tried."""
    _random: random.Random = field(default_factory=random.Random, repr=False)

    def due(self, now: float) -> bool:
        """Tell whether it is time."""
        return now >= self.until

    def failed(self, pace: Pace, now: float, at_least: float = 0.0, spread: float = 0.0) -> float:
        """Count a failure and return the pause that follows, in seconds: `at_least` what the other side asked for.

        With `spread`, it is at least a random part of that: for what fails for all boxes in one moment.
        """
        self.attempts += 1
        pause = max(pace.pause(self.attempts, self._random.random()), at_least, spread * self._random.random())
        self.until = now + pause
        return pause

    def succeeded(self) -> None:
        """Forget the failures."""
        self.attempts = 0
        self.until = 0.0
