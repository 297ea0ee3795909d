"""What the capture process's main loop waits for, without a device."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from appliance.recorder.capture import process
from appliance.recorder.capture.input_format import InputFormat
from appliance.recorder.ipc.message_channel import MessageChannel
from appliance.recorder.ipc.messages import CaptureFailed, CloseMicrophone
from appliance.recorder.ipc.ring import Ring
from appliance.recorder.ipc.wakeup_queue import WakeupQueue
from tests.support.box.folder import ROOT


class Closes:
    """A session whose microphone opens and closes at once."""

    def __init__(self, *_: object) -> None:
        self.events: WakeupQueue[object] = WakeupQueue()

    def go(self) -> None:
        return

    def stop(self) -> None:
        self.events.put(process._Done(3))

    def join(self) -> None:
        return


def test_an_order_to_close_wakes_it_and_afterwards_only_the_microphone_does(monkeypatch: pytest.MonkeyPatch) -> None:
    ring = Ring.create(48000)
    ours, end = MessageChannel.pair()
    theirs = MessageChannel(end)
    sources: list[int] = []

    def wait(of: list[Any], seconds: float) -> None:
        sources.append(len(of))
        if len(sources) == 1:
            ours.send(CloseMicrophone())
        real(of, seconds)

    real = process._wait
    monkeypatch.setattr(process, "Session", Closes)
    monkeypatch.setattr(process, "_wait", wait)
    # the kernel must not end this process
    monkeypatch.setattr(process, "_arm", lambda _: None)
    ring.write_heartbeat(time.monotonic_ns())
    options = process.Options(stale_ns=60 * 10**9, close_s=1.0, input=InputFormat())
    assert process.watch(ring, theirs, "any", 1, options) == 0
    assert sources == [2, 1]
    told = []
    while (message := ours.receive()) is not None:
        told.append(message.kind)
    assert told == ["microphone-opening", "microphone-closed"]
    ring.close()
    os.close(ring.descriptor)
    theirs.close()
    ours.close()


def test_promise_1_while_it_listens_it_looks_at_the_lamp_before_a_heartbeat_can_be_stale(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ring = Ring.create(48000)
    ours, end = MessageChannel.pair()
    theirs = MessageChannel(end)
    waits: list[float] = []

    def wait(of: list[Any], seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 3:
            ours.send(CloseMicrophone())
        else:
            ring.write_heartbeat(time.monotonic_ns())

    monkeypatch.setattr(process, "Session", Closes)
    monkeypatch.setattr(process, "_wait", wait)
    monkeypatch.setattr(process, "_arm", lambda _: None)
    ring.write_heartbeat(time.monotonic_ns())
    options = process.Options(stale_ns=60 * 10**9, close_s=1234.0, input=InputFormat())
    assert process.watch(ring, theirs, "any", 1, options) == 0
    *listening, closing = waits
    assert all(seconds < 60.0 for seconds in listening), "not the time that closing may take"
    assert closing == 1234.0
    ring.close()
    os.close(ring.descriptor)
    theirs.close()
    ours.close()


def test_a_ring_that_is_none_ends_it_with_status_2_before_anything_is_opened(tmp_path: Path) -> None:
    ours, end = MessageChannel.pair()
    with (tmp_path / "ring").open("w+b") as file, end:
        ran = subprocess.run(
            [
                sys.executable, "-m", "appliance.recorder.capture.process", "--stale-s", "1", "--close-s", "1",
                "--ring-fd", str(file.fileno()), "--control-fd", str(end.fileno()),
            ],
            pass_fds=(file.fileno(), end.fileno()), cwd=ROOT, capture_output=True, text=True, check=False,
        )  # fmt: skip
    assert ran.returncode == 2
    assert "is no ring" in ran.stderr
    assert "Traceback" not in ran.stderr
    with pytest.raises(EOFError):
        ours.receive()
    ours.close()


def test_promise_1_without_a_lit_lamp_nothing_is_prepared(monkeypatch: pytest.MonkeyPatch) -> None:
    ring = Ring.create(48000)
    ours, end = MessageChannel.pair()
    theirs = MessageChannel(end)
    monkeypatch.setattr(process, "Session", None)
    options = process.Options(stale_ns=10**9, close_s=1.0, input=InputFormat())
    assert process.watch(ring, theirs, "any", 1, options) == 1
    told = ours.receive()
    assert isinstance(told, CaptureFailed)
    assert told.code == "lamp-dark"
    ring.close()
    os.close(ring.descriptor)
    theirs.close()
    ours.close()
