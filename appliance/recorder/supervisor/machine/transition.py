"""One step in the making: the state as it changes, the actions as asked for, and moves that several rules share."""

from __future__ import annotations

from typing import Any

from appliance.contract.ledger import AudioSpan, Cause, EndWarning, Fault, Lamp, Reason
from appliance.contract.status import State as Phase
from appliance.recorder.ipc.messages import EnterFact, EnterPause

from .actions import Action, Log
from .state import IN_SESSION, Parameters, State, changed, takes


class Transition:
    """A step's working copy; it lives no longer than the step."""

    def __init__(self, state: State, parameters: Parameters) -> None:
        self.state = state
        self.parameters = parameters
        self.actions: list[Action] = []

    def do(self, *actions: Action) -> None:
        """Ask for actions, in this order."""
        self.actions.extend(actions)

    @takes(State)
    def set(self, **changes: Any) -> None:
        """Change the state."""
        self.state = changed(self.state, **changes)

    def go_to(self, phase: Phase) -> None:
        """Go to a phase, unless it is the present one."""
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

    def enter_fact(self, fact: Lamp | AudioSpan | Fault | EndWarning) -> None:
        """Enter a fact in the ledger, if a recording is open."""
        if self.state.writer == "recording":
            self.do(EnterFact(fact=fact))

    def enter_pause(self, *, paused: bool) -> None:
        """Enter in the ledger that recording paused or resumed, if a recording is open."""
        if self.state.writer == "recording":
            self.do(EnterPause(t_ns=self.state.now_ns, paused=paused))

    def end(self, reason: Reason, why: str) -> None:
        """End the recording: the rules close the microphone, then put the lamp out, then let the writer close."""
        if self.state.phase not in IN_SESSION:
            return
        self.do(Log("error" if reason == "fault" else "info", f"the recording ends ({reason}): {why}"))
        if reason == "fault":
            self.raise_own("recording-ended")
        self.set(reason=reason, pause_due=False)
        self.go_to("ending")

    def lose_capture(self, cause: Cause, code: str) -> None:
        """Give up the running capture: a new one follows inside the same recording, with a gap entry."""
        failures = self.state.failures + 1
        wait = 0 if failures == 1 else self.parameters.retry
        self.raise_own(code)
        self.set(
            failures=failures,
            retry_ns=self.state.now_ns + wait,
            gap=self.state.gap or cause,
            present=None,
            check_asked=False,
            quiet_ns=None,
        )
