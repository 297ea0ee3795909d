"""Somebody who watches the simulated box and believes nothing that the recorder says of itself.

What it sees are lamp and lights, the device, the blocks that were captured, and the frames that the writer
acknowledged; from these it judges the promises after every event. The machine's state is asked only where the promise
is about what the machine claims.
"""

from __future__ import annotations

from collections import deque
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from appliance.contract import amber_codes
from appliance.contract.chain import LedgerChecker
from appliance.contract.errors import PlainSightError
from appliance.contract.keys import SigningKey
from appliance.contract.ledger import AnyFact, AudioSpan, EndWarning, Entry, Lamp, Pause
from appliance.recorder.ipc.messages import BeginRecording, EndRecording, RecordingProgress
from appliance.recorder.supervisor.machine import State, actions, events
from appliance.recorder.supervisor.machine.events import AnyEvent
from appliance.recorder.supervisor.machine.state import IN_SESSION

if TYPE_CHECKING:
    from .simulation import Simulation

MS = 1_000_000
DARK = 300 * MS
"""Pause and end: capture closed and red dark within this time (docs/testing.md, fault campaigns)."""
LATE = 10 * MS
"""A rule that is due is carried out by the tick that `deadline` asks for; killing takes 3 ms of it."""
TICK = 100 * MS
FRAMES = 4096
WARNED = ("cap", "quiet", "paused-too-long")
Span = tuple[int, int | None]
_KEY = SigningKey.generate()


class Invariants:
    """Facts, and the promises as judgments on them."""

    def __init__(self, world: Simulation) -> None:
        self._world = world
        self.opened: list[Span] = []
        """When the device was open."""
        self.session_ns: int | None = None
        """When the press came that started what is running now."""
        self.shown: set[tuple[str, str, str, str]] = set()
        """Lights that were seen together, and the state that the recorder gave meanwhile."""
        self.reached: set[str] = set()
        """What this schedule got to, so that nobody takes boredom for safety."""
        self._dark_by: int | None = None
        self._down_ns: int | None = None
        """When a press went down that ends the recording when it is held."""
        self._held_ns: int | None = None
        """The button is down since then."""
        self._up_ns: int | None = None
        self._spent = False
        """The last press had done its work when it went down."""
        self._block_ns = 0
        self._acked_ns = 0
        self._waiting: deque[int] = deque()
        """When each block was captured that is not acknowledged."""
        self._busy_ns: int | None = None
        """When the disk call began that, as the writer said, still goes on."""
        self._acked: tuple[str | None, int] = (None, 0)
        self._told = self._told_sound = 0
        self._stopped = False
        self._awake_ns = 0
        """When the supervisor last went on after a stop: nobody could tell anything before."""

    # what happens in the world

    def device(self, *, is_open: bool, at_ns: int | None = None) -> None:
        was = bool(self.opened) and self.opened[-1][1] is None
        if is_open and not was:
            self.opened.append((self._world.now, None))
        elif was and not is_open:
            self.opened[-1] = (self.opened[-1][0], self._world.now if at_ns is None else at_ns)

    def block(self) -> None:
        self._block_ns = self._world.now
        if self._world.writer.recording is not None:
            self._waiting.append(self._world.now)

    def _progress(self, acked_frame: int, acked_sound: int) -> None:
        self._told = max(self._told, acked_frame)
        if acked_sound > self._told_sound:
            self._acked_ns = self._world.now
            for _ in range(min(acked_sound // FRAMES - self._told_sound // FRAMES, len(self._waiting))):
                self._waiting.popleft()
            self._told_sound = acked_sound

    def begun(self) -> None:
        self._waiting.clear()
        self._told = self._told_sound = 0

    def supervisor_stopped(self) -> None:
        self._stopped = True
        self._down_ns = self._dark_by = None

    def supervisor_goes_on(self) -> None:
        self._awake_ns = self._world.now

    def restarted(self) -> None:
        """The whole recorder is gone, and with it everything that it was about to do."""
        self.session_ns = self._dark_by = self._down_ns = self._busy_ns = None
        self._held_ns = self._up_ns = None
        self._acked = (None, 0)

    # what the machine did about an event

    def after(self, event: AnyEvent, before: State, asked: tuple[actions.Action, ...]) -> None:
        world, state = self._world, self._world.state
        pressed = isinstance(event, (events.ButtonDown, events.ButtonUp))
        lights = actions.SetRed(lit=True) in asked
        if lights:
            assert pressed, f"promise 1: {type(event).__name__} lit the lamp; only a button may start anything"
            if before.phase not in IN_SESSION:
                self.session_ns, self._stopped = world.now, world.supervisor_stopped
        if isinstance(event, events.ButtonDown):
            self._press(event.now_ns, before, lights)
        elif isinstance(event, events.ButtonUp):
            self._release(event.now_ns, before)
        self._disk(event)
        if self._down_ns is not None and before.phase in IN_SESSION and state.phase == "ending":
            late = world.now - self._down_ns - world.parameters.hold
            assert late <= LATE or world.supervisor_stopped, "the button was held, and the end came late"
        for action in asked:
            if isinstance(action, EndRecording):
                self._ends(action.reason)
            elif isinstance(action, BeginRecording):
                assert action.recording == state.recording
        if state.recording is not None and self._acked[0] == state.recording:
            assert state.acked_frame >= self._acked[1], "promise 3: what was acknowledged is so no longer"
        self._acked = (state.recording, state.acked_frame)
        if isinstance(event, events.WriterReported) and isinstance(event.message, RecordingProgress):
            message = event.message
            self._progress(message.acked_frame, message.acked_frame - message.acked_silence)
        if state.recording is not None:
            assert state.acked_frame <= self._told, "promise 3: more is called acknowledged than the writer said"
        self.reached |= {state.phase, *state.faults}
        if state.generation > 1:
            self.reached.add("opened-again")

    def _disk(self, event: AnyEvent) -> None:
        if isinstance(event, events.WriterBusy):
            self._busy_ns = event.busy_since_ns
        elif isinstance(event, events.WriterDied):
            self._busy_ns = None

    def _release(self, now_ns: int, before: State) -> None:
        self._down_ns = self._held_ns = None
        self._up_ns = now_ns
        if (before.phase, self._world.state.phase) == ("recording", "paused") and self.session_ns is not None:
            repeat = self._world.parameters.repeat
            assert now_ns - self.session_ns >= repeat, "paused by the press that started, or by its bounce"

    def _press(self, now_ns: int, before: State, lights: bool) -> None:
        """A press that green called ready starts, and one that does nothing has a reason in the table."""
        up_ns = now_ns if self._held_ns is not None else self._up_ns
        repeated = up_ns is not None and now_ns - up_ns < self._world.parameters.repeat
        self._spent = before.phase not in IN_SESSION or (repeated and self._spent)
        self._held_ns = now_ns
        self._down_ns = None if self._spent else now_ns
        if repeated:
            assert not lights, "a second press within half a second lit the lamp"
            return
        dark_check = (before.rail or before.seen) and not before.red
        if before.phase == "idle" and self._world.green == "on" and not dark_check and before.shutdown_ns is None:
            assert lights, f"promise 2: green said ready, and the press did nothing: {before}"
        if before.phase in ("idle", "fault") and not lights:
            refusing = [code for code in before.faults if amber_codes.find(code).press == "refused"]
            reason = refusing or dark_check or before.writer != "idle" or before.device
            assert reason or before.shutdown_ns is not None, f"a press was refused without a reason: {before}"

    def _ends(self, reason: str) -> None:
        self.reached.add(f"ended-{reason}")
        if reason in WARNED and not self._stopped:
            warnings = [fact.t_ns for fact in self._world.facts if isinstance(fact, EndWarning) and fact.code == reason]
            assert warnings, f"ended by itself ({reason}) without a warning"
            ended_ns = self._world.state.since_ns
            assert ended_ns - warnings[-1] >= self._world.parameters.warn - 2 * TICK, f"warned too late of {reason}"

    # what holds at every moment

    def check(self) -> None:
        world = self._world
        state, parameters, now = world.state, world.parameters, world.now
        microphone = world.microphone
        if microphone.open:
            assert world.commanded, "promise 1: the microphone is open and the lamp is dark"
            assert world.presses_in_rest, "promise 1: opened without a press"
        if world.supervisor_stopped or world.exited is not None:
            return
        held = microphone.unkillable
        if microphone.open and parameters.sensed and world.lamp_failed_ns is not None and not held:
            slack = parameters.lamp + parameters.close + LATE
            assert now - world.lamp_failed_ns <= slack, "promise 1: open long after the lamp failed"
        self._gestures(state, now, held)
        if self.session_ns is not None and world.commanded and not held:
            assert now - self.session_ns <= parameters.cap + DARK, "the cap passed, and the lamp is lit"
        if self._held_ns is not None and now - self._held_ns > parameters.stuck + LATE:
            assert "button-stuck" in state.faults, "the button is stuck, and no light tells"
            assert (state.phase, world.green) != ("idle", "on"), "promise 2: green says ready, and the button is stuck"
        if world.green == "on":
            assert state.phase in ("idle", "recording"), f"promise 2: green in {state.phase}"
            if state.phase == "recording":
                self._green(now)
        if state.phase == "recording":
            waited = len(self._waiting) * FRAMES * 1_000_000_000
            assert waited <= (parameters.unsafe + 1000 * MS) * parameters.rate, (
                "promise 2: it goes on, and nothing is saved"
            )
        # answers that wait may still change a light
        if not world.waiting:
            amber = "blinking" if world.amber else "off"
            self.shown.add(("on" if world.commanded else "off", world.green, amber, state.phase))
            self._told_in_time(state, now)
            assert world.amber == amber_codes.blinks(state.faults), "amber does not tell the faults"
            world.feeding.look(state, parameters, now)

    def _told_in_time(self, state: State, now: int) -> None:
        """What failed is told by amber: no sound within 2 s, an overdue disk call within 3 s (parameters.slow)."""
        parameters, world = self._world.parameters, self._world
        if world.amber:
            return
        if self._busy_ns is not None:
            assert now - max(self._busy_ns, self._awake_ns) <= parameters.slow + LATE, (
                "a disk call is overdue, and no light tells"
            )
        if state.phase == "recording":
            # one that was killed and is held by the kernel has a code of its own, after as long again
            if world.microphone.open and not world.microphone.killed:
                silent = now - max(self._block_ns, self.opened[-1][0], state.since_ns, self._awake_ns)
                assert silent <= parameters.stall + TICK + LATE, "the microphone stalls, and no light tells"
            silent = now - max(self._block_ns, state.since_ns, self._awake_ns)
            assert silent <= 2 * parameters.stall + parameters.retry, "nothing is heard, and no light tells"

    def _gestures(self, state: State, now: int, held: bool) -> None:
        """Pause and end, whatever led there: closed and dark within 300 ms, unless the kernel holds the process."""
        world = self._world
        if state.phase in ("arming", "recording") or not world.commanded or held:
            self._dark_by = None
        elif self._dark_by is None:
            self._dark_by = now + DARK
        assert self._dark_by is None or now <= self._dark_by, "lit, and perhaps open, 300 ms after a pause or end"
        if self._down_ns is not None and now - self._down_ns >= world.parameters.hold + LATE:
            assert state.phase not in IN_SESSION, "the button was held, and the recording goes on"

    def _green(self, now: int) -> None:
        parameters, world = self._world.parameters, self._world
        assert world.microphone.open, "promise 2: green, and no microphone is open"
        assert now - self._block_ns <= parameters.stall + TICK + LATE, "promise 2: green, and no sound arrives"
        assert now - self._acked_ns <= parameters.ack + TICK + LATE, "promise 2: green without acknowledgement"
        behind = (len(self._waiting) - 1) * FRAMES * 1_000_000_000
        assert behind <= parameters.ack * parameters.rate, "promise 2: green, and more than 5 s are not safe"


def ledger_holds(facts: list[AnyFact], opened: list[Span], recording: str, *, sensed: bool) -> None:
    """What the machine wants entered keeps the format's own rules, and nothing that was open is left out.

    The rules are the ones by which archive and verifier refuse a ledger (docs/format.md section 2.7).
    """
    header: Any = SimpleNamespace(box_key=None, recording=recording, lamp="verified" if sensed else "unverified")
    checker = LedgerChecker(header, b"")
    spans: list[tuple[int, int]] = []
    open_ns: int | None = None
    for fact in facts:
        try:
            checker.check_line(Entry(recording=recording, n=checker.lines, prev=checker.prev, fact=fact).sign(_KEY))
        except PlainSightError as error:
            raise AssertionError(f"promise 5: a ledger that is refused: {error.message}: {facts}") from error
        if isinstance(fact, AudioSpan):
            if fact.open:
                open_ns = fact.at_ns
            elif open_ns is not None:
                spans.append((open_ns, fact.at_ns))
                open_ns = None
        elif isinstance(fact, Pause):
            assert open_ns is None, f"a pause is entered while the microphone is open: {facts}"
    assert open_ns is None, f"the microphone is left open: {facts}"
    lamps = [fact.lit for fact in facts if isinstance(fact, Lamp)]
    assert not lamps or not lamps[-1], f"the lamp is left lit: {facts}"
    begun_ns = facts[0].t_ns if facts else 0
    for start, end in opened:
        if end is not None and end > begun_ns:
            assert any(on <= start and end <= off for on, off in spans), f"open from {start} to {end}, in no audio span"
