"""`plainsight lamps-out`: what the unit does when the recorder is gone, however it went (ExecStopPost)."""

from __future__ import annotations

from ..panel.choose import make_panel
from ..settings import load
from .options import parser


def main(arguments: list[str] | None = None) -> int:
    """Put lamp, microphone supply and lights out. Raises PlainSightError if that is not possible."""
    options = parser(
        "lamps-out",
        "Put the red lamp, the microphone's supply and the other lights out.",
        "For when no recorder runs: lines keep their state when a process is killed.",
    ).parse_args(arguments)
    panel = make_panel(load(options.config))
    # claiming the lines made them dark; a simulated panel is told
    panel.set_red(False)
    panel.set_green("off")
    panel.set_amber("off")
    panel.close()
    return 0
