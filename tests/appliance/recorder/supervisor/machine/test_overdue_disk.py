"""Promise 2 while a disk call hangs: the lights tell before the call comes back, if it ever does."""

from __future__ import annotations

from appliance.recorder.supervisor.machine import events
from tests.support.schedules.parts import MS, SECOND
from tests.support.schedules.world import World


def busy(world: World) -> int:
    """Let the writer begin work on the disk and hang in it; return since when."""
    world.writer.hangs = True
    world.handle(events.WriterBusy(world.now, world.now))
    return world.now


def test_promise_2_a_disk_that_hangs_under_a_recording_is_amber_4_within_5_s() -> None:
    world = World().boot().start()
    began = world.now
    busy(world)
    world.run(world.parameters.slow - 200 * MS)
    assert world.amber == 0
    world.run(400 * MS)
    assert world.amber == 4
    assert world.state.phase == "recording", "the ring rides it out"
    world.run(began + 5 * SECOND - world.now)
    assert world.green == "off"


def test_promise_2_an_idle_box_whose_disk_hangs_is_not_ready_within_5_s() -> None:
    world = World().boot()
    busy(world)
    world.run(4 * SECOND)
    assert (world.state.phase, world.green, world.amber) == ("fault", "off", 4)
    world.writer.hangs = False
    world.handle(events.WriterBusy(world.now, None))
    assert (world.state.phase, world.green, world.amber) == ("idle", "on", 0)


def test_a_disk_that_is_busy_for_a_short_time_raises_nothing() -> None:
    world = World().boot()
    began = busy(world)
    world.run(2 * SECOND)
    world.handle(events.WriterBusy(world.now, None))
    world.run(10 * SECOND)
    assert world.amber == 0
    assert world.now > began


def test_a_new_writer_is_not_blamed_for_the_call_that_its_predecessor_died_in() -> None:
    world = World().boot()
    busy(world)
    world.run(4 * SECOND)
    world.kill_writer()
    world.run(3 * SECOND)
    assert (world.state.phase, world.green, world.amber) == ("idle", "on", 0)
