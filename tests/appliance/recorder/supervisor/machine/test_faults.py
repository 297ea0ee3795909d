"""What the machine does when something fails: promises 1 to 3, and recordings that end by themselves."""

from __future__ import annotations

from dataclasses import replace

import pytest

from appliance.contract.ledger import AudioSpan, EndWarning, Fault
from appliance.recorder.ipc.messages import BeginRecording, ExpectGap, MicrophoneVerdict, SpoolChecked, WriterFault
from appliance.recorder.settings import Limits
from appliance.recorder.supervisor.machine import actions, events
from tests.support.schedules.world import MS, SECOND, World, parameters


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


def test_promise_2_green_that_warns_of_the_end_goes_out_as_well_when_nothing_is_safe() -> None:
    world = World(parameters=parameters(limits=Limits(cap_s=60.0, warn_s=30.0))).boot().start()
    world.run(32 * SECOND)
    assert world.green == "slow"
    world.writer.hangs = True
    world.run(5100 * MS)
    assert world.state.phase == "recording"
    assert world.green == "off"


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
    world.run(12 * SECOND)
    assert (world.state.phase, world.green, world.amber) == ("idle", "on", 0)


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


def test_promise_2_green_goes_out_within_5_s_without_acknowledgement(world: World) -> None:
    world.start()
    world.writer.hangs = True
    world.run(5100 * MS)
    assert world.green == "off"
    assert world.state.phase == "recording", "the ring still rides it out"


def test_promise_2_a_disk_that_falls_behind_puts_green_out_although_it_still_acknowledges(world: World) -> None:
    world.start()
    world.writer.hangs = True
    for _ in range(80):
        world.run(100 * MS)
        slow = world.state.acked_frame + 400
        world.progress(frames=world.write_seq * 4096, acked_frame=slow, write_seq=world.write_seq)
    assert world.green == "off"


def test_a_disk_that_hangs_for_ever_ends_the_recording_visibly_and_kills_the_writer(world: World) -> None:
    world.start()
    world.writer.hangs = True
    world.run(27 * SECOND)
    assert (world.commanded, world.microphone.open, world.green) == (False, False, "off")
    assert world.amber
    world.run(40 * SECOND)
    assert actions.KillWriter() in [action for _, action in world.log]
    assert world.state.phase == "idle"
    assert "recording-ended" in world.state.faults


def test_a_disk_that_hangs_for_20_s_loses_nothing(world: World) -> None:
    world.start()
    world.writer.hangs = True
    world.run(20 * SECOND)
    world.writer.hangs = False
    world.run(3 * SECOND)
    assert world.state.phase == "recording"
    assert world.green == "on"


def test_a_fatal_report_of_the_writer_ends_the_recording_at_once(world: World) -> None:
    world.start()
    world.writer_reports(WriterFault(code="spool-failed", message="made up", fatal=True))
    world.run(SECOND)
    assert world.ended == ["fault"]
    assert not world.commanded


def test_a_dead_writer_ends_the_recording_and_is_started_again_ever_more_slowly(world: World) -> None:
    world.start()
    for _ in range(3):
        world.kill_writer()
        world.run(150 * MS)
    world.run(4 * SECOND)
    assert world.state.phase == "idle"
    assert not world.commanded


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


def test_a_nearly_full_disk_is_warned_and_ends_the_recording(world: World) -> None:
    world.start()
    world.free_bytes = world.parameters.warn_bytes - 1
    world.run(3 * SECOND)
    assert warnings(world) == ["disk-full"]
    assert world.green == "slow"
    world.free_bytes = world.parameters.min_free_bytes
    world.run(3 * SECOND)
    assert world.ended == ["disk-full"]


def test_too_little_room_for_the_longest_recording_is_amber_and_still_records(world: World) -> None:
    world.writer_reports(SpoolChecked(free_bytes=world.parameters.longest_bytes - 1))
    assert world.state.faults == {"spool-low"}
    assert world.amber == 3
    world.start()


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


def test_a_writer_without_a_key_shows_the_code_of_the_key_until_one_starts(world: World) -> None:
    world.writer_reports(WriterFault(code="keys", message="made up", fatal=True))
    world.kill_writer()
    assert (world.state.phase, world.amber) == ("fault", 6)
    world.run(100 * MS)
    assert (world.state.writer, world.state.phase, world.amber) == ("starting", "fault", 6)
    world.run(SECOND)
    assert (world.state.phase, world.amber) == ("idle", 0)


def test_promise_5_a_message_that_is_refused_is_told_because_evidence_may_be_missing(world: World) -> None:
    world.start()
    world.handle(events.MessageRefused(world.now, "the writer process: not a message"))
    world.run(SECOND)
    assert world.state.faults == {"software"}
    assert (world.state.phase, world.amber) == ("recording", 9)


def test_an_idle_writer_without_a_word_is_told_and_replaced_while_one_that_reports_is_left_alone(world: World) -> None:
    world.run(300 * SECOND)
    assert world.state.faults == frozenset(), "it reports every 30 s"
    assert actions.KillWriter() not in [action for _, action in world.log]
    world.writer.hangs = True
    world.run(80 * SECOND)
    assert "writer-died" not in world.state.faults
    told = False
    for _ in range(450):
        world.run(100 * MS)
        told = told or ("writer-died" in world.state.faults and world.amber == 4)
    assert told
    assert actions.KillWriter() in [action for _, action in world.log]
