"""What the capture process's main loop waits for, without a device."""

from __future__ import annotations

import os
import time
from typing import Any

import pytest

from appliance.recorder.capture import process
from appliance.recorder.capture.input_format import InputFormat
from appliance.recorder.ipc.message_channel import MessageChannel
from appliance.recorder.ipc.messages import CaptureFailed, CloseMicrophone
from appliance.recorder.ipc.ring import Ring
from appliance.recorder.ipc.wakeup_queue import WakeupQueue


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
