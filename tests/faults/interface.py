"""Requests that are drawn from the description of the archive's interface: `./deploy/faults --interface 300 --json`.

schemathesis draws good and bad requests of each operation of docs/openapi.json; each is sent as a box or as a stranger,
about a recording that is there or that is not. Nothing may answer 5xx, and every answer must be described.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

EPILOG = """Exit status: 0 if everything held, 1 if something did not, 2 if an argument is wrong.

example:
  ./deploy/faults --interface 300 --json
  ./deploy/faults --interface 50 --seed 7
"""


@dataclass(frozen=True)
class InterfaceReport:
    """What came of every request."""

    requests: int
    """How many were sent."""
    statuses: dict[str, int]
    """Answers by status."""
    held: bool
    """Whether everything held."""
    seconds: float
    """How long it took."""
    seed: int
    """What the requests were drawn from."""
    problems: list[str]
    """What did not hold, in words."""


def run(examples: int, seed: int) -> InterfaceReport:
    """Send so many requests of each operation and kind to an archive of its own."""
    from tests.support.archives import archive_in, template  # noqa: PLC0415 - it sets Django up

    template()
    from tests.archive.openapi.requests import Drawing, send  # noqa: PLC0415 - they import models
    from tests.archive.page_fixtures import seal_one, send_one  # noqa: PLC0415 - the same

    began = time.monotonic()
    logging.disable(logging.CRITICAL)
    with TemporaryDirectory(prefix="interface-") as folder, archive_in(Path(folder) / "archive") as archive:
        spool = Path(folder) / "spool"
        known = {
            "sealed": seal_one(archive, spool, seconds=1).id,
            "receiving": send_one(archive, spool, seconds=1, reason=None).id,
            "with-a-tail": send_one(archive, spool, seconds=1, reason="interrupted", tail=2).id,
        }
        seen = send(archive, known, Drawing(examples, seed))
    return InterfaceReport(
        requests=seen.requests,
        statuses={str(status): count for status, count in sorted(seen.statuses.items())},
        held=not seen.problems,
        seconds=round(time.monotonic() - began, 1),
        seed=seed,
        problems=seen.problems,
    )


def main(arguments: list[str]) -> int:
    """Run the campaign, say what was found, return the exit status."""
    parser = argparse.ArgumentParser(
        prog="deploy/faults --interface",
        description="Send drawn requests to the archive's interface for programs.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("examples", type=int, help="how many of each operation and kind")
    parser.add_argument("--seed", type=int, default=1, help="what they are drawn from (default: 1)")
    parser.add_argument("--json", action="store_true", help="print the report as one JSON object")
    options = parser.parse_args(arguments)
    if options.examples < 1:
        parser.error("--interface is at least 1")
    report = run(options.examples, options.seed)
    if options.json:
        print(json.dumps(asdict(report)))
    else:
        for name, value in asdict(report).items():
            print(f"{name}: {value}")
    return 0 if report.held else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
