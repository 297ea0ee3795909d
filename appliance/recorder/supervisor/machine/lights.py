"""What green and amber show for a state. rules.py switches red, because the microphone depends on it."""

from __future__ import annotations

from appliance.contract import amber_codes
from appliance.contract.status import Light

from .actions import SetAmber, SetGreen
from .transition import Transition


def show(transition: Transition) -> None:
    """Ask for green and amber as they must be now."""
    state = transition.state
    green = green_light(transition)
    count = amber_codes.blinks(state.faults)
    amber: tuple[Light, int] = ("slow", count) if count else ("off", 0)
    if green != state.green:
        transition.set(green=green)
        transition.do(SetGreen(green))
    if amber != state.amber:
        transition.set(amber=amber)
        transition.do(SetAmber(*amber))


def green_light(transition: Transition) -> Light:
    """Return what green says: ready, safe, paused or about to end (promise 2)."""
    state = transition.state
    if state.phase == "idle":
        return "on"
    if state.phase == "paused":
        return "slow"
    if state.phase != "recording" or not state.safe(transition.parameters):
        return "off"
    # about to end is told only where safe would be told: what is not safe goes out, whatever else there is to say
    return "slow" if state.warned else "on"
