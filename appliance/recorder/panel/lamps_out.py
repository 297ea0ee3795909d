"""`plainsight lamps-out`: what the unit does when the recorder is gone, however it went (ExecStopPost).

It reads its arguments by hand: argparse alone would take longer to import than all of its work.
"""

from __future__ import annotations

import sys

from .dark import lights_out

DEFAULT = "/etc/plainsight/recorder.toml"
USAGE = f"""usage: plainsight lamps-out [--config FILE]

Put the red lamp, the microphone's supply and the other lights out. For when no recorder runs: lines keep their state
when a process is killed.

  --config FILE  settings file (default: {DEFAULT})

example: plainsight lamps-out --config {DEFAULT}
"""


def main(arguments: list[str] | None = None) -> int:
    """Put lamp, microphone supply and lights out. Raises PlainSightError if that is not possible."""
    match sys.argv[1:] if arguments is None else arguments:
        case []:
            lights_out(DEFAULT)
        case ["--config", path]:
            lights_out(path)
        case ["--help" | "-h"]:
            sys.stdout.write(USAGE)
        case [option] if option.startswith("--config="):
            lights_out(option.removeprefix("--config="))
        case _:
            sys.stderr.write(USAGE)
            return 2
    return 0
