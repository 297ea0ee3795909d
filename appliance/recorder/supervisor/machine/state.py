"""All that the recorder knows, and the rules' numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Concatenate, Literal, ParamSpec, Self, TypeVar

from appliance.contract.ledger import Cause, Reason
from appliance.contract.status import Light
from appliance.contract.status import State as Phase
from appliance.recorder.clock import ns
from appliance.recorder.settings import RecorderSettings, second_bytes

CaptureState = Literal["absent", "warming", "warm", "live", "closing", "killing"]
WriterState = Literal["dead", "starting", "idle", "recording", "closing", "killing"]
_MOST_PATIENCE = 2
"""So many times the patience with a first block, and with a process that gets ready, is doubled."""
IN_SESSION: tuple[Phase, ...] = ("recording", "paused")
Members = ParamSpec("Members")
Owner = TypeVar("Owner")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Parameters:
    """The settings' numbers, times in nanoseconds."""

    sensed: bool
    rate: int
    block_frames: int
    short_press: int
    hold: int
    close: int
    lamp: int
    stall: int
    first_block: int
    warm: int
    retry: int
    ack: int
    unsafe: int
    slow: int
    drain: int
    shutdown: int
    cap: int
    quiet: int
    paused: int
    warn: int
    min_free_bytes: int
    warn_bytes: int
    longest_bytes: int
    second_bytes: int
    """Room that a second of audio takes in the spool."""
    writer_silence: int = ns(90)
    """An idle writer reports every 30 s; three times that without a word, it hangs."""
    closes: int = ns(1)
    """So long after the lamp went dark, what the kernel says of the microphone may still be about our own capture."""
    repeat: int = ns(0.5)
    """A press so soon after another one was let go is the same press: contacts that bounce, or a double press."""
    stuck: int = ns(10)
    """A button that is down for longer is stuck: the longest gesture takes 1.5 s."""
    continues: int = ns(600)
    """How long after a restart a new recording still goes on from the interrupted one."""

    @classmethod
    def of(cls, settings: RecorderSettings, *, sensed: bool, block_frames: int) -> Self:
        """Return the rules that the settings ask for."""
        times, limits, rate = settings.times, settings.limits, settings.microphone.rate
        return cls(
            sensed=sensed,
            rate=rate,
            block_frames=block_frames,
            short_press=ns(times.short_press_s),
            hold=ns(times.hold_s),
            close=ns(times.close_s),
            lamp=ns(times.lamp_s),
            stall=ns(times.stall_s),
            first_block=ns(times.first_block_s),
            warm=ns(times.warm_s),
            retry=ns(times.retry_s),
            ack=ns(times.ack_s),
            unsafe=ns(times.unsafe_s),
            slow=ns(times.slow_s),
            drain=ns(times.drain_s),
            shutdown=ns(times.shutdown_s),
            cap=ns(limits.cap_s),
            quiet=ns(limits.quiet_s),
            paused=ns(limits.paused_s),
            warn=ns(limits.warn_s),
            min_free_bytes=limits.min_free_bytes,
            warn_bytes=limits.warn_bytes(rate),
            longest_bytes=limits.longest_bytes(rate),
            second_bytes=second_bytes(rate),
        )


@dataclass(frozen=True, kw_only=True)
class State:
    """What is known, and what was last asked for. All times are CLOCK_MONOTONIC in nanoseconds; None: not so now."""

    now_ns: int = 0
    phase: Phase = "self-test"
    since_ns: int = 0

    button_ns: int | None = None
    """The button is down since then."""
    button_spent: bool = False
    """The present press, or the last one, has done its work when it went down, or by a hold."""
    button_repeated: bool = False
    """The present press came right after another one and counts as the same: only a hold still acts."""
    button_up_ns: int | None = None
    """When the button was let go last."""

    red: bool = False
    """The lamp as commanded last."""
    red_ns: int = 0
    red_asked: bool = False
    """The lamp as asked of the panel; differs from `red` until RedSet."""
    seen: bool = False
    seen_ns: int = 0
    granted: bool = False
    """The lit-lamp token is out."""
    lamp_noted: bool = True
    """The last switching of the lamp stands in the ledger, or no recording wants it."""
    rail: bool = False
    rail_ns: int = 0
    green: Light = "off"
    amber: tuple[Light, int] = ("off", 0)

    capture: CaptureState = "absent"
    capture_ns: int = 0
    """When the capture process last changed its state."""
    spawn_ns: int = 0
    """Not to be started again before."""
    never_ready: int = 0
    """Capture processes that did not get ready since the last one that did."""
    device: bool = False
    """The microphone may be open."""
    generation: int = 0
    span_open: bool = False
    """The ledger says that the microphone is open."""
    block_ns: int | None = None
    """When this capture's last block was seen."""
    first_block_ns: int | None = None
    write_seq: int = 0
    counted_seq: int = 0
    """Blocks that the writer's last count of frames includes."""
    present: bool | None = None
    """Whether the microphone is there; None: to be looked at before it is opened."""
    check_asked: bool = False
    retry_ns: int = 0
    """Not to be opened again before."""
    failures: int = 0
    """Failures since the last block."""
    gap: Cause | None = None
    """Why frames are missing until the next capture."""
    gap_announced: Cause | None = None
    """The cause that the writer knows of."""

    writer: WriterState = "dead"
    writer_heard_ns: int = 0
    """The writer's last word."""
    busy_ns: int | None = None
    """The writer's work on the disk goes on since then."""
    writer_failures: int = 0
    """Writers that ended without getting ready."""
    start_ns: int = 0
    """The writer is not to be started again before."""
    drain_ns: int = 0
    """When the writer began to close a recording."""
    continues: str | None = None
    continues_ns: int = 0
    free_bytes: int | None = None

    recording: str | None = None
    started_ns: int = 0
    paused_ns: int | None = None
    pause_due: bool = False
    """A pause is to be entered as soon as the microphone is closed."""
    pause_noted: bool = False
    """The ledger stands at a pause."""
    quiet_ns: int | None = None
    """A live microphone has been at its own floor since then, without a break."""
    reason: Reason | None = None
    """Why the recording ends."""
    frames: int = 0
    silence_frames: int = 0
    """Frames of `frames` that are silence in place of lost ones."""
    acked_frame: int = 0
    acked_silence: int = 0
    """Frames of `acked_frame` that are silence in place of lost ones."""
    acked_line: int = 0
    lost_frames: int = 0
    ack_ns: int | None = None
    """When the acknowledged frames of sound last grew."""
    warned: frozenset[str] = frozenset()

    checked: frozenset[str] | None = None
    """Codes of the idle checks; None before the first."""
    spool: frozenset[str] = frozenset()
    """Codes of the writer."""
    microphone_faults: frozenset[str] = frozenset()
    """Codes of what the microphone gives; they stand after the recording until the next one is judged."""
    own: frozenset[str] = frozenset()
    """Codes that follow from events here."""
    faults_noted: frozenset[str] = frozenset()

    restart_asked: bool = False
    """It is to end as soon as no recording is made."""
    shutdown_ns: int | None = None
    exit_status: int = 0
    exited: bool = False

    def at(self, now_ns: int) -> State:
        """Return the state with the clock moved on; it never goes back."""
        return changed(self, now_ns=max(self.now_ns, now_ns))

    @property
    def faults(self) -> frozenset[str]:
        """Every amber code that holds."""
        return (self.checked or frozenset()) | self.spool | self.microphone_faults | self.own

    def lit(self, parameters: Parameters) -> bool:
        """Tell whether the lamp is commanded lit and, where that can be known, seen to be lit."""
        return self.red and self.red_asked and (self.seen or not parameters.sensed)

    def backlog(self, parameters: Parameters) -> int:
        """Return how many frames of sound were captured and not acknowledged; unwritten silence loses nothing."""
        sound = self.captured(parameters) - self.silence_frames
        return max(0, sound - (self.acked_frame - self.acked_silence))

    def captured(self, parameters: Parameters) -> int:
        """Return the frames of this recording: the writer's count, and the blocks that came since it told."""
        return self.frames + max(0, self.write_seq - self.counted_seq) * parameters.block_frames

    def silent_until(self, parameters: Parameters) -> int:
        """Return until when a live capture may give no block before it is replaced."""
        if self.block_ns is not None:
            return max(self.block_ns, self.capture_ns) + parameters.stall
        return self.capture_ns + (parameters.first_block << min(self.failures, _MOST_PATIENCE))

    def ready_until(self, parameters: Parameters) -> int:
        """Return until when a capture process may get ready before it is replaced.

        A slow machine would start one after the other, and never have one, if each had the same time.
        """
        return self.capture_ns + (parameters.warm << min(self.never_ready, _MOST_PATIENCE))

    def safe(self, parameters: Parameters) -> bool:
        """Tell whether the last seconds were captured and acknowledged (promise 2)."""
        if self.capture != "live" or self.block_ns is None or self.first_block_ns is None or self.ack_ns is None:
            return False
        return (
            self.now_ns - self.block_ns < parameters.stall
            and self.ack_ns >= self.first_block_ns
            and self.now_ns - self.ack_ns < parameters.ack
            and self.backlog(parameters) * 1_000_000_000 <= parameters.ack * parameters.rate
        )


def takes(
    _constructor: Callable[Members, State],
) -> Callable[[Callable[..., Result]], Callable[Concatenate[Owner, Members], Result]]:
    """Give a function of changes the members of a state as keywords, so that the type checker knows each of them."""
    return lambda function: function


@takes(State)
def changed(state: State, **changes: Any) -> State:
    """Return a copy with changes, as dataclasses.replace does; a tenth of its time, at 20 steps a second."""
    copy = object.__new__(State)
    members = copy.__dict__
    members.update(state.__dict__)
    members.update(changes)
    if len(members) != len(state.__dict__):
        raise TypeError(f"State has no {sorted(changes.keys() - state.__dict__.keys())}")
    return copy
