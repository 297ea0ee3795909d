"""The rules: what must hold, whatever happened. Each rule asks for the actions that are missing, and for no others.

Their order is the order of the promises: the lamp before the microphone, the microphone before the dark.
"""

from __future__ import annotations

from appliance.contract import amber_codes
from appliance.contract.ledger import Fault, Lamp, Reason
from appliance.recorder.ipc.messages import BeginRecording, EndRecording, ExpectGap

from .actions import (
    CheckMicrophone,
    CloseCapture,
    Exit,
    KillCapture,
    KillWriter,
    Log,
    OpenCapture,
    SetRed,
    SpawnCapture,
    StartWriter,
)
from .lights import show
from .state import IN_SESSION, Parameters, State
from .timed_limits import end_by_itself, next_limit
from .transition import Transition

MAX_DOUBLINGS = 4


def apply_rules(transition: Transition) -> None:
    """Apply every rule."""
    _shut_down(transition)
    _end_on_hold(transition)
    _check_button(transition)
    _check_lamp(transition)
    _check_rail(transition)
    _check_capture(transition)
    _check_writer(transition)
    _check_disk(transition)
    end_by_itself(transition)
    _close_capture(transition)
    _switch_lamp_off(transition)
    _switch_lamp_on(transition)
    _enter_facts(transition)
    _open_capture(transition)
    _spawn_capture(transition)
    _close_recording(transition)
    _start_writer(transition)
    _choose_rest_phase(transition)
    show(transition)
    _exit(transition)


def deadline(state: State, parameters: Parameters) -> int | None:
    """Return when a Tick is due at the latest so that no rule is late, or None: any time will do."""
    due = [
        state.button_ns + parameters.hold if state.button_ns is not None and not state.button_spent else None,
        state.button_ns + parameters.stuck if state.button_ns is not None else None,
        state.capture_ns + parameters.close if state.capture == "closing" else None,
        max(state.red_ns, state.seen_ns) + parameters.lamp if parameters.sensed and state.red != state.seen else None,
        state.retry_ns if state.phase == "recording" and state.capture == "warm" else None,
        max(state.block_ns or 0, state.capture_ns) + parameters.stall if state.capture == "live" else None,
        state.silent_until(parameters) if state.capture == "live" else None,
        state.ack_ns + parameters.ack if state.phase == "recording" and state.ack_ns is not None else None,
        state.spawn_ns if state.capture == "absent" else None,
        _capture_overdue_ns(state, parameters),
        state.start_ns if state.writer == "dead" else None,
        state.busy_ns + parameters.slow if state.busy_ns is not None else None,
        next_limit(state, parameters) if state.phase in IN_SESSION else None,
    ]
    later = [moment for moment in due if moment is not None and moment > state.now_ns]
    return min(later, default=None)


def _shut_down(transition: Transition) -> None:
    state = transition.state
    resting = state.phase in ("self-test", "idle", "fault") and state.recording is None and not state.device
    if state.restart_asked and state.shutdown_ns is None and resting:
        transition.do(Log("info", "the recorder starts again, as it was asked to"))
        transition.set(shutdown_ns=state.now_ns)
    if transition.state.shutdown_ns is not None:
        reason: Reason = "fault" if transition.state.exit_status else "shutdown"
        transition.end(reason, "the recorder is asked to stop")
        if transition.state.phase == "arming":
            transition.set(recording=None)
            transition.go_to("fault")


def _end_on_hold(transition: Transition) -> None:
    state = transition.state
    down_ns = None if state.button_spent else state.button_ns
    if state.phase in IN_SESSION and down_ns is not None and state.now_ns - down_ns >= transition.parameters.hold:
        transition.set(button_spent=True)
        transition.end("button", "the button was held")


def _check_button(transition: Transition) -> None:
    down_ns = transition.state.button_ns
    if down_ns is None or transition.state.now_ns - down_ns < transition.parameters.stuck:
        transition.clear_own("button-stuck")
    else:
        transition.raise_own("button-stuck")


def _check_lamp(transition: Transition) -> None:
    state, parameters = transition.state, transition.parameters
    if not parameters.sensed or state.red != state.red_asked:
        return
    if state.red == state.seen:
        transition.clear_own("lamp-stuck", *(["lamp-dark"] if state.red else []))
    elif state.now_ns - max(state.red_ns, state.seen_ns) >= parameters.lamp:
        if state.red:
            transition.raise_own("lamp-dark")
            transition.set(granted=False)
            if state.phase == "arming":
                transition.do(Log("error", "the sensor did not see the red lamp lit; the microphone stays closed"))
                transition.set(recording=None)
                transition.go_to("fault")
            transition.end("fault", "the red lamp is not seen to be lit")
        else:
            transition.raise_own("lamp-stuck")


def _check_rail(transition: Transition) -> None:
    state, parameters = transition.state, transition.parameters
    if not state.red and state.rail and state.now_ns - max(state.red_ns, state.rail_ns) >= parameters.lamp:
        transition.raise_own("rail-live")
    elif not state.rail:
        transition.clear_own("rail-live")


def _check_capture(transition: Transition) -> None:
    state, parameters = transition.state, transition.parameters
    overdue_ns = _capture_overdue_ns(state, parameters)
    if overdue_ns is not None and state.now_ns >= overdue_ns:
        transition.raise_own("capture-died")
    if state.capture == "live" and state.phase == "recording":
        if state.now_ns < state.silent_until(parameters):
            if state.now_ns - state.capture_ns >= parameters.stall and state.block_ns is None:
                # told like any other silence; but a card may take its time to wake, and starts anew when opened anew
                transition.raise_own("microphone-stalled")
        else:
            transition.do(Log("warning", "no sound arrives; the recorder replaces the capture process"))
            transition.lose_capture("stall", "microphone-stalled")
            transition.do(KillCapture())
            transition.set(capture="killing", capture_ns=state.now_ns)
    elif state.capture == "warming" and state.now_ns >= state.ready_until(parameters):
        transition.do(Log("warning", "the capture process does not get ready; the recorder replaces it"), KillCapture())
        transition.raise_own("capture-died")
        transition.set(capture="killing", capture_ns=state.now_ns, never_ready=state.never_ready + 1)
    elif state.capture == "killing" and state.now_ns - state.capture_ns >= parameters.stall:
        # SIGKILL takes no effect while the kernel holds the process: the lamp stays lit, because it may still hear
        transition.raise_own("capture-stuck")


def _capture_overdue_ns(state: State, parameters: Parameters) -> int | None:
    """Return when amber tells that a recording waits for a capture process: most are warm long before."""
    if state.phase != "recording" or state.capture not in ("absent", "warming"):
        return None
    return max(state.since_ns, state.capture_ns) + 2 * parameters.stall


def _check_writer(transition: Transition) -> None:
    state, parameters = transition.state, transition.parameters
    if state.phase == "recording":
        first_ns = state.now_ns if state.first_block_ns is None else state.first_block_ns
        waiting = state.now_ns - max(state.ack_ns or 0, first_ns) >= parameters.unsafe
        arriving = state.block_ns is not None and state.now_ns - state.block_ns < parameters.stall
        # whichever capture gave them
        behind = state.backlog(parameters) * 1_000_000_000 >= parameters.unsafe * parameters.rate
        if behind or (waiting and arriving):
            transition.raise_own("writer-died")
            transition.end("fault", "nothing was acknowledged for too long")
    elif state.writer == "idle" and state.now_ns - state.writer_heard_ns >= parameters.writer_silence:
        transition.raise_own("writer-died")
        transition.do(Log("error", "the writer process no longer reports; the recorder replaces it"), KillWriter())
        transition.set(writer="killing")
    elif state.writer == "closing" and state.now_ns - state.drain_ns >= parameters.drain:
        transition.raise_own("writer-died")
        transition.raise_own("recording-ended")
        transition.do(
            Log("error", "the writer process did not close the recording in time; the recorder replaces it"),
            KillWriter(),
        )
        transition.set(writer="killing")


def _check_disk(transition: Transition) -> None:
    state = transition.state
    if state.busy_ns is None:
        transition.clear_own("spool-slow")
    elif state.now_ns - state.busy_ns >= transition.parameters.slow:
        # it may never come back, so nobody waits for the call's end in order to tell
        transition.raise_own("spool-slow")


def _close_capture(transition: Transition) -> None:
    state, parameters = transition.state, transition.parameters
    if state.capture == "live" and state.phase != "recording":
        transition.do(CloseCapture())
        transition.set(capture="closing", capture_ns=state.now_ns)
    elif state.capture == "closing" and state.now_ns - state.capture_ns >= parameters.close:
        transition.do(KillCapture())
        transition.set(capture="killing", capture_ns=state.now_ns)


def _switch_lamp_off(transition: Transition) -> None:
    state = transition.state
    if state.red_asked and not state.device and state.phase not in ("arming", "recording"):
        transition.set(granted=False)
        _command_lamp(transition, lit=False)


def _command_lamp(transition: Transition, *, lit: bool) -> None:
    state = transition.state
    if not state.lamp_noted:
        # switched again before the sensor could tell: both stand in the ledger all the same
        transition.enter_fact(Lamp(t_ns=state.red_ns, lit=state.red, commanded_ns=state.red_ns, seen_ns=None))
    transition.set(red_asked=lit)
    transition.do(SetRed(lit=lit))


def _switch_lamp_on(transition: Transition) -> None:
    state = transition.state
    if state.phase in ("arming", "recording") and not state.red_asked and not state.red:
        _command_lamp(transition, lit=True)
    state = transition.state
    if state.phase in ("arming", "recording") and not state.granted and state.lit(transition.parameters):
        transition.set(granted=True)
        if state.phase == "arming":
            _begin_recording(transition)


def _begin_recording(transition: Transition) -> None:
    state = transition.state
    if state.writer != "idle" or state.recording is None:
        transition.do(Log("error", "the writer process ended at the press; the microphone stays closed"))
        transition.set(recording=None)
        transition.go_to("fault")
        _switch_lamp_off(transition)
        return
    fresh = state.now_ns - state.continues_ns <= transition.parameters.continues
    continues = state.continues if fresh else None
    transition.do(BeginRecording(recording=state.recording, continues=continues, created_ns=state.started_ns))
    transition.set(writer="recording", continues=None)
    transition.go_to("recording")


def _enter_facts(transition: Transition) -> None:
    state, parameters = transition.state, transition.parameters
    if state.red == state.red_asked and not state.lamp_noted:
        agreed = parameters.sensed and state.seen == state.red
        if not parameters.sensed or agreed or state.now_ns - state.red_ns >= parameters.lamp:
            # a sense line may tell a hair before the command's own time is known
            seen = max(state.seen_ns, state.red_ns) if agreed else None
            transition.enter_fact(
                Lamp(t_ns=seen or state.red_ns, lit=state.red, commanded_ns=state.red_ns, seen_ns=seen)
            )
            transition.set(lamp_noted=True)
    dark_noted = not state.red and not state.red_asked and transition.state.lamp_noted
    if state.pause_due and not state.device and (dark_noted or state.phase == "recording"):
        _announce_gap(transition)
        transition.enter_pause(paused=True)
        transition.set(pause_due=False, pause_noted=True, gap=None, gap_announced=None)
    if state.faults != state.faults_noted and state.writer == "recording":
        for code in sorted(state.faults ^ state.faults_noted):
            transition.enter_fact(Fault(t_ns=state.now_ns, code=code, raised=code in state.faults))
        transition.set(faults_noted=state.faults)


def _open_capture(transition: Transition) -> None:
    state, parameters = transition.state, transition.parameters
    if state.phase != "recording" or not state.granted or not state.lit(parameters):
        return
    if state.pause_noted:
        transition.enter_pause(paused=False)
        transition.set(pause_noted=False)
    if state.capture != "warm" or state.device or state.now_ns < state.retry_ns:
        return
    if state.present is None:
        if not state.check_asked:
            transition.set(check_asked=True)
            transition.do(CheckMicrophone())
    elif not state.present:
        transition.set(present=None, retry_ns=state.now_ns + parameters.retry, gap="unplugged")
        _announce_gap(transition)
    else:
        _announce_gap(transition)
        transition.set(generation=state.generation + 1, capture="live", capture_ns=state.now_ns, device=True)
        transition.set(block_ns=None, first_block_ns=None)
        transition.do(OpenCapture(transition.state.generation))


def _announce_gap(transition: Transition) -> None:
    """Tell the writer why frames are missing, once for each cause: it writes the silence while the gap lasts."""
    state = transition.state
    if state.gap and state.gap != state.gap_announced:
        transition.do(ExpectGap(cause=state.gap))
    transition.set(gap_announced=state.gap)


def _spawn_capture(transition: Transition) -> None:
    state = transition.state
    if state.capture == "absent" and state.now_ns >= state.spawn_ns and state.shutdown_ns is None:
        transition.set(capture="warming", capture_ns=state.now_ns, spawn_ns=state.now_ns + transition.parameters.retry)
        transition.do(SpawnCapture())


def _close_recording(transition: Transition) -> None:
    state = transition.state
    if state.phase != "ending" or state.device or state.red or not state.lamp_noted:
        return
    if state.writer == "recording" and state.reason is not None:
        _announce_gap(transition)
        transition.do(EndRecording(reason=state.reason))
        transition.set(writer="closing", drain_ns=state.now_ns)
    elif state.writer in ("idle", "dead", "starting", "killing"):
        transition.set(recording=None, reason=None, paused_ns=None)
        transition.go_to("fault")


def _start_writer(transition: Transition) -> None:
    state = transition.state
    if state.writer == "dead" and state.now_ns >= state.start_ns and state.shutdown_ns is None:
        # one that cannot start tells so at once; trying it without a pause would only heat the box
        wait = transition.parameters.retry * 2 ** min(state.writer_failures, MAX_DOUBLINGS)
        transition.set(writer="starting", start_ns=state.now_ns + wait, writer_heard_ns=state.now_ns)
        transition.set(writer_failures=state.writer_failures + 1)
        transition.do(StartWriter())


def _choose_rest_phase(transition: Transition) -> None:
    """Outside a meeting: self-test until the first checks are in, then idle or, where a press is not enough, fault."""
    state = transition.state
    if state.phase not in ("self-test", "idle", "fault"):
        return
    told = "writer-died" in state.own or "keys" in state.spool
    untested = state.checked is None or (state.writer == "starting" and not told)
    if untested or (state.phase == "self-test" and state.writer != "idle"):
        transition.go_to("self-test")
    elif amber_codes.press(state.faults) != "records" or state.writer != "idle" or "spool-slow" in state.own:
        transition.go_to("fault")
    else:
        transition.go_to("idle")


def _exit(transition: Transition) -> None:
    state, parameters = transition.state, transition.parameters
    if state.shutdown_ns is None or state.exited:
        return
    late = state.now_ns - state.shutdown_ns >= parameters.shutdown
    if late and state.device and state.capture != "killing":
        transition.do(KillCapture())
        transition.set(capture="killing", capture_ns=state.now_ns)
    done = state.phase in ("idle", "fault", "self-test") and not state.red
    # while a device may be open the lamp stays lit and the supervisor stays with it, until systemd has no more patience
    if not state.device and (done or late):
        transition.set(exited=True)
        transition.do(Exit(state.exit_status))
