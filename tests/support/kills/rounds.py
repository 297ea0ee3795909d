"""One box through many short meetings, in each of which a process is killed or stopped; judged from outside."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from appliance.contract.chain import LedgerChecker
from appliance.contract.errors import PlainSightError
from appliance.contract.header import Header
from appliance.contract.ledger import AnyFact, Closing
from appliance.contract.signed import split_lines
from appliance.simulator.demo import outside_view as outside
from tests.support.box.whole_box import SHORT, Box
from tests.support.waiting import TimedOutError, until

from . import comparison
from .observer import Observer, acknowledged, taken_back
from .plan import Plan

CLOSED_S = 1.0
"""The device is closed within so many seconds of a kill, or of the supervisor's stop."""


@dataclass(frozen=True)
class Round:
    """What was seen of one meeting."""

    plan: Plan
    acknowledged_s: float
    """Seconds that were published as acknowledged."""
    found_s: float
    """Seconds of it that the spool holds afterwards."""
    lost_s: float
    """Seconds of what was acknowledged that are missing or wrong."""
    unacknowledged_s: float | None
    """Seconds that were captured and not published as acknowledged when it struck; None: the disk was slow then."""
    closed_s: float | None
    """From the strike to the device's being closed, without what the machine was late; None: it was not open, or may
    stay open."""
    uncovered: int
    """Times that a device was open outside every lit span."""
    problems: tuple[str, ...]
    """What did not hold."""


class KillError(AssertionError):
    """A meeting did not come to its end."""


class Life:
    """A box that lives through one meeting after another."""

    def __init__(self, box: Box, raw: Path, random: Random, slow_since: Callable[[int], bool]) -> None:
        """Start the recorder. `slow_since` tells whether an fsync beside it took long since a moment (ns)."""
        self._box = box
        self._raw = np.fromfile(raw, "<i2")
        self._random = random
        self._slow_since = slow_since
        box.start(SHORT)

    def meet(self, plan: Plan) -> Round:
        """Hold one meeting, strike, let everything come to rest, and compare."""
        box = self._box
        with Observer(box.folder / "run" / "status.json") as observer:
            began_ns = time.monotonic_ns()
            self._begin(plan, began_ns)
            struck_ns = time.monotonic_ns()
            self._strike(plan)
            self._until(self._at_rest, "at rest, ready, and nothing is recorded")
            # what this meeting acknowledged was published by now
            samples = observer.take()
        problems = taken_back(samples)
        log = [line for line in box.log("microphone") if line["t_ns"] >= began_ns]
        recordings = {one.recording for one in samples if one.recording is not None}
        acked = found = lost = at_strike = 0
        started = [int(line["position"]) for line in log if line.get("device") == "started"]
        for recording in recordings:
            promised = acknowledged(samples, recording)
            heard, wrong, what = self._found(recording, promised, started)
            acked, found, lost = acked + promised, found + heard, lost + wrong
            at_strike += acknowledged(samples, recording, struck_ns)
            problems += what
        if len(recordings) > 1:
            problems.append(f"one press made {len(recordings)} recordings")
        uncovered = self._uncovered(began_ns)
        if uncovered:
            problems.append(f"the microphone was open in the dark: {uncovered}")
        closed_s = self._closed(plan, log, struck_ns)
        if closed_s is not None and closed_s > CLOSED_S:
            problems.append(f"the device was closed {closed_s:.2f} s after {plan.signal} of the {plan.process}")
        unacknowledged = (comparison.captured(log, struck_ns) - at_strike) / comparison.RATE
        slow = self._slow_since(struck_ns - 3_000_000_000)
        return Round(
            plan,
            acked / comparison.RATE,
            found / comparison.RATE,
            lost / comparison.RATE,
            None if slow else max(0.0, unacknowledged),
            closed_s,
            len(uncovered),
            tuple(problems),
        )

    def _begin(self, plan: Plan, began_ns: int) -> None:
        self._box.tap()
        if plan.pause_s is not None and plan.pause_s < plan.at_s:
            _sleep_until(began_ns, plan.pause_s)
            self._box.tap()
            if (resume_s := plan.pause_s + 0.4) < plan.at_s:
                _sleep_until(began_ns, resume_s)
                self._box.tap()
        _sleep_until(began_ns, plan.at_s)
        if plan.acknowledged_first:
            self._until(lambda: self._box.status().get("acked_frame", 0) > 0, "something is acknowledged")

    def _strike(self, plan: Plan) -> None:
        victim = self._pid(plan.process)
        if victim is not None:
            _signal(victim, signal.Signals[plan.signal])
        if plan.signal == "SIGSTOP":
            time.sleep(plan.stopped_s)  # the length of the stop, not a wait for something
            if victim is not None and not plan.all_killed:
                _signal(victim, signal.SIGCONT)
        elif plan.process != "supervisor":
            time.sleep(plan.after_s)  # the meeting goes on for so long
        if plan.all_killed or (plan.process == "supervisor" and plan.signal == "SIGKILL"):
            self._restart(victim)

    def _restart(self, victim: int | None) -> None:
        """Kill the recorder and start it again. A stopped child is killed too, as systemd kills the whole unit."""
        box = self._box
        assert box.process is not None
        box.process.kill()
        if victim is not None:
            _signal(victim, signal.SIGKILL)
        box.process.wait()
        (box.folder / "run" / "status.json").unlink(missing_ok=True)
        time.sleep(self._random.uniform(0.0, 0.5))  # whoever starts it again takes a moment, and a random one here
        box.launch(SHORT)

    def _at_rest(self) -> bool:
        """End a meeting that goes on; tell whether the box is ready again."""
        status = self._status()
        if status.get("state") in ("recording", "paused"):
            self._box.panel.press()
            self._until(lambda: self._status().get("state") not in ("recording", "paused"), "the meeting's end")
            self._box.panel.release()
            return False
        return bool(status.get("ready")) and status.get("recording") is None

    def _status(self) -> dict[str, Any]:
        try:
            return self._box.status()
        except FileNotFoundError:
            return {}

    def _until(self, condition: Callable[[], bool], what: str) -> None:
        try:
            until(condition, what)
        except TimedOutError as error:
            said = (self._box.folder / "recorder.log").read_text()[-2000:]
            raise KillError(f"{error}; status {self._status()}; log {said}") from error

    def _pid(self, process: str) -> int | None:
        """Return the process's number, for capture the one that has the microphone; None: there is none."""
        assert self._box.process is not None
        supervisor = self._box.process.pid
        if process == "supervisor":
            return supervisor
        if process == "capture" and (holder := self._holder()) is not None:
            return holder
        for child in _children(supervisor):
            if f"appliance.recorder.{process}" in _command(child):
                return child
        return None

    def _holder(self) -> int | None:
        open_now: dict[int, int] = {}
        for line in self._box.log("microphone"):
            if line["device"] == "closed":
                open_now.pop(line["handle"], None)
            else:
                open_now[line["handle"]] = line["pid"]
        return next(iter(open_now.values()), None)

    def _found(self, recording: str, promised: int, started: list[int]) -> tuple[int, int, list[str]]:
        """Return frames found, frames of what was promised that are lost, and what is wrong, in words."""
        box = self._box
        if not (box.folder / "spool" / "recordings" / recording).exists():
            return 0, promised, ["a recording is gone whole"] if promised else []
        facts, refused = self._ledger(recording)
        heard = np.concatenate([np.zeros(0, np.int16), *box.samples(recording)])
        wrong, problems = comparison.lost(heard, facts, promised, self._raw, started)
        last = facts[-1] if facts else None
        if not isinstance(last, Closing):
            problems.append("the recording was left open")
        elif last.reason not in ("button", "interrupted", "fault"):
            problems.append(f"the recording was closed as {last.reason}")
        return int(heard.size), wrong, problems + refused

    def _ledger(self, recording: str) -> tuple[list[AnyFact], list[str]]:
        """Return the facts up to the first that archive and checker would refuse, and why."""
        folder = self._box.folder / "spool" / "recordings" / recording
        header_line = (folder / "header.tsv").read_bytes()
        checker = LedgerChecker(Header.read(header_line, self._box.key.public), header_line)
        facts: list[AnyFact] = []
        try:
            for line in split_lines((folder / "ledger.tsv").read_bytes()):
                facts.append(checker.check_line(line).fact)  # noqa: PERF401 - those before the refused one count
        except PlainSightError as error:
            return facts, [f"the ledger is refused: {error.message}"]
        return facts, []

    def _uncovered(self, began_ns: int) -> list[outside.Span]:
        lit = outside.lit_spans(self._box.log("panel"))
        opened = [span for span in outside.open_spans(self._box.log("microphone")) if span.start_ns >= began_ns]
        return [span for span in opened if not any(light.covers(span) for light in lit)]

    def _closed(self, plan: Plan, log: list[dict[str, Any]], struck_ns: int) -> float | None:
        # a stopped capture is replaced after 2 s; a stopped writer leaves the microphone to the ring, under the lamp
        if plan.signal == "SIGSTOP" and plan.process != "supervisor":
            return None
        held = [
            span
            for span in outside.open_spans(log)
            if span.start_ns <= struck_ns and (span.end_ns is None or span.end_ns > struck_ns)
        ]
        if not held:
            return None
        ends = [span.end_ns for span in held]
        took = (float("inf") if end is None else self._box.machine.taken_ns(struck_ns, end) / 1e9 for end in ends)
        return max(took)


def _sleep_until(began_ns: int, seconds: float) -> None:
    time.sleep(max(0.0, seconds - (time.monotonic_ns() - began_ns) / 1e9))


def _signal(pid: int, what: signal.Signals) -> None:
    try:
        os.kill(pid, what)
    except ProcessLookupError:
        return  # it ended by itself a moment ago, which is no less random


def _children(pid: int) -> list[int]:
    try:
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
    except OSError:
        return ""
