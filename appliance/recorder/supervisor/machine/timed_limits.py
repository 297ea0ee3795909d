"""A recording ends by itself: too long, too quiet, paused too long, disk nearly full; each warned beforehand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from .actions import Log
from .state import MEETING, Rules, State
from .transition import Transition

Timed = Literal["cap", "quiet", "paused-too-long"]
_WHY: dict[Timed, str] = {
    "cap": "it has its greatest length",
    "quiet": "the room has been quiet for long",
    "paused-too-long": "the pause is too long",
}


def _timed(state: State, rules: Rules) -> Iterator[tuple[Timed, int]]:
    yield "cap", state.started_ns + rules.cap
    if state.phase == "recording" and state.quiet_ns is not None:
        yield "quiet", state.quiet_ns + rules.quiet
    if state.phase == "paused" and state.paused_ns is not None:
        yield "paused-too-long", state.paused_ns + rules.paused


def next_limit(state: State, rules: Rules) -> int | None:
    """Return when the next warning or end is due."""
    moments = [moment - early for _, moment in _timed(state, rules) for early in (rules.warn, 0)]
    return min((moment for moment in moments if moment > state.now_ns), default=None)


def end_by_itself(run: Transition) -> None:
    """Warn, and end, where a limit is reached."""
    if run.state.phase not in MEETING:
        return
    timed = dict(_timed(run.state, run.rules))
    # a limit that moved away, because somebody spoke or resumed, warns again when it comes back
    _unwarn(run, {"quiet", "paused-too-long"} - set(timed))
    for code, moment in timed.items():
        left = moment - run.state.now_ns
        if left <= 0:
            run.end(code, _WHY[code])
        elif left <= run.rules.warn:
            _warn(run, code, left // 1_000_000_000)
        else:
            _unwarn(run, {code})
    _disk(run)


def _disk(run: Transition) -> None:
    free, rules = run.state.free_bytes, run.rules
    if free is None:
        return
    if free <= rules.min_free_bytes:
        run.end("disk-full", "the disk is nearly full")
    elif free <= rules.warn_bytes:
        _warn(run, "disk-full", (free - rules.min_free_bytes) // rules.second_bytes)
    else:
        _unwarn(run, {"disk-full"})


def _warn(run: Transition, code: str, in_s: int) -> None:
    if code not in run.state.warned and run.state.phase in MEETING:
        run.do(Log("warning", f"the recording will end by itself in {in_s} s ({code})"))
        run.note("warning", run.state.now_ns, code=code, in_s=in_s)
        run.set(warned=run.state.warned | {code})


def _unwarn(run: Transition, codes: set[str]) -> None:
    if codes & run.state.warned:
        run.set(warned=run.state.warned - codes)
