"""Writes what each event says into the state; the rules (rules.py) decide what follows from it."""

from __future__ import annotations

from typing import assert_never

from appliance.contract import amber_codes
from appliance.contract.ledger import AudioSpan
from appliance.recorder.ipc.messages import (
    CaptureFailed,
    CaptureReady,
    FromCapture,
    FromWriter,
    MicrophoneClosed,
    MicrophoneOpening,
    MicrophoneVerdict,
    RecordingClosed,
    RecordingProgress,
    SpoolChecked,
    WriterFault,
    WriterReady,
)

from . import events as ev
from .actions import Log
from .state import IN_SESSION, Parameters
from .transition import Transition


def handle(transition: Transition, event: ev.AnyEvent) -> None:  # noqa: PLR0912 - one case an event
    """Write what `event` says into the state."""
    state = transition.state
    match event:
        case ev.ButtonDown():
            _button_down(transition, event)
        case ev.ButtonFoundDown():
            # nobody knows since when: it is stuck until it is let go
            transition.set(button_ns=event.now_ns - transition.parameters.stuck, button_spent=True)
        case ev.ButtonUp():
            _button_up(transition, event)
        case ev.RedSet():
            transition.set(red=event.lit, red_ns=event.now_ns, lamp_noted=False)
        case ev.LampSensed():
            if event.seen != state.seen:
                transition.set(seen=event.seen, seen_ns=event.now_ns)
        case ev.RailSensed():
            transition.set(rail=event.live, rail_ns=event.now_ns)
        case ev.PanelLost():
            transition.raise_own("panel-lost")
            transition.do(Log("error", "the front panel does not answer"))
            transition.set(shutdown_ns=state.shutdown_ns or state.now_ns, exit_status=1)
        case ev.CaptureReported():
            _capture_reported(transition, event.message)
        case ev.CaptureDied():
            _capture_gone(transition, event.now_ns)
        case ev.BlockSeen():
            _block_seen(transition, event)
        case ev.WriterReported():
            _writer_reported(transition, event.message)
        case ev.WriterBusy():
            transition.set(writer_heard_ns=state.now_ns, busy_ns=event.busy_since_ns)
        case ev.WriterDied():
            _writer_died(transition)
        case ev.Checked():
            _checked(transition, event)
        case ev.MessageRefused():
            # whatever it would have said is missing from now on, perhaps evidence
            transition.do(Log("error", event.reason))
            transition.raise_own("software")
        case ev.ShutdownAsked():
            if state.shutdown_ns is None:
                transition.set(shutdown_ns=state.now_ns)
        case ev.RestartAsked():
            transition.set(restart_asked=True)
        case ev.Tick():
            pass
        case _:
            assert_never(event)


def _checked(transition: Transition, event: ev.Checked) -> None:
    state = transition.state
    found = set(event.faults)
    if not event.present:
        found.add("microphone-missing")
    # our own capture is gone before the lamp is dark, so that whoever holds the microphone then is somebody else
    dark = not state.red and not state.red_asked and not state.device
    if event.held and dark and state.now_ns - state.red_ns >= transition.parameters.closes:
        found.add("microphone-open")
    transition.set(checked=frozenset(found), present=event.present, check_asked=False)
    if not event.present and state.capture == "live":
        # a stream may only fall silent when its device goes, and the device may be back before that is noticed;
        # a block takes this back
        transition.set(gap="unplugged")


def _button_down(transition: Transition, event: ev.ButtonDown) -> None:
    state = transition.state
    up_ns = event.now_ns if state.button_ns is not None else state.button_up_ns
    repeated = up_ns is not None and event.now_ns - up_ns < transition.parameters.repeat
    # in a meeting the release or the hold decides; anything else is decided now
    spent = state.phase not in IN_SESSION or (repeated and state.button_spent)
    transition.set(button_ns=event.now_ns, button_repeated=repeated, button_spent=spent)
    if repeated:
        transition.do(Log("info", "a press right after another one counts as the same press"))
    elif state.phase in ("idle", "fault"):
        _start(transition, event)
    elif state.phase not in IN_SESSION:
        transition.do(Log("info", f"a press does nothing in the state {state.phase}"))


def _button_up(transition: Transition, event: ev.ButtonUp) -> None:
    state, parameters = transition.state, transition.parameters
    held = event.now_ns - state.button_ns if state.button_ns is not None and not state.button_spent else None
    transition.set(button_ns=None, button_up_ns=event.now_ns)
    if held is None or state.phase not in IN_SESSION:
        return
    if held >= parameters.hold:
        # the release overtook the tick that would have seen the hold
        transition.end("button", "the button was held")
    elif held >= parameters.short_press or state.button_repeated:
        return
    elif state.phase == "recording":
        transition.set(pause_due=True, paused_ns=state.now_ns, quiet_ns=None)
        transition.go_to("paused")
    else:
        transition.set(paused_ns=None, present=None, check_asked=False, warned=state.warned - {"paused-too-long"})
        transition.set(retry_ns=state.now_ns, failures=0)
        transition.go_to("recording")


def _start(transition: Transition, event: ev.ButtonDown) -> None:
    state = transition.state
    impossible = sorted(code for code in state.faults if amber_codes.find(code).press == "refused")
    # the dark check: cached judgments wait for a line to settle, a press does not
    if (state.rail or state.seen) and not state.red:
        impossible.append("rail-live" if state.rail else "lamp-stuck")
    if impossible or state.writer != "idle" or state.device or state.shutdown_ns is not None:
        transition.do(Log("warning", f"the press is refused: {', '.join(impossible) or 'not ready'}"))
        return
    transition.clear_own("recording-ended")
    transition.set(
        recording=event.fresh_id,
        started_ns=event.now_ns,
        paused_ns=None,
        pause_due=False,
        pause_noted=False,
        quiet_ns=None,
        microphone_faults=frozenset(),
        reason=None,
        frames=0,
        silence_frames=0,
        acked_frame=0,
        acked_silence=0,
        acked_line=0,
        lost_frames=0,
        counted_seq=state.write_seq,
        ack_ns=None,
        warned=frozenset(),
        faults_noted=frozenset(),
        generation=0,
        gap=None,
        gap_announced=None,
        failures=0,
        retry_ns=state.now_ns,
        present=True,
    )
    transition.go_to("arming")


def _capture_reported(transition: Transition, message: FromCapture) -> None:
    state = transition.state
    match message:
        case CaptureReady():
            if state.capture == "warming":
                transition.set(capture="warm", capture_ns=state.now_ns, never_ready=0)
                # a recording that waited for this process has heard nothing yet: its first block takes the code back
                if state.phase != "recording":
                    transition.clear_own("capture-died")
        case MicrophoneOpening(at_ns=at_ns):
            if state.device and not state.span_open:
                transition.set(span_open=True)
                transition.enter_fact(AudioSpan(t_ns=at_ns, open=True, at_ns=at_ns, generation=state.generation))
        case MicrophoneClosed(at_ns=at_ns):
            _capture_gone(transition, at_ns)
        case CaptureFailed():
            transition.do(Log("warning", f"the capture process failed: {message.code}: {message.message}"))
            if state.capture == "live" and state.phase == "recording":
                transition.lose_capture("capture-died", "microphone-failed")
            if state.capture == "live":
                # only its death proves that the device is closed
                transition.set(capture="closing", capture_ns=state.now_ns - transition.parameters.close)
        case _:
            assert_never(message)


def _block_seen(transition: Transition, event: ev.BlockSeen) -> None:
    state = transition.state
    transition.set(write_seq=event.write_seq)
    if state.capture == "live":
        transition.set(block_ns=state.now_ns, first_block_ns=state.first_block_ns or state.now_ns)
        transition.set(failures=0, gap=None, gap_announced=None)
        transition.clear_own("capture-died", "microphone-stalled", "microphone-failed")


def _capture_gone(transition: Transition, at_ns: int) -> None:
    state = transition.state
    if state.span_open:
        transition.enter_fact(AudioSpan(t_ns=at_ns, open=False, at_ns=at_ns, generation=state.generation))
    if state.capture == "live" and state.phase == "recording":
        transition.do(Log("warning", "the capture process ended by itself"))
        transition.lose_capture("capture-died", "microphone-failed")
    if state.capture in ("warming", "warm"):
        transition.do(Log("error", "the capture process ended before it was needed"))
        transition.raise_own("capture-died")
    transition.clear_own("capture-stuck")
    transition.set(capture="absent", capture_ns=state.now_ns, device=False, span_open=False)
    transition.set(block_ns=None, first_block_ns=None)


def _writer_reported(transition: Transition, message: FromWriter) -> None:
    transition.set(writer_heard_ns=transition.state.now_ns)
    state = transition.state
    match message:
        case WriterReady():
            if state.writer == "starting":
                transition.set(writer="idle", writer_failures=0, spool=frozenset())
                transition.set(continues=message.continues, continues_ns=state.now_ns)
                transition.clear_own("writer-died")
        case RecordingProgress():
            _progress(transition, message)
        case SpoolChecked():
            room = _room(message.free_bytes, transition.parameters)
            transition.set(spool=message.faults | room, free_bytes=message.free_bytes)
        case MicrophoneVerdict():
            _microphone_judged(transition, message)
        case RecordingClosed():
            if state.writer == "closing":
                transition.set(writer="idle")
                transition.clear_own("writer-died")
        case WriterFault():
            transition.set(spool=state.spool | {message.code})
            if message.fatal:
                transition.end("fault", f"the writer process reports {message.code}")
        case _:
            assert_never(message)


def _progress(transition: Transition, message: RecordingProgress) -> None:
    state = transition.state
    acked_more = message.acked_frame - message.acked_silence > state.acked_frame - state.acked_silence
    transition.set(
        ack_ns=state.now_ns if acked_more else state.ack_ns,
        frames=message.frames,
        silence_frames=message.silence_frames,
        acked_frame=message.acked_frame,
        acked_silence=message.acked_silence,
        acked_line=message.acked_line,
        lost_frames=message.lost_frames,
        counted_seq=message.write_seq,
        free_bytes=state.free_bytes if message.free_bytes is None else message.free_bytes,
    )


def _microphone_judged(transition: Transition, message: MicrophoneVerdict) -> None:
    state = transition.state
    if state.recording is None:
        return
    # a verdict on a microphone that is closed by now begins no quiet
    live = state.phase == "recording" and state.capture == "live" and state.first_block_ns is not None
    known = frozenset(code for code in message.faults if amber_codes.known(code))
    quiet_ns = (state.quiet_ns or state.now_ns) if live and message.quiet and not known else None
    transition.set(microphone_faults=known, quiet_ns=quiet_ns)


def _room(free_bytes: int, parameters: Parameters) -> frozenset[str]:
    if free_bytes <= parameters.min_free_bytes:
        return frozenset({"spool-full"})
    return frozenset({"spool-low"} if free_bytes < parameters.longest_bytes else ())


def _writer_died(transition: Transition) -> None:
    state = transition.state
    transition.do(Log("error", "the writer process ended"))
    if "keys" not in state.spool:
        # else the code that it reported itself tells more; this one would blink in its place
        transition.raise_own("writer-died")
    transition.set(writer="dead", busy_ns=None, start_ns=max(state.start_ns, state.now_ns))
    transition.end("fault", "the writer process ended")
    if state.phase == "ending":
        transition.raise_own("recording-ended")
