"""A simulated box around the pure state machine, and what people, cables, disks and kernels do to it."""

from __future__ import annotations

from dataclasses import dataclass

from appliance.recorder.ipc import messages
from appliance.recorder.supervisor.machine import State, events

from .parts import MS, SECOND, Writer
from .simulation import Simulation


@dataclass
class World(Simulation):
    """What a test may let happen."""

    def boot(self) -> World:
        self.handle(events.Tick(self.now))
        self.handle(events.Checked(self.now, frozenset(), present=self.microphone.plugged))
        self.run(SECOND)
        assert self.state.phase == "idle", self.state
        return self

    def press(self) -> None:
        if self.state.phase in ("idle", "fault"):
            self.presses_in_rest += 1
        self.handle(events.ButtonDown(self.now, f"{next(self._count):032x}"))

    def release(self) -> None:
        self.handle(events.ButtonUp(self.now))

    def tap(self) -> None:
        self.press()
        self.run(200 * MS)
        self.release()

    def hold(self) -> None:
        self.press()
        self.run(1600 * MS)
        self.release()

    def start(self) -> World:
        self.tap()
        self.run(3 * SECOND)
        assert self.state.phase == "recording"
        assert self.green == "on"
        return self

    def break_lamp(self) -> None:
        self.lamp_broken = True
        self._lamp_fails()

    def mend_lamp(self) -> None:
        self.lamp_broken = False
        self.lamp_failed_ns = None
        self._sense_lines()

    def stick_lamp(self, stuck: bool) -> None:
        # light from elsewhere deceives the sensor: that the lamp failed cannot be known then
        self.lamp_stuck = stuck
        self.lamp_failed_ns = None
        self._lamp_fails()

    def _lamp_fails(self) -> None:
        if self.lamp_broken and self.seen and self.commanded and not self.lamp_stuck:
            self.lamp_failed_ns = self.now
        self._sense_lines()

    def stick_rail(self, stuck: bool) -> None:
        self.rail_stuck = stuck
        self._sense_lines()

    def hold_capture(self, unkillable: bool) -> None:
        """Let the kernel hold the capture process, or let go of it."""
        self.microphone.unkillable = unkillable
        if not unkillable and self.microphone.killed:
            self._capture_dies(self.microphone.serial)

    def hang_writer(self, hangs: bool) -> None:
        """Let a disk call hang, or return; that it begins was said."""
        writer = self.writer
        if hangs and not writer.hangs and writer.alive:
            self._writer_says(writer.serial, events.WriterBusy(self.now, self.now))
        self.writer.hangs = hangs
        if not hangs and writer.alive and writer.ready:
            self._writer_says(writer.serial, events.WriterBusy(self.now, None))

    def refuse_writes(self, fatal: bool) -> None:
        """The disk refuses; the writer tries for a while (nothing is acknowledged), or gives up."""
        self.writer.refused = True
        self.writer_reports(messages.WriterFault(code="spool-failed", message="made up", fatal=fatal))

    def kill_recorder(self, *, power: bool) -> None:
        """All processes end at once and start again; with the power, the lamp goes at that moment, else later."""
        self.interrupted = self.writer.recording or self.interrupted
        self._due.clear()
        self._answers.clear()
        microphone = self.microphone
        microphone.open = microphone.alive = microphone.unkillable = False
        self.invariants.device(is_open=False)
        self.writer = Writer(serial=self.writer.serial)
        self.invariants.restarted()
        if not power:
            # nobody draws conclusions; the lamp stays as commanded until the unit's ExecStopPost
            self.now += 50 * MS
        self.commanded = self.seen = self.rail = False
        self.lamp_failed_ns = None
        self.green, self.amber = "off", 0
        self.now += 2 * SECOND
        self.state = State(now_ns=self.now, since_ns=self.now)
        self._sense_lines(always=True)
        self.look()

    def unplug(self) -> None:
        self.microphone.plugged = False

    def plug(self) -> None:
        self.microphone.plugged = True

    def report_microphone(self, *, quiet: bool, faults: frozenset[str] = frozenset()) -> None:
        """Let the writer report what it finds of the microphone, which it does only while a recording is made."""
        if self.writer.ready and not self.writer.hangs and self.writer.recording is not None:
            heard = quiet and not faults and self.microphone.open and self.state.phase == "recording"
            self.quiet_ns = (self.quiet_ns or self.now) if heard else None
            self.writer_reports(messages.MicrophoneVerdict(quiet=quiet, faults=faults))

    def kill_capture(self) -> None:
        if self.microphone.alive:
            self._capture_dies(self.microphone.serial)

    def kill_writer(self) -> None:
        self._writer_dies(self.writer.serial)
