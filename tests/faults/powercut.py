"""Power cuts in full: `./deploy/faults --powercuts --json`.

The real writer's code makes a short recording, once on a disk that works and once on one that refuses calls. The power
is cut after every call of the writer, after every call of the recovery of each disk that this leaves, and after the
recovery of a writer that was killed at any call; bytes and names that were not synced are lost, kept or torn in many
ways. The real recovery and the real check must hold promise 3 on every one. The everyday suite tries a part of it.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

from tests.support.powercut import workload
from tests.support.powercut.campaign import Campaign
from tests.support.powercut.layouts import many, some

Progress = Callable[[str], None]
EPILOG = """Exit status: 0 if the promise held on every disk, 1 if not.

example:
  ./deploy/faults --powercuts --json
  ./deploy/faults --powercuts --seed 7 --every 20
"""


@dataclass(frozen=True)
class PowercutReport:
    """What was tried, and whether promise 3 held."""

    cuts: int
    """Instants at which the power was cut."""
    layouts: int
    """Different disks that these left, each recovered, checked, and recovered again."""
    held: bool
    """Whether promise 3 held on every one of them."""
    seconds: float
    """How long it took."""
    seed: int
    """What the drawn layouts follow from; the same seed gives the same."""
    broken: list[str]
    """Disks on which it did not hold, in words; at most 20 a recording."""


def run(progress: Progress, seed: int, every: int = 4) -> PowercutReport:
    """Try everything; `every` says which of the writer's layouts have their recovery cut as well (1: all)."""
    began, cuts, layouts = time.monotonic(), 0, 0
    broken: list[str] = []
    with tempfile.TemporaryDirectory(prefix="power-cuts-") as folder:
        for name, make, choose in (
            ("a disk that works", workload.plain, many),
            ("a disk that refuses calls", workload.troubled, some),
        ):
            campaign = Campaign(make(Path(folder) / make.__name__), choose, seed, Path(folder))
            stages: list[tuple[str, Callable[[], None]]] = [
                ("the writer", campaign.cut_the_writer),
                ("recovery after a kill", campaign.cut_after_kills),
                ("recovery after a cut", partial(campaign.cut_recoveries, every)),
            ]
            for stage, work in stages:
                work()
                tally = campaign.tally
                progress(f"{name}, cuts of {stage}: {tally.layouts} disks so far, {len(tally.broken)} broken")
            cuts, layouts = cuts + campaign.tally.cuts, layouts + campaign.tally.layouts
            broken += campaign.tally.broken
            campaign.close()
    return PowercutReport(cuts, layouts, not broken, round(time.monotonic() - began, 1), seed, broken)


def main(arguments: list[str]) -> int:
    """Run the campaign, say what was found, return the exit status."""
    parser = argparse.ArgumentParser(
        prog="deploy/faults --powercuts",
        description="Cut the power after every disk call of the writer and of recovery.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--seed", type=int, default=1, help="what drawn layouts follow from (default: 1)")
    parser.add_argument(
        "--every", type=int, default=4, help="cut the recovery of every N-th layout of the writer (default: 4)"
    )
    parser.add_argument("--json", action="store_true", help="print the report as one JSON object")
    options = parser.parse_args(arguments)
    if options.every < 1:
        parser.error("--every is at least 1")
    logging.disable(logging.CRITICAL)  # every refused call would be logged by the writer's own code

    def say(what: str) -> None:
        sys.stderr.write(f"{what}\n")

    report = run(say, options.seed, options.every)
    if options.json:
        print(json.dumps(asdict(report)))
    else:
        print(f"{report.cuts} power cuts left {report.layouts} different disks; promise 3 held: {report.held}")
        for problem in report.broken:
            print(f"  {problem}")
    return 0 if report.held else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
