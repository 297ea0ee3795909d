"""A child cannot stop the supervisor: messages wait in order, and its end is seen by its number."""

from __future__ import annotations

import os
import select
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.recorder.ipc.ring import Ring
from appliance.recorder.supervisor.child_process import Capture, Child
from appliance.recorder.supervisor.lamp_token import Lamp, LampError
from appliance.simulator.fakes import FakePanel
from tests.support.box.supervisor import FAKES
from tests.support.waiting import until


@pytest.fixture
def ring() -> Iterator[Ring]:
    ring = Ring.create(48000)
    yield ring
    ring.close()
    os.close(ring.descriptor)


@pytest.fixture
def writer(ring: Ring, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Child]:
    monkeypatch.setenv("PLAINSIGHT_FAKES", str(tmp_path))
    child = Child.spawn("writer", FAKES.writer, ring.descriptor)
    yield child
    if child.process.returncode is None:
        child.kill()
        child.ended(5)


def test_messages_to_a_stopped_child_wait_and_arrive_in_order(writer: Child, tmp_path: Path) -> None:
    until(lambda: any(message["report"] == "ready" for message in writer.messages()), "ready")
    os.kill(writer.process.pid, signal.SIGSTOP)
    for number in range(2000):
        writer.send({"do": "note", "entry": {"number": number}})
    os.kill(writer.process.pid, signal.SIGCONT)

    def arrived() -> list[str]:
        writer.flush()
        log = tmp_path / "writer.log"
        return log.read_text().splitlines() if log.exists() else []

    until(lambda: len(arrived()) == 2000, "all arrive", 30)
    assert [f'"number": {number}' in line for number, line in enumerate(arrived())] == [True] * 2000


def test_a_child_that_is_gone_takes_messages_without_an_error_and_its_pidfd_tells(writer: Child) -> None:
    writer.kill()
    assert select.select([writer.pidfd], [], [], 5)[0]
    writer.send({"do": "stop"})
    list(writer.messages())
    assert writer.silent
    assert writer.reap() == -signal.SIGKILL


def test_capture_is_not_opened_without_a_valid_token(
    ring: Ring, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLAINSIGHT_FAKES", str(tmp_path))
    lamp = Lamp(FakePanel(lamp_sensed=False), 0)
    lamp.command(lit=True)
    token = lamp.token()
    lamp.command(lit=False)
    capture = Capture.spawn("capture", FAKES.capture, ring.descriptor)
    try:
        with pytest.raises(LampError):
            capture.open(token, "test", 1)
    finally:
        capture.kill()
        capture.ended(5)
    assert not (tmp_path / "capture.log").exists()
