"""A short recording, made by the real writer's code on a recorded disk; what was acknowledged after which call."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from unittest.mock import patch

import numpy as np

from appliance.contract.header import Audio, Microphone
from appliance.contract.ids import new_recording_id
from appliance.contract.ledger import AudioSpan, Entry, Lamp, Segment
from appliance.contract.segment import Samples
from appliance.contract.signed import split_lines
from appliance.recorder.ipc.messages import (
    EnterFact,
    EnterPause,
    FromWriter,
    RecordingClosed,
    RecordingProgress,
    SpoolChecked,
    WriterFault,
)
from appliance.recorder.ipc.ring import Producer, Ring
from appliance.recorder.storage.disk import FAILED, DiskError
from appliance.recorder.storage.spool import Spool, store
from appliance.recorder.writer import recording_session as meeting_module
from appliance.recorder.writer.recording_file import Begin, Maker
from appliance.recorder.writer.recording_session import RecordingSession
from appliance.recorder.writer.spool_faults import SpoolFaults
from appliance.simulator.recorded_disk import Call, Kind, RecordedDisk
from tests.support.spools import Keys, noise
from tests.support.waiting import until

RATE = 8000
BLOCK = 1000


@dataclass(frozen=True)
class Mark:
    """What the writer had said when so many calls were done."""

    calls: int
    frames: int
    """Frames that were acknowledged."""
    lines: int
    """Ledger lines that were acknowledged."""
    closed: bool
    """Whether the recording was reported as closed."""


@dataclass
class Story:
    """The recording, its history, and what was promised when."""

    root: Path
    keys: Keys
    recording: str
    samples: Samples
    history: list[Call]
    marks: list[Mark] = field(default_factory=list)
    ledger: bytes = b""

    def promised(self, calls: int) -> Mark:
        """Return the last word before or at call number `calls`."""
        return next((mark for mark in reversed(self.marks) if mark.calls <= calls), Mark(0, 0, 0, closed=False))

    def without(self, forgotten: Callable[[Call], bool]) -> Story:
        """Return the same story on a disk that leaves out calls: what a programmer who forgot them would have made."""
        kept = [not forgotten(call) for call in self.history]
        assert not all(kept), "nothing is forgotten"
        done = np.concatenate([[0], np.cumsum(kept)])
        history = [call for call, keep in zip(self.history, kept, strict=True) if keep]
        marks = [Mark(int(done[mark.calls]), mark.frames, mark.lines, mark.closed) for mark in self.marks]
        return Story(self.root, self.keys, self.recording, self.samples, history, marks, self.ledger)


def make_maker(keys: Keys) -> Maker:
    """What the recordings of the box with these keys have in common."""
    return Maker(
        box=keys.box,
        key=keys.box_signing,
        key_recipients=(keys.archive.recipient, keys.escrow.recipient),
        audio=Audio(rate=RATE, segment_frames=RATE, max_frames=3600 * RATE),
        panel="simulated",
        lamp="unverified",
        microphone=Microphone(device="test", card="", identity=""),
        software="test",
    )


class _Hiccups:
    """Refuses the n-th calls of a kind on one file name, once each."""

    def __init__(self, *chosen: tuple[Kind, str, int]) -> None:
        self._chosen = set(chosen)
        self._counts: dict[tuple[Kind, str], int] = {}

    def __call__(self, kind: Kind, path: Path) -> DiskError | None:
        number = self._counts[kind, path.name] = self._counts.get((kind, path.name), 0) + 1
        return (
            DiskError(FAILED, f"cannot {kind} {path}: made up") if (kind, path.name, number) in self._chosen else None
        )


def plain(folder: Path) -> Story:
    """A recording with a pause, on a disk that works."""
    return _record(folder, _Hiccups())


def troubled(folder: Path) -> Story:
    """The same on a disk that refuses some calls once: writes, fsyncs and a rename, of ledger and segments."""
    return _record(
        folder,
        _Hiccups(
            ("sync-folder", "spool", 1),
            ("fsync", ".key.age.new", 1),
            ("fsync", "ledger.tsv", 3),
            ("write", "ledger.tsv", 5),
            ("fsync", ".00000000.age.new", 1),
            ("sync-folder", "segments", 2),
            ("rename", ".00000002.age.new", 1),
        ),
    )


def _record(folder: Path, hiccups: _Hiccups) -> Story:
    root = folder / "spool"
    root.mkdir(parents=True)
    disk = RecordedDisk(hiccups)
    spool = Spool(root, disk)
    try:
        spool.prepare()
    except DiskError:
        # the writer ends and is started again
        spool.prepare()
    probe = root / ".probe"
    store(disk, probe, b"probe")
    disk.remove(probe)
    spool.keep_reserve()
    story = Story(root, Keys(), new_recording_id(), noise(int(RATE * 2.5)), disk.history)
    stage = _Stage(story, spool)
    with patch.object(meeting_module, "_RETRY_NS", 1_000_000):
        stage.play()
    story.ledger = (spool.folder(story.recording) / "ledger.tsv").read_bytes()
    _check_itself(story)
    return story


def _check_itself(story: Story) -> None:
    """What the marks say must be what the ledger says, or the simulation proves nothing."""
    lines = split_lines(story.ledger)
    facts = [Entry.read(line, story.keys.box_signing.public).fact for line in lines]
    assert sum(fact.frames for fact in facts if isinstance(fact, Segment)) == story.samples.size
    assert story.marks[-1] == Mark(len(story.history), story.samples.size, len(lines), closed=True)
    assert len({mark.frames for mark in story.marks}) > 3


class _Stage:
    """Supervisor and capture of one meeting; time is made up."""

    def __init__(self, story: Story, spool: Spool) -> None:
        self._story = story
        self._ring = Ring.create(RATE, BLOCK)
        self._now_ns = time.monotonic_ns()
        self._failing = False
        self._session = RecordingSession(
            self._ring,
            spool,
            make_maker(story.keys),
            Begin(story.recording, None, self._now_ns),
            spool_faults=SpoolFaults(spool, self._take_report),
            report=self._take_report,
        )

    def play(self) -> None:
        """A meeting: 1.5 s, a pause, 1 s, the end."""
        samples, first = self._story.samples, int(RATE * 1.5)
        self._capture(1, samples[:first])
        self._session.enter(EnterPause(t_ns=self._now_ns, paused=True))
        self._work()
        self._session.enter(EnterPause(t_ns=self._now_ns, paused=False))
        self._capture(2, samples[first:])
        self._session.end("button")
        self._work()
        assert self._session.finished

    def _capture(self, generation: int, samples: Samples) -> None:
        self._lamp(lit=True)
        self._audio(generation, is_open=True)
        producer = Producer(self._ring, generation)
        for start in range(0, samples.size, BLOCK):
            part = samples[start : start + BLOCK]
            self._now_ns += part.size * 1_000_000_000 // RATE
            assert producer.push(part.tobytes(), part.size, self._now_ns)
            self._work()
        self._audio(generation, is_open=False)
        self._lamp(lit=False)

    def _lamp(self, *, lit: bool) -> None:
        fact = Lamp(t_ns=self._now_ns, lit=lit, commanded_ns=self._now_ns, seen_ns=None)
        self._session.enter(EnterFact(fact=fact))

    def _audio(self, generation: int, *, is_open: bool) -> None:
        fact = AudioSpan(t_ns=self._now_ns, open=is_open, at_ns=self._now_ns, generation=generation)
        self._session.enter(EnterFact(fact=fact))

    def _work(self) -> None:
        until(self._rests, "the recording session gets on", pause=lambda: None)

    def _rests(self) -> bool:
        """Do one step; tell whether there was nothing left to do."""
        if self._session.finished:
            return True
        before = len(self._story.history)
        pause = self._session.step(self._ring.write_seq)
        if self._failing:
            time.sleep(min(pause, 0.005))
            return False
        return pause > 0 and len(self._story.history) == before

    def _take_report(self, message: FromWriter) -> None:
        if isinstance(message, (WriterFault, SpoolChecked)):
            self._failing = isinstance(message, WriterFault)
        calls, last = len(self._story.history), self._story.promised(1 << 30)
        if isinstance(message, RecordingProgress):
            self._story.marks.append(Mark(calls, message.acked_frame, message.acked_line, last.closed))
        elif isinstance(message, RecordingClosed):
            self._story.marks.append(Mark(calls, message.frames, last.lines, closed=True))
