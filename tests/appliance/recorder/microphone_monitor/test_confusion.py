"""A part of the test set (tests/faults/microphone.py has it all): faults are found as what they are, no others."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from appliance.contract.errors import DeviceError
from tests.faults import microphone as campaign
from tests.support.hearing import trials
from tests.support.hearing.material import SOUNDS
from tests.support.hearing.microphone import FAULTS, Fault


def tried(trial: Callable[[], trials.Trial]) -> trials.Trial:
    try:
        return trial()
    except DeviceError as error:
        pytest.skip(f"no speech on this machine: {error.message}")


@pytest.mark.parametrize("name", SOUNDS)
def test_nothing_is_said_of_a_live_microphone(name: str) -> None:
    trial = tried(lambda: trials.live(name, 12.0, 15, 1))
    assert trial.held, trial


@pytest.mark.parametrize("fault", FAULTS[:-1], ids=lambda fault: fault.name)
def test_a_fault_is_found_within_10_s_as_what_it_is_and_cleared(fault: Fault) -> None:
    trial = tried(lambda: trials.with_fault(fault, "musical" if not fault.in_quiet else "spoken", -6.0, 2))
    assert trial.held, trial


def test_a_low_radio_is_not_a_quiet_room_and_a_quiet_room_is() -> None:
    try:
        assert trials.low_radio(0.0, 30, 3) == 0
        room = trials.hours(0.0, 120, 4)
    except DeviceError as error:
        pytest.skip(f"no speech on this machine: {error.message}")
    assert room.held, room
    assert room.longest_quiet_s >= 75


def test_the_table_names_what_was_missed_and_what_was_false() -> None:
    said = trials.Trial("live: spoken", "spoken", 0.0, ("microphone-muted",), None, None, None)
    missed = trials.Trial("switched off", "spoken", 0.0, (), "microphone-muted", None, None)
    late = trials.Trial("switched off", "spoken", 0.0, ("microphone-muted",), "microphone-muted", 10.5, 2.0)
    assert not said.held
    assert not missed.held
    assert not late.held
    first, second = campaign.rows([said, missed, late])
    assert (first.said, second.said) == ({"microphone-muted": 1}, {"nothing": 1, "microphone-muted": 1})
    assert second.slowest_s == 10.5
