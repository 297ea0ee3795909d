"""Amber is asked for exactly when a fault begins or ends, and counts its blinks."""

from __future__ import annotations

import pytest

from appliance.recorder.supervisor.machine import State
from appliance.recorder.supervisor.machine.actions import SetAmber, SetGreen
from appliance.recorder.supervisor.machine.lights import show
from appliance.recorder.supervisor.machine.transition import Transition
from tests.support.schedules.parts import parameters


def asked(state: State) -> tuple[list[object], State]:
    transition = Transition(state, parameters())
    show(transition)
    return [one for one in transition.actions if isinstance(one, SetAmber | SetGreen)], transition.state


def test_without_a_fault_amber_is_off_and_nothing_is_asked() -> None:
    assert asked(State()) == ([], State())


@pytest.mark.parametrize(("code", "blinks"), [("clock", 7), ("microphone-missing", 1), ("spool-full", 3)])
def test_a_fault_is_counted_once_and_taken_back_once(code: str, blinks: int) -> None:
    first, told = asked(State(own=frozenset({code})))
    assert first == [SetAmber("slow", blinks)]
    assert told.amber == ("slow", blinks)
    assert asked(told)[0] == []
    last, dark = asked(State(amber=told.amber))
    assert last == [SetAmber("off", 0)]
    assert dark.amber == ("off", 0)
