"""The button: what a press, a short press and a hold do (docs/operator.md, the button)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from appliance.contract.ledger import AudioSpan, Lamp
from appliance.recorder.supervisor.machine import actions, events
from tests.support.schedules.parts import MS, SECOND, parameters
from tests.support.schedules.world import World


@pytest.fixture(params=[True, False], ids=["sensed", "unsensed"])
def world(request: pytest.FixtureRequest) -> World:
    return World(parameters=parameters(sensed=request.param)).boot()


def asked(world: World, kind: type[actions.Action]) -> list[tuple[int, actions.Action]]:
    return [(moment, action) for moment, action in world.log if isinstance(action, kind)]


def test_a_press_starts_on_the_way_down_lamp_first(world: World) -> None:
    pressed = world.now
    world.press()
    world.run(20 * MS)
    lit = asked(world, actions.SetRed)[0]
    opened = asked(world, actions.OpenCapture)[0]
    assert lit == (pressed, actions.SetRed(lit=True))
    assert pressed <= opened[0] <= pressed + 10 * MS
    assert world.log.index(lit) < world.log.index(opened)


def test_the_press_that_started_does_nothing_more_until_it_is_released(world: World) -> None:
    world.press()
    world.run(5 * SECOND)
    assert world.state.phase == "recording"
    world.release()
    world.run(SECOND)
    assert world.state.phase == "recording"


def test_a_short_press_pauses_and_another_resumes(world: World) -> None:
    world.start()
    world.tap()
    released = world.now
    world.run(SECOND)
    assert world.state.phase == "paused"
    assert (world.commanded, world.green) == (False, "slow")
    dark = asked(world, actions.SetRed)[-1]
    assert dark[1] == actions.SetRed(lit=False)
    assert dark[0] - released < 300 * MS
    world.tap()
    world.run(3 * SECOND)
    assert world.state.phase == "recording"
    assert world.microphone.open
    assert world.green == "on"
    kinds = [
        (fact.kind, next(getattr(fact, name) for name in ("paused", "open", "lit") if hasattr(fact, name)))
        for fact in world.facts
    ]
    assert kinds == [
        ("lamp", True), ("audio", True), ("audio", False), ("lamp", False), ("pause", True),
        ("lamp", True), ("pause", False), ("audio", True),
    ]  # fmt: skip
    assert [fact.generation for fact in world.facts if isinstance(fact, AudioSpan)] == [1, 1, 2]


def test_a_press_of_middle_length_does_nothing(world: World) -> None:
    world.start()
    world.press()
    world.run(1200 * MS)
    world.release()
    world.run(SECOND)
    assert world.state.phase == "recording"


def test_a_hold_ends_at_that_moment_not_at_the_release(world: World) -> None:
    world.start()
    world.press()
    pressed = world.now
    world.run(1499 * MS)
    assert world.state.phase == "recording"
    world.run(300 * MS)
    dark = asked(world, actions.SetRed)[-1]
    assert dark[1] == actions.SetRed(lit=False)
    assert 1500 * MS <= dark[0] - pressed <= 1800 * MS
    world.run(SECOND)
    assert world.ended == ["button"]
    assert world.state.phase == "idle"
    world.release()
    world.run(SECOND)
    assert world.state.phase == "idle"


def test_a_hold_that_was_seen_only_at_its_release_still_ends(world: World) -> None:
    world.start()
    pressed = world.now
    world.handle(events.ButtonDown(pressed, "0" * 32))
    world.handle(events.ButtonUp(pressed + 1600 * MS))
    assert world.state.phase == "ending"


def test_a_hold_ends_a_pause(world: World) -> None:
    world.start()
    world.tap()
    world.run(SECOND)
    world.hold()
    world.run(SECOND)
    assert world.ended == ["button"]
    assert world.state.phase == "idle"


def test_capture_that_does_not_close_is_killed_after_150_ms_and_then_it_is_dark(world: World) -> None:
    world.start()
    world.microphone.hangs_on_close = True
    world.tap()
    released = world.now
    world.run(SECOND)
    killed = asked(world, actions.KillCapture)[-1]
    dark = asked(world, actions.SetRed)[-1]
    assert killed[0] - released == 150 * MS
    assert dark[1] == actions.SetRed(lit=False)
    assert 0 < dark[0] - killed[0] < 100 * MS


def test_resuming_while_the_pause_still_closes_keeps_the_ledger_in_order(world: World) -> None:
    world.start()
    world.parameters = replace(world.parameters, repeat=0)
    world.microphone.hangs_on_close = True
    world.tap()
    world.run(50 * MS)
    world.press()
    world.run(20 * MS)
    world.release()
    world.run(3 * SECOND)
    assert world.state.phase == "recording"
    assert world.microphone.open
    world.hold()
    world.run(SECOND)
    assert world.ended == ["button"]


def test_a_press_in_self_test_is_refused() -> None:
    world = World()
    world.handle(events.Tick(world.now))
    world.press()
    world.run(SECOND)
    assert not world.commanded
    assert not world.begun


def test_promise_5_a_lamp_switched_again_before_its_sensor_told_stands_in_the_ledger_both_times(world: World) -> None:
    world.start()
    world.tap()
    world.run(SECOND)
    # resumed and paused again within the sensor's 5 ms, which takes contacts that do not count as one press
    world.parameters = replace(world.parameters, repeat=0)
    for _ in range(2):
        world.press()
        world.release()
    world.run(SECOND)
    world.hold()
    world.run(SECOND)
    lamps = [fact.lit for fact in world.facts if isinstance(fact, Lamp)]
    assert lamps == [True, False, True, False]


def test_promise_5_a_lamp_that_fails_at_the_end_of_a_pause_stands_in_the_ledger_as_not_seen() -> None:
    world = World().boot().start()
    world.tap()
    world.run(SECOND)
    world.break_lamp()
    world.tap()
    world.run(SECOND)
    lamps = [(fact.lit, fact.seen_ns is not None) for fact in world.facts if isinstance(fact, Lamp)]
    assert lamps == [(True, True), (False, True), (True, False), (False, True)]
    assert world.ended == ["fault"]


@pytest.mark.parametrize("first_ms", [20, 80, 300, 700])
@pytest.mark.parametrize("apart_ms", [5, 80, 250, 400])
def test_a_double_press_or_a_bounce_starts_and_goes_on_recording(world: World, first_ms: int, apart_ms: int) -> None:
    for ms in (first_ms, 100):
        world.press()
        world.run(ms * MS)
        world.release()
        world.run(apart_ms * MS)
    world.run(3 * SECOND)
    assert (world.state.phase, world.green) == ("recording", "on")
    assert world.begun == 1
    # and the next press does what it always does
    world.tap()
    world.run(SECOND)
    assert world.state.phase == "paused"


def test_a_double_press_pauses_and_does_not_resume(world: World) -> None:
    world.start()
    for _ in range(2):
        world.tap()
        world.run(100 * MS)
    world.run(2 * SECOND)
    assert world.state.phase == "paused"


@pytest.mark.parametrize("apart_ms", [5, 80, 250])
def test_a_bounce_after_a_hold_starts_nothing(world: World, apart_ms: int) -> None:
    world.start()
    world.press()
    world.run(3 * SECOND)
    assert world.state.phase == "idle"
    world.release()
    world.run(apart_ms * MS)
    world.tap()
    world.run(SECOND)
    assert (world.state.phase, world.begun) == ("idle", 1)


def test_a_bounce_before_a_hold_does_not_keep_the_recording_from_its_end(world: World) -> None:
    world.start()
    world.press()
    world.run(20 * MS)
    world.release()
    world.run(80 * MS)
    world.hold()
    world.run(SECOND)
    assert world.ended == ["button"]


def test_a_button_that_is_down_at_the_start_is_told_and_the_box_is_not_ready_until_it_is_free() -> None:
    world = World()
    world.handle(events.Tick(world.now))
    world.handle(events.ButtonFoundDown(world.now))
    world.handle(events.Checked(world.now, frozenset(), present=True))
    world.run(5 * SECOND)
    assert world.state.faults == {"button-stuck"}
    assert (world.state.phase, world.green, world.amber, world.begun) == ("fault", "off", 9, 0)
    world.release()
    world.run(SECOND)
    assert (world.state.phase, world.green, world.amber, world.begun) == ("idle", "on", 0, 0)


def test_a_button_that_jams_is_told_within_ten_seconds_and_what_it_started_goes_on(world: World) -> None:
    world.press()
    world.run(9 * SECOND)
    assert world.state.faults == set()
    world.run(1100 * MS)
    assert world.state.faults == {"button-stuck"}
    assert (world.state.phase, world.green, world.amber) == ("recording", "on", 9)
    world.release()
    world.run(SECOND)
    assert (world.state.phase, world.amber) == ("recording", 0)


def test_a_button_that_jams_in_a_hold_leaves_no_green_that_says_ready(world: World) -> None:
    world.start()
    world.press()
    world.run(11 * SECOND)
    assert world.ended == ["button"]
    assert (world.state.phase, world.green, world.amber) == ("fault", "off", 9)


def test_a_press_while_a_recording_ends_does_nothing_and_is_told(world: World) -> None:
    world.start()
    world.hang_writer(True)
    world.hold()
    world.run(SECOND)
    assert world.state.phase == "ending"
    world.tap()
    assert world.state.phase == "ending"
    told = [action.message for _, action in world.log if isinstance(action, actions.Log)]
    assert "a press does nothing in the state ending" in told
