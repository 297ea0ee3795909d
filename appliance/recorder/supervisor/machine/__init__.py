"""The recorder's decisions, pure: `step(state, event, parameters) -> (state, actions)`.

Handlers write what an event says into the state (handlers.py); then rules compare what is with what must be and ask
for actions until they agree (rules.py). So a promise such as "dark only after the microphone is closed" stands in one
rule, whatever led there. Time, randomness and every look at the world come in events.
"""

from __future__ import annotations

from .actions import Action
from .events import AnyEvent
from .handlers import handle
from .rules import apply_rules, deadline
from .state import Parameters, State
from .transition import Transition

__all__ = ["Parameters", "State", "deadline", "step"]


def step(state: State, event: AnyEvent, parameters: Parameters) -> tuple[State, tuple[Action, ...]]:
    """Return the state after `event`, and what is to be done, in this order."""
    transition = Transition(state.at(event.now_ns), parameters)
    handle(transition, event)
    apply_rules(transition)
    return transition.state, tuple(transition.actions)
