"""One recording in progress: blocks and notes in, files and ledger lines out, in the order of events.

One queue holds the segments, notes and the closing record that wait to be written, first in, first out. If the disk
fails, the first item is tried again while the ring buffers the audio. If that lasts too long, the session reports the
fault as fatal, drops the audio that could not be written, and tries only notes and the closing record. The supervisor
then ends the recording visibly.

`limit` is the count of blocks in the ring before the control messages were read: every message that was sent before
those blocks is known by then, so audio never overtakes a note.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from appliance.contract.commissioning import Floor
from appliance.contract.ledger import AnyFact, AudioSpan, Drift, Pause, Reason
from appliance.recorder import clock
from appliance.recorder.ipc.messages import (
    EnterFact,
    EnterPause,
    ExpectGap,
    FromWriter,
    RecordingClosed,
    RecordingProgress,
)
from appliance.recorder.ipc.ring import Consumer, Ring
from appliance.recorder.storage.disk import FULL, DiskError
from appliance.recorder.storage.spool import Spool

from .clock_step_detector import ClockStepDetector
from .microphone_watch import MicrophoneWatch
from .recording_file import Begin, Maker, RecordingFile
from .segmenter import Segment
from .spool_faults import SpoolFaults
from .timeline import Timeline

_log = logging.getLogger(__name__)
_RETRY_NS: Final = 500_000_000
_PATIENCE_NS: Final = {FULL: 5_000_000_000}
"""How long a failing disk is tried, in nanoseconds; a full one does not empty itself."""
_LONG_PATIENCE_NS: Final = 20_000_000_000
_RING_NEARLY_FULL: Final = 0.8
_MAX_WAITING: Final = 20
"""Segments with samples that wait in the queue; the ring holds the rest."""
_DRIFT_EVERY_S: Final = 600
_FILL_NS: Final = 20_000_000_000
"""A gap that lasts is written in pieces of this many nanoseconds, each with its own ledger line."""
_FILL_BEHIND_NS: Final = 3_000_000_000
"""The newest part of a gap is not written yet, in nanoseconds: a block of the next capture may begin before it."""


@dataclass(frozen=True)
class _Start:
    """Make the recording's folder."""


@dataclass(frozen=True)
class _Note:
    fact: AnyFact


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
        spool_faults: SpoolFaults,
        report: Callable[[FromWriter], None],
        floor: Floor | None = None,
    ) -> None:
        self._ring = ring
        self._consumer = Consumer(ring)
        self._spool = spool
        self._begin = begin
        self._spool_faults = spool_faults
        self._report = report
        self._file = RecordingFile(spool, maker, begin)
        self._clock_step_detector = ClockStepDetector(self._file.seen)
        rate, size = maker.audio.rate, maker.audio.segment_frames
        self._rate = rate
        self._size = size
        self._timeline = Timeline(rate, ring.block_frames, size, begin.created_ns)
        self._microphone_watch = MicrophoneWatch(floor, rate, report)
        self._queue: deque[_Start | _Note | _Close | Segment] = deque([_Start()])
        self._failing_since_ns: int | None = None
        self._retry_ns = 0
        self._given_up_ns: int | None = None
        self._drift_frames = _DRIFT_EVERY_S * rate
        self._acked_silence = 0
        self.incomplete = False
        """Something could not be entered in the ledger, so the recording will be closed as interrupted."""
        self.ending = False
        """Its end was asked for; only what waits is still to be written."""
        self.finished = False
        """Nothing is left to do."""
        self.abandoned = False
        """It could not be closed; recovery closes it when the disk works again."""

    @property
    def recording(self) -> str:
        """The recording's id."""
        return self._begin.recording

    @property
    def frames(self) -> int:
        """Frames that are acknowledged."""
        return self._file.frames

    def enter(self, message: EnterFact | EnterPause | ExpectGap) -> None:
        """Enter a message of the supervisor, after the audio that came before it."""
        match message:
            case ExpectGap(cause=cause):
                self._timeline.expect_gap(cause)
            case EnterPause(t_ns=t_ns, paused=paused):
                self._pause(t_ns, paused=paused)
            case EnterFact(fact=fact):
                if isinstance(fact, AudioSpan):
                    self._audio_span(fact)
                self._queue.append(_Note(fact))

    def _audio_span(self, fact: AudioSpan) -> None:
        if fact.open:
            self._timeline.opened(fact.at_ns)
            return
        # the audio of this capture goes into the ledger before its end
        self._drain(lambda: (self._consumer.next_generation() or 0) <= fact.generation)
        self._enqueue(self._timeline.end_capture(self._ring.lost_frames))
        self._timeline.closed(fact.at_ns)

    def _pause(self, t_ns: int, *, paused: bool) -> None:
        if paused:
            self._enqueue(self._timeline.stop(t_ns))
        frame = self._timeline.frames
        if paused:
            self._timeline.pause()
        else:
            self._timeline.resume(t_ns)
        self._queue.append(_Note(Pause(t_ns=t_ns, frame=frame, paused=paused)))

    def end(self, reason: Reason) -> None:
        """Save everything in the ring, then close; the microphone is closed, so nothing comes after it."""
        self.ending = True
        self._drain(lambda: True)
        self._enqueue(self._timeline.end_capture(None))
        self._enqueue(self._timeline.stop(time.monotonic_ns()))
        self._enqueue(self._timeline.flush())
        self._note_drift()
        self._queue.append(_Close(reason))

    def step(self, limit: int) -> float:
        """Read the ring up to block `limit` and write one item; return how long to sleep, in seconds."""
        if self._failing_since_ns is None:
            self._drain(lambda: self._ring.read_seq < limit and self._waiting() < _MAX_WAITING)
            self._fill_gap()
        if self._timeline.frames >= self._drift_frames:
            self._drift_frames += _DRIFT_EVERY_S * self._rate
            self._note_drift()
        self._watch_clock()
        if self._queue and time.monotonic_ns() >= self._retry_ns:
            self._ring.set_busy_since(time.monotonic_ns())
            self._write()
            self._ring.set_busy_since(None)
        if self.finished:
            return 0.0
        if self._queue:
            return max(0.0, (self._retry_ns - time.monotonic_ns()) / 1e9)
        return self._patience()

    def _patience(self) -> float:
        """Return when the blocks of the next segment will be complete, in seconds from now: one wake-up a segment.

        Up to one block too late: audio comes in blocks, and it is not known when the next one is due.
        """
        block = self._ring.block_frames
        missing = self._size - self._timeline.waiting - self._consumer.waiting() * block
        return max(1, -(-missing // block)) * block / self._rate

    def rescue(self, seconds: float) -> None:
        """Write the audio in the ring, because the supervisor is gone; recovery closes the recording."""
        self._drain(lambda: self._consumer.waiting() > 0)
        self._enqueue(self._timeline.end_capture(self._ring.lost_frames))
        deadline = time.monotonic() + seconds
        while self._queue and not self.finished and self._failing_since_ns is None and time.monotonic() < deadline:
            self._write()
        self._file.forget()

    def _waiting(self) -> int:
        return sum(isinstance(item, Segment) and not item.silent for item in self._queue)

    def _drain(self, wanted: Callable[[], bool]) -> None:
        while self._consumer.waiting() and wanted():
            block = self._consumer.read()
            # drop what came before the press (promise 1) and what can no longer be written
            if block is None or self._given_up_ns or (not block.damaged and block.captured_ns < self._begin.created_ns):
                continue
            self._enqueue(self._timeline.add_block(block))

    def _enqueue(self, segments: Iterator[Segment]) -> None:
        for segment in segments:
            # audio that the timeline still held is dropped as well: it would come after a hole
            if self._given_up_ns is None:
                self._queue.append(segment)

    def _fill_gap(self) -> None:
        """Write the silence of a long gap while it lasts; otherwise new sound would wait for all of it."""
        until_ns = time.monotonic_ns() - _FILL_BEHIND_NS
        if not self._consumer.waiting() and self._timeline.absent_ns(until_ns) >= _FILL_NS:
            self._enqueue(self._timeline.fill(until_ns))

    def _note_drift(self) -> None:
        ppb = self._timeline.drift_ppb()
        if ppb is not None:
            frame = self._timeline.frames
            self._queue.append(_Note(Drift(t_ns=time.monotonic_ns(), frame=frame, ppb=ppb)))

    def _watch_clock(self) -> None:
        """Enter changes of the wall clock; the last look is right before the closing record."""
        closing = bool(self._queue) and isinstance(self._queue[-1], _Close)
        if not (len(self._queue) == 1 if closing else self._clock_step_detector.due(time.monotonic_ns())):
            return
        change = self._clock_step_detector.add_look(clock.look())
        if change is not None:
            self._queue.insert(len(self._queue) - closing, _Note(change))

    def _write(self) -> None:
        item = self._queue[0]
        try:
            match item:
                case _Start():
                    self._file.begin()
                case _Note(fact):
                    self._file.enter(_within(fact, self._file.frames))
                case _Close(reason):
                    self._file.close(reason if self._file.whole and not self.incomplete else "interrupted")
                    self.finished = True
                case Segment():
                    self._file.add(item)
        except DiskError as error:
            self._failed(item, error)
            self._progress()
            return
        self._queue.popleft()
        if isinstance(item, Segment):
            self._acked_silence += item.silence
        self._failing_since_ns = None
        self._spool_faults.measure()
        if self._given_up_ns is None:
            self._spool_faults.clear(FULL, "spool-failed")
        self._progress()
        match item:
            case Segment():
                self._microphone_watch.add_segment(item, rate_is_wrong=self._timeline.rate_is_wrong())
            case _Note(AudioSpan(open=False)):
                self._microphone_watch.interrupt()
        if self.finished:
            self._report(RecordingClosed(recording=self.recording, frames=self._file.frames))

    def _failed(self, item: _Start | _Note | _Close | Segment, error: DiskError) -> None:
        now_ns = time.monotonic_ns()
        self._retry_ns = now_ns + _RETRY_NS
        since = self._failing_since_ns = self._failing_since_ns or now_ns
        self._spool_faults.raise_code(error.fault, error.message)
        if error.fault == FULL and isinstance(item, (_Note, _Close)):
            self._release_reserve()
        patience = _PATIENCE_NS.get(error.fault, _LONG_PATIENCE_NS)
        full = self._consumer.waiting() >= _RING_NEARLY_FULL * self._ring.slots
        if now_ns - since < patience and not full:
            return
        if self._given_up_ns is None:
            self._give_up(now_ns, error)
        elif isinstance(item, _Note):
            _log.error("not entered in the ledger: %s", item.fact)
            self.incomplete = True
            self._queue.popleft()
        else:
            _log.error("%s could not be closed; the recorder closes it when the disk works again", self.recording)
            self._file.forget()
            self.finished = self.abandoned = True

    def _give_up(self, now_ns: int, error: DiskError) -> None:
        """Stop trying to save audio; notes and the closing record are still tried."""
        self._given_up_ns = now_ns
        self._failing_since_ns = None
        lost = sum(int(item.samples.size) for item in self._queue if isinstance(item, Segment))
        lost += self._timeline.waiting
        self._queue = deque(item for item in self._queue if isinstance(item, (_Note, _Close)))
        _log.error("the last %d frames were not saved and were never acknowledged", lost)
        self._spool_faults.raise_code(error.fault, error.message, fatal=True)
        if not self._file.began:
            # there is nothing to close
            self._queue.clear()
            self.finished = self.abandoned = True

    def _release_reserve(self) -> None:
        try:
            self._spool.release_reserve()
        except DiskError as error:
            _log.error("%s", error.message)

    def _progress(self) -> None:
        write_seq = self._ring.write_seq
        waiting = (write_seq - self._ring.read_seq) * self._ring.block_frames
        self._report(
            RecordingProgress(
                recording=self.recording,
                frames=self._timeline.frames + (waiting if self._given_up_ns is None else 0),
                write_seq=write_seq,
                silence_frames=self._timeline.silence,
                acked_frame=self._file.frames,
                acked_silence=self._acked_silence,
                acked_line=self._file.lines,
                lost_frames=self._file.lost_frames,
                free_bytes=self._spool_faults.free_bytes(running=True),
            )
        )


def _within(fact: AnyFact, frames: int) -> AnyFact:
    """Return the fact to enter, with its frame limited to those that were saved."""
    match fact:
        case Pause():
            return Pause(t_ns=fact.t_ns, frame=min(fact.frame, frames), paused=fact.paused)
        case Drift():
            return Drift(t_ns=fact.t_ns, frame=min(fact.frame, frames), ppb=fact.ppb)
        case _:
            return fact
