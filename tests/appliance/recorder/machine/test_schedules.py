"""Promises 1 to 3 under any schedule: people, microphones, lamps and disks doing anything in any order."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from appliance.recorder.machine import events
from appliance.recorder.settings import Limits, Times

from .world import MS, SECOND, World, rules


class Schedule(RuleBasedStateMachine):
    """Each step is something that really happens; World.check holds the promises after every action."""

    @initialize(
        sensed=st.sampled_from([True, True, False]),
        plugged=st.sampled_from([True, True, True, False]),
        taps=st.sampled_from([1, 1, 2, 3, 0]),
    )
    def boot(self, sensed: bool, plugged: bool, taps: int) -> None:
        limits = Limits(cap_s=90.0, paused_s=30.0, quiet_s=40.0, warn_s=10.0)
        self.world = World(rules=rules(sensed=sensed, times=Times(unsafe_s=8.0, drain_s=5.0), limits=limits))
        self.world.microphone.plugged = plugged
        self.somebody_else = False
        self.world.feed(events.Tick(self.world.now))
        self.world.run(SECOND)
        assert self.world.state.phase == "self-test"
        self._check()
        # left to chance alone, few schedules would get as far as a pause or a second capture
        for _ in range(taps):
            self.world.tap()
            self.world.run(2 * SECOND)

    def _check(self) -> None:
        world = self.world
        if world.exited is None:
            held = world.microphone.open or self.somebody_else
            world.feed(events.Checked(world.now, frozenset(), present=world.microphone.plugged, held=held))
            assert self.somebody_else or "microphone-open" not in world.state.faults, (
                "our own capture was told as another"
            )

    @rule(ms=st.sampled_from([1, 5, 20, 100, 160, 300, 1000, 3000, 12000]))
    def time_passes(self, ms: int) -> None:
        self.world.run(ms * MS)
        self._check()

    @rule(ms=st.sampled_from([20, 200, 900, 1200, 1600, 4000]))
    def somebody_presses(self, ms: int) -> None:
        self.world.press()
        self.world.run(ms * MS)
        self.world.release()

    @rule()
    def somebody_taps(self) -> None:
        self.world.tap()

    @rule()
    def the_button_bounces(self) -> None:
        self.world.press()
        self.world.press()
        self.world.release()
        self.world.release()

    @rule()
    def the_microphone_is_unplugged(self) -> None:
        self.world.unplug()

    @rule()
    def the_microphone_is_plugged_in(self) -> None:
        self.world.plug()

    @rule(stalls=st.booleans())
    def the_stream_stalls(self, stalls: bool) -> None:
        self.world.microphone.stalls = stalls

    @rule(hangs=st.booleans())
    def closing_hangs(self, hangs: bool) -> None:
        self.world.microphone.hangs_on_close = hangs

    @rule(refuses=st.booleans())
    def the_device_is_busy(self, refuses: bool) -> None:
        self.world.microphone.refuses = refuses

    @rule(hears=st.sampled_from([True, False, False]))
    def somebody_else_opens_the_microphone(self, hears: bool) -> None:
        self.somebody_else = hears
        self._check()

    @rule()
    def capture_is_killed(self) -> None:
        self.world.kill_capture()

    @rule()
    def the_writer_is_killed(self) -> None:
        self.world.kill_writer()

    @rule(hangs=st.booleans())
    def the_disk_hangs(self, hangs: bool) -> None:
        self.world.writer.hangs = hangs

    @rule(fatal=st.booleans())
    def the_disk_fails(self, fatal: bool) -> None:
        if self.world.writer.alive:
            self.world.feed(events.WriterFault(self.world.now, "spool-failed", fatal=fatal))

    @rule(free=st.sampled_from([1 << 40, 100 << 20, 66 << 20, 1 << 20]))
    def the_disk_fills(self, free: int) -> None:
        self.world.free_bytes = free

    @rule()
    def the_lamp_breaks(self) -> None:
        self.world.break_lamp()

    @rule()
    def the_lamp_is_mended(self) -> None:
        self.world.mend_lamp()

    @rule(quiet=st.booleans())
    def the_room_falls_quiet(self, quiet: bool) -> None:
        self.world.hear(quiet=quiet)

    @rule(code=st.sampled_from(["microphone-muted", "microphone-silent", "microphone-clipping"]), quiet=st.booleans())
    def the_microphone_is_judged_at_fault(self, code: str, quiet: bool) -> None:
        # the judge never says both; if it did, a fault would count
        self.world.hear(quiet=quiet, faults=frozenset({code}))

    @precondition(lambda self: self.world.state.phase == "recording")
    @rule()
    def the_supervisor_was_stopped(self) -> None:
        # then a burst of old times, in order
        world, stopped = self.world, self.world.now
        world.supervisor_stopped = True
        world.now += 10 * SECOND
        world.feed(events.ButtonDown(stopped + SECOND, "f" * 32))
        world.feed(events.ButtonUp(stopped + 2 * SECOND))
        if world.microphone.open:
            # its heartbeat had stopped
            world.microphone.open = world.microphone.alive = False
            world.feed(events.CaptureClosed(stopped + SECOND // 2))
        world.feed(events.Tick(world.now))
        world.supervisor_stopped = False

    @precondition(lambda self: self.world.exited is None)
    @rule(graceful=st.booleans())
    def shutdown(self, graceful: bool) -> None:
        self.world.feed(events.ShutdownAsked(self.world.now) if graceful else events.PanelLost(self.world.now))
        self.world.run(12 * SECOND)
        assert self.world.exited == (0 if graceful else 1)
        assert not self.world.microphone.open
        assert not self.world.commanded

    @invariant()
    def promises(self) -> None:
        self.world.check()

    def teardown(self) -> None:
        # whatever happened: left alone, the box ends by itself, and is dark
        world = self.world
        if world.exited is None:
            world.feed(events.ButtonUp(world.now))
        world.run(130 * SECOND)
        assert not world.microphone.open
        assert not world.commanded
        assert world.exited is not None or world.state.phase in ("idle", "fault", "self-test")


Schedule.TestCase.settings = settings(max_examples=150, stateful_step_count=25, deadline=None, print_blob=True)
TestSchedules = Schedule.TestCase
