"""Finds loss that nobody reported, and the sound card's drift, by comparing frames with CLOCK_MONOTONIC. Pure.

A block's *lateness* is the time it arrived minus the time its last frame stands for at the nominal rate. Waiting in a
queue only ever adds to it, and passes; frames that were lost add to it for good. So:

- The *baseline* is the least lateness of the last ten seconds. Queueing drops out, and a crystal that is 200 ppm off
  moves it by 2 ms in that time, far less than a block.
- A block that is later than the baseline by less than 0.8 of a block goes through at once: usually nothing waits.
- A later one is held back, with all that follow, until either one arrives in time (it was queueing: all go through) or
  all of a second were late. Then frames are missing before the first one held, as many as the least late of them says.
  The silence therefore stands where the loss was.
- A block that PortAudio flags (paInputOverflow) is known to follow on a loss, only its length is not: it is held in the
  same way from 5 ms of lateness on.
- The *drift* is the slope of the least lateness of each ten seconds, fitted over the whole recording, with each
  capture's own offset.

Arrival is told for a block's last frame, not for its callback (stream.py: `arrived_ns`); with the callback's own
time, PortAudio's buffering alone would add up to a block.

Where a few of the first blocks held are less late than those behind them, they had only waited: the loss came right
behind them.

The first quarter of a second of a capture sets no baseline, since drivers hand out a first block early or late; for a
loss that is flagged it has to do.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from appliance.recorder.ipc.ring import INPUT_OVERFLOW, Block

STEP_BLOCKS = 0.8
"""A lasting step of this many blocks or more is loss."""
FLAGGED_S = 0.005
"""Where PortAudio flagged a loss, a lasting step of this many seconds is its length; arrivals vary by less."""
CONFIRM_S = 1.0
"""How long every block must be late, in seconds, before it is called loss."""
BASELINE_S = 10.0
"""How far back the baseline looks, in seconds."""
WARM_BLOCKS = 3
"""Blocks at the start of a capture that set no baseline."""
MIN_DRIFT_S = 60.0
"""No drift is told from less audio than this, in seconds: the jitter of arrivals would outweigh it."""
_CERTAIN_HELD = 3
"""Where a capture ends while blocks are held, this many equally late ones are taken for loss."""
_MOST_QUEUED = 4
"""So many blocks may have waited in a queue when a loss followed right behind them."""


@dataclass(frozen=True)
class Passed:
    """A block may go on to the segments, after `missing` frames of silence."""

    block: Block
    missing: int = 0
    """Frames that were lost before this block without a word."""
    overflow: bool = False
    """Whether PortAudio had flagged an overflow there."""


@dataclass
class Slope:
    """Least squares over several runs with a common slope and an offset each; x and y in seconds."""

    sxx: float = 0.0
    sxy: float = 0.0
    span: float = 0.0
    """Seconds that the runs cover together."""
    _points: list[tuple[float, float]] = field(default_factory=list)

    def add(self, x: float, y: float) -> None:
        """Add a point to the present run."""
        self._points.append((x, y))

    def fit(self) -> float:
        """Return the common slope so far."""
        sxx, sxy, _ = self._run()
        total = self.sxx + sxx
        return (self.sxy + sxy) / total if total > 0 else 0.0

    def seconds(self) -> float:
        """Return how much time the runs cover."""
        return self.span + self._run()[2]

    def end_run(self) -> None:
        """Fold the present run into the sums."""
        sxx, sxy, span = self._run()
        self.sxx += sxx
        self.sxy += sxy
        self.span += span
        self._points.clear()

    def _run(self) -> tuple[float, float, float]:
        if len(self._points) < 2:
            return 0.0, 0.0, 0.0
        count = len(self._points)
        mean_x = sum(x for x, _ in self._points) / count
        mean_y = sum(y for _, y in self._points) / count
        sxx = sum((x - mean_x) ** 2 for x, _ in self._points)
        sxy = sum((x - mean_x) * (y - mean_y) for x, y in self._points)
        return sxx, sxy, self._points[-1][0] - self._points[0][0]


class GapDetector:
    """Takes a recording's blocks in order; gives them back with what is missing before each."""

    def __init__(self, rate: int, block_frames: int) -> None:
        self._rate = rate
        self._step_ns = round(STEP_BLOCKS * block_frames / rate * 1e9)
        self._flagged_ns = round(FLAGGED_S * 1e9)
        self._slope = Slope()
        self._start()

    def _start(self) -> None:
        self._frames = 0
        self._origin_ns: int | None = None
        self._seen = 0
        self._recent: deque[tuple[int, int]] = deque()
        self._early: int | None = None
        self._flagged = False
        self._held: list[tuple[Block, int | None]] = []
        self._bucket_end = 0
        self._bucket: tuple[int, int] | None = None

    def take(self, block: Block) -> list[Passed]:
        """Return the blocks that may go on now; losses that the ring reported (`lost_before`) are no news here."""
        self._frames += block.lost_before + block.frames
        if block.damaged:
            # its time is not known, so it can neither be late nor in time
            return self._hold_or_pass(block, None)
        if self._origin_ns is None:
            self._origin_ns = block.captured_ns - self._at(self._frames)
        return self._hold_or_pass(block, block.captured_ns - self._origin_ns - self._at(self._frames))

    def flush(self) -> list[Passed]:
        """Decide on what is held, because this capture ends here; the next block begins a new one."""
        late = [lateness for _, lateness in self._held if lateness is not None]
        # a queue that drains gets less late with every block; after a loss all are equally late
        steady = len(late) >= _CERTAIN_HELD and max(late) - min(late) < self._step_ns // 2
        passed = self._release(confirmed=steady)
        self._close_bucket()
        self._slope.end_run()
        self._start()
        return passed

    def drift_ppb(self) -> int | None:
        """Return the card's rate against CLOCK_MONOTONIC in parts per thousand million, or None: too early to tell."""
        if self._slope.seconds() < MIN_DRIFT_S:
            return None
        return round((1 / (1 + self._slope.fit()) - 1) * 1e9)

    def _at(self, frames: int) -> int:
        return frames * 1_000_000_000 // self._rate

    def _hold_or_pass(self, block: Block, lateness: int | None) -> list[Passed]:
        if lateness is None:
            if self._held:
                self._held.append((block, None))
                return []
            return [Passed(block)]
        flagged = self._flagged or bool(block.flags & INPUT_OVERFLOW)
        baseline = self._baseline(flagged=flagged)
        step_ns = self._flagged_ns if flagged else self._step_ns
        if baseline is not None and lateness - baseline >= step_ns:
            self._flagged = flagged
            self._held.append((block, lateness))
            if self._held_frames() < CONFIRM_S * self._rate:
                return []
            return self._release(confirmed=True)
        passed = self._release(confirmed=False)
        self._settle(lateness)
        return [*passed, Passed(block)]

    def _baseline(self, *, flagged: bool) -> int | None:
        if self._recent:
            return self._recent[0][1]
        return self._early if flagged else None

    def _held_frames(self) -> int:
        return sum(block.frames for block, _ in self._held)

    def _release(self, *, confirmed: bool) -> list[Passed]:
        held, self._held = self._held, []
        if not held:
            return []
        baseline = self._baseline(flagged=self._flagged) or 0
        self._flagged = False
        queued = self._queued(held) if confirmed else 0
        passed = [Passed(block) for block, _ in held[:queued]]
        held = held[queued:]
        least = min(late for _, late in held if late is not None)
        missing = round((least - baseline) * self._rate / 1e9) if confirmed else 0
        self._frames += missing
        shift = self._at(missing)
        for _, lateness in held:
            if lateness is not None:
                self._settle(lateness - shift)
        first, rest = held[0][0], held[1:]
        overflow = any(block.flags & INPUT_OVERFLOW for block, _ in held[:2])
        return [*passed, Passed(first, missing, overflow), *(Passed(block) for block, _ in rest)]

    def _queued(self, held: list[tuple[Block, int | None]]) -> int:
        """Return how many blocks at the front only waited in a queue, whose end a loss right behind them hides."""
        known = [(place, late) for place, (_, late) in enumerate(held) if late is not None]
        level = min(late for _, late in known[len(known) // 2 :])
        lower = [(place, late) for place, late in known if late < level - self._step_ns // 2]
        queued = lower[-1][0] + 1 if lower else 0
        late = [one for _, one in lower]
        # a queue drains; blocks that are equally late lost something of their own
        lost = len(late) >= _CERTAIN_HELD and max(late) - min(late) < self._step_ns // 2
        return 0 if lost or queued > _MOST_QUEUED else queued

    def _settle(self, lateness: int) -> None:
        """Count a block that is in time."""
        self._seen += 1
        if self._seen <= WARM_BLOCKS:
            self._early = lateness if self._early is None else min(self._early, lateness)
            return
        now = self._frames
        # a later and smaller one hides these for good, so the first is the least
        while self._recent and self._recent[-1][1] >= lateness:
            self._recent.pop()
        self._recent.append((now, lateness))
        while self._recent[0][0] < now - BASELINE_S * self._rate:
            self._recent.popleft()
        if self._bucket is None or lateness < self._bucket[1]:
            self._bucket = (now, lateness)
        if now >= self._bucket_end:
            if self._bucket_end:
                self._close_bucket()
            self._bucket_end = now + round(BASELINE_S * self._rate)

    def _close_bucket(self) -> None:
        if self._bucket is not None:
            frames, lateness = self._bucket
            self._slope.add(frames / self._rate, lateness / 1e9)
        self._bucket = None
