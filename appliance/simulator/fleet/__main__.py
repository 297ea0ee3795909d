"""The fleet's command line (`deploy/fleet`)."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

EXAMPLE = """examples:
  deploy/fleet --boxes 20 --recording 5 --minutes 1                   a small one; it installs what it needs itself
  deploy/fleet --boxes 10000 --recording 200 --minutes 5 --json       a state's boxes, 200 of which record
  deploy/fleet --boxes 200 --recording 200 --scenario worst-minute    every meeting ends at the same moment
  deploy/fleet --boxes 50 --recording 50 --scenario monday            a week's meetings, when the network is back
  deploy/fleet --boxes 2000 --recording 0 --scenario storm            the broker is started again in the middle

Boxes and archive run on this machine, and everything is on its loopback: what the fleet itself uses is told as a part
of its own. A box takes about 0.4 MB of memory and a recording minute 6 MB of disk, twice, until its receipt.
"""


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command's arguments. It needs nothing but the standard library."""
    made = argparse.ArgumentParser(
        prog="deploy/fleet",
        description="Drive the code of many couriers against a real archive and a real broker with TLS and an access "
        "list, and print throughput, lag, CPU and memory of each part, what was lost, and the cost of a thousand "
        "rooms. Ends with 0 if nothing was lost.",
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("--boxes", type=int, default=100, help="boxes in all (default: %(default)s)")
    made.add_argument("--recording", type=int, default=10, help="boxes of these that record (default: %(default)s)")
    made.add_argument(
        "--minutes",
        type=float,
        default=1.0,
        help="how long; of monday: audio in the backlog of each recording box (default: %(default)s)",
    )
    made.add_argument(
        "--scenario",
        choices=("day", "monday", "worst-minute", "storm"),
        default="day",
        help="what happens (default: %(default)s)",
    )
    made.add_argument("--postgresql", action="store_true", help="an archive on PostgreSQL instead of SQLite")
    made.add_argument("--probe", type=float, default=15.0, metavar="SECONDS", dest="probe_s",
                      help="how often an idle courier asks for the archive (default: 15, as on a box)")  # fmt: skip
    made.add_argument("--drain", type=float, default=10.0, metavar="MINUTES", dest="drain_minutes",
                      help="how long receipts may take after the end (default: %(default)s)")  # fmt: skip
    made.add_argument("--json", action="store_true", help="print the result as one JSON object")
    made.add_argument("--keep", metavar="DIR", type=Path, help="keep everything in this new folder")
    return made


def main(arguments: list[str] | None = None) -> int:
    """Run the fleet and return the exit status: 0 if nothing was lost, 2 for wrong arguments."""
    options = parser().parse_args(arguments)
    # only now, so that --help works where nothing is installed
    from .running import run  # noqa: PLC0415

    return run(options)


if __name__ == "__main__":
    sys.exit(main())
