"""What each event says about the world; the rules in settle.py draw the conclusions."""

from __future__ import annotations

from typing import assert_never

from appliance.contract import amber_codes

from . import events as ev
from .actions import Log
from .state import MEETING, Rules
from .transition import Transition

AnyEvent = (
    ev.Tick
    | ev.ButtonDown
    | ev.ButtonUp
    | ev.RedSet
    | ev.LampSensed
    | ev.RailSensed
    | ev.PanelLost
    | ev.CaptureWarm
    | ev.CaptureOpening
    | ev.CaptureOpened
    | ev.CaptureClosed
    | ev.CaptureFailed
    | ev.CaptureDied
    | ev.BlockSeen
    | ev.Checked
    | ev.Heard
    | ev.WriterReady
    | ev.WriterProgress
    | ev.WriterBusy
    | ev.WriterChecked
    | ev.WriterClosed
    | ev.WriterFault
    | ev.WriterDied
    | ev.ShutdownAsked
)


def handle(run: Transition, event: AnyEvent) -> None:
    """Write what `event` says into the state."""
    match event:
        case ev.Tick():
            pass
        case ev.ButtonDown() | ev.ButtonUp():
            _button(run, event)
        case ev.RedSet() | ev.LampSensed() | ev.RailSensed() | ev.PanelLost():
            _lamp(run, event)
        case ev.CaptureWarm() | ev.CaptureOpening() | ev.CaptureOpened() | ev.CaptureFailed() | ev.BlockSeen():
            _capture(run, event)
        case ev.CaptureClosed() | ev.CaptureDied():
            _capture_gone(run, event)
        case ev.Checked():
            _checked(run, event)
        case ev.Heard():
            _heard(run, event)
        case ev.WriterReady() | ev.WriterProgress() | ev.WriterBusy() | ev.WriterChecked() | ev.WriterClosed():
            _writer(run, event)
        case ev.WriterFault() | ev.WriterDied():
            _writer_failed(run, event)
        case ev.ShutdownAsked():
            if run.state.shutdown_ns is None:
                run.set(shutdown_ns=run.state.now_ns)
        case _:
            assert_never(event)


def _checked(run: Transition, event: ev.Checked) -> None:
    state = run.state
    found = set(event.faults)
    if not event.present:
        found.add("microphone-missing")
    # our own capture is gone before the lamp is dark, so that whoever holds the microphone then is somebody else
    dark = not state.red and not state.red_asked and not state.device
    if event.held and dark and state.now_ns - state.red_ns >= run.rules.closes:
        found.add("microphone-open")
    run.set(checked=frozenset(found), present=event.present, check_asked=False)
    if not event.present and state.capture == "live":
        # a stream may only fall silent when its device goes, and the device may be back before that is noticed;
        # a block takes this back
        run.set(gap="unplugged")


def _button(run: Transition, event: ev.ButtonDown | ev.ButtonUp) -> None:
    state = run.state
    if isinstance(event, ev.ButtonDown):
        # in a meeting the release or the hold decides; anything else is decided now
        run.set(button_ns=event.now_ns, button_spent=state.phase not in MEETING)
        if state.phase in ("idle", "fault"):
            _start(run, event)
        elif state.phase not in MEETING:
            run.do(Log("info", f"a press does nothing in {state.phase}"))
        return
    held = event.now_ns - state.button_ns if state.button_ns is not None and not state.button_spent else None
    run.set(button_ns=None, button_spent=False)
    if held is None or state.phase not in MEETING:
        return
    if held >= run.rules.hold:
        # the release overtook the tick that would have seen the hold
        run.end("button", "the button was held")
    elif held < run.rules.short_press and state.phase == "recording":
        run.set(pause_due=True, paused_ns=state.now_ns, quiet_ns=None)
        run.enter("paused")
    elif held < run.rules.short_press:
        run.set(paused_ns=None, present=None, check_asked=False, warned=state.warned - {"paused-too-long"})
        run.set(retry_ns=state.now_ns, failures=0)
        run.enter("recording")


def _start(run: Transition, event: ev.ButtonDown) -> None:
    state = run.state
    impossible = sorted(code for code in state.faults if amber_codes.find(code).press == "refused")
    # the dark check: cached judgments wait for a line to settle, a press does not
    if (state.rail or state.seen) and not state.red:
        impossible.append("rail-live" if state.rail else "lamp-stuck")
    if impossible or state.writer != "idle" or state.device or state.shutdown_ns is not None:
        run.do(Log("warning", f"the press is refused: {', '.join(impossible) or 'not ready'}"))
        return
    run.clear_own("recording-ended")
    run.set(
        recording=event.fresh_id,
        started_ns=event.now_ns,
        paused_ns=None,
        pause_due=False,
        pause_noted=False,
        quiet_ns=None,
        hearing=frozenset(),
        reason=None,
        frames=0,
        silence_frames=0,
        acked_frame=0,
        acked_silence=0,
        acked_line=0,
        lost_frames=0,
        told_seq=state.write_seq,
        ack_ns=None,
        warned=frozenset(),
        faults_noted=frozenset(),
        generation=0,
        gap=None,
        gap_told=None,
        failures=0,
        retry_ns=state.now_ns,
        present=True,
    )
    run.enter("arming")


def _heard(run: Transition, event: ev.Heard) -> None:
    state = run.state
    if state.recording is None:
        return
    # what the writer still has to say of a microphone that is closed by now begins no quiet
    live = state.phase == "recording" and state.capture == "live" and state.first_block_ns is not None
    quiet_ns = (state.quiet_ns or state.now_ns) if live and event.quiet and not event.faults else None
    run.set(hearing=event.faults, quiet_ns=quiet_ns)


def _lamp(run: Transition, event: ev.RedSet | ev.LampSensed | ev.RailSensed | ev.PanelLost) -> None:
    match event:
        case ev.RedSet():
            run.set(red=event.lit, red_ns=event.now_ns, lamp_noted=False)
        case ev.LampSensed():
            if event.seen != run.state.seen:
                run.set(seen=event.seen, seen_ns=event.now_ns)
        case ev.RailSensed():
            run.set(rail=event.live, rail_ns=event.now_ns)
        case ev.PanelLost():
            run.raise_own("panel-lost")
            run.do(Log("error", "the front panel does not answer"))
            run.set(shutdown_ns=run.state.shutdown_ns or run.state.now_ns, exit_status=1)


def _capture(
    run: Transition, event: ev.CaptureWarm | ev.CaptureOpening | ev.CaptureOpened | ev.CaptureFailed | ev.BlockSeen
) -> None:
    state = run.state
    match event:
        case ev.CaptureWarm():
            if state.capture == "warming":
                run.set(capture="warm", capture_ns=state.now_ns)
                run.clear_own("capture-died")
        case ev.CaptureOpening():
            if state.device and not state.span_open:
                run.set(span_open=True)
                run.note("audio", event.now_ns, open=True, at_ns=event.now_ns, generation=state.generation)
        case ev.CaptureOpened():
            pass
        case ev.CaptureFailed():
            run.do(Log("warning", f"capture failed: {event.message}"))
            if state.capture == "live" and state.phase == "recording":
                run.lose_capture("capture-died", "microphone-failed")
            if state.capture == "live":
                # it says that it let go; only its death proves it
                run.set(capture="closing", capture_ns=state.now_ns - run.rules.close)
        case ev.BlockSeen():
            run.set(write_seq=event.write_seq)
            if state.capture == "live":
                run.set(block_ns=state.now_ns, first_block_ns=state.first_block_ns or state.now_ns)
                run.set(failures=0, gap=None, gap_told=None)
                run.clear_own("microphone-stalled", "microphone-failed")


def _capture_gone(run: Transition, event: ev.CaptureClosed | ev.CaptureDied) -> None:
    state = run.state
    if state.span_open:
        run.note("audio", event.now_ns, open=False, at_ns=event.now_ns, generation=state.generation)
    if state.capture == "live" and state.phase == "recording":
        run.do(Log("warning", "capture ended by itself"))
        run.lose_capture("capture-died", "microphone-failed")
    if state.capture in ("warming", "warm"):
        run.do(Log("error", "the capture process ended before it was needed"))
        run.raise_own("capture-died")
    run.clear_own("capture-stuck")
    run.set(capture="absent", capture_ns=state.now_ns, device=False, span_open=False)
    run.set(block_ns=None, first_block_ns=None)


def _writer(
    run: Transition, event: ev.WriterReady | ev.WriterProgress | ev.WriterBusy | ev.WriterChecked | ev.WriterClosed
) -> None:
    state = run.state
    run.set(heard_ns=state.now_ns)
    match event:
        case ev.WriterReady():
            if state.writer == "starting":
                run.set(writer="idle", writer_failures=0, spool=frozenset())
                run.set(continues=event.continues, continues_ns=state.now_ns)
                run.clear_own("writer-died")
        case ev.WriterProgress():
            if event.acked_frame - event.acked_silence > state.acked_frame - state.acked_silence:
                run.set(ack_ns=state.now_ns)
            run.set(
                frames=event.frames,
                silence_frames=event.silence_frames,
                acked_frame=event.acked_frame,
                acked_silence=event.acked_silence,
                acked_line=event.acked_line,
                lost_frames=event.lost_frames,
                told_seq=event.write_seq,
                free_bytes=state.free_bytes if event.free_bytes is None else event.free_bytes,
            )
        case ev.WriterBusy():
            run.set(busy_ns=event.busy_since_ns)
        case ev.WriterChecked():
            run.set(spool=event.faults | _room(event.free_bytes, run.rules), free_bytes=event.free_bytes)
        case ev.WriterClosed():
            if state.writer == "closing":
                run.set(writer="idle")
                run.clear_own("writer-died")


def _room(free_bytes: int, rules: Rules) -> frozenset[str]:
    if free_bytes <= rules.min_free_bytes:
        return frozenset({"spool-full"})
    return frozenset({"spool-low"} if free_bytes < rules.longest_bytes else ())


def _writer_failed(run: Transition, event: ev.WriterFault | ev.WriterDied) -> None:
    state = run.state
    match event:
        case ev.WriterFault():
            run.set(heard_ns=state.now_ns, spool=state.spool | {event.code})
            if event.fatal:
                run.end("fault", f"the writer reports {event.code}")
        case ev.WriterDied():
            run.do(Log("error", "the writer process ended"))
            if "keys" not in state.spool:
                # else it said itself why it cannot start, and its death would hide that behind a smaller count
                run.raise_own("writer-died")
            run.set(writer="dead", busy_ns=None, start_ns=max(state.start_ns, state.now_ns))
            run.end("fault", "the writer process ended")
            if state.phase == "ending":
                run.raise_own("recording-ended")
