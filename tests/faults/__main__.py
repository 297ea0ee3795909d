"""The fault campaigns as one command: `./deploy/faults`. Each campaign is a module with `main(arguments) -> int`."""

from __future__ import annotations

import argparse
import importlib
import sys
from pathlib import Path

CAMPAIGNS = {
    "--schedules": ("schedules", "N", "so many schedules of anything in any order against the pure core"),
    "--kills": ("kills", "N", "so many kills of real processes, on the real ALSA test microphone"),
    "--unplugged": ("unplugged", "SECONDS", "the microphone taken away for so long each time, such as 5,40"),
    "--powercuts": ("powercut", None, "the power cut after every disk call of the writer and of recovery"),
    "--storage": ("storage", None, "whole recorders on real disks that fail (needs root)"),
    "--microphone": ("microphone", None, "detection of microphone faults on the whole test set"),
    "--interface": (
        "interface",
        "N",
        "so many drawn requests of each operation of the archive's interface for programs",
    ),
    "--mutants": ("mutants", None, "one condition broken at a time in what holds the promises: does a test notice?"),
    "--replay": ("schedules", "SCRIPT", "once more the schedule that a failing --schedules wrote down"),
}
EPILOG = """Give exactly one campaign. Its own arguments follow it, and `deploy/faults --kills 1 --help` tells them.
Progress goes to the standard error; with --json one JSON object goes to the standard output.
Exit status: 0 if every promise held, 1 if one did not, 2 if an argument is wrong.

examples:
  deploy/faults --schedules 10000 --json
  deploy/faults --kills 200 --json
  deploy/faults --unplugged 5,40 --json
  deploy/faults --powercuts --json
  deploy/faults --storage --json
  deploy/faults --microphone --json
  deploy/faults --interface 300 --json
  deploy/faults --mutants --json
"""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="deploy/faults",
        description="Try the promises against faults, by simulation and on real processes and disks.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        add_help=False,
        allow_abbrev=False,
    )
    which = parser.add_mutually_exclusive_group()
    for flag, (_, metavar, what) in CAMPAIGNS.items():
        if metavar is None:
            which.add_argument(flag, action="store_true", help=what)
        else:
            which.add_argument(flag, metavar=metavar, help=what)
    parser.add_argument("-h", "--help", action="store_true", help="show this, or a campaign's own help")
    return parser


def main(arguments: list[str]) -> int:
    """Run the one campaign that is asked for; return its exit status."""
    parser = _parser()
    options, rest = parser.parse_known_args(arguments)
    asked = {flag: getattr(options, flag.removeprefix("--")) for flag in CAMPAIGNS}
    chosen = [flag for flag, value in asked.items() if value not in (None, False)]
    if not chosen:
        if options.help:
            parser.print_help()
            return 0
        parser.error(f"name one campaign: {', '.join(CAMPAIGNS)}")
    flag = chosen[0]
    name, metavar, _ = CAMPAIGNS[flag]
    module = importlib.import_module(f"tests.faults.{name}")
    if flag == "--replay":
        if rest:
            parser.error(f"--replay takes nothing but the script, not {' '.join(rest)}")
        return int(module.replay(Path(asked[flag])))
    own = [*([asked[flag]] if metavar else []), *rest, *(["--help"] if options.help else [])]
    return int(module.main(own))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
