"""The `plainsight` command: finds the part that a subcommand names, and imports nothing else."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from typing import Final, cast

from .contract.errors import PlainSightError

SUBCOMMANDS: Final[dict[str, tuple[str, str]]] = {
    "recorder": ("appliance.recorder.supervisor.command", "run the recorder: button, lamp, microphone"),
    "courier": ("appliance.courier.cli", "run the courier: status and uploads"),
    "commission": ("appliance.recorder.commissioning.command", "try a new box with its installer, and sign the result"),
    "doctor": ("appliance.recorder.doctor.command", "check a box without opening its microphone"),
    "lamps-out": ("appliance.recorder.panel.lamps_out", "put the lamp and the microphone's supply out"),
    "verify": ("appliance.verify.command", "check a sealed package, offline"),
    "simulator": ("appliance.simulator.main", "run a front panel and a microphone without hardware"),
}
"""Subcommand: module with `main(arguments) -> exit status`, and what it is for."""


def usage() -> str:
    """Return the help text."""
    width = max(map(len, SUBCOMMANDS))
    lines = [f"  {name:<{width}}  {purpose}" for name, (_, purpose) in SUBCOMMANDS.items()]
    return "\n".join(
        [
            "usage: plainsight SUBCOMMAND [ARGUMENTS]",
            "",
            *lines,
            "",
            "example: plainsight verify meeting.zip --keys keyring.json",
            "Each subcommand has --help.",
        ]
    )


def main(arguments: list[str] | None = None) -> int:
    """Run one subcommand and return its exit status: 2 for anything wrong with the arguments."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if arguments in (["--help"], ["-h"]):
        print(usage())
        return 0
    if not arguments or arguments[0] not in SUBCOMMANDS:
        wrong = f"there is no subcommand {arguments[0]!r}" if arguments else "a subcommand is missing"
        print(f"plainsight: {wrong}\n\n{usage()}", file=sys.stderr)
        return 2
    try:
        module = importlib.import_module(SUBCOMMANDS[arguments[0]][0])
        return cast("Callable[[list[str]], int]", module.main)(arguments[1:])
    except PlainSightError as error:
        where = f" [{error.field}]" if error.field else ""
        print(f"plainsight {arguments[0]}:{where} {error.message}", file=sys.stderr)
        return 2
    except ModuleNotFoundError as error:
        print(
            f"plainsight {arguments[0]}: the package {error.name!r} is not installed; "
            "install the extra for this part: plainsight[box], plainsight[archive] or plainsight[simulator]",
            file=sys.stderr,
        )
        return 2
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
