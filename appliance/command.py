"""The `plainsight` command: finds the part that a subcommand names, and imports nothing else."""

from __future__ import annotations

import errno
import importlib
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Final, cast

from .contract.errors import PlainSightError
from .contract.standard_output import BROKEN_PIPE, flush_output, nobody_reads

SUBCOMMANDS: Final[dict[str, tuple[str, str]]] = {
    "recorder": ("appliance.recorder.commissioning.service", "run the recorder: button, lamp, microphone"),
    "courier": ("appliance.courier.command", "run the courier: status and uploads"),
    "enroll": ("appliance.enrollment.command", "make a new box known to its archive, with a one-time claim"),
    "renew": ("appliance.enrollment.renewal", "renew this box's certificate when it is time"),
    "commission": ("appliance.recorder.commissioning.command", "try a new box with its installer, and sign the result"),
    "doctor": ("appliance.recorder.doctor.command", "check a box without opening its microphone"),
    "idle": ("appliance.recorder.doctor.idle", "wait until the box records nothing"),
    "card": ("appliance.card.command", "prepare a card with Raspberry Pi OS for a new box"),
    "close": ("appliance.recorder.writer.command", "close what a dead board left open, so that it can be sent"),
    "boot-files": ("appliance.boot_files.command", "bring this box's boot files up to date"),
    "read-only-root": ("appliance.read_only_root.command", "make the root of a box read-only"),
    "lamps-out": ("appliance.recorder.panel.lamps_out", "put the lamp and the microphone's supply out"),
    "verify": ("appliance.verify.command", "check a sealed package, offline"),
    "simulator": ("appliance.simulator.main", "run a front panel and a microphone without hardware"),
}
"""Subcommand: module with `main(arguments) -> exit status`, and what it is for."""
DEFECT: Final = 70
"""Exit status of a defect (EX_SOFTWARE of sysexits.h)."""


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
            "Each subcommand has --help. Also: plainsight --version",
        ]
    )


def main(arguments: list[str] | None = None) -> int:
    """Run one subcommand and return its exit status: 2 for anything wrong with the arguments, 70 for a defect."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if sys.stdout is None:
        # closed by whoever started it
        sys.stdout = open(os.devnull, "w")  # noqa: PTH123, SIM115 - pathlib is not imported here, and it stays open
    try:
        status = _run(arguments)
    except BrokenPipeError:
        # whoever read has enough; a connection that broke is a defect of the part
        status = BROKEN_PIPE if nobody_reads() else _defect()
    except KeyboardInterrupt:
        status = 130
    except PlainSightError as error:
        where = f" [{error.field}]" if error.field else ""
        status = _refuse(f"plainsight {arguments[0]}:{where} {error.message}")
    except ModuleNotFoundError as error:
        status = _refuse(
            f"plainsight {arguments[0]}: the package {error.name!r} is not installed; "
            "install the extra for this part: plainsight[box], plainsight[archive] or plainsight[simulator]"
        )
    except SystemExit as error:
        # argparse's, after --help or a wrong argument
        status = error.code if isinstance(error.code, int) else 0
    except OSError as error:
        full = error.errno in {errno.ENOSPC, errno.EDQUOT} and error.filename is None
        status = _refuse_output(error) if full else _defect()
    except Exception:  # noqa: BLE001 - Python's own status, 1, would say that a package was tampered with
        status = _defect()
    return _flush(status)


def _run(arguments: list[str]) -> int:
    if arguments in (["--help"], ["-h"]):
        print(usage())
        return 0
    if arguments in (["--version"], ["-V"]):
        print(importlib.import_module("appliance.contract.version").software())
        return 0
    if not arguments or arguments[0] not in SUBCOMMANDS:
        return _refuse(f"plainsight: {_unknown(arguments)}\n\n{usage()}")
    module = importlib.import_module(SUBCOMMANDS[arguments[0]][0])
    return cast("Callable[[list[str]], int]", module.main)(arguments[1:])


def _unknown(arguments: list[str]) -> str:
    if not arguments:
        return "a subcommand is missing"
    # imported here, because lamps-out imports next to nothing
    close = importlib.import_module("difflib").get_close_matches(arguments[0].lower(), SUBCOMMANDS, n=1)
    return f"there is no subcommand {arguments[0]!r}" + (f"; did you mean {close[0]!r}?" if close else "")


def _defect() -> int:
    sys.excepthook(*sys.exc_info())
    _tell("plainsight: this is a defect of the program; please report the lines above")
    return DEFECT


def _refuse_output(error: OSError) -> int:
    return _refuse(f"plainsight: cannot write the result: {error.strerror}; name another place for it")


def _refuse(text: str) -> int:
    _tell(text)
    return 2


def _tell(text: str) -> None:
    with suppress(BrokenPipeError):
        # the status stands, whether or not anybody reads why; Python's own, 1, would be a verdict
        print(text, file=sys.stderr)


def _flush(status: int) -> int:
    """Return `status`, or 2 if the result could not be written; a reader that has gone is nobody's mistake."""
    error = flush_output()
    return status if error is None or isinstance(error, BrokenPipeError) else _refuse_output(error)


if __name__ == "__main__":
    sys.exit(main())
