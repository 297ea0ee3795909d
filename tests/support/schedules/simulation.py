"""Time and answers of a simulated box around the pure state machine, and the promises as invariants after each step."""

from __future__ import annotations

import heapq
import itertools
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from appliance.contract.ledger import AnyFact, Pause
from appliance.recorder.ipc import messages
from appliance.recorder.supervisor.machine import Parameters, State, actions, deadline, events, step
from appliance.recorder.supervisor.machine.events import AnyEvent

from .feeding import Feeding
from .invariants import FRAMES, Invariants, ledger_holds
from .parts import MS, SECOND, TICK, Microphone, Writer, parameters


@dataclass
class Simulation:
    """Carries out actions, with delays, and hands back what they cause, while time passes."""

    parameters: Parameters = field(default_factory=parameters)
    state: State = field(default_factory=State)
    now: int = SECOND
    microphone: Microphone = field(default_factory=Microphone)
    writer: Writer = field(default_factory=Writer)
    lamp_broken: bool = False
    lamp_stuck: bool = False
    """Its sensor sees light whatever is commanded."""
    rail_stuck: bool = False
    """The microphone has power whatever is commanded."""
    rail: bool = False
    unsynchronized: bool = False
    """The clock's self-check fails."""
    commanded: bool = False
    seen: bool = False
    green: str = "off"
    amber: int = 0
    write_seq: int = 0
    log: list[tuple[int, Any]] = field(default_factory=list)
    facts: list[AnyFact] = field(default_factory=list)
    warm_ns: int = 300 * MS
    """So long a capture process needs to get ready."""
    presses_in_rest: int = 0
    begun: int = 0
    ended: list[str] = field(default_factory=list)
    exited: int | None = None
    interrupted: str | None = None
    """What the next writer finds open."""
    free_bytes: int = 1 << 40
    silence_a_turn: int = 48000
    """So much silence the writer saves in a tenth of a second."""
    lamp_failed_ns: int | None = None
    somebody_else: bool = False
    """Another program has the microphone open."""
    quiet_ns: int | None = None
    """Since when nothing but quiet was said of a microphone that was open all the while; kept by the world itself."""
    supervisor_stopped: bool = False
    """Nobody can draw conclusions while the supervisor itself is stopped; capture closes by itself then."""
    feeding: Feeding = field(default_factory=Feeding)
    invariants: Invariants = field(init=False)
    _answers: deque[AnyEvent] = field(default_factory=deque)
    _due: list[tuple[int, int, Callable[[], None]]] = field(default_factory=list)
    _count: Any = field(default_factory=itertools.count)
    _next_tick: int = 0

    def __post_init__(self) -> None:
        self.invariants = Invariants(self)

    @property
    def waiting(self) -> int:
        """Answers that the machine has not been told."""
        return len(self._answers)

    def look(self) -> None:
        """Let the idle checks be made."""
        found = frozenset({"clock"} if self.unsynchronized else ())
        held = self.microphone.open or self.somebody_else
        self.handle(events.Checked(self.now, found, present=self.microphone.plugged, held=held))
        assert self.somebody_else or "microphone-open" not in self.state.faults, "our own capture was told as another"

    def handle(self, event: AnyEvent) -> None:
        # answers wait until all that was asked for is done, as in the supervisor
        self._answers.append(event)
        if len(self._answers) > 1:
            return
        while self._answers and self.exited is None:
            before, event = self.state, self._answers[0]
            self.state, todo = step(before, event, self.parameters)
            self.invariants.after(event, before, todo)
            if self.state.reason == "quiet" != before.reason:
                self._quiet_was_unbroken(before)
            for action in todo:
                self.log.append((self.now, action))
                self._carry_out(action)
            self._answers.popleft()
            self.check()
        self._answers.clear()

    def run(self, duration: int) -> None:
        """Let time pass."""
        until = self.now + duration
        while self.exited is None:
            tick = self._next_tick
            due = deadline(self.state, self.parameters)
            moment = min(self._due[0][0] if self._due else until, tick, due if due is not None else until)
            if moment > until:
                break
            self.now = max(self.now, moment)
            if self._due and self._due[0][0] <= self.now:
                heapq.heappop(self._due)[2]()
            elif self.now >= tick:
                self._next_tick = self.now + TICK
                self._live()
                self.handle(events.Tick(self.now))
            elif due is not None and due <= self.now:
                self.handle(events.Tick(self.now))
            elif self.now >= until:
                break
            self.check()
        self.now = max(self.now, until)

    def deliver(self) -> None:
        """Let come what is on its way."""
        while self._due and self._due[0][0] <= self.now and self.exited is None:
            heapq.heappop(self._due)[2]()

    # what holds always

    def check(self) -> None:
        if not self.microphone.open:
            self.quiet_ns = None
        self.invariants.check()

    def ledger_holds(self) -> None:
        assert self.state.recording is not None
        ledger_holds(self.facts, self.invariants.opened, self.state.recording, sensed=self.parameters.sensed)

    def _quiet_was_unbroken(self, before: State) -> None:
        assert self.quiet_ns is not None, "ended by quiet although a sound, a fault or no microphone was there"
        assert self.now - self.quiet_ns >= self.parameters.quiet, "ended by quiet too early"
        assert not before.microphone_faults, "a microphone at fault is not a quiet room"
        assert "quiet" in before.warned or self.supervisor_stopped, "ended by quiet without a warning"

    # how the world answers

    def after(self, delay: int, then: Callable[[], None]) -> None:
        heapq.heappush(self._due, (self.now + delay, next(self._count), then))

    def _sense(self, *, seen: bool) -> None:
        self.seen = seen
        if self.parameters.sensed:
            self.handle(events.LampSensed(self.now, seen))

    def _sense_lines(self, *, always: bool = False) -> None:
        """Tell what changed on the two sense lines."""
        rail = self.rail_stuck or (self.commanded and not self.lamp_broken)
        seen = self.lamp_stuck or (self.commanded and not self.lamp_broken)
        if self.parameters.sensed and (rail != self.rail or always):
            self.rail = rail
            self.handle(events.RailSensed(self.now, rail))
        if seen != self.seen or always:
            self._sense(seen=seen)

    def _carry_out(self, action: actions.Action) -> None:  # noqa: PLR0912 - one case an action
        microphone = self.microphone
        match action:
            case actions.SetRed(lit=lit):
                assert lit or not microphone.open, "promise 1: dark before the microphone is closed"
                self.commanded = lit
                if not lit:
                    self.lamp_failed_ns = None
                self.after(5 * MS, self._sense_lines)
                self.handle(events.RedSet(self.now, lit))
            case actions.SetGreen(mode=mode):
                self.green = mode
            case actions.SetAmber(blinks=blinks):
                self.amber = blinks
            case actions.SpawnCapture():
                assert not microphone.alive
                self.microphone = replace(
                    microphone,
                    alive=True,
                    warm=False,
                    opening=False,
                    open=False,
                    killed=False,
                    unkillable=False,
                    serial=microphone.serial + 1,
                )
                self.after(self.warm_ns, self._guarded("warm"))
            case actions.OpenCapture():
                assert microphone.warm
                assert not microphone.open
                assert self.commanded
                assert self.seen or not self.parameters.sensed, "opened without a lamp seen to be lit"
                microphone.opening = True
                self.after(5 * MS, self._guarded("opening"))
            case actions.CloseCapture():
                if not microphone.hangs_on_close:
                    self.after(30 * MS, self._guarded("closed"))
            case actions.KillCapture():
                serial = microphone.serial
                microphone.killed = True
                self.after(3 * MS, lambda: self._capture_dies(serial))
            case actions.CheckMicrophone():
                self.look()
            case actions.StartWriter():
                self.writer = Writer(alive=True, hangs=False, read_seq=self.write_seq, serial=self.writer.serial + 1)
                serial = self.writer.serial
                self.after(200 * MS, lambda: self._writer_ready(serial))
            case actions.KillWriter():
                serial = self.writer.serial
                self.after(3 * MS, lambda: self._writer_dies(serial))
            case messages.BeginRecording(recording=recording):
                assert self.commanded
                assert self.writer.recording is None
                self.begun += 1
                assert self.begun <= self.presses_in_rest, "a recording without a press"
                self.facts = []
                self.invariants.begun()
                self.writer.recording = recording
                self.writer.frames = self.writer.acked = self.writer.silence = self.writer.acked_silence = 0
                self.writer.gap, self.writer.block_ns = False, self.now
            case messages.ExpectGap():
                self.writer.gap = True
            case messages.EnterFact(fact=fact):
                self._enter(fact)
            case messages.EnterPause(t_ns=t_ns, paused=paused):
                # of a pause the writer knows the frame
                self._enter(Pause(t_ns=t_ns, frame=0, paused=paused))
                self.writer.gap, self.writer.block_ns = False, self.now
            case messages.EndRecording(reason=reason):
                assert not microphone.open
                assert not self.commanded
                self.ledger_holds()
                self.writer.ending = True
                self.ended.append(reason)
            case actions.Exit(status=status):
                self.exited = status

    def _enter(self, fact: AnyFact) -> None:
        assert self.writer.recording is not None or not self.writer.alive, "a fact outside a recording"
        self.facts.append(fact)

    def _guarded(self, what: str) -> Callable[[], None]:
        serial = self.microphone.serial

        def then() -> None:
            if self.microphone.alive and self.microphone.serial == serial:
                self._capture_says(what)

        return then

    def _capture_says(self, what: str) -> None:
        microphone = self.microphone
        if what == "warm":
            if microphone.never_warm:
                return
            microphone.warm = True
            self._capture_reports(messages.CaptureReady())
        elif what == "opening":
            self._capture_reports(messages.MicrophoneOpening(at_ns=self.now))
            if not microphone.plugged or microphone.refuses:
                self._capture_reports(messages.CaptureFailed(code="no-such-device", message="made up"))
            else:
                # probing is opening, too
                microphone.open, microphone.opened_ns = True, self.now
                self.invariants.device(is_open=True)
                self.check()
        elif what == "closed":
            microphone.open = microphone.alive = False
            self.invariants.device(is_open=False)
            self._capture_reports(messages.MicrophoneClosed(at_ns=self.now))

    def _capture_dies(self, serial: int) -> None:
        if self.microphone.alive and self.microphone.serial == serial and not self.microphone.unkillable:
            self.microphone.alive = self.microphone.open = False
            self.invariants.device(is_open=False)
            self.handle(events.CaptureDied(self.now))

    def _capture_reports(self, message: messages.FromCapture) -> None:
        self.handle(events.CaptureReported(self.now, message))

    def writer_reports(self, message: messages.FromWriter) -> None:
        self._writer_says(self.writer.serial, events.WriterReported(self.now, message))

    def _writer_says(self, serial: int, event: AnyEvent) -> None:
        if self.writer.alive and self.writer.serial == serial and not self.writer.hangs:
            self.handle(event)

    def _writer_ready(self, serial: int) -> None:
        if self.writer.alive and self.writer.serial == serial and not self.writer.hangs:
            self.writer.ready = True
            found, self.interrupted = self.interrupted, None
            self.writer_reports(messages.WriterReady(continues=found))

    def progress(self, *, frames: int, acked_frame: int, write_seq: int) -> None:
        """Let the writer give this account, whatever it does."""
        assert self.writer.recording is not None
        account = messages.RecordingProgress(
            recording=self.writer.recording,
            frames=frames,
            write_seq=write_seq,
            silence_frames=self.writer.silence,
            acked_frame=acked_frame,
            acked_silence=self.writer.acked_silence,
            acked_line=0,
            lost_frames=0,
            free_bytes=self.free_bytes,
        )
        self.handle(events.WriterReported(self.now, account))

    def _writer_dies(self, serial: int) -> None:
        if self.writer.alive and self.writer.serial == serial:
            self.interrupted = self.writer.recording or self.interrupted
            self.writer = replace(self.writer, alive=False, ready=False, recording=None)
            self.handle(events.WriterDied(self.now))

    def _silence(self) -> None:
        """Put silence in place of what was lost up to now."""
        writer = self.writer
        if writer.gap and writer.recording is not None:
            lost = (self.now - writer.block_ns) * self.parameters.rate // SECOND
            writer.frames, writer.silence = writer.frames + lost, writer.silence + lost
        writer.block_ns = self.now

    def _live(self) -> None:
        """A tenth of a second of a running box."""
        microphone, writer = self.microphone, self.writer
        awake = self.now - microphone.opened_ns >= microphone.wakes_ns
        if microphone.open and microphone.plugged and not microphone.stalls and awake:
            self.write_seq += 1
            self.invariants.block()
            self._silence()
            writer.gap = False
            self.handle(events.BlockSeen(self.now, self.write_seq))
        if not writer.ready or writer.hangs:
            return
        if writer.recording is None:
            if self.now % (30 * SECOND) < TICK:
                writer.refused = False
                self.writer_reports(messages.SpoolChecked(free_bytes=self.free_bytes))
            return
        if writer.gap and self.now - writer.block_ns >= 23 * SECOND:
            self._silence()
        fresh = self.write_seq - writer.read_seq
        if fresh >= 10 or (writer.ending and fresh):
            writer.frames += fresh * FRAMES
            writer.read_seq = self.write_seq
            self._writer_says(writer.serial, events.WriterBusy(self.now, self.now))
        if writer.frames > writer.acked and not writer.refused and self.writer is writer and writer.alive:
            # silence first, since it stands before the sound that came after it
            written = min(writer.silence - writer.acked_silence, self.silence_a_turn)
            writer.acked_silence += written
            left = writer.silence - writer.acked_silence
            writer.acked = writer.acked + written if left else writer.frames
            self.progress(frames=writer.frames, acked_frame=writer.acked, write_seq=writer.read_seq)
            self._writer_says(writer.serial, events.WriterBusy(self.now, None))
        if writer.ending and self.writer is writer and writer.alive:
            recording, writer.recording, writer.ending = writer.recording, None, False
            self.writer_reports(messages.RecordingClosed(recording=recording, frames=writer.acked))
