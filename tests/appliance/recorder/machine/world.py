"""A simulated box around the pure state machine: lamp, microphone, writer and time, and the promises as invariants."""

from __future__ import annotations

import heapq
import itertools
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from appliance.recorder.machine import Rules, State, actions, deadline, events, step
from appliance.recorder.machine.handlers import AnyEvent
from appliance.recorder.settings import Limits, Times

from .feeding import Feeding

MS = 1_000_000
SECOND = 1000 * MS
TICK = 100 * MS


def rules(*, sensed: bool = True, times: Times | None = None, limits: Limits | None = None) -> Rules:
    class Microphone:
        rate = 48000

    class Settings:
        pass

    settings: Any = Settings()
    settings.times, settings.limits, settings.microphone = times or Times(), limits or Limits(), Microphone()
    return Rules.of(settings, sensed=sensed, block_frames=4096)


@dataclass
class Microphone:
    """The device and the process that holds it."""

    plugged: bool = True
    stalls: bool = False
    hangs_on_close: bool = False
    refuses: bool = False
    unkillable: bool = False
    alive: bool = False
    warm: bool = False
    opening: bool = False
    open: bool = False
    serial: int = 0


@dataclass
class Writer:
    alive: bool = False
    hangs: bool = False
    recording: str | None = None
    frames: int = 0
    acked: int = 0
    read_seq: int = 0
    serial: int = 0
    ending: bool = False


@dataclass
class World:
    """Carries out actions, with delays, and feeds back what they cause."""

    rules: Rules = field(default_factory=rules)
    state: State = field(default_factory=State)
    now: int = SECOND
    microphone: Microphone = field(default_factory=Microphone)
    writer: Writer = field(default_factory=Writer)
    lamp_broken: bool = False
    commanded: bool = False
    seen: bool = False
    green: str = "off"
    amber: int = 0
    write_seq: int = 0
    log: list[tuple[int, Any]] = field(default_factory=list)
    notes: list[dict[str, Any]] = field(default_factory=list)
    presses_in_rest: int = 0
    begun: int = 0
    ended: list[str] = field(default_factory=list)
    exited: int | None = None
    free_bytes: int = 1 << 40
    lamp_failed_ns: int | None = None
    quiet_ns: int | None = None
    """Since when nothing but quiet was said of a microphone that was open all the while; kept by the world itself."""
    supervisor_stopped: bool = False
    """Nobody can draw conclusions while the supervisor itself is stopped; capture closes by itself then."""
    feeding: Feeding = field(default_factory=Feeding)
    _answers: deque[AnyEvent] = field(default_factory=deque)
    _due: list[tuple[int, int, Callable[[], None]]] = field(default_factory=list)
    _count: Any = field(default_factory=itertools.count)
    _next_tick: int = 0

    # what a test does

    def boot(self) -> World:
        self.feed(events.Tick(self.now))
        self.feed(events.Checked(self.now, frozenset(), present=self.microphone.plugged))
        self.run(SECOND)
        assert self.state.phase == "idle", self.state
        return self

    def press(self) -> None:
        if self.state.phase in ("idle", "fault"):
            self.presses_in_rest += 1
        self.feed(events.ButtonDown(self.now, f"{next(self._count):032x}"))

    def release(self) -> None:
        self.feed(events.ButtonUp(self.now))

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
        if self.seen:
            self.lamp_failed_ns = self.now
            self._sense(seen=False)

    def mend_lamp(self) -> None:
        self.lamp_broken = False
        self.lamp_failed_ns = None
        if self.commanded and not self.seen:
            self._sense(seen=True)

    def unplug(self) -> None:
        self.microphone.plugged = False

    def plug(self) -> None:
        self.microphone.plugged = True

    def hear(self, *, quiet: bool, faults: frozenset[str] = frozenset()) -> None:
        """Let the writer judge the microphone; it has no say without a recording."""
        if self.writer.alive and not self.writer.hangs and self.writer.recording is not None:
            heard = quiet and not faults and self.microphone.open and self.state.phase == "recording"
            self.quiet_ns = (self.quiet_ns or self.now) if heard else None
            self.feed(events.Heard(self.now, quiet=quiet, faults=faults))

    def kill_capture(self) -> None:
        if self.microphone.alive:
            self._capture_dies(self.microphone.serial)

    def kill_writer(self) -> None:
        self._writer_dies(self.writer.serial)

    def feed(self, event: AnyEvent) -> None:
        # answers wait until all that was asked for is done, as in the supervisor
        self._answers.append(event)
        if len(self._answers) > 1:
            return
        while self._answers and self.exited is None:
            before = self.state
            self.state, todo = step(self.state, self._answers[0], self.rules)
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
            due = deadline(self.state, self.rules)
            moment = min(self._due[0][0] if self._due else until, tick, due if due is not None else until)
            if moment > until:
                break
            self.now = max(self.now, moment)
            if self._due and self._due[0][0] <= self.now:
                heapq.heappop(self._due)[2]()
            elif self.now >= tick:
                self._next_tick = self.now + TICK
                self._live()
                self.feed(events.Tick(self.now))
            elif due is not None and due <= self.now:
                self.feed(events.Tick(self.now))
            elif self.now >= until:
                break
            self.check()
        self.now = max(self.now, until)

    # what holds always

    def check(self) -> None:
        if self.microphone.open:
            assert self.commanded, "promise 1: the microphone is open and the lamp is dark"
            assert self.presses_in_rest, "promise 1: opened without a press"
            if self.rules.sensed and self.lamp_failed_ns is not None and not self.supervisor_stopped:
                slack = self.rules.lamp + self.rules.close + 2 * TICK
                assert self.now - self.lamp_failed_ns <= slack, "promise 1: open long after the lamp failed"
        if self.green == "on" and self.state.phase == "recording" and not self.supervisor_stopped:
            assert self.state.ack_ns is not None
            assert self.now - self.state.ack_ns <= self.rules.ack + 2 * TICK, "promise 2: green without acknowledgement"
        if not self.microphone.open:
            self.quiet_ns = None
        if self.green == "on":
            assert self.state.phase in ("idle", "recording"), "promise 2"
        if self.state.faults and self.exited is None and not self._due_now():
            assert self.amber or self.state.amber[1], "a fault without amber"
        self.feeding.look(self.state, self.rules, self.now)

    def ledger_holds(self) -> None:
        """Audio lies inside lit spans, and lit, open, closed, dark come in this order."""
        lit_ns: int | None = None
        open_ns: int | None = None
        for entry in self.notes:
            if entry["kind"] == "lamp":
                assert not (entry["lit"] is False and open_ns is not None), f"dark while open: {self.notes}"
                lit_ns = entry["commanded_ns"] if entry["lit"] else None
            elif entry["kind"] == "audio" and entry["open"]:
                assert lit_ns is not None, f"opened in the dark: {self.notes}"
                assert entry["at_ns"] >= lit_ns
                open_ns = entry["at_ns"]
            elif entry["kind"] == "audio":
                assert open_ns is not None
                open_ns = None
            elif entry["kind"] == "pause":
                assert open_ns is None, "a pause is entered while the microphone is open"
        assert open_ns is None

    def _quiet_was_unbroken(self, before: State) -> None:
        assert self.quiet_ns is not None, "ended by quiet although a sound, a fault or no microphone was there"
        assert self.now - self.quiet_ns >= self.rules.quiet, "ended by quiet too early"
        assert not before.hearing, "a microphone at fault is not a quiet room"
        assert "quiet" in before.warned or self.supervisor_stopped, "ended by quiet without a warning"

    # how the world answers

    def _due_now(self) -> bool:
        return bool(self._due) and self._due[0][0] <= self.now

    def after(self, delay: int, then: Callable[[], None]) -> None:
        heapq.heappush(self._due, (self.now + delay, next(self._count), then))

    def _sense(self, *, seen: bool) -> None:
        self.seen = seen
        if self.rules.sensed:
            self.feed(events.LampSensed(self.now, seen))

    def _carry_out(self, action: actions.Action) -> None:  # noqa: PLR0912 - one case an action
        microphone = self.microphone
        match action:
            case actions.SetRed(lit=lit):
                assert lit or not microphone.open, "promise 1: dark before the microphone is closed"
                self.commanded = lit
                if not lit:
                    self.lamp_failed_ns = None
                if self.seen != lit and not (self.lamp_broken and lit):
                    self.after(5 * MS, lambda: self._sense(seen=self.commanded and not self.lamp_broken))
                self.feed(events.RedSet(self.now, lit))
            case actions.SetGreen(mode=mode):
                self.green = mode
            case actions.SetAmber(blinks=blinks):
                self.amber = blinks
            case actions.SpawnCapture():
                assert not microphone.alive
                self.microphone = replace(
                    microphone, alive=True, warm=False, opening=False, open=False, serial=microphone.serial + 1
                )
                self.after(300 * MS, self._guarded("warm"))
            case actions.OpenCapture():
                assert microphone.warm
                assert not microphone.open
                assert self.commanded
                assert self.seen or not self.rules.sensed, "opened without a lamp seen to be lit"
                microphone.opening = True
                self.after(5 * MS, self._guarded("opening"))
            case actions.CloseCapture():
                if not microphone.hangs_on_close:
                    self.after(30 * MS, self._guarded("closed"))
            case actions.KillCapture():
                serial = microphone.serial
                self.after(3 * MS, lambda: self._capture_dies(serial))
            case actions.CheckMicrophone():
                self.feed(events.Checked(self.now, frozenset(), present=microphone.plugged))
            case actions.StartWriter():
                self.writer = Writer(alive=True, hangs=False, read_seq=self.write_seq, serial=self.writer.serial + 1)
                serial = self.writer.serial
                self.after(200 * MS, lambda: self._writer_says(serial, events.WriterReady(self.now, None)))
            case actions.KillWriter():
                serial = self.writer.serial
                self.after(3 * MS, lambda: self._writer_dies(serial))
            case actions.BeginRecording(recording=recording):
                assert self.commanded
                assert self.writer.recording is None
                self.begun += 1
                assert self.begun <= self.presses_in_rest, "a recording without a press"
                self.notes = []
                self.writer.recording = recording
                self.writer.frames = self.writer.acked = 0
            case actions.Note(entry=entry):
                assert self.writer.recording is not None or not self.writer.alive, "a note outside a recording"
                self.notes.append(entry)
            case actions.EndRecording(reason=reason):
                assert not microphone.open
                assert not self.commanded
                self.ledger_holds()
                self.writer.ending = True
                self.ended.append(reason)
            case actions.Exit(status=status):
                self.exited = status

    def _guarded(self, what: str) -> Callable[[], None]:
        serial = self.microphone.serial

        def then() -> None:
            if self.microphone.alive and self.microphone.serial == serial:
                self._capture_says(what)

        return then

    def _capture_says(self, what: str) -> None:
        microphone = self.microphone
        if what == "warm":
            microphone.warm = True
            self.feed(events.CaptureWarm(self.now))
        elif what == "opening":
            self.feed(events.CaptureOpening(self.now))
            if not microphone.plugged or microphone.refuses:
                self.feed(events.CaptureFailed(self.now, "no such device"))
            else:
                # probing is opening, too
                microphone.open = True
                self.check()
                self.feed(events.CaptureOpened(self.now))
        elif what == "closed":
            microphone.open = microphone.alive = False
            self.feed(events.CaptureClosed(self.now))

    def _capture_dies(self, serial: int) -> None:
        if self.microphone.alive and self.microphone.serial == serial and not self.microphone.unkillable:
            self.microphone.alive = self.microphone.open = False
            self.feed(events.CaptureDied(self.now))

    def _writer_says(self, serial: int, event: AnyEvent) -> None:
        if self.writer.alive and self.writer.serial == serial and not self.writer.hangs:
            self.feed(event)

    def _writer_dies(self, serial: int) -> None:
        if self.writer.alive and self.writer.serial == serial:
            self.writer = replace(self.writer, alive=False, recording=None)
            self.feed(events.WriterDied(self.now))

    def _live(self) -> None:
        """A tenth of a second of a running box."""
        microphone, writer = self.microphone, self.writer
        if microphone.open and microphone.plugged and not microphone.stalls:
            self.write_seq += 1
            self.feed(events.BlockSeen(self.now, self.write_seq))
        if not writer.alive or writer.hangs:
            return
        if writer.recording is None:
            if self.now % (30 * SECOND) < TICK:
                self._writer_says(writer.serial, events.WriterChecked(self.now, frozenset(), self.free_bytes))
            return
        if self.write_seq - writer.read_seq >= 10 or (writer.ending and self.write_seq > writer.read_seq):
            writer.frames += (self.write_seq - writer.read_seq) * 4096
            writer.read_seq = self.write_seq
            writer.acked = writer.frames
            self._writer_says(
                writer.serial,
                events.WriterProgress(
                    self.now, writer.frames, writer.acked, writer.read_seq, free_bytes=self.free_bytes
                ),
            )
        if writer.ending and self.writer is writer and writer.alive:
            writer.recording, writer.ending = None, False
            self._writer_says(writer.serial, events.WriterClosed(self.now))
