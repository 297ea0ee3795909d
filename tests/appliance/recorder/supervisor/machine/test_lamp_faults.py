"""What the machine does when the lamp or a sense line fails, or somebody else hears in the dark (promise 1)."""

from __future__ import annotations

import pytest

from appliance.contract.ledger import AudioSpan
from appliance.recorder.supervisor.machine import events
from tests.support.schedules.parts import MS, SECOND
from tests.support.schedules.world import World


@pytest.fixture
def world() -> World:
    return World().boot()


def test_a_lamp_that_is_not_seen_within_200_ms_opens_nothing_and_begins_nothing(world: World) -> None:
    world.break_lamp()
    world.tap()
    world.run(SECOND)
    assert not world.begun
    assert not world.commanded
    assert "lamp-dark" in world.state.faults
    assert world.green == "off"


def test_a_press_tries_a_mended_lamp_again(world: World) -> None:
    world.break_lamp()
    world.tap()
    world.run(SECOND)
    world.mend_lamp()
    world.tap()
    world.run(3 * SECOND)
    assert world.state.phase == "recording"
    assert "lamp-dark" not in world.state.faults


def test_a_lamp_that_fails_ends_the_recording_and_closes_the_microphone(world: World) -> None:
    world.start()
    world.break_lamp()
    failed = world.now
    world.run(SECOND)
    closed = next(fact.at_ns for fact in world.facts if isinstance(fact, AudioSpan) and not fact.open)
    assert closed - failed <= 400 * MS
    assert world.ended == ["fault"]


def test_a_lamp_seen_lit_while_dark_refuses_the_press_without_waiting(world: World) -> None:
    world.handle(events.LampSensed(world.now, seen=True))
    world.tap()
    assert not world.begun
    world.run(SECOND)
    assert "lamp-stuck" in world.state.faults
    world.handle(events.LampSensed(world.now, seen=False))
    world.run(SECOND)
    assert world.state.phase == "idle"


def test_a_live_rail_in_the_dark_refuses_the_press(world: World) -> None:
    world.handle(events.RailSensed(world.now, live=True))
    world.tap()
    assert not world.begun
    world.run(SECOND)
    assert "rail-live" in world.state.faults


def test_a_rail_that_was_live_in_the_dark_is_told_until_it_was_seen_dead(world: World) -> None:
    world.start()
    world.tap()
    world.run(SECOND)
    world.stick_rail(True)
    world.run(SECOND)
    assert "rail-live" in world.state.faults
    world.tap()
    world.run(SECOND)
    assert world.commanded
    assert "rail-live" in world.state.faults, "a lit lamp proves nothing about the dark"
    world.stick_rail(False)
    world.tap()
    world.run(SECOND)
    assert "rail-live" not in world.state.faults


def held(world: World) -> None:
    world.handle(events.Checked(world.now, frozenset(), present=True, held=True))


def test_promise_1_a_microphone_that_somebody_holds_in_the_dark_is_told_and_no_press_is_taken(world: World) -> None:
    held(world)
    assert world.state.phase == "fault"
    assert world.amber == 5
    world.tap()
    world.run(SECOND)
    assert not world.begun
    world.handle(events.Checked(world.now, frozenset(), present=True))
    assert world.state.phase == "idle"
    world.start()


def test_what_our_own_capture_holds_is_no_fault_in_any_phase_nor_just_after(world: World) -> None:
    """The check looks at random moments; a cached word from while recording must not refuse the next press."""
    world.press()
    for _ in range(20):
        held(world)
        assert "microphone-open" not in world.state.faults
        world.run(100 * MS)
    world.release()
    world.run(SECOND)
    for gesture in (world.tap, world.tap, world.hold):
        gesture()
        for _ in range(8):
            held(world)
            assert "microphone-open" not in world.state.faults, world.state.phase
            world.run(100 * MS)
        world.run(2 * SECOND)
    world.run(2 * SECOND)
    assert world.state.phase == "idle"
    held(world)
    assert "microphone-open" in world.state.faults


def test_somebody_who_hears_in_a_pause_is_told(world: World) -> None:
    world.start()
    world.tap()
    world.run(3 * SECOND)
    held(world)
    assert world.state.phase == "paused"
    assert world.amber == 5
