"""One recording while it is made: blocks and notes in, files and ledger lines out, in the order of events.

What is to be written waits in one queue of segments, notes and the closing record, and is written from its head. When
the disk refuses, the head is tried again while the ring rides it out; when that has lasted too long, the fault is
reported as fatal, what could not be written is dropped, and only notes and the closing record are still tried. The
supervisor ends the recording visibly then.

`limit` is the count of blocks that were in the ring before the control messages were read: whatever the supervisor
said before those blocks came is known by then, so a note is never overtaken by audio that follows it.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final, get_args

from appliance.contract.commissioning import Floor
from appliance.contract.errors import FormatError
from appliance.contract.ledger import Cause, Reason
from appliance.recorder import clock
from appliance.recorder.ipc.message_channel import Message
from appliance.recorder.ipc.ring import Consumer, Ring

from .clock_step_detector import ClockStepDetector
from .disk import FULL, DiskError
from .microphone_watch import MicrophoneWatch
from .recording_file import Begin, Maker, RecordingFile
from .segmenter import Segment
from .spool import Spool
from .spool_faults import SpoolFaults
from .timeline import Timeline

_LOG: Final = logging.getLogger("plainsight.writer")
_RETRY_NS: Final = 500_000_000
_PATIENCE_NS: Final = {FULL: 5_000_000_000}
"""How long a failing disk is tried; a full one does not empty itself."""
_LONG_PATIENCE_NS: Final = 20_000_000_000
_RING_NEARLY_FULL: Final = 0.8
_MOST_WAITING: Final = 20
"""Segments with samples that wait in the queue; the ring holds the rest."""
_DRIFT_EVERY_S: Final = 600
_FILL_NS: Final = 20_000_000_000
"""A gap that lasts is written in pieces of this many nanoseconds, each with its own ledger line."""
_FILL_BEHIND_NS: Final = 3_000_000_000
"""The newest part of a gap is not written yet: a block of the next capture may be on its way and begin before it."""


@dataclass(frozen=True)
class _Start:
    """The recording's folder is to be made."""


@dataclass(frozen=True)
class _Note:
    entry: dict[str, Any]


@dataclass(frozen=True)
class _Close:
    reason: Reason


class RecordingSession:
    """A recording from `begin` to `closed`."""

    def __init__(
        self,
        ring: Ring,
        spool: Spool,
        maker: Maker,
        begin: Begin,
        *,
        health: SpoolFaults,
        report: Callable[[Message], None],
        floor: Floor | None = None,
    ) -> None:
        self._ring = ring
        self._consumer = Consumer(ring)
        self._spool = spool
        self._begin = begin
        self._health = health
        self._report = report
        self._file = RecordingFile(spool, maker, begin)
        self._clock_watch = ClockStepDetector(self._file.seen)
        rate, size = maker.audio.rate, maker.audio.segment_frames
        self._rate = rate
        self._size = size
        self._timeline = Timeline(rate, ring.block_frames, size, begin.created_ns)
        self._listener = MicrophoneWatch(floor, rate, report)
        self._queue: deque[_Start | _Note | _Close | Segment] = deque([_Start()])
        self._failing_since_ns: int | None = None
        self._retry_ns = 0
        self._given_up_ns: int | None = None
        self._left_out = False
        self._drift_frames = _DRIFT_EVERY_S * rate
        self._acked_silence = 0
        self.finished = False
        """Nothing is left to do."""
        self.abandoned = False
        """It could not be closed; recovery has to, once the disk works again."""

    @property
    def recording(self) -> str:
        """The recording's id."""
        return self._begin.recording

    @property
    def frames(self) -> int:
        """Frames that are acknowledged."""
        return self._file.frames

    def note(self, entry: dict[str, Any]) -> None:
        """Take a ledger entry from the supervisor.

        One of kind `gap` brings only a cause: why frames before the next capture are missing.
        """
        kind = entry.get("kind")
        if kind == "gap":
            self.expect_gap(entry.get("cause"))
            return
        if kind == "audio" and entry.get("open") is True and isinstance(at_ns := entry.get("at_ns"), int):
            self._timeline.opened(at_ns)
        if kind == "audio" and entry.get("open") is False:
            # what this capture gave stands in the ledger before its end
            self._drain(lambda: (self._consumer.next_generation() or 0) <= int(entry.get("generation", 0)))
            self._line_up(self._timeline.end_capture(self._ring.lost_frames))
        if kind == "pause":
            if entry.get("paused") and isinstance(at_ns := entry.get("t_ns"), int):
                self._line_up(self._timeline.fill(at_ns))
            entry = {**entry, "frame": self._timeline.frames}
            if entry.get("paused"):
                self._timeline.pause()
            elif isinstance(at_ns := entry.get("t_ns"), int):
                self._timeline.owe(at_ns)
        self._queue.append(_Note(entry))

    def expect_gap(self, cause: object) -> None:
        """Take the reason why frames before the next capture are missing."""
        known = next((name for name in get_args(Cause) if name == cause), None)
        if known is None:
            _LOG.error("the supervisor gave the unknown gap cause %r", cause)
        else:
            self._timeline.expect_gap(known)

    def end(self, reason: Reason, write_seq: int) -> None:
        """Take all blocks up to `write_seq`, then close."""
        self._drain(lambda: self._ring.read_seq < write_seq)
        self._line_up(self._timeline.end_capture(None))
        self._line_up(self._timeline.fill(time.monotonic_ns()))
        self._line_up(self._timeline.flush())
        self._note_drift()
        self._queue.append(_Close(reason))

    def step(self, limit: int) -> float:
        """Take what came into the ring up to block `limit`, write one thing; return how long to sleep, in seconds."""
        if self._failing_since_ns is None:
            self._drain(lambda: self._ring.read_seq < limit and self._waiting() < _MOST_WAITING)
            self._fill_gap()
        if self._timeline.frames >= self._drift_frames:
            self._drift_frames += _DRIFT_EVERY_S * self._rate
            self._note_drift()
        self._watch_clock()
        if self._queue and time.monotonic_ns() >= self._retry_ns:
            self._ring.busy(time.monotonic_ns())
            self._write()
            self._ring.busy(None)
        if self.finished:
            return 0.0
        if self._queue:
            return max(0.0, (self._retry_ns - time.monotonic_ns()) / 1e9)
        return self._patience()

    def _patience(self) -> float:
        """Return how long the blocks that make the next segment whole take to come, in seconds: one wake-up a segment.

        At most a block's time too long: audio comes in blocks, and when the next one is due is not known here.
        """
        block = self._ring.block_frames
        missing = self._size - self._timeline.waiting - self._consumer.waiting() * block
        return max(1, -(-missing // block)) * block / self._rate

    def rescue(self, seconds: float) -> None:
        """Write what was captured, because the supervisor is gone; the recording stays open for recovery."""
        self._drain(lambda: self._consumer.waiting() > 0)
        self._line_up(self._timeline.end_capture(self._ring.lost_frames))
        deadline = time.monotonic() + seconds
        while self._queue and not self.finished and self._failing_since_ns is None and time.monotonic() < deadline:
            self._write()
        self._file.forget()

    def _waiting(self) -> int:
        return sum(isinstance(item, Segment) and not item.silent for item in self._queue)

    def _drain(self, wanted: Callable[[], bool]) -> None:
        while self._consumer.waiting() and wanted():
            block = self._consumer.take()
            # nothing from before the press is kept (promise 1), and nothing that cannot be written any more
            if block is None or self._given_up_ns or (not block.damaged and block.captured_ns < self._begin.created_ns):
                continue
            self._line_up(self._timeline.take(block))

    def _line_up(self, segments: Iterator[Segment]) -> None:
        for segment in segments:
            # what the timeline still held at that moment is given up as well: it would stand behind a hole
            if self._given_up_ns is None:
                self._queue.append(segment)

    def _fill_gap(self) -> None:
        """Write the silence of a long gap while it lasts: sound that comes back would have to wait for all of it."""
        until_ns = time.monotonic_ns() - _FILL_BEHIND_NS
        if not self._consumer.waiting() and self._timeline.absent_ns(until_ns) >= _FILL_NS:
            self._line_up(self._timeline.fill(until_ns))

    def _note_drift(self) -> None:
        ppb = self._timeline.drift_ppb()
        if ppb is not None:
            frame = self._timeline.frames
            self._queue.append(_Note({"t_ns": time.monotonic_ns(), "kind": "drift", "frame": frame, "ppb": ppb}))

    def _watch_clock(self) -> None:
        """Enter what happened to the wall clock; the last look comes when the closing record is at the head."""
        closing = bool(self._queue) and isinstance(self._queue[-1], _Close)
        if not (len(self._queue) == 1 if closing else self._clock_watch.due(time.monotonic_ns())):
            return
        entry = self._clock_watch.take(clock.look())
        if entry is not None:
            self._queue.insert(len(self._queue) - closing, _Note(entry))

    def _write(self) -> None:
        item = self._queue[0]
        try:
            match item:
                case _Start():
                    self._file.begin()
                case _Note(entry):
                    # nothing can stand behind frames that were given up
                    frame = {"frame": min(entry["frame"], self._file.frames)} if "frame" in entry else {}
                    self._file.note({**entry, **frame})
                case _Close(reason):
                    self._file.close(reason if self._file.whole and not self._left_out else "interrupted")
                    self.finished = True
                case Segment():
                    self._file.add(item)
        except DiskError as error:
            self._failed(item, error)
            self._progress()
            return
        except FormatError as error:
            _LOG.error("the supervisor's note has no place in a ledger and is left out: %s", error.message)
        self._queue.popleft()
        if isinstance(item, Segment):
            self._acked_silence += item.silence
        self._failing_since_ns = None
        self._health.measure()
        if self._given_up_ns is None:
            self._health.clear(FULL, "spool-failed")
        self._progress()
        match item:
            case Segment():
                self._listener.take(item, rate_is_wrong=self._timeline.rate_is_wrong())
            case _Note({"kind": "audio", "open": False}):
                self._listener.interrupt()
        if self.finished:
            self._report({"report": "closed", "recording": self.recording, "frames": self._file.frames})

    def _failed(self, item: _Start | _Note | _Close | Segment, error: DiskError) -> None:
        now_ns = time.monotonic_ns()
        self._retry_ns = now_ns + _RETRY_NS
        since = self._failing_since_ns = self._failing_since_ns or now_ns
        self._health.raise_code(error.fault, error.message)
        if error.fault == FULL and isinstance(item, (_Note, _Close)):
            self._release_reserve()
        patience = _PATIENCE_NS.get(error.fault, _LONG_PATIENCE_NS)
        full = self._consumer.waiting() >= _RING_NEARLY_FULL * self._ring.slots
        if now_ns - since < patience and not full:
            return
        if self._given_up_ns is None:
            self._give_up(now_ns, error)
        elif isinstance(item, _Note):
            _LOG.error("left out of the ledger: %s", item.entry)
            self._left_out = True
            self._queue.popleft()
        else:
            _LOG.error("%s could not be closed; that is done when the disk works again", self.recording)
            self._file.forget()
            self.finished = self.abandoned = True

    def _give_up(self, now_ns: int, error: DiskError) -> None:
        """Stop trying to save audio; notes and the closing record are still tried."""
        self._given_up_ns = now_ns
        self._failing_since_ns = None
        lost = sum(int(item.samples.size) for item in self._queue if isinstance(item, Segment))
        lost += self._timeline.waiting
        self._queue = deque(item for item in self._queue if isinstance(item, (_Note, _Close)))
        _LOG.error("the last %d frames were not saved and were never acknowledged", lost)
        self._health.raise_code(error.fault, error.message, fatal=True)
        if not self._file.began:
            # nothing exists that could be closed
            self._queue.clear()
            self.finished = self.abandoned = True

    def _release_reserve(self) -> None:
        try:
            self._spool.release_reserve()
        except DiskError as error:
            _LOG.error("%s", error.message)

    def _progress(self) -> None:
        write_seq = self._ring.write_seq
        waiting = (write_seq - self._ring.read_seq) * self._ring.block_frames
        self._report(
            {
                "report": "progress",
                "recording": self.recording,
                "frames": self._timeline.frames + (waiting if self._given_up_ns is None else 0),
                "write_seq": write_seq,
                "silence_frames": self._timeline.silence,
                "acked_frame": self._file.frames,
                "acked_silence": self._acked_silence,
                "acked_line": self._file.lines,
                "lost_frames": self._file.lost_frames,
                "fsync_ms": self._health.fsync_ms,
                "free_bytes": self._health.free_bytes(),
            }
        )
