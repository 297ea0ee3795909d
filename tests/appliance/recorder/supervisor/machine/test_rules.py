"""Each rule by itself: when it falls due at the latest, and that it asks for nothing twice."""

from __future__ import annotations

from typing import Any

import pytest

from appliance.recorder.supervisor.machine import State, deadline
from appliance.recorder.supervisor.machine.actions import CheckMicrophone
from appliance.recorder.supervisor.machine.rules import apply_rules
from appliance.recorder.supervisor.machine.state import changed
from appliance.recorder.supervisor.machine.transition import Transition
from tests.support.schedules.parts import SECOND, parameters

NOW = 1000 * SECOND
P = parameters()
QUIET = State(now_ns=NOW, phase="idle", capture="killing", writer="idle")
"""Nothing is due."""
LIMIT = P.cap - P.warn
"""When a recording that began at 0 is warned of its end."""


@pytest.mark.parametrize(
    ("changes", "due"),
    [
        ({}, None),
        ({"button_ns": NOW}, NOW + P.hold),
        ({"button_ns": NOW, "button_spent": True}, NOW + P.stuck),
        ({"capture": "closing", "capture_ns": NOW}, NOW + P.close),
        ({"capture_ns": NOW}, None),
        ({"red": True, "red_ns": NOW}, NOW + P.lamp),
        ({"red": True, "red_ns": NOW - 1, "seen_ns": NOW}, NOW + P.lamp),
        ({"red": True, "red_ns": NOW, "seen": True}, None),
        ({"phase": "recording", "capture": "warm", "retry_ns": NOW + 5}, NOW + 5),
        ({"phase": "paused", "capture": "warm", "retry_ns": NOW + 5}, LIMIT),
        ({"phase": "recording", "retry_ns": NOW + 5}, LIMIT),
        ({"capture": "live", "capture_ns": NOW, "block_ns": NOW + 1}, NOW + 1 + P.stall),
        ({"capture": "live", "capture_ns": NOW}, NOW + P.stall),
        ({"capture": "live", "capture_ns": NOW - P.stall}, NOW - P.stall + P.first_block),
        ({"phase": "recording", "ack_ns": NOW}, NOW + P.ack),
        ({"phase": "recording"}, LIMIT),
        ({"phase": "ending", "ack_ns": NOW}, None),
        ({"capture": "absent", "spawn_ns": NOW + 7}, NOW + 7),
        ({"spawn_ns": NOW + 7}, None),
        ({"phase": "recording", "capture": "warming", "since_ns": NOW}, NOW + 2 * P.stall),
        ({"capture": "warming", "since_ns": NOW}, None),
        ({"writer": "dead", "start_ns": NOW + 9}, NOW + 9),
        ({"start_ns": NOW + 9}, None),
        ({"busy_ns": NOW}, NOW + P.slow),
        ({"started_ns": NOW}, None),
    ],
)
def test_a_tick_is_asked_for_when_the_next_rule_falls_due(changes: dict[str, Any], due: int | None) -> None:
    assert deadline(changed(QUIET, **changes), P) == due


def test_without_a_sensor_no_lamp_is_waited_for() -> None:
    assert deadline(changed(QUIET, red=True, red_ns=NOW), parameters(sensed=False)) is None


@pytest.mark.parametrize("check_asked", [False, True])
def test_whether_the_microphone_is_there_is_asked_once(check_asked: bool) -> None:
    lit: dict[str, Any] = {"red": True, "red_asked": True, "seen": True, "granted": True}
    recording: dict[str, Any] = {"phase": "recording", "writer": "recording", "capture": "warm", "present": None}
    transition = Transition(changed(QUIET, **lit, **recording, check_asked=check_asked), P)
    apply_rules(transition)
    assert [one for one in transition.actions if isinstance(one, CheckMicrophone)] == [CheckMicrophone()] * (
        not check_asked
    )
    assert transition.state.check_asked
