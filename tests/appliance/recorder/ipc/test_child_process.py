"""A child cannot stop the supervisor: messages wait in order, and its end is seen by its number."""

from __future__ import annotations

import os
import select
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

import appliance
from appliance.recorder.ipc import child_process
from appliance.recorder.ipc.child_process import Capture, Child
from appliance.recorder.ipc.messages import EnterPause, StopWriter, WriterReady
from appliance.recorder.ipc.ring import Ring
from appliance.recorder.panel.lamp_token import Lamp, LampError
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
        child.ended(60)


def test_messages_to_a_stopped_child_wait_and_arrive_in_order(writer: Child, tmp_path: Path) -> None:
    until(lambda: any(isinstance(message, WriterReady) for message in writer.messages()), "ready")
    os.kill(writer.process.pid, signal.SIGSTOP)
    for number in range(2000):
        writer.send(EnterPause(t_ns=number, paused=True))
    os.kill(writer.process.pid, signal.SIGCONT)

    def arrived() -> list[str]:
        writer.flush()
        log = tmp_path / "writer.log"
        return log.read_text().splitlines() if log.exists() else []

    until(lambda: len(arrived()) == 2000, "all arrive")
    assert [f'"t_ns":{number},' in line for number, line in enumerate(arrived())] == [True] * 2000


def test_a_child_that_leaves_too_many_messages_unread_is_killed_so_that_none_is_left_out(
    writer: Child, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child_process, "MAX_WAITING", 10)
    os.kill(writer.process.pid, signal.SIGSTOP)
    for number in range(10_000):
        writer.send(EnterPause(t_ns=number, paused=True))
    assert select.select([writer.pidfd], [], [], 60)[0]
    assert writer.reap() == -signal.SIGKILL


def test_a_child_that_is_gone_takes_messages_without_an_error_and_its_pidfd_tells(writer: Child) -> None:
    writer.kill()
    assert select.select([writer.pidfd], [], [], 60)[0]
    writer.send(StopWriter())
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
        capture.ended(60)
    assert not (tmp_path / "capture.log").exists()


def test_a_child_finds_the_source_tree_from_the_folder_that_it_works_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTHONPATH", raising=False)
    tree = Path(appliance.__file__).parent.parent
    assert str(tree) in child_process._search_path().split(os.pathsep)
