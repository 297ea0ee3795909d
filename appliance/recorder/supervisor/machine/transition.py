"""One step in the making: the state as it changes, the actions as asked for, and moves that several rules share."""

from __future__ import annotations

from typing import Any

from appliance.contract.ledger import Cause, Reason
from appliance.contract.status import State as Phase

from .actions import Action, Log, Note
from .state import MEETING, Rules, State


class Transition:
    """A step's working copy; it lives no longer than the step."""

    def __init__(self, state: State, rules: Rules) -> None:
        self.state = state
        self.rules = rules
        self.actions: list[Action] = []

    def do(self, *actions: Action) -> None:
        """Ask for actions, in this order."""
        self.actions.extend(actions)

    def set(self, **changes: Any) -> None:
        """Change the state."""
        self.state = self.state.but(**changes)

    def enter(self, phase: Phase) -> None:
        """Go to another phase, if it is another one."""
        if phase != self.state.phase:
            self.set(phase=phase, since_ns=self.state.now_ns)

    def raise_own(self, code: str) -> None:
        """Raise a code of our own."""
        if code not in self.state.own:
            self.set(own=self.state.own | {code})

    def clear_own(self, *codes: str) -> None:
        """Clear codes of our own."""
        if not self.state.own.isdisjoint(codes):
            self.set(own=self.state.own - set(codes))

    def note(self, kind: str, t_ns: int, **members: Any) -> None:
        """Enter something in the ledger, if a recording is open."""
        if self.state.writer == "recording":
            self.do(Note({"kind": kind, "t_ns": t_ns, **members}))

    def end(self, reason: Reason, why: str) -> None:
        """End the recording: the rules close the microphone, then put the lamp out, then let the writer close."""
        if self.state.phase not in MEETING:
            return
        self.do(Log("error" if reason == "fault" else "info", f"the recording ends ({reason}): {why}"))
        if reason == "fault":
            self.raise_own("recording-ended")
        self.set(reason=reason, pause_due=False)
        self.enter("ending")

    def lose_capture(self, cause: Cause, code: str) -> None:
        """Give up the running capture: a new one follows inside the same recording, with a gap entry."""
        failures = self.state.failures + 1
        wait = 0 if failures == 1 else self.rules.retry
        self.raise_own(code)
        self.set(
            failures=failures,
            retry_ns=self.state.now_ns + wait,
            gap=self.state.gap or cause,
            present=None,
            check_asked=False,
            quiet_ns=None,
        )
