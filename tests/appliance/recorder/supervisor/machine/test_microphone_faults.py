"""What the machine does when microphone or capture fails: the recording goes on, and amber tells (promise 2)."""

from __future__ import annotations

import pytest

from appliance.contract.ledger import Fault
from appliance.recorder.ipc.messages import ExpectGap, MicrophoneVerdict
from appliance.recorder.supervisor.machine import actions, events
from tests.support.schedules.parts import MS, SECOND
from tests.support.schedules.world import World


@pytest.fixture
def world() -> World:
    return World().boot()


def test_a_stall_is_noticed_within_2_s_and_recovered_inside_the_recording(world: World) -> None:
    world.start()
    world.microphone.stalls = True
    stalled = world.now
    world.run(2100 * MS)
    killed = [moment for moment, action in world.log if isinstance(action, actions.KillCapture)][-1]
    assert killed - stalled <= 2100 * MS
    assert "microphone-stalled" in world.state.faults
    world.microphone.stalls = False
    world.run(5 * SECOND)
    assert world.green == "on"
    assert not world.state.faults
    assert [action.cause for _, action in world.log if isinstance(action, ExpectGap)] == ["stall"]
    faults = [(fact.code, fact.raised) for fact in world.facts if isinstance(fact, Fault)]
    assert faults == [("microphone-stalled", True), ("microphone-stalled", False)]


@pytest.mark.parametrize("wakes_s", [2, 4, 6, 12, 19])
def test_a_card_that_wakes_slowly_is_waited_for_longer_each_time_and_told_meanwhile(world: World, wakes_s: int) -> None:
    world.microphone.wakes_ns = wakes_s * SECOND
    world.tap()
    world.run(2100 * MS)
    assert ("microphone-stalled" in world.state.faults) == (wakes_s > 2)
    assert world.green != "on"
    world.run(45 * SECOND)
    assert (world.state.phase, world.green, world.state.faults) == ("recording", "on", frozenset())
    opened = sum(isinstance(action, actions.OpenCapture) for _, action in world.log)
    assert opened == 1 + (wakes_s >= 5) + (wakes_s >= 10)


def test_an_unplugged_microphone_is_looked_for_every_second_and_taken_back(world: World) -> None:
    world.start()
    world.unplug()
    world.microphone.stalls = True
    world.run(10 * SECOND)
    assert "microphone-missing" in world.state.faults
    assert world.commanded, "the microphone may come back at any moment: the lamp stays lit"
    looks = sum(isinstance(action, actions.CheckMicrophone) for _, action in world.log)
    assert 6 <= looks <= 10
    world.plug()
    world.microphone.stalls = False
    world.run(5 * SECOND)
    assert world.green == "on"
    assert [action.cause for _, action in world.log if isinstance(action, ExpectGap)] == ["unplugged"]


@pytest.mark.parametrize("away_s", [5, 26, 40, 300, 3600])
@pytest.mark.parametrize("paused", [False, True])
def test_a_microphone_that_comes_back_after_any_time_goes_on_inside_the_recording(
    world: World, away_s: int, paused: bool
) -> None:
    world.start()
    world.unplug()
    world.microphone.stalls = True
    world.run(away_s * SECOND // 2)
    if paused:
        world.tap()
        world.run(3 * SECOND)
        assert world.state.phase == "paused"
        world.tap()
    world.run(away_s * SECOND // 2)
    causes = [action.cause for _, action in world.log if isinstance(action, ExpectGap)]
    assert causes == ["unplugged"] * (1 + paused), "each side of the pause"
    assert world.green != "on", "nothing is saved while it is away"
    world.plug()
    world.microphone.stalls = False
    world.run(8 * SECOND)
    assert (world.state.phase, world.green, world.state.reason) == ("recording", "on", None)
    assert world.ended == []


def test_green_waits_for_sound_and_not_for_silence_that_is_saved(world: World) -> None:
    world.start()
    world.silence_a_turn = 6000
    world.unplug()
    world.microphone.stalls = True
    world.run(22 * SECOND)
    world.plug()
    world.microphone.stalls = False
    world.run(4 * SECOND)
    assert world.microphone.open
    assert world.state.acked_silence < world.state.silence_frames, "silence is being saved"
    assert world.green != "on", "and the sound behind it is not"


def test_a_microphone_that_was_away_for_less_than_a_stall_is_called_unplugged(world: World) -> None:
    world.start()
    world.unplug()
    world.microphone.stalls = True
    world.run(500 * MS)
    world.handle(events.Checked(world.now, frozenset(), present=False))
    world.plug()
    world.handle(events.Checked(world.now, frozenset(), present=True))
    world.run(2 * SECOND)
    world.microphone.stalls = False
    world.run(5 * SECOND)
    assert [action.cause for _, action in world.log if isinstance(action, ExpectGap)] == ["unplugged"]


def test_a_card_that_is_missed_for_a_moment_while_its_blocks_arrive_makes_no_later_stall_an_unplugging(
    world: World,
) -> None:
    world.start()
    world.handle(events.Checked(world.now, frozenset(), present=False))
    world.run(SECOND)
    world.handle(events.Checked(world.now, frozenset(), present=True))
    world.microphone.stalls = True
    world.run(2100 * MS)
    world.microphone.stalls = False
    world.run(5 * SECOND)
    assert [action.cause for _, action in world.log if isinstance(action, ExpectGap)] == ["stall"]


def test_frames_are_told_as_captured_whichever_of_block_and_progress_comes_first(world: World) -> None:
    world.start()
    world.writer.hangs = True
    base, blocks = world.state.captured(world.parameters), world.write_seq
    world.handle(events.BlockSeen(world.now, blocks + 1))
    assert world.state.captured(world.parameters) == base + 4096
    # the writer had counted a block more than the supervisor knew of
    acked = world.state.acked_frame
    world.progress(frames=base + 2 * 4096, acked_frame=acked, write_seq=blocks + 2)
    assert world.state.captured(world.parameters) == base + 2 * 4096
    world.handle(events.BlockSeen(world.now, blocks + 2))
    assert world.state.captured(world.parameters) == base + 2 * 4096
    world.write_seq = blocks + 2


def test_promise_2_what_a_capture_gave_that_will_not_die_is_saved_too_or_the_recording_ends(world: World) -> None:
    world.start()
    world.hold_capture(True)
    world.kill_capture()
    world.microphone.stalls = True
    world.run(5 * SECOND)
    assert "capture-stuck" in world.state.faults
    # its blocks are in the ring, and the writer saves none of them
    world.writer.hangs = True
    for _ in range(310):
        world.write_seq += 1
        world.handle(events.BlockSeen(world.now, world.write_seq))
    world.run(SECOND)
    assert world.state.phase == "ending"
    assert world.state.reason == "fault"


def test_promise_2_a_capture_process_that_never_gets_ready_is_amber_2_and_refuses_the_press() -> None:
    world = World()
    world.microphone.never_warm = True
    world.boot().run(11 * SECOND)
    assert "capture-died" in world.state.faults
    assert (world.state.phase, world.green, world.amber) == ("fault", "off", 2)
    world.tap()
    assert not world.commanded
    world.microphone.never_warm = False
    world.run(22 * SECOND)
    assert (world.state.phase, world.green, world.amber) == ("idle", "on", 0)


def test_a_machine_that_needs_35_s_to_start_a_capture_process_gets_one() -> None:
    world = World(warm_ns=35 * SECOND)
    world.boot().run(80 * SECOND)
    assert (world.state.phase, world.green, world.amber) == ("idle", "on", 0)
    assert world.microphone.serial == 3
    assert world.state.never_ready == 0


def test_promise_2_a_recording_that_waits_for_a_capture_process_is_amber_within_4_s(world: World) -> None:
    world.start()
    world.microphone.never_warm = True
    world.kill_capture()
    world.run(4 * SECOND)
    assert "capture-died" in world.state.faults
    assert world.amber == 2
    world.microphone.never_warm = False
    world.run(12 * SECOND)
    assert (world.green, world.amber) == ("on", 0)


def test_a_busy_device_is_tried_again_and_amber_says_so(world: World) -> None:
    world.microphone.refuses = True
    world.tap()
    world.run(5 * SECOND)
    assert "microphone-failed" in world.state.faults
    assert world.state.phase == "recording"
    world.microphone.refuses = False
    world.run(5 * SECOND)
    assert world.green == "on"


def test_a_capture_process_that_cannot_be_killed_keeps_the_lamp_lit(world: World) -> None:
    world.start()
    world.microphone.hangs_on_close = True
    world.microphone.unkillable = True
    world.hold()
    world.run(5 * SECOND)
    assert world.microphone.open
    assert world.commanded, "what may still hear is not to be dark"
    assert "capture-stuck" in world.state.faults


def test_a_muted_microphone_is_amber_in_the_ledger_and_no_quiet_and_the_recording_goes_on(world: World) -> None:
    world.start()
    world.report_microphone(quiet=True)
    world.report_microphone(quiet=True, faults=frozenset({"microphone-muted"}))
    assert world.amber == 1
    world.run(25 * 60 * SECOND)
    assert (world.state.phase, world.green) == ("recording", "on")
    world.report_microphone(quiet=False)
    assert world.amber == 0
    noted = [(fact.code, fact.raised) for fact in world.facts if isinstance(fact, Fault)]
    assert noted == [("microphone-muted", True), ("microphone-muted", False)]


def test_a_microphone_at_fault_is_told_on_after_the_recording_until_the_next_one(world: World) -> None:
    world.start()
    world.report_microphone(quiet=False, faults=frozenset({"microphone-muted"}))
    world.hold()
    world.run(5 * SECOND)
    assert (world.state.phase, world.green, world.amber) == ("idle", "on", 1)
    world.writer_reports(MicrophoneVerdict(quiet=True))
    assert world.state.faults == {"microphone-muted"}, "nothing can be heard without a recording"
    world.start()
    assert world.state.faults == frozenset()
    assert not [fact for fact in world.facts if isinstance(fact, Fault)]
