"""What starts a recording, which ones end by themselves and how that is warned of, and how the machine ends itself."""

from __future__ import annotations

from dataclasses import replace

import pytest

from appliance.contract.ledger import EndWarning
from appliance.recorder.ipc.messages import BeginRecording, MicrophoneVerdict, SpoolChecked
from appliance.recorder.settings import Limits
from appliance.recorder.supervisor.machine import actions, events
from tests.support.schedules.parts import MS, SECOND, parameters
from tests.support.schedules.world import World


@pytest.fixture
def world() -> World:
    return World().boot()


def warnings(world: World) -> list[str]:
    return [fact.code for fact in world.facts if isinstance(fact, EndWarning)]


def test_boots_idle_and_stays_idle_without_a_press(world: World) -> None:
    world.run(3600 * SECOND)
    assert world.state.phase == "idle"
    assert not [action for _, action in world.log if isinstance(action, (actions.OpenCapture, BeginRecording))]
    assert actions.SetRed(lit=True) not in [action for _, action in world.log]


def test_promise_2_green_that_warns_of_the_end_goes_out_as_well_when_nothing_is_safe() -> None:
    world = World(parameters=parameters(limits=Limits(cap_s=60.0, warn_s=30.0))).boot().start()
    world.run(32 * SECOND)
    assert world.green == "slow"
    world.writer.hangs = True
    world.run(5100 * MS)
    assert world.state.phase == "recording"
    assert world.green == "off"


@pytest.mark.parametrize("paused", [False, True])
def test_the_cap_ends_a_recording_paused_or_not_and_is_warned_a_minute_ahead(paused: bool) -> None:
    limits = Limits(cap_s=600.0, paused_s=3600.0)
    world = World(parameters=parameters(limits=limits)).boot().start()
    if paused:
        world.tap()
    world.run(540 * SECOND)
    assert warnings(world) == ["cap"]
    assert world.green == "slow"
    world.run(65 * SECOND)
    assert world.ended == ["cap"]


def test_a_long_pause_ends_the_recording_and_a_short_one_takes_the_warning_back() -> None:
    world = World(parameters=parameters(limits=Limits(paused_s=120.0))).boot().start()
    world.tap()
    world.run(90 * SECOND)
    assert warnings(world) == ["paused-too-long"]
    world.tap()
    world.run(5 * SECOND)
    assert world.green == "on"
    world.tap()
    world.run(125 * SECOND)
    assert warnings(world) == ["paused-too-long", "paused-too-long"]
    assert world.ended == ["paused-too-long"]


def test_a_quiet_room_ends_the_recording_unless_somebody_speaks() -> None:
    world = World(parameters=parameters(limits=Limits(quiet_s=120.0))).boot().start()
    world.report_microphone(quiet=True)
    world.run(100 * SECOND)
    world.report_microphone(quiet=False)
    world.run(30 * SECOND)
    assert world.state.phase == "recording"
    world.report_microphone(quiet=True)
    world.run(125 * SECOND)
    assert warnings(world) == ["quiet", "quiet"]
    assert world.ended == ["quiet"]


def test_a_quiet_does_not_last_over_a_pause_or_a_lost_microphone() -> None:
    for interrupt in ("pause", "late word", "stall", "kill"):
        world = World(parameters=parameters(limits=Limits(quiet_s=120.0))).boot().start()
        world.report_microphone(quiet=True)
        world.run(100 * SECOND)
        if interrupt in ("pause", "late word"):
            world.tap()
            if interrupt == "late word":
                # of what was heard before the pause
                world.writer_reports(MicrophoneVerdict(quiet=True))
            world.run(30 * SECOND)
            world.tap()
        elif interrupt == "stall":
            world.microphone.stalls = True
            world.run(30 * SECOND)
            world.microphone.stalls = False
        else:
            world.kill_capture()
        world.run(110 * SECOND)
        assert world.ended == [], interrupt


def test_only_the_impossible_refuses_a_press(world: World) -> None:
    world.writer_reports(SpoolChecked(free_bytes=world.parameters.min_free_bytes))
    assert world.state.phase == "fault"
    world.tap()
    world.run(SECOND)
    assert not world.begun


def test_a_recording_after_a_crash_continues_the_interrupted_one_but_not_hours_later() -> None:
    for wait, expected in ((10, "a" * 32), (700, None)):
        world = World().boot()
        world.state = replace(world.state, continues="a" * 32, continues_ns=world.now)
        world.run(wait * SECOND)
        world.tap()
        world.run(SECOND)
        begun = [action for _, action in world.log if isinstance(action, BeginRecording)]
        assert [action.continues for action in begun] == [expected]


def test_shutdown_during_a_recording_closes_it_in_good_order(world: World) -> None:
    world.start()
    world.handle(events.ShutdownAsked(world.now))
    world.run(5 * SECOND)
    assert world.ended == ["shutdown"]
    assert world.exited == 0


def test_a_panel_that_is_lost_in_a_recording_ends_it_as_a_fault(world: World) -> None:
    world.start()
    world.handle(events.PanelLost(world.now))
    world.run(5 * SECOND)
    assert world.ended == ["fault"]
    assert world.exited == 1
    told = [one.level for _, one in world.log if isinstance(one, actions.Log) and "ends (fault)" in one.message]
    assert told == ["error"]


def test_an_upgrade_waits_for_the_end_of_the_recording_and_of_its_pause(world: World) -> None:
    world.start()
    world.handle(events.RestartAsked(world.now))
    world.run(5 * SECOND)
    world.tap()
    world.run(5 * SECOND)
    assert world.state.phase == "paused"
    assert world.exited is None
    assert not world.ended
    world.hold()
    world.run(5 * SECOND)
    assert world.ended == ["button"]
    assert world.exited == 0


def test_an_upgrade_of_an_idle_box_takes_effect_at_once(world: World) -> None:
    world.handle(events.RestartAsked(world.now))
    world.run(SECOND)
    assert world.exited == 0


def test_promise_1_a_supervisor_that_is_asked_to_stop_stays_while_a_device_cannot_be_closed(world: World) -> None:
    world.start()
    world.hold_capture(unkillable=True)
    world.microphone.hangs_on_close = True
    world.handle(events.ShutdownAsked(world.now))
    world.run(60 * SECOND)
    assert (world.exited, world.commanded) == (None, True)
    assert "capture-stuck" in world.state.faults
    world.hold_capture(unkillable=False)
    world.run(SECOND)
    assert (world.exited, world.commanded) == (0, False)
