"""What the machine does when writer or disk fails or fills: nothing is called safe that is not (promises 2 and 3)."""

from __future__ import annotations

import pytest

from appliance.contract.ledger import EndWarning
from appliance.recorder.ipc.messages import SpoolChecked, WriterFault
from appliance.recorder.supervisor.machine import actions, events
from tests.support.schedules.parts import MS, SECOND
from tests.support.schedules.world import World


@pytest.fixture
def world() -> World:
    return World().boot()


def warnings(world: World) -> list[str]:
    return [fact.code for fact in world.facts if isinstance(fact, EndWarning)]


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
