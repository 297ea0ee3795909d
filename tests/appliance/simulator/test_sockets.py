"""The simulator's sockets: one recorder, a lamp that stays as commanded, and logs that hold only what happened."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from appliance.contract.errors import DeviceError
from appliance.recorder.panel.base import PanelEvent
from appliance.simulator.panel import SimulatedPanel, lamps_out
from tests.support.simulator import Simulator, run
from tests.support.waiting import until


def listen(simulator: Simulator) -> tuple[SimulatedPanel, list[PanelEvent]]:
    events: list[PanelEvent] = []
    panel = SimulatedPanel(simulator.folder / "panel.sock")
    panel.start(events.append)
    return panel, events


def has(events: list[PanelEvent], kind: str) -> Callable[[], bool]:
    return lambda: any(event.kind == kind for event in events)


def red(simulator: Simulator) -> Any:
    return simulator.control(state=True)["state"]["red"]


def test_only_one_recorder_has_the_panel_and_a_second_changes_nothing(simulator: Simulator) -> None:
    first, events = listen(simulator)
    first.set_red(True)
    until(has(events, "lamp-seen"))
    second, others = listen(simulator)
    until(has(others, "panel-lost"))
    second.close()
    assert red(simulator) is True
    assert not has(events, "panel-lost")()
    first.close()


def test_promise_1_the_lamp_stays_as_commanded_until_lamps_out(simulator: Simulator) -> None:
    panel, events = listen(simulator)
    commanded_ns = panel.set_red(True)
    until(has(events, "lamp-seen"))
    panel._line.shutdown(socket.SHUT_RDWR)  # as the kernel hangs up for a killed recorder
    until(has(events, "panel-lost"))
    until(lambda: not simulator.control(state=True)["state"]["recorder"])
    assert red(simulator) is True
    lamps_out(simulator.folder / "panel.sock")
    assert red(simulator) is False
    lit = [line for line in simulator.log("panel") if "red" in line]
    assert [line["red"] for line in lit] == [True, False]
    assert 0 <= lit[0]["t_ns"] - commanded_ns < 1_000_000_000


def test_the_lamps_go_out_while_a_recorder_is_connected(simulator: Simulator) -> None:
    panel, events = listen(simulator)
    panel.set_red(True)
    until(has(events, "lamp-seen"))
    seen = len(events)
    lamps_out(simulator.folder / "panel.sock")
    until(lambda: [event.kind for event in events[seen:]] == ["lamp-unseen", "rail-off"])
    panel.close()


def test_a_simulator_that_is_killed_is_reported_and_not_found_again(tmp_path: Path, spoken: Path) -> None:
    simulator = run(tmp_path, spoken)
    panel, events = listen(simulator)
    simulator.process.kill()
    simulator.process.wait()
    until(has(events, "panel-lost"))
    panel.close()
    with pytest.raises(DeviceError, match="plainsight simulator"):
        SimulatedPanel(simulator.folder / "panel.sock")


@pytest.mark.parametrize(
    "nonsense",
    [b"\x00\xff\n", b"[1]\n", b'{"device": "open"}\n', b'{"device": 5, "t_ns": 1, "pid": 1}\n', b"x" * 200000],
)
def test_nonsense_ends_a_connection_and_never_enters_the_microphone_s_log(
    simulator: Simulator, nonsense: bytes
) -> None:
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(60)
        line.connect(str(simulator.folder / "microphone.sock"))
        try:
            line.sendall(nonsense)
            assert line.recv(1) == b""
        except ConnectionError:
            pass  # hung up on before the whole of it was sent
    assert simulator.log("microphone") == []
    assert simulator.control(state=True)["ok"]
