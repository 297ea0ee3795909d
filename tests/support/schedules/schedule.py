"""Schedules: people, microphones, lamps, disks, clocks and kills, in any order (promises 1 to 3).

Each step is something that really happens; the invariants are checked after every event. A schedule keeps its own
script, so that one that fails can be run again without hypothesis (`script`).
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from appliance.recorder.ipc.messages import MicrophoneClosed
from appliance.recorder.settings import Limits, Times
from appliance.recorder.supervisor.machine import deadline, events

from .parts import MS, SECOND, parameters
from .world import World

Step = Callable[..., None]
REST = ("idle", "fault", "self-test")


def written_down(step: Step) -> Step:
    """Keep what happens in the schedule's script, before it happens; the promises are looked at after it."""

    @functools.wraps(step)
    def happen(self: Schedule, **arguments: Any) -> None:
        given = ", ".join(f"{name}={value!r}" for name, value in arguments.items())
        self.steps.append(f"{step.__name__}({given})")
        self.held = False
        step(self, **arguments)
        self.promises()
        self.held = True

    return happen


class Schedule(RuleBasedStateMachine):
    """A box, and everything that happens to it."""

    last: ClassVar[Schedule | None] = None
    """The schedule that ran last."""

    def __init__(self) -> None:
        super().__init__()
        self.steps: list[str] = []
        self.held = True
        """The step that is happening has not failed."""
        Schedule.last = self

    @initialize(
        sensed=st.sampled_from([True, True, False]),
        plugged=st.sampled_from([True, True, True, False]),
        taps=st.sampled_from([1, 1, 2, 3, 0]),
    )
    @written_down
    def boot(self, sensed: bool, plugged: bool, taps: int) -> None:
        limits = Limits(cap_s=90.0, paused_s=30.0, quiet_s=40.0, warn_s=10.0)
        self.world = World(parameters=parameters(sensed=sensed, times=Times(unsafe_s=8.0, drain_s=5.0), limits=limits))
        self.world.microphone.plugged = plugged
        self.world.handle(events.Tick(self.world.now))
        self.world.run(SECOND)
        assert self.world.state.phase == "self-test"
        self._check()
        # left to chance alone, few schedules would get as far as a pause or a second capture
        for _ in range(taps):
            self.world.tap()
            self.world.run(2 * SECOND)

    def _check(self) -> None:
        if self.world.exited is None:
            self.world.look()

    @rule(ms=st.sampled_from([1, 5, 20, 100, 160, 300, 1000, 3000, 12000, 31000]))
    @written_down
    def time_passes(self, ms: int) -> None:
        self.world.run(ms * MS)
        self._check()

    @rule(ms=st.sampled_from([20, 200, 900, 1200, 1600, 4000, 12000]))
    @written_down
    def somebody_presses(self, ms: int) -> None:
        self.world.press()
        self.world.run(ms * MS)
        self.world.release()

    @rule()
    @written_down
    def somebody_taps(self) -> None:
        self.world.tap()

    @rule(first_ms=st.sampled_from([20, 300, 700, 1600]), apart_ms=st.sampled_from([5, 80, 250, 600]))
    @written_down
    def somebody_presses_twice(self, first_ms: int, apart_ms: int) -> None:
        for ms in (first_ms, 100):
            self.world.press()
            self.world.run(ms * MS)
            self.world.release()
            self.world.run(apart_ms * MS)

    @rule()
    @written_down
    def the_button_bounces(self) -> None:
        self.world.press()
        self.world.press()
        self.world.release()
        self.world.release()

    @rule()
    @written_down
    def the_microphone_is_unplugged(self) -> None:
        self.world.unplug()

    @rule()
    @written_down
    def the_microphone_is_plugged_in(self) -> None:
        self.world.plug()

    @rule(stalls=st.booleans())
    @written_down
    def the_stream_stalls(self, stalls: bool) -> None:
        self.world.microphone.stalls = stalls

    @rule(hangs=st.booleans())
    @written_down
    def closing_hangs(self, hangs: bool) -> None:
        self.world.microphone.hangs_on_close = hangs

    @rule(stopped=st.booleans())
    @written_down
    def capture_is_stopped(self, stopped: bool) -> None:
        # SIGSTOP: no block comes, and it does not close; the deadman's timer in it waits as well
        self.world.microphone.stalls = self.world.microphone.hangs_on_close = stopped

    @rule(refuses=st.booleans())
    @written_down
    def the_device_is_busy(self, refuses: bool) -> None:
        self.world.microphone.refuses = refuses

    @rule(hangs=st.sampled_from([True, False, False]))
    @written_down
    def capture_hangs_while_it_warms(self, hangs: bool) -> None:
        self.world.microphone.never_warm = hangs

    @rule(hears=st.sampled_from([True, False, False]))
    @written_down
    def somebody_else_opens_the_microphone(self, hears: bool) -> None:
        self.world.somebody_else = hears
        self._check()

    @rule()
    @written_down
    def capture_is_killed(self) -> None:
        self.world.kill_capture()

    @rule(held=st.booleans())
    @written_down
    def the_kernel_holds_capture(self, held: bool) -> None:
        self.world.hold_capture(held)

    @rule()
    @written_down
    def the_writer_is_killed(self) -> None:
        self.world.kill_writer()

    @rule(hangs=st.booleans())
    @written_down
    def the_disk_hangs(self, hangs: bool) -> None:
        self.world.hang_writer(hangs)

    @rule(fatal=st.booleans())
    @written_down
    def the_disk_refuses(self, fatal: bool) -> None:
        if self.world.writer.ready:
            self.world.refuse_writes(fatal)

    @rule()
    @written_down
    def the_disk_takes_writes_again(self) -> None:
        self.world.writer.refused = False

    @rule(free=st.sampled_from([1 << 40, 100 << 20, 66 << 20, 1 << 20]))
    @written_down
    def the_disk_fills(self, free: int) -> None:
        self.world.free_bytes = free

    @rule()
    @written_down
    def the_lamp_breaks(self) -> None:
        self.world.break_lamp()

    @rule()
    @written_down
    def the_lamp_is_mended(self) -> None:
        self.world.mend_lamp()

    @rule(stuck=st.booleans())
    @written_down
    def the_sun_shines_on_the_lamp(self, stuck: bool) -> None:
        self.world.stick_lamp(stuck)

    @rule(stuck=st.booleans())
    @written_down
    def the_microphone_has_power_of_its_own(self, stuck: bool) -> None:
        self.world.stick_rail(stuck)

    @rule(quiet=st.booleans())
    @written_down
    def the_room_falls_quiet(self, quiet: bool) -> None:
        if self.world.exited is None:
            self.world.report_microphone(quiet=quiet)

    @rule(code=st.sampled_from(["microphone-muted", "microphone-silent", "microphone-clipping"]), quiet=st.booleans())
    @written_down
    def the_microphone_is_judged_at_fault(self, code: str, quiet: bool) -> None:
        # the detector never says both; if it did, a fault would count
        if self.world.exited is None:
            self.world.report_microphone(quiet=quiet, faults=frozenset({code}))

    @rule(synchronized=st.booleans())
    @written_down
    def the_wall_clock_steps(self, synchronized: bool) -> None:
        # the machine has no wall clock: all that reaches it is what the idle check says of synchronization, and that
        # must move nothing but amber
        world = self.world
        world.unsynchronized = not synchronized
        if world.exited is not None:
            return
        world.handle(events.Tick(world.now))
        before, due = world.state, deadline(world.state, world.parameters)
        self._check()
        after = world.state
        for name in ("recording", "started_ns", "paused_ns", "red", "frames", "acked_frame", "generation", "reason"):
            assert getattr(before, name) == getattr(after, name), f"a step of the wall clock changed {name}"
        if before.present is after.present:
            assert deadline(after, world.parameters) == due, "a step of the wall clock moved a deadline"

    @precondition(lambda self: self.world.state.phase == "recording")
    @rule()
    @written_down
    def the_supervisor_was_stopped(self) -> None:
        # then a burst of old times, in order; what was on its way has come before
        world = self.world
        world.run(50 * MS)
        if world.state.phase != "recording":
            return
        stopped = world.now
        world.supervisor_stopped = True
        world.invariants.supervisor_stopped()
        world.now += 10 * SECOND
        world.deliver()
        world.handle(events.ButtonDown(stopped + SECOND, "f" * 32))
        world.handle(events.ButtonUp(stopped + 2 * SECOND))
        if world.microphone.open and not world.microphone.unkillable:
            # its heartbeat had stopped
            world.microphone.open = world.microphone.alive = False
            world.invariants.device(is_open=False, at_ns=stopped + SECOND // 2)
            world.handle(events.CaptureReported(world.now, MicrophoneClosed(at_ns=stopped + SECOND // 2)))
        world.handle(events.Tick(world.now))
        world.supervisor_stopped = False
        world.invariants.supervisor_goes_on()

    @precondition(lambda self: self.world.exited is None)
    @rule(power=st.booleans())
    @written_down
    def everything_is_killed(self, power: bool) -> None:
        # a power cut, or SIGKILL of the whole recorder: at the next start it is idle, whatever it did before
        world = self.world
        world.kill_recorder(power=power)
        pressed = world.presses_in_rest
        world.run(SECOND)
        assert world.state.phase in REST, f"after a restart it is in {world.state.phase}"
        assert world.presses_in_rest == pressed
        assert not world.microphone.open, "promise 1: open after a restart, without a press"
        assert not world.commanded, "promise 1: lit after a restart, without a press"

    @precondition(lambda self: self.world.exited is None)
    @rule(graceful=st.booleans())
    @written_down
    def shutdown(self, graceful: bool) -> None:
        world = self.world
        world.handle(events.ShutdownAsked(world.now) if graceful else events.PanelLost(world.now))
        world.run(12 * SECOND)
        if world.microphone.unkillable and world.exited is None:
            # what cannot be closed may still hear
            assert world.commanded, "promise 1: it is dark, and may still hear"
        else:
            assert world.exited == (0 if graceful else 1), "the recorder did not end in time"
            assert not world.microphone.open, "it ended with an open microphone"
            assert not world.commanded, "it ended with a lit lamp"

    @invariant()
    def promises(self) -> None:
        if hasattr(self, "world"):
            self.world.check()

    def teardown(self) -> None:
        # whatever happened: left alone, the box ends by itself, and is dark
        if not hasattr(self, "world") or not self.held:
            return
        self.held = False
        self.steps.append("teardown()")
        world = self.world
        world.hold_capture(False)
        if world.exited is None:
            world.handle(events.ButtonUp(world.now))
        for _ in range(13):
            if world.exited is not None or (world.state.phase in REST and not world.commanded):
                break
            world.run(10 * SECOND)
        if world.exited is None:
            assert not world.microphone.open, "left alone, it goes on hearing"
            assert not world.commanded, "left alone, it stays lit"
            assert world.state.phase in REST, f"left alone, it stays in {world.state.phase}"
        self.held = True
