"""The whole box in a virtual machine: `./deploy/vm-test` (docs/testing.md says what each row holds)."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Final

from appliance.simulator.speech import write_meeting

from .guest import GuestError, Machine
from .prepare import prepare
from .row import Row, progress
from .rows import changes, deaths, losses, meeting, power, read_only, watchdog
from .sound import MEETING_S
from .stage import Stage

ROWS: Final[dict[int, tuple[str, Callable[[Row, Stage], None]]]] = {
    1: ("meeting", meeting.run),
    2: ("losses", losses.run),
    3: ("deaths", deaths.run),
    4: ("power cuts", power.run),
    5: ("hardware watchdog", watchdog.run),
    6: ("changes", changes.run),
    7: ("read-only root", read_only.run),
}
EPILOG = """Exit status: 0 if everything held, 1 if not, 2 if an argument is wrong.

examples:
  ./deploy/vm-test --json              everything, from nothing if need be
  ./deploy/vm-test --quick             the meeting, from the snapshot of a ready box
  ./deploy/vm-test --rows 3,4 --cuts 3
"""


def rows(text: str) -> list[int]:
    """Return the rows that `1,4` names; raise ArgumentTypeError for one that there is not."""
    try:
        found = [int(part) for part in text.split(",")]
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not numbers with commas between them, such as 1,4") from error
    if unknown := set(found) - set(ROWS):
        raise argparse.ArgumentTypeError(f"there is no row {min(unknown)}; there are {', '.join(map(str, ROWS))}")
    return found


def cuts(text: str) -> int:
    """Return how many power cuts; raise ArgumentTypeError for nonsense."""
    if not text.isdigit() or not 1 <= int(text) <= 1000:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 to 1000")
    return int(text)


def parser() -> argparse.ArgumentParser:
    """Return the parser of the arguments."""
    made = argparse.ArgumentParser(
        prog="deploy/vm-test",
        description="Try the installed box and archive on a real kernel, under a real systemd, in a virtual machine.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("--rows", type=rows, default=list(ROWS), help="only these rows, such as 1,4")
    made.add_argument("--quick", action="store_true", help="only row 1")
    made.add_argument("--cuts", type=cuts, default=10, help="power cuts of row 4 (default: 10)")
    made.add_argument("--seed", type=int, default=1, help="of the random instants (default: 1)")
    made.add_argument("--json", action="store_true", help="print the table as one JSON object")
    made.add_argument("--keep", type=Path, help="a folder for console, journals and traces")
    for name, what in (("kernel", "kernel"), ("initrd", "initial RAM disk"), ("disk", "disk without our packages")):
        made.add_argument(f"--{name}", type=Path, required=True, help=f"the guest's {what} (deploy/vm-test gives it)")
    made.add_argument("--packages", type=Path, required=True, help="folder of the packages (deploy/vm-test gives it)")
    made.add_argument("--newer", type=Path, help="folder of newer packages (deploy/vm-test gives it)")
    made.add_argument("--ready", type=Path, required=True, help="the disk with the ready box, made if it is not there")
    return made


def main(arguments: list[str]) -> int:
    """Run the rows, print the table, return the exit status."""
    options = parser().parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="vm-", dir="/var/tmp") as temporary:
        folder = Path(temporary)
        if options.keep is not None:
            options.keep.mkdir(parents=True, exist_ok=True)
            folder = options.keep.absolute()
        table = run(options, folder)
    for row in table:
        print(f"{row.name}: {'held' if not row.failed else 'NOT HELD'}; {row.boots} boots, {row.seconds:.0f} s",
              file=sys.stderr)  # fmt: skip
    held = not any(row.failed for row in table)
    if options.json:
        print(json.dumps({"held": held, "rows": [asdict(row) for row in table]}, indent=1))
    return 0 if held else 1


def run(options: argparse.Namespace, folder: Path) -> list[Row]:
    """Prepare the box if need be, and run the rows that are asked for."""
    spoken = folder / "meeting.raw"
    write_meeting(spoken, MEETING_S)
    machine = Machine(options.kernel, options.initrd, folder)
    first = Row("0 set-up and enrollment")
    began = time.monotonic()
    try:
        prepared = prepare(machine, options.disk, options.packages, options.ready, spoken)
    except GuestError as error:
        first.hold(False, "the archive is set up and the box is enrolled and ready", error)
        return [first]
    first.held, first.failed, first.boots = prepared.held, prepared.failed, 1
    first.seconds = round(time.monotonic() - began, 1)
    table = [first]
    stage = Stage(machine, prepared, spoken, options.newer, options.cuts, options.seed)
    for number in [1] if options.quick else options.rows:
        name, do = ROWS[number]
        row = Row(f"{number} {name}")
        progress(f"row {row.name}")
        began = time.monotonic()
        try:
            do(row, stage)
        except AssertionError as error:
            row.hold(False, "it went to its end", error)
        row.seconds = round(time.monotonic() - began, 1)
        table.append(row)
    return table


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
