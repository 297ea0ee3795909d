"""The recorder's decisions, pure: `step(state, event, rules) -> (state, actions)`.

Handlers write what an event says into the state (handlers.py); then rules compare what is with what must be and ask
for actions until they agree (settle.py). So a promise such as "dark only after the microphone is closed" stands in one
rule, whatever led there. Time, randomness and every look at the world come in events.
"""

from __future__ import annotations

from .actions import Action
from .handlers import AnyEvent, handle
from .rules import apply_rules, deadline
from .state import Rules, State
from .transition import Transition

__all__ = ["Rules", "State", "deadline", "step"]


def step(state: State, event: AnyEvent, rules: Rules) -> tuple[State, tuple[Action, ...]]:
    """Return the state after `event`, and what is to be done, in this order."""
    run = Transition(state.at(event.now_ns), rules)
    handle(run, event)
    apply_rules(run)
    return run.state, tuple(run.actions)
