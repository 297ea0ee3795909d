"""Detects loss that was not reported, and the sound card's drift, by comparing frames with CLOCK_MONOTONIC. Pure.

A block's *lateness* is its arrival minus the time of its last frame at the nominal rate. Waiting in a queue adds to it
for a while; lost frames add to it permanently.

- The *baseline* is the least lateness of the last ten seconds. That excludes queueing, and a crystal that is 200 ppm
  off moves it by 2 ms in that time, far less than a block.
- A block that is later than the baseline by less than 0.8 of a block passes at once: usually nothing waits.
- A later one is held, with all that follow, until either one arrives in time (it was queueing: all pass) or every block
  of a second was late. Then frames are missing before the first held block; the least late of them tells how many. So
  the silence is where the loss was.
- A block that PortAudio flags (paInputOverflow) follows a loss of unknown length: it is held in the same way from 5 ms
  of lateness on.
- A card whose clock is plainly wrong (rate_detector.py) makes every block later than the one before. Such a slope is
  a rate error and not a loss: it is subtracted from the lateness, and only a step that is left makes a gap.
- The *drift* is the slope of the least lateness of each ten seconds, fitted over the whole recording, with each
  capture's own offset.

The arrival is that of a block's last frame, not of its callback (stream.py: `arrived_ns`); with the time of the
callback, PortAudio's buffering alone would add up to a block.

If a capture ends while blocks are held, and they are not all equally late, nobody can tell where frames are missing.
But as many are missing as the last one is late, before it or after it; the timeline writes them where the capture ends.

If a few of the first held blocks are less late than the blocks after them, they had only waited: the loss came right
after them.

The first quarter of a second of a capture sets no baseline, since drivers deliver a first block early or late; only a
flagged loss is compared with it.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace

from appliance.recorder.ipc.ring import INPUT_OVERFLOW, Block

from .rate_detector import GROSS, RateDetector

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
MAX_RATE_PPM = 500.0
"""A card whose rate is further off than this is at fault; crystals are off by 100, cheap ones by 200."""
CERTAIN_S = 15.0
"""A gross rate error is reported after this many seconds: on a busy machine the first seconds are not reliable."""
MIN_DRIFT_S = 60.0
"""No drift is reported for less audio than this, in seconds: the jitter of arrivals would exceed it."""
_CERTAIN_HELD = 3
"""If a capture ends while blocks are held, this many equally late ones count as loss."""
_MOST_QUEUED = 4
"""At most this many blocks may have waited in a queue when a loss came right after them."""


@dataclass(frozen=True)
class Passed:
    """A block that may go into the segments, after `missing` frames of silence."""

    block: Block
    missing: int = 0
    """Frames that were lost before this block without a report."""
    overflow: bool = False
    """Whether PortAudio had flagged an overflow there."""
    undecided_ns: int = 0
    """How much later it came than the frames so far account for, in nanoseconds; its capture ended before it was clear
    whether it had waited, so that as much sound was never read after it, or whether frames before it were lost."""


@dataclass(frozen=True)
class _Arrival:
    """A block and when it came."""

    block: Block
    given: int
    """Frames that the card gave up to the end of this block, without unreported losses."""
    raw: int | None
    """Its lateness at the nominal rate, in nanoseconds; None: it is damaged, so its time is not known."""


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
    """Gets a recording's blocks in order; returns them with the count of missing frames before each."""

    def __init__(self, rate: int, block_frames: int) -> None:
        self._rate = rate
        self._step_ns = round(STEP_BLOCKS * block_frames / rate * 1e9)
        self._flagged_ns = round(FLAGGED_S * 1e9)
        self._slope = Slope()
        self._skew = 0.0
        self._start()

    def _start(self) -> None:
        self._frames = self._given = self._skew_since = self._look_at = 0
        self._origin_ns: int | None = None
        self._seen = 0
        self._recent: deque[tuple[int, int]] = deque()
        self._early: int | None = None
        self._flagged = False
        self._held: list[_Arrival] = []
        self._rates = RateDetector(self._rate)
        self._bucket_end = 0
        self._bucket: tuple[int, int] | None = None

    def add_block(self, block: Block) -> list[Passed]:
        """Add the next block; return the blocks that may pass now. The ring has reported `lost_before` itself."""
        self._frames += block.lost_before + block.frames
        self._given += block.lost_before + block.frames
        if block.damaged:
            # its time is not known, so it is neither late nor in time
            return self._hold_or_pass(_Arrival(block, self._given, None))
        if self._origin_ns is None:
            self._origin_ns = block.captured_ns - self._at(self._frames)
        raw = block.captured_ns - self._origin_ns - self._at(self._frames)
        self._rates.add_block(self._given, raw)
        return self._hold_or_pass(_Arrival(block, self._given, raw))

    def flush(self) -> list[Passed]:
        """Decide on the held blocks, because this capture ends here; the next block begins a new one."""
        late = [lateness for lateness in map(self._lateness, self._held) if lateness is not None]
        # while a queue drains, each block is less late; after a loss all are equally late
        steady = len(late) >= _CERTAIN_HELD and max(late) - min(late) < self._step_ns // 2
        baseline = self._baseline(flagged=self._flagged)
        passed = self._release(confirmed=steady)
        if not steady and late and baseline is not None:
            passed[-1] = replace(passed[-1], undecided_ns=late[-1] - baseline)
        self._close_bucket()
        self._slope.end_run()
        self._start()
        return passed

    def drift_ppb(self) -> int | None:
        """Return the card's rate against CLOCK_MONOTONIC in parts per thousand million, or None: too early to tell."""
        if self._slope.seconds() < MIN_DRIFT_S:
            return None
        return round((1 / (1 + self._slope.fit()) - 1) * 1e9)

    def rate_is_wrong(self) -> bool:
        """Tell whether the card's clock is further off than any crystal."""
        drift = self.drift_ppb()
        gross = abs(self._skew) >= GROSS and self._given - self._skew_since >= CERTAIN_S * self._rate
        return gross or (drift is not None and abs(drift) > MAX_RATE_PPM * 1000)

    def _at(self, frames: int) -> int:
        return frames * 1_000_000_000 // self._rate

    def _lateness(self, arrival: _Arrival) -> int | None:
        return None if arrival.raw is None else self._corrected(arrival.given, arrival.raw)

    def _corrected(self, given: int, raw: int) -> int:
        """Return the lateness without the part that the card's wrong rate causes."""
        return raw - round(self._skew * given / self._rate * 1e9)

    def _correct(self) -> bool:
        """Add a remaining slope to the correction; return whether there was one."""
        slope = self._rates.slope()
        if slope is None or abs(slope - self._skew) < GROSS:
            return False
        if abs(slope - self._skew) > abs(slope) / 3:
            # a different rate, not a better estimate of the same one
            self._skew_since = self._given
        self._skew = slope
        self._recent.clear()
        for given, raw in self._rates.points:
            self._remember(given, self._corrected(given, raw))
        return True

    def _hold_or_pass(self, arrival: _Arrival) -> list[Passed]:
        block, lateness = arrival.block, self._lateness(arrival)
        if lateness is None:
            if self._held:
                self._held.append(arrival)
                return []
            return [Passed(block)]
        flagged = self._flagged or bool(block.flags & INPUT_OVERFLOW)
        baseline = self._baseline(flagged=flagged)
        step_ns = self._flagged_ns if flagged else self._step_ns
        if baseline is not None and lateness - baseline >= step_ns:
            self._flagged = flagged
            self._held.append(arrival)
            if self._held_frames() < CONFIRM_S * self._rate:
                return []
            return self._decide_again() if self._correct() else self._release(confirmed=True)
        passed = self._release(confirmed=False)
        self._accept(arrival, 0)
        return [*passed, Passed(block)]

    def _baseline(self, *, flagged: bool) -> int | None:
        if self._recent:
            return self._recent[0][1]
        return self._early if flagged else None

    def _decide_again(self) -> list[Passed]:
        """Decide again on the held blocks, at the true rate of the card."""
        held, self._held = self._held, []
        self._flagged = False
        return [passed for arrival in held for passed in self._hold_or_pass(arrival)]

    def _held_frames(self) -> int:
        return sum(arrival.block.frames for arrival in self._held)

    def _release(self, *, confirmed: bool) -> list[Passed]:
        held, self._held = self._held, []
        if not held:
            return []
        baseline = self._baseline(flagged=self._flagged) or 0
        self._flagged = False
        queued = self._queued(held) if confirmed else 0
        passed = [Passed(arrival.block) for arrival in held[:queued]]
        held = held[queued:]
        least = min(late for late in map(self._lateness, held) if late is not None)
        missing = round((least - baseline) * self._rate / 1e9) if confirmed else 0
        self._frames += missing
        for arrival in held:
            if arrival.raw is not None:
                self._accept(arrival, missing)
        first, rest = held[0].block, held[1:]
        overflow = any(arrival.block.flags & INPUT_OVERFLOW for arrival in held[:2])
        return [*passed, Passed(first, missing, overflow), *(Passed(arrival.block) for arrival in rest)]

    def _queued(self, held: list[_Arrival]) -> int:
        """Return how many of the first held blocks only waited in a queue before a loss right after them."""
        known = [(place, late) for place, late in enumerate(map(self._lateness, held)) if late is not None]
        level = min(late for _, late in known[len(known) // 2 :])
        lower = [(place, late) for place, late in known if late < level - self._step_ns // 2]
        queued = lower[-1][0] + 1 if lower else 0
        late = [one for _, one in lower]
        # a queue drains; equally late blocks follow a loss of their own
        lost = len(late) >= _CERTAIN_HELD and max(late) - min(late) < self._step_ns // 2
        return 0 if lost or queued > _MOST_QUEUED else queued

    def _accept(self, arrival: _Arrival, missing: int) -> None:
        """Count a block that is in time, once `missing` frames before it are known to be lost."""
        if arrival.raw is None:
            return
        given, raw = arrival.given, arrival.raw - self._at(missing)
        lateness = self._corrected(given, raw)
        self._seen += 1
        if self._seen <= WARM_BLOCKS:
            self._early = lateness if self._early is None else min(self._early, lateness)
            return
        self._remember(given, lateness)
        if self._skew and given >= self._look_at:
            # a rate that was assumed too early is corrected as soon as it does not fit
            self._look_at = given + self._rate
            self._correct()
        if self._bucket is None or lateness < self._corrected(*self._bucket):
            self._bucket = (given, raw)
        if given >= self._bucket_end:
            if self._bucket_end:
                self._close_bucket()
                self._correct()
            self._bucket_end = given + round(BASELINE_S * self._rate)

    def _remember(self, given: int, lateness: int) -> None:
        # a later and smaller one replaces these, so the first is the least
        while self._recent and self._recent[-1][1] >= lateness:
            self._recent.pop()
        self._recent.append((given, lateness))
        while self._recent[0][0] < given - BASELINE_S * self._rate:
            self._recent.popleft()

    def _close_bucket(self) -> None:
        if self._bucket is not None:
            given, lateness = self._bucket
            self._slope.add(given / self._rate, lateness / 1e9)
        self._bucket = None
