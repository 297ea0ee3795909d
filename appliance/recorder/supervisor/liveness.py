"""Whether the supervisor may notify systemd's watchdog. Pure.

Without a notification systemd kills the whole recorder with SIGKILL: the recording ends as interrupted, and
ExecStopPost puts the lamps out. That is the right end for a supervisor whose account of the world no longer holds. It
is the wrong end for a fault that the supervisor handles: an unplugged microphone comes back inside the same recording,
a disk that hangs ends the recording visibly after 25 s, and a microphone that cannot be closed keeps the red lamp lit
until somebody unplugs it; a restart would cure none of them. So there is one rule: whatever must make progress either
makes it, or its time is not up yet, or amber tells that it makes none. Each time is the state machine's own limit
(machine/rules.py) and a margin, so that the machine always acts first, unless it is broken.

The supervisor looks every third of WatchdogSec, 3.3 s of 10, and systemd acts after 10 s without a notification. So a
state has to be wrong at three looks in a row.
"""

from __future__ import annotations

from typing import Final

from appliance.recorder.clock import ns

from .machine.state import Parameters, State

MARGIN: Final = ns(1.0)
"""How late the machine may apply a rule, in nanoseconds: its loop runs at least twice a second."""
_MICROPHONE: Final = frozenset(
    {"microphone-missing", "microphone-failed", "microphone-stalled", "capture-died", "capture-stuck"}
)
"""The amber codes that tell why no frame comes."""


def unhealthy(state: State, parameters: Parameters) -> str | None:
    """Return why the watchdog must not be notified, in words for the journal, or None."""
    return (
        _lamp(state, parameters)
        or _process(state, parameters)
        or _frames(state, parameters)
        or _acknowledgement(state, parameters)
    )


def _lamp(state: State, parameters: Parameters) -> str | None:
    if state.red != state.red_asked:
        return "the red lamp was not switched as it was asked to be"
    if state.device and not state.red:
        return "the microphone may be open, and the red lamp is dark"
    differs = parameters.sensed and state.red != state.seen
    told = state.faults & {"lamp-dark", "lamp-stuck"}
    if differs and not told and _passed(state, max(state.red_ns, state.seen_ns), parameters.lamp):
        return "the red lamp is not seen as it was switched, and amber does not tell"
    return None


def _process(state: State, parameters: Parameters) -> str | None:
    if state.capture == "closing" and _passed(state, state.capture_ns, parameters.close):
        return "the microphone is not closed, and nothing is done about it"
    told = "capture-stuck" in state.faults
    if state.capture == "killing" and not told and _passed(state, state.capture_ns, parameters.stall):
        return "the capture process does not die, and amber does not tell"
    if state.phase == "arming" and _passed(state, state.since_ns, parameters.lamp):
        return "a press neither begins a recording nor is refused"
    ending = parameters.close + parameters.stall + parameters.lamp + parameters.drain
    if state.phase == "ending" and not told and _passed(state, state.since_ns, ending):
        return "the recording does not get to its end"
    return None


def _frames(state: State, parameters: Parameters) -> str | None:
    if state.phase != "recording":
        return None
    if state.capture == "live":
        told = "microphone-stalled" in state.faults
        if not told and _passed(state, max(state.block_ns or 0, state.capture_ns), parameters.stall):
            return "no frame comes, and amber does not tell"
        if _passed(state, state.silent_until(parameters), 0):
            return "no frame comes, and the capture process is not replaced"
        return None
    # between two captures, or before the first: a process may still have to warm up
    since = max(state.since_ns, state.capture_ns)
    if not state.faults & _MICROPHONE and _passed(state, since, parameters.warm + parameters.retry):
        return "no microphone is open in a recording, and amber does not tell"
    return None


def _acknowledgement(state: State, parameters: Parameters) -> str | None:
    if state.phase != "recording":
        return None
    arriving = state.block_ns is not None and state.now_ns - state.block_ns < parameters.stall
    first_ns = state.now_ns if state.first_block_ns is None else state.first_block_ns
    waiting = _passed(state, max(state.ack_ns or 0, first_ns), parameters.unsafe)
    behind = state.backlog(parameters) * 1_000_000_000 > (parameters.unsafe + MARGIN) * parameters.rate
    if behind or (waiting and arriving):
        return "frames are not acknowledged, and the recording does not end"
    return None


def _passed(state: State, since_ns: int, allowed_ns: int) -> bool:
    return state.now_ns - since_ns > allowed_ns + MARGIN
