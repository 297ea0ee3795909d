"""Finds a card whose clock is plainly wrong: one that gives 44.1 kHz and calls it 48, or is 1 % off. Pure.

Frames that were lost make every later block late at once, by the same time; a wrong clock makes each block later than
the one before it. So the slope is the median over many short stretches: a loss, or a burst of queueing, bends a few of
them and moves no median. A slope counts only if most stretches agree. Several losses, one in nearly every stretch, may
agree as well; but from one point to the next nothing changes then, most of the time, and a wrong clock never rests.
"""

from __future__ import annotations

from collections import deque
from statistics import median

POINT_S = 0.25
"""The least lateness of so much sound is one point, in seconds: what waited in a queue drops out."""
LOOK_BACK_S = 10.0
"""How far back points are kept, in seconds."""
GROSS = 0.003
"""No crystal is off by this share; below it ten seconds of slope are shorter than any step that is called loss."""
STEEP = 2 * GROSS
"""From here on the error from one point to the next (1.5 ms) is plainly more than the jitter of arrivals."""
_FEWEST = 6
_LONGEST = 8
"""A stretch is a third of the points long, and never longer than so many: 2 s."""
_AGREE = 0.6
"""So many of the stretches must be within half of the median, or as near to none as jitter is."""


class RateDetector:
    """Estimates the rate error from the lateness of every block of one capture."""

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self.points: deque[tuple[int, int]] = deque(maxlen=round(LOOK_BACK_S / POINT_S))
        """Frames, and the least lateness in nanoseconds there."""
        self._least: tuple[int, int] | None = None
        self._end = 0

    def add_block(self, given: int, lateness: int) -> None:
        """Count a block whose last frame is the `given`th, and which was `lateness` nanoseconds late."""
        if self._least is None or lateness < self._least[1]:
            self._least = (given, lateness)
        if given >= self._end:
            self.points.append(self._least)
            self._least, self._end = None, given + round(POINT_S * self._rate)

    def slope(self) -> float | None:
        """Return by how much of a second each second is late, or None: too few points, or they do not agree."""
        points = list(self.points)
        lag = max(1, min(len(points) // 3, _LONGEST))
        slopes = self._slopes(points, lag)
        if len(points) < _FEWEST or not slopes:
            return None
        middle = median(slopes)
        agree = sum(abs(slope - middle) <= abs(middle) / 2 + GROSS / 2 for slope in slopes)
        if agree < _AGREE * len(slopes):
            return None
        rests = abs(middle) >= STEEP and abs(median(self._slopes(points, 1)) - middle) > abs(middle) / 2
        return None if rests else middle

    def _slopes(self, points: list[tuple[int, int]], lag: int) -> list[float]:
        """Return the slope of each stretch from one point to the one `lag` further on."""
        return [
            (late - early) / (end - start) * self._rate / 1e9
            for (start, early), (end, late) in zip(points, points[lag:], strict=False)
            if end > start
        ]
