"""A recording ends by itself: too long, too quiet, paused too long, disk nearly full; each warned beforehand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from appliance.contract.ledger import EndWarning

from .actions import Log
from .state import IN_SESSION, Parameters, State
from .transition import Transition

Timed = Literal["cap", "quiet", "paused-too-long"]
_WHY: dict[Timed, str] = {
    "cap": "it has its greatest length",
    "quiet": "the room has been quiet for long",
    "paused-too-long": "the pause is too long",
}


def _timed(state: State, parameters: Parameters) -> Iterator[tuple[Timed, int]]:
    yield "cap", state.started_ns + parameters.cap
    if state.phase == "recording" and state.quiet_ns is not None:
        yield "quiet", state.quiet_ns + parameters.quiet
    if state.phase == "paused" and state.paused_ns is not None:
        yield "paused-too-long", state.paused_ns + parameters.paused


def next_limit(state: State, parameters: Parameters) -> int | None:
    """Return when the next warning or end is due."""
    moments = [moment - early for _, moment in _timed(state, parameters) for early in (parameters.warn, 0)]
    return min((moment for moment in moments if moment > state.now_ns), default=None)


def end_by_itself(transition: Transition) -> None:
    """Warn, and end, where a limit is reached."""
    if transition.state.phase not in IN_SESSION:
        return
    timed = dict(_timed(transition.state, transition.parameters))
    # a limit that moved away, because somebody spoke or resumed, warns again when it comes back
    _unwarn(transition, {"quiet", "paused-too-long"} - set(timed))
    for code, moment in timed.items():
        left = moment - transition.state.now_ns
        if left <= 0:
            transition.end(code, _WHY[code])
        elif left <= transition.parameters.warn:
            _warn(transition, code, left // 1_000_000_000)
        else:
            _unwarn(transition, {code})
    _disk(transition)


def _disk(transition: Transition) -> None:
    free, parameters = transition.state.free_bytes, transition.parameters
    if free is None:
        return
    if free <= parameters.min_free_bytes:
        transition.end("disk-full", "the disk is nearly full")
    elif free <= parameters.warn_bytes:
        _warn(transition, "disk-full", (free - parameters.min_free_bytes) // parameters.second_bytes)
    else:
        _unwarn(transition, {"disk-full"})


def _warn(transition: Transition, code: str, in_s: int) -> None:
    if code not in transition.state.warned and transition.state.phase in IN_SESSION:
        transition.do(Log("warning", f"the recording will end by itself in {in_s} s ({code})"))
        transition.enter_fact(EndWarning(t_ns=transition.state.now_ns, code=code, in_s=in_s))
        transition.set(warned=transition.state.warned | {code})


def _unwarn(transition: Transition, codes: set[str]) -> None:
    if codes & transition.state.warned:
        transition.set(warned=transition.state.warned - codes)
