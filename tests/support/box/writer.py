"""A box's keys, settings and processes for tests: a real ring, a real writer, and this test as supervisor and
capture."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from appliance.contract import ledger, segment
from appliance.contract.chain import LedgerChecker
from appliance.contract.encryption import Identity
from appliance.contract.header import Header
from appliance.contract.ids import new_recording_id
from appliance.contract.receipt import Receipt
from appliance.contract.signed import digest, split_lines
from appliance.recorder.ipc.message_channel import MessageChannel
from appliance.recorder.ipc.messages import (
    BeginRecording,
    EndRecording,
    EnterFact,
    EnterPause,
    Message,
    RecordingClosed,
    RecordingProgress,
    StopWriter,
)
from appliance.recorder.ipc.ring import Producer, Ring
from tests.support.box.folder import ROOT, BoxFolder

RATE = 8000
BLOCK = 1024
Samples = npt.NDArray[np.int16]
Report = TypeVar("Report", bound=Message)


class Home(BoxFolder):
    """A box whose writer is real: a small rate, and settings on disk."""

    def __init__(self, root: Path, rate: int = RATE) -> None:
        super().__init__(root)
        self.rate = rate
        self.configure(microphone={"rate": rate})


@dataclass
class Opened:
    """A recording as the archive would find it, checked line by line."""

    header: Header
    facts: list[Any]
    samples: Samples

    def kinds(self) -> list[str]:
        return [fact.kind for fact in self.facts]

    def of(self, kind: type[Any]) -> list[Any]:
        return [fact for fact in self.facts if isinstance(fact, kind)]

    @property
    def closing(self) -> ledger.Closing | None:
        last = self.facts[-1] if self.facts else None
        return last if isinstance(last, ledger.Closing) else None


def open_recording(home: Home, recording: str, *, identity: Identity | None = None) -> Opened:
    """Check chain, signatures, digests, sizes and order of a recording in the spool, and decode it with the archive's
    key."""
    folder = home.folder(recording)
    header_line = (folder / "header.tsv").read_bytes()
    header = Header.read(header_line, home.keys.box_signing.public)
    key_age = (folder / "key.age").read_bytes()
    assert digest(key_age) == header.key_sha256
    secret = Identity.parse((identity or home.keys.archive).decrypt(key_age).decode())
    assert secret.recipient == header.recipient
    data = (folder / "ledger.tsv").read_bytes()
    checker = LedgerChecker(header, header_line)
    facts: list[Any] = []
    parts: list[Samples] = []
    for line in split_lines(data):
        fact = checker.check_line(line).fact
        facts.append(fact)
        if isinstance(fact, ledger.Segment):
            sealed = (folder / "segments" / f"{fact.segment:08d}.age").read_bytes()
            assert (len(sealed), digest(sealed)) == (fact.size, fact.sha256)
            parts.append(segment.decode(secret.decrypt(sealed), fact.frames, header.audio.rate))
    opened = Opened(header, facts, np.concatenate(parts) if parts else np.zeros(0, np.int16))
    assert opened.closing is None or data.endswith(b"\n")
    return opened


def receipt_for(home: Home, recording: str, /, **changes: Any) -> bytes:
    """The archive's receipt for what lies in the spool, with `changes`."""
    folder = home.folder(recording)
    data = (folder / "ledger.tsv").read_bytes()
    lines = split_lines(data)
    closing = ledger.Entry.read(lines[-1], home.keys.box_signing.public).fact
    assert isinstance(closing, ledger.Closing)
    key = changes.pop("key", home.keys.archive_signing)
    members = {
        "recording": recording,
        "box": home.keys.box,
        "archive_key": home.keys.archive_signing.public,
        "header_sha256": digest((folder / "header.tsv").read_bytes()),
        "ledger_lines": len(lines),
        "ledger_sha256": digest(data),
        "segments": closing.segments,
        "frames": closing.frames,
        "tail": len(closing.unverified_tail),
        "outcome": "interrupted" if closing.reason == "interrupted" else "complete",
        "key_sha256": digest((folder / "key.age").read_bytes()),
        "manifest_sha256": "0" * 64,
        "sealed_at": "2030-01-01T00:00:00.000Z",
        **changes,
    }
    return Receipt(**members).sign(key)


class WriterProcess:
    """A real writer; this test is its supervisor and its capture."""

    def __init__(self, home: Home, ring: Ring | None = None, arguments: Sequence[str] = ()) -> None:
        self.home = home
        self.ring = ring or Ring.create(home.rate, BLOCK)
        self.control, theirs = MessageChannel.pair()
        with theirs:
            self.process = subprocess.Popen(
                [
                    sys.executable, "-m", "appliance.recorder.writer.process", "--config", str(home.config),
                    "--ring-fd", str(self.ring.descriptor), "--control-fd", str(theirs.fileno()), *arguments,
                ],
                pass_fds=(self.ring.descriptor, theirs.fileno()), cwd=ROOT, stderr=subprocess.PIPE,
            )  # fmt: skip
        self.reports: list[Message] = []
        self.producer: Producer | None = None
        self.recording = ""
        self.pushed_ns = 0

    def read(self, timeout: float = 0.0) -> Message | None:
        message = self.control.receive(timeout)
        if message is not None:
            self.reports.append(message)
        return message

    def wait_for(self, kind: type[Report], seconds: float = 20.0, **members: Any) -> Report:
        """Return the first report of that kind, with those members, that has not been waited for."""
        deadline = time.monotonic() + seconds
        while True:
            for index, message in enumerate(self.reports):
                if isinstance(message, kind) and all(getattr(message, name) == members[name] for name in members):
                    del self.reports[: index + 1]
                    return message
            last = self.reports[-5:]
            assert time.monotonic() < deadline, f"no {kind.__name__} {members} within {seconds} s; got {last}"
            self.read(0.05)

    def wait_acked(self, frames: int, seconds: float = 20.0) -> RecordingProgress:
        deadline = time.monotonic() + seconds
        while True:
            message = self.wait_for(RecordingProgress, deadline - time.monotonic())
            if message.acked_frame >= frames:
                return message

    def begin(self, continues: str | None = None) -> str:
        self.recording = new_recording_id()
        created_ns = time.monotonic_ns()
        self.control.send(BeginRecording(recording=self.recording, continues=continues, created_ns=created_ns))
        now = self.now_ns()
        self.enter(ledger.Lamp(t_ns=now, lit=True, commanded_ns=now, seen_ns=now))
        self.open(1)
        return self.recording

    def now_ns(self) -> int:
        """The present, or the arrival of the last block that was pushed ahead of its time."""
        return max(time.monotonic_ns(), self.pushed_ns)

    def enter(self, fact: ledger.Lamp | ledger.AudioSpan | ledger.Fault) -> None:
        self.control.send(EnterFact(fact=fact))

    def pause(self, *, paused: bool) -> None:
        self.control.send(EnterPause(t_ns=self.now_ns(), paused=paused))

    def open(self, generation: int) -> None:
        now = self.now_ns()
        self.enter(ledger.AudioSpan(t_ns=now, open=True, at_ns=now, generation=generation))
        self.producer = Producer(self.ring, generation)

    def closed(self, generation: int) -> None:
        now = self.now_ns()
        self.enter(ledger.AudioSpan(t_ns=now, open=False, at_ns=now, generation=generation))

    def push(self, samples: Samples, first_ns: int | None = None, flags: int = 0) -> int:
        """Push samples as capture would, stamped as if in real time from `first_ns` on; return the last stamp."""
        assert self.producer is not None
        at_ns = time.monotonic_ns() if first_ns is None else first_ns
        for start in range(0, samples.size, BLOCK):
            part = samples[start : start + BLOCK]
            at_ns += part.size * 1_000_000_000 // self.home.rate
            self.producer.push(part.tobytes(), part.size, at_ns, flags)
        self.pushed_ns = at_ns
        return at_ns

    def end(self, generation: int = 1, reason: ledger.Reason = "button") -> RecordingClosed:
        self.closed(generation)
        now = self.now_ns()
        self.enter(ledger.Lamp(t_ns=now, lit=False, commanded_ns=now, seen_ns=now))
        self.control.send(EndRecording(reason=reason))
        return self.wait_for(RecordingClosed)

    def kill(self) -> None:
        if self.process.poll() is None:
            os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.control.close()
        assert self.process.stderr is not None
        self.process.stderr.close()

    def stop(self) -> int:
        self.control.send(StopWriter())
        status = self.process.wait(60)
        self.kill()
        return status


def speech(frames: int, seed: int = 1) -> Samples:
    """Samples that no two places share."""
    return np.random.default_rng(seed).integers(-20000, 20000, frames, dtype=np.int16)
