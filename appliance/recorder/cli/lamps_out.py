"""`plainsight lamps-out`: what the unit does when the recorder is gone, however it went (ExecStopPost)."""

from __future__ import annotations

from appliance.recorder.panel.choose import lamps_out
from appliance.recorder.settings import load

from .options import parser


def main(arguments: list[str] | None = None) -> int:
    """Put lamp, microphone supply and lights out. Raises PlainSightError if that is not possible."""
    options = parser(
        "lamps-out",
        "Put the red lamp, the microphone's supply and the other lights out.",
        "For when no recorder runs: lines keep their state when a process is killed.",
    ).parse_args(arguments)
    lamps_out(load(options.config))
    return 0
