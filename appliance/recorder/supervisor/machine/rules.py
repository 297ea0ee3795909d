"""The rules: what must hold, whatever happened. Each asks for what is missing and leaves the rest alone.

Their order is the order of the promises: the lamp before the microphone, the microphone before the dark.
"""

from __future__ import annotations

from appliance.contract import amber_codes
from appliance.contract.ledger import Reason

from .actions import (
    BeginRecording,
    CheckMicrophone,
    CloseCapture,
    EndRecording,
    Exit,
    GapCause,
    KillCapture,
    KillWriter,
    Log,
    OpenCapture,
    SetRed,
    SpawnCapture,
    StartWriter,
)
from .lights import show
from .state import MEETING, Rules, State
from .timed_limits import end_by_itself, next_limit
from .transition import Transition

_MOST_DOUBLINGS = 4


def apply_rules(run: Transition) -> None:
    """Apply every rule."""
    _shut_down(run)
    _hold(run)
    _judge_lamp(run)
    _judge_rail(run)
    _judge_capture(run)
    _judge_writer(run)
    _judge_disk(run)
    end_by_itself(run)
    _close_capture(run)
    _darken(run)
    _light(run)
    _note(run)
    _open_capture(run)
    _keep_capture(run)
    _finish(run)
    _keep_writer(run)
    _rest(run)
    show(run)
    _exit(run)


def deadline(state: State, rules: Rules) -> int | None:
    """Return when a Tick is due at the latest so that no rule is late, or None: any time will do."""
    due = [
        state.button_ns + rules.hold if state.button_ns is not None and not state.button_spent else None,
        state.capture_ns + rules.close if state.capture == "closing" else None,
        max(state.red_ns, state.seen_ns) + rules.lamp if rules.sensed and state.red != state.seen else None,
        state.retry_ns if state.phase == "recording" and state.capture == "warm" else None,
        max(state.block_ns or 0, state.capture_ns) + rules.stall if state.capture == "live" else None,
        state.silent_until(rules) if state.capture == "live" else None,
        state.ack_ns + rules.ack if state.phase == "recording" and state.ack_ns is not None else None,
        state.spawn_ns if state.capture == "absent" else None,
        _missed_ns(state, rules),
        state.start_ns if state.writer == "dead" else None,
        state.busy_ns + rules.slow if state.busy_ns is not None else None,
        next_limit(state, rules) if state.phase in MEETING else None,
    ]
    later = [moment for moment in due if moment is not None and moment > state.now_ns]
    return min(later, default=None)


def _shut_down(run: Transition) -> None:
    if run.state.shutdown_ns is not None:
        reason: Reason = "fault" if run.state.exit_status else "shutdown"
        run.end(reason, "the recorder is asked to stop")
        if run.state.phase == "arming":
            run.set(recording=None)
            run.enter("fault")


def _hold(run: Transition) -> None:
    state = run.state
    down_ns = None if state.button_spent else state.button_ns
    if state.phase in MEETING and down_ns is not None and state.now_ns - down_ns >= run.rules.hold:
        run.set(button_spent=True)
        run.end("button", "the button was held")


def _judge_lamp(run: Transition) -> None:
    state, rules = run.state, run.rules
    if not rules.sensed or state.red != state.red_asked:
        return
    if state.red == state.seen:
        run.clear_own("lamp-stuck", *(["lamp-dark"] if state.red else []))
    elif state.now_ns - max(state.red_ns, state.seen_ns) >= rules.lamp:
        if state.red:
            run.raise_own("lamp-dark")
            run.set(granted=False)
            if state.phase == "arming":
                run.do(Log("error", "the red lamp was not seen to be lit; nothing was opened"))
                run.set(recording=None)
                run.enter("fault")
            run.end("fault", "the red lamp is not seen to be lit")
        else:
            run.raise_own("lamp-stuck")


def _judge_rail(run: Transition) -> None:
    state, rules = run.state, run.rules
    if not state.red and state.rail and state.now_ns - max(state.red_ns, state.rail_ns) >= rules.lamp:
        run.raise_own("rail-live")
    elif not state.rail:
        run.clear_own("rail-live")


def _judge_capture(run: Transition) -> None:
    state, rules = run.state, run.rules
    missed = _missed_ns(state, rules)
    if missed is not None and state.now_ns >= missed:
        run.raise_own("capture-died")
    if state.capture == "live" and state.phase == "recording":
        if state.now_ns < state.silent_until(rules):
            if state.now_ns - state.capture_ns >= rules.stall and state.block_ns is None:
                # told like any other silence; but a card may take its time to wake, and starts anew when opened anew
                run.raise_own("microphone-stalled")
        else:
            run.do(Log("warning", "no sound arrives; the capture process is replaced"))
            run.lose_capture("stall", "microphone-stalled")
            run.do(KillCapture())
            run.set(capture="killing", capture_ns=state.now_ns)
    elif state.capture == "warming" and state.now_ns - state.capture_ns >= rules.warm:
        run.do(Log("warning", "the capture process does not get ready; it is replaced"), KillCapture())
        run.raise_own("capture-died")
        run.set(capture="killing", capture_ns=state.now_ns)
    elif state.capture == "killing" and state.now_ns - state.capture_ns >= rules.stall:
        # SIGKILL takes no effect while the kernel holds the process: the lamp stays lit, because it may still hear
        run.raise_own("capture-stuck")


def _missed_ns(state: State, rules: Rules) -> int | None:
    """Return when amber tells that a recording waits for a capture process: most are warm long before."""
    if state.phase != "recording" or state.capture not in ("absent", "warming"):
        return None
    return max(state.since_ns, state.capture_ns) + 2 * rules.stall


def _judge_writer(run: Transition) -> None:
    state, rules = run.state, run.rules
    if state.phase == "recording":
        first_ns = state.now_ns if state.first_block_ns is None else state.first_block_ns
        waiting = state.now_ns - max(state.ack_ns or 0, first_ns) >= rules.unsafe
        arriving = state.block_ns is not None and state.now_ns - state.block_ns < rules.stall
        # whichever capture gave them
        behind = state.backlog(rules) * 1_000_000_000 >= rules.unsafe * rules.rate
        if behind or (waiting and arriving):
            run.raise_own("writer-died")
            run.end("fault", "nothing was acknowledged for too long")
    elif state.writer == "idle" and state.now_ns - state.heard_ns >= rules.writer_silence:
        run.raise_own("writer-died")
        run.do(Log("error", "the writer does not report any more; it is replaced"), KillWriter())
        run.set(writer="killing")
    elif state.writer == "closing" and state.now_ns - state.drain_ns >= rules.drain:
        run.raise_own("writer-died")
        run.raise_own("recording-ended")
        run.do(Log("error", "the writer did not close the recording in time; it is replaced"), KillWriter())
        run.set(writer="killing")


def _judge_disk(run: Transition) -> None:
    state = run.state
    if state.busy_ns is None:
        run.clear_own("spool-slow")
    elif state.now_ns - state.busy_ns >= run.rules.slow:
        # it may never come back, so nobody waits for the call's end in order to tell
        run.raise_own("spool-slow")


def _close_capture(run: Transition) -> None:
    state, rules = run.state, run.rules
    if state.capture == "live" and state.phase != "recording":
        run.do(CloseCapture())
        run.set(capture="closing", capture_ns=state.now_ns)
    elif state.capture == "closing" and state.now_ns - state.capture_ns >= rules.close:
        run.do(KillCapture())
        run.set(capture="killing", capture_ns=state.now_ns)


def _darken(run: Transition) -> None:
    state = run.state
    if state.red_asked and not state.device and state.phase not in ("arming", "recording"):
        run.set(granted=False)
        _switch(run, lit=False)


def _switch(run: Transition, *, lit: bool) -> None:
    state = run.state
    if not state.lamp_noted:
        # switched again before the sensor could tell: both stand in the ledger all the same
        run.note("lamp", state.red_ns, lit=state.red, commanded_ns=state.red_ns, seen_ns=None)
    run.set(red_asked=lit)
    run.do(SetRed(lit=lit))


def _light(run: Transition) -> None:
    state = run.state
    if state.phase in ("arming", "recording") and not state.red_asked and not state.red:
        _switch(run, lit=True)
    state = run.state
    if state.phase in ("arming", "recording") and not state.granted and state.lit(run.rules):
        run.set(granted=True)
        if state.phase == "arming":
            _begin(run)


def _begin(run: Transition) -> None:
    state = run.state
    if state.writer != "idle" or state.recording is None:
        run.do(Log("error", "the writer went away at the press; nothing was opened"))
        run.set(recording=None)
        run.enter("fault")
        _darken(run)
        return
    fresh = state.now_ns - state.continues_ns <= run.rules.continues
    run.do(BeginRecording(state.recording, state.continues if fresh else None, state.started_ns))
    run.set(writer="recording", continues=None)
    run.enter("recording")


def _note(run: Transition) -> None:
    state, rules = run.state, run.rules
    if state.red == state.red_asked and not state.lamp_noted:
        agreed = rules.sensed and state.seen == state.red
        if not rules.sensed or agreed or state.now_ns - state.red_ns >= rules.lamp:
            # a sense line may tell a hair before the command's own time is known
            seen = max(state.seen_ns, state.red_ns) if agreed else None
            run.note("lamp", seen or state.red_ns, lit=state.red, commanded_ns=state.red_ns, seen_ns=seen)
            run.set(lamp_noted=True)
    dark_noted = not state.red and not state.red_asked and run.state.lamp_noted
    if state.pause_due and not state.device and (dark_noted or state.phase == "recording"):
        _tell_gap(run)
        run.note("pause", state.now_ns, paused=True)
        run.set(pause_due=False, pause_noted=True, gap=None, gap_told=None)
    if state.faults != state.faults_noted and state.writer == "recording":
        for code in sorted(state.faults ^ state.faults_noted):
            run.note("fault", state.now_ns, code=code, raised=code in state.faults)
        run.set(faults_noted=state.faults)


def _open_capture(run: Transition) -> None:
    state, rules = run.state, run.rules
    if state.phase != "recording" or not state.granted or not state.lit(rules):
        return
    if state.pause_noted:
        run.note("pause", state.now_ns, paused=False)
        run.set(pause_noted=False)
    if state.capture != "warm" or state.device or state.now_ns < state.retry_ns:
        return
    if state.present is None:
        if not state.check_asked:
            run.set(check_asked=True)
            run.do(CheckMicrophone())
    elif not state.present:
        run.set(present=None, retry_ns=state.now_ns + rules.retry, gap="unplugged")
        _tell_gap(run)
    else:
        _tell_gap(run)
        run.set(generation=state.generation + 1, capture="live", capture_ns=state.now_ns, device=True)
        run.set(block_ns=None, first_block_ns=None)
        run.do(OpenCapture(run.state.generation))


def _tell_gap(run: Transition) -> None:
    """Tell the writer why frames are missing, once for each cause: it writes the silence while the gap lasts."""
    state = run.state
    if state.gap and state.gap != state.gap_told:
        run.do(GapCause(state.gap, state.now_ns))
    run.set(gap_told=state.gap)


def _keep_capture(run: Transition) -> None:
    state = run.state
    if state.capture == "absent" and state.now_ns >= state.spawn_ns and state.shutdown_ns is None:
        run.set(capture="warming", capture_ns=state.now_ns, spawn_ns=state.now_ns + run.rules.retry)
        run.do(SpawnCapture())


def _finish(run: Transition) -> None:
    state = run.state
    if state.phase != "ending" or state.device or state.red or not state.lamp_noted:
        return
    if state.writer == "recording" and state.reason is not None:
        _tell_gap(run)
        run.do(EndRecording(state.reason))
        run.set(writer="closing", drain_ns=state.now_ns)
    elif state.writer in ("idle", "dead", "starting", "killing"):
        run.set(recording=None, reason=None, paused_ns=None)
        run.enter("fault")


def _keep_writer(run: Transition) -> None:
    state = run.state
    if state.writer == "dead" and state.now_ns >= state.start_ns and state.shutdown_ns is None:
        # one that cannot start tells so at once; trying it without a pause would only heat the box
        wait = run.rules.retry * 2 ** min(state.writer_failures, _MOST_DOUBLINGS)
        run.set(writer="starting", start_ns=state.now_ns + wait, heard_ns=state.now_ns)
        run.set(writer_failures=state.writer_failures + 1)
        run.do(StartWriter())


def _rest(run: Transition) -> None:
    """Outside a meeting: self-test until the first checks are in, then idle or, where a press is not enough, fault."""
    state = run.state
    if state.phase not in ("self-test", "idle", "fault"):
        return
    told = "writer-died" in state.own or "keys" in state.spool
    untested = state.checked is None or (state.writer == "starting" and not told)
    if untested or (state.phase == "self-test" and state.writer != "idle"):
        run.enter("self-test")
    elif amber_codes.press(state.faults) != "records" or state.writer != "idle" or "spool-slow" in state.own:
        run.enter("fault")
    else:
        run.enter("idle")


def _exit(run: Transition) -> None:
    state, rules = run.state, run.rules
    if state.shutdown_ns is None or state.exited:
        return
    late = state.now_ns - state.shutdown_ns >= rules.shutdown
    if late and state.device and state.capture != "killing":
        run.do(KillCapture())
        run.set(capture="killing", capture_ns=state.now_ns)
    done = state.phase in ("idle", "fault", "self-test") and not state.device and not state.red
    if done or (late and not state.device) or state.now_ns - state.shutdown_ns >= 2 * rules.shutdown:
        run.set(exited=True)
        run.do(Exit(state.exit_status))
