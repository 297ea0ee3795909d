"""Systemd's watchdog is fed only while frames and acknowledgement advance and the lamp agrees with the state; a fault
that the lights tell is handled and not bitten (that it never is, under any schedule, machine/feeding.py holds)."""

from __future__ import annotations

from typing import Any

import pytest

from appliance.recorder.settings import Times
from appliance.recorder.supervisor.liveness import unhealthy
from appliance.recorder.supervisor.machine import State
from appliance.recorder.supervisor.machine.state import changed
from tests.support.schedules.parts import SECOND, parameters
from tests.support.schedules.world import World

PARAMETERS = parameters()
NOW = 1000 * SECOND
RECORDING = State(
    now_ns=NOW, phase="recording", since_ns=NOW - 100 * SECOND, red=True, red_asked=True, red_ns=NOW - 100 * SECOND,
    seen=True, seen_ns=NOW - 100 * SECOND, granted=True, capture="live", capture_ns=NOW - 100 * SECOND, device=True,
    block_ns=NOW - SECOND // 10, first_block_ns=NOW - 99 * SECOND, writer="recording", recording="0" * 32,
    acked_frame=98 * 48000, frames=98 * 48000, ack_ns=NOW - SECOND,
)  # fmt: skip
SPOKEN = frozenset({"microphone-failed"})


def test_a_recording_in_order_and_an_idle_box_are_healthy() -> None:
    assert unhealthy(RECORDING, PARAMETERS) is None
    assert unhealthy(State(), PARAMETERS) is None


@pytest.mark.parametrize(
    ("what", "changes"),
    [
        ("lamp", {"red_asked": False}),
        ("lamp", {"red": False, "red_asked": False, "seen": False}),
        ("not seen", {"seen": False, "seen_ns": NOW - 3 * SECOND}),
        ("no frame", {"block_ns": NOW - 4 * SECOND}),
        ("no frame", {"block_ns": NOW - 4 * SECOND, "own": SPOKEN}),
        ("no frame", {"block_ns": None, "first_block_ns": None}),
        ("no microphone", {"capture": "warm", "block_ns": None, "first_block_ns": None, "device": False}),
        ("no microphone", {"capture": "absent", "block_ns": None, "first_block_ns": None, "device": False}),
        ("not acknowledged", {"ack_ns": NOW - 27 * SECOND}),
        ("not acknowledged", {"ack_ns": None}),
        ("not acknowledged", {"acked_frame": 0}),
        ("not acknowledged", {"ack_ns": NOW - 27 * SECOND, "spool": frozenset({"spool-failed"})}),
        ("not closed", {"phase": "paused", "capture": "closing"}),
        ("does not die", {"phase": "paused", "capture": "killing"}),
        ("neither begins", {"phase": "arming", "capture": "warm", "device": False}),
        ("its end", {"phase": "ending", "capture": "absent", "device": False}),
    ],
)
def test_what_stands_still_beyond_its_time_and_is_not_told_is_not_healthy(what: str, changes: dict[str, Any]) -> None:
    assert what in (unhealthy(changed(RECORDING, **changes), PARAMETERS) or "nothing")


@pytest.mark.parametrize(
    "changes",
    [
        {"block_ns": NOW - 2 * SECOND},  # about to be replaced
        {"capture": "warm", "block_ns": None, "first_block_ns": None, "device": False, "own": SPOKEN},
        {"capture": "warming", "capture_ns": NOW - 9 * SECOND, "block_ns": None, "device": False},
        {"ack_ns": NOW - 25 * SECOND},  # about to end visibly
        {"phase": "paused", "capture": "killing", "own": frozenset({"capture-stuck"})},
        {"phase": "ending", "capture": "killing", "own": frozenset({"capture-stuck"})},
        {"phase": "ending", "since_ns": NOW - 30 * SECOND, "capture": "absent", "device": False},
        {"phase": "paused", "capture": "warm", "device": False, "block_ns": None, "red": False, "red_asked": False,
         "seen": False},
    ],
)  # fmt: skip
def test_what_is_handled_in_its_time_or_told_by_amber_is_healthy(changes: dict[str, Any]) -> None:
    assert unhealthy(changed(RECORDING, **changes), PARAMETERS) is None


def test_an_unplugged_microphone_gets_no_recorder_killed() -> None:
    world = World().boot().start()
    world.unplug()
    world.run(120 * SECOND)
    assert world.state.phase == "recording"
    assert world.feeding.why is None
    world.plug()
    world.run(5 * SECOND)
    assert world.green == "on"


def test_a_disk_that_hangs_ends_the_recording_visibly_before_anybody_is_killed() -> None:
    world = World(parameters=parameters(times=Times())).boot().start()
    world.writer.hangs = True
    world.run(40 * SECOND)
    assert world.feeding.why is None
    assert (world.commanded, "recording-ended" in world.state.faults) == (False, True)


def test_a_capture_process_that_cannot_be_killed_keeps_the_lamp_lit_and_the_recorder_alive() -> None:
    world = World().boot().start()
    world.microphone.unkillable = world.microphone.hangs_on_close = True
    world.hold()
    world.run(60 * SECOND)
    assert world.microphone.open
    assert world.commanded
    assert "capture-stuck" in world.state.faults
    assert world.feeding.why is None


def test_a_machine_that_no_longer_acts_is_not_fed() -> None:
    # nobody takes a step: the state stands, and the time goes on
    world = World().boot().start()
    still = world.state.at(world.now + 4 * SECOND)
    assert "no frame" in (unhealthy(still, world.parameters) or "nothing")
