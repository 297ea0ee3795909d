"""What the three lights mean together, in words (docs/operator.md has the same table for people). Pure."""

from __future__ import annotations

from appliance.contract.status import Light

_RED = {
    ("on", False): "The room is being recorded, and the last seconds were read back and found right.",
    ("on", True): "The room is being recorded and safe. Something needs attention after the meeting.",
    ("slow", False): "The room is being recorded and safe. It will end by itself within a minute.",
    (
        "slow",
        True,
    ): "The room is being recorded and safe. It will end by itself within a minute, or as soon as there is no room.",
    ("off", False): "The room is being recorded. The first seconds are being checked.",
    ("off", True): "The room is being recorded, but not known to be safe. Take notes as well.",
}
_DARK = {
    ("on", False): "Ready. Nothing is recorded. Press to start.",
    ("on", True): "Ready, but something needs attention soon. Nothing is recorded. Press to start.",
    ("slow", False): "Paused. Nothing is recorded. Press to go on.",
    ("slow", True): "Paused. Nothing is recorded. Press to go on. Something needs attention.",
    ("off", False): "Starting, finishing a recording, or without power. Nothing is recorded.",
    ("off", True): "Not ready: a press may not record. Nothing is recorded.",
}


def meaning(red: bool, green: Light, amber: Light) -> str:
    """Return what a person in the room may conclude from the lights."""
    return (_RED if red else _DARK)[green, amber != "off"]
