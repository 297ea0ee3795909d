"""Builds one timeline from the blocks of several captures. Pure.

Every frame of a recording outside its pauses is either a sample that arrived with a correct checksum, or silence
under a gap that gives the cause: the ring was full, a block was damaged, no capture ran for a while, or frames were
lost without a report (gap_detector.py). The times of the blocks around it tell how long no capture ran.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from appliance.contract.ledger import Cause
from appliance.recorder.ipc.ring import Block

from .gap_detector import GapDetector, Passed
from .segmenter import Segment, Segmenter

CLOSING_NS = 500_000_000
"""A microphone that is closed gives no sound for less than this before, in nanoseconds (promise 1: closed within 300 ms
of the press). If it gave none for longer, it had fallen silent."""
WAKING_NS = 2_000_000_000
"""So long a microphone may take from its opening to its first block, in nanoseconds, and has lost nothing."""


class Timeline:
    """One recording's timeline."""

    def __init__(self, rate: int, block_frames: int, segment_frames: int, created_ns: int = 0) -> None:
        self._rate = rate
        self._gap_detector = GapDetector(rate, block_frames)
        self._segmenter = Segmenter(segment_frames)
        self._generation: int | None = None
        self._lost_total = 0
        self._last_ns: int | None = None
        self._arrived_ns = created_ns
        self._cause: Cause | None = None
        self._opened_ns: int | None = None
        self._closed_ns: int | None = None
        self._resumed = False

    @property
    def frames(self) -> int:
        """Frames so far, silence included."""
        return self._segmenter.frames

    @property
    def silence(self) -> int:
        """Frames of silence so far."""
        return self._segmenter.silent_frames

    @property
    def waiting(self) -> int:
        """Frames that are not in a segment yet."""
        return self._segmenter.waiting

    def add_block(self, block: Block) -> Iterator[Segment]:
        """Add the next block of the ring."""
        if block.generation != self._generation:
            yield from self.end_capture(None)
            yield from self._bridge(block)
            self._opened_ns = None
            self._generation = block.generation
        if not block.damaged:
            self._lost_total = block.lost_total
        for passed in self._gap_detector.add_block(block):
            yield from self._put(passed)

    def end_capture(self, lost_total: int | None) -> Iterator[Segment]:
        """Put the rest of this capture into a short segment.

        `lost_total`: the ring's count of frames that did not fit, if it is known to be final.
        """
        if self._generation is None:
            return
        for passed in self._gap_detector.flush():
            yield from self._put(passed)
        if lost_total is not None and lost_total > self._lost_total and self._last_ns is not None:
            lost = lost_total - self._lost_total
            yield from self._segmenter.silence(lost, "overrun", self._arrived_ns)
            self._last_ns += lost * 1_000_000_000 // self._rate
        self._generation = None
        yield from self._segmenter.flush(self._arrived_ns)

    def pause(self) -> None:
        """Pause: no frames are written for the time until the next capture."""
        self._last_ns = self._opened_ns = self._closed_ns = self._cause = None

    def opened(self, at_ns: int) -> None:
        """Note when opening a microphone began: a gap starts there if this capture never starts."""
        self._arrived_ns = max(self._arrived_ns, at_ns)
        if self._opened_ns is None or (self._resumed and self._cause is None):
            # after a pause, opening takes time as usual; only a microphone that was absent makes a longer gap
            self._opened_ns = at_ns
        self._resumed = False
        self._closed_ns = None

    def closed(self, at_ns: int) -> None:
        """Note when the microphone was closed, after `end_capture`."""
        self._closed_ns = at_ns

    def resume(self, since_ns: int) -> None:
        """Resume after a pause: a gap starts at `since_ns` if there is no microphone."""
        if self._opened_ns is None:
            self._opened_ns, self._resumed = since_ns, True

    def expect_gap(self, cause: Cause) -> None:
        """Set the cause of the gap before the next capture."""
        self._cause = cause

    def flush(self) -> Iterator[Segment]:
        """Put the rest into a short segment."""
        yield from self._segmenter.flush(self._arrived_ns)

    def absent_ns(self, now_ns: int) -> int:
        """Return how much of the present gap is not written as silence yet, in nanoseconds; 0: there is no gap."""
        since_ns = self._gap_since_ns()
        return 0 if self._generation is not None or since_ns is None else max(0, now_ns - since_ns)

    def fill(self, until_ns: int) -> Iterator[Segment]:
        """Write the silence of the present gap up to `until_ns`; nothing without a gap or its cause."""
        cause, missing_ns = self._cause, self.absent_ns(until_ns)
        missing = missing_ns * self._rate // 1_000_000_000
        if cause is not None and missing > 0:
            self._last_ns = until_ns - missing_ns + missing * 1_000_000_000 // self._rate
            # a segment of silence counts as captured when a microphone was last open
            yield from self._segmenter.silence(missing, cause, self._arrived_ns)

    def stop(self, until_ns: int) -> Iterator[Segment]:
        """Write what is missing before recording stops at `until_ns`, by a pause or for good.

        A microphone may fall silent so shortly before that nobody has noticed: no cause is known then.
        """
        if self._cause is None and self._generation is None and self._closed_ns is not None:
            since_ns, usual_ns = self._last_ns, CLOSING_NS
            if since_ns is None:
                since_ns, usual_ns = self._opened_ns, WAKING_NS
            if since_ns is not None and self._closed_ns - since_ns >= usual_ns:
                self._cause, until_ns = "stall", self._closed_ns
        yield from self.fill(until_ns)

    def drift_ppb(self) -> int | None:
        """Return the card's rate against CLOCK_MONOTONIC in parts per thousand million, or None: too early to tell."""
        return self._gap_detector.drift_ppb()

    def rate_is_wrong(self) -> bool:
        """Return whether the card's clock is further off than any crystal."""
        return self._gap_detector.rate_is_wrong()

    def _bridge(self, block: Block) -> Iterator[Segment]:
        since_ns = self._gap_since_ns()
        cause, self._cause = self._cause, None
        if since_ns is None or block.damaged:
            return
        began_ns = block.captured_ns - (block.lost_before + block.frames) * 1_000_000_000 // self._rate
        missing = round((began_ns - since_ns) * self._rate / 1e9)
        yield from self._segmenter.silence(max(0, missing), cause or "capture-died", block.captured_ns)

    def _gap_since_ns(self) -> int | None:
        # a first capture that starts normally has no gap before it, only the time of opening
        return self._opened_ns if self._last_ns is None and self._cause is not None else self._last_ns

    def _put(self, passed: Passed) -> Iterator[Segment]:
        block = passed.block
        arrived = self._arrived_ns = block.captured_ns or self._arrived_ns
        # before the first intact block there is no time to measure a gap from
        if not block.damaged:
            self._last_ns = block.captured_ns - passed.undecided_ns
        elif self._last_ns is not None:
            self._last_ns += block.frames * 1_000_000_000 // self._rate
        yield from self._segmenter.silence(passed.missing, "overrun" if passed.overflow else "unexplained", arrived)
        yield from self._segmenter.silence(block.lost_before, "overrun", arrived)
        if block.damaged:
            yield from self._segmenter.silence(block.frames, "checksum", arrived)
        else:
            yield from self._segmenter.add(np.frombuffer(block.data, "<i2"), arrived)
