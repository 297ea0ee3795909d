"""Real storage faults at full length: `./deploy/faults --storage --json` (needs root).

Whole recorders with the settings of the field, each on a disk that fails in its own way: full, shut down, read-only,
frozen, gone, or through a preloaded shim. Everything is judged from outside: the panel's log tells when amber came, the
shim's log when the first call failed or hung, and after mending every acknowledged frame is compared with what the
microphone gave. The everyday suite does the same with shorter times.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.support.storage import campaign
from tests.support.storage.faults import ALL
from tests.support.storage.scenario import FULL, SHORT, Fault, Result
from tests.support.storage.shim import CannotError

Progress = Callable[[str], None]
EPILOG = """Exit status: 0 if everything held, 1 if something did not, 2 if an argument is wrong. Faults that this
machine cannot make are named and count as not tried.

example:
  ./deploy/faults --storage --json
  ./deploy/faults --storage --only "one fsync slow" --only "fsync for ever"
"""


@dataclass(frozen=True)
class StorageReport:
    """What came of every fault."""

    results: list[Result]
    """Faults that were tried."""
    failed: dict[str, str]
    """Faults that did not even come to their end, and why."""
    skipped: dict[str, str]
    """Faults that this machine cannot make, and why."""
    held: bool
    """Whether the promises held under every fault that was tried."""
    worst_detection_s: float
    """The longest time from a first failed or overdue call to amber."""
    seconds: float
    """How long it all took."""


def run(progress: Progress, *, short: bool = False, faults: Sequence[Fault] = ALL) -> StorageReport:
    """Play the faults, several at a time."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="disks-") as folder:
        outcomes = campaign.run(faults, SHORT if short else FULL, Path(folder), progress)
    results = [outcome for outcome in outcomes.values() if isinstance(outcome, Result)]
    skipped = {name: str(outcome) for name, outcome in outcomes.items() if isinstance(outcome, CannotError)}
    failed = {
        name: str(outcome) for name, outcome in outcomes.items() if not isinstance(outcome, (Result, CannotError))
    }
    return StorageReport(
        results,
        failed,
        skipped,
        held=not failed and bool(results) and all(result.held for result in results),
        worst_detection_s=max((r.detection_s for r in results if r.outcome != "refused"), default=0.0),
        seconds=round(time.monotonic() - began, 1),
    )


def main(arguments: list[str]) -> int:
    """Run the campaign, print its table, return the exit status."""
    parser = argparse.ArgumentParser(
        prog="deploy/faults --storage",
        description="Let real disks fail under whole recorders, with the settings of the field.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--only", action="append", metavar="FAULT", help="try only this one; may be given again")
    parser.add_argument("--short", action="store_true", help="use the everyday suite's shorter times")
    parser.add_argument("--json", action="store_true", help="print the report as one JSON object")
    options = parser.parse_args(arguments)
    known = {fault.name: fault for fault in ALL}
    if unknown := [name for name in options.only or [] if name not in known]:
        parser.error(f"there is no fault {unknown[0]!r}; there are: {', '.join(known)}")
    chosen = [known[name] for name in options.only] if options.only else ALL

    def say(what: str) -> None:
        sys.stderr.write(f"{what}\n")

    report = run(say, short=options.short, faults=chosen)
    if options.json:
        rows = [{**asdict(result), "held": result.held} for result in report.results]
        print(json.dumps({**asdict(report), "results": rows}))
    else:
        _table(report)
    return 0 if report.held else 1


def _table(report: StorageReport) -> None:
    print(
        "| fault | amber after, s | dark after, s | what became of the recording | acknowledged, s | lost, s | held |"
    )
    print("|---|---|---|---|---|---|---|")
    for one in report.results:
        dark = "-" if one.dark_s is None else f"{one.dark_s:.1f}"
        held = "yes" if one.held else "; ".join(one.problems)
        seconds = f"{one.acknowledged_s:.1f} | {one.lost_s:g}"
        print(f"| {one.fault} | {one.detection_s:.1f} | {dark} | {one.outcome} | {seconds} | {held} |")
    for name, why in report.failed.items():
        print(f"{name} did not come to its end: {why}")
    for name, why in report.skipped.items():
        print(f"{name} was not tried: {why}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
