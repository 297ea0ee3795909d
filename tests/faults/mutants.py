"""Conditions broken one at a time: `./deploy/faults --mutants --json`.

In the modules that hold the promises one comparison is turned, one `and` becomes `or`, one raise or early return is
left out, or one check is made always true or false; then the tests that run this line are run, the quickest first, up
to the first that fails. All this happens in copies of the tree. What came of it is remembered (`--state`), so that a
call goes on where the last one stopped.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from tests.support.mutants import campaign
from tests.support.mutants.campaign import Memory, Outcome, Survivor
from tests.support.mutants.workshop import BrokenBaselineError

AT_LEAST = 0.95
"""The share that must be noticed."""


def report(outcomes: list[Outcome], left: int, reasons: list[Survivor]) -> dict[str, Any]:
    """What came of it, for a machine; `held` is whether enough was noticed and each survivor has its reason."""
    known = {(one.module, one.function, one.before, one.after): one.reason for one in reasons}
    missed = [
        {
            "module": one.module, "function": one.function, "line": one.line, "before": one.before, "after": one.after,
            "reason": known.get((one.module, one.function, one.before, one.after), ""),
        }
        for one in outcomes if not one.noticed
    ]  # fmt: skip
    noticed = sum(one.noticed for one in outcomes)
    share = noticed / len(outcomes) if outcomes else 0.0
    tried, found = Counter(one.target for one in outcomes), Counter(one.target for one in outcomes if one.noticed)
    return {
        "tried": len(outcomes),
        "left": left,
        "noticed": noticed,
        "share": round(share, 4),
        "targets": {name: {"tried": count, "noticed": found[name]} for name, count in tried.items()},
        "modules": campaign.by_module(outcomes),
        "missed": missed,
        "held": bool(outcomes) and share >= AT_LEAST and all(one["reason"] for one in missed),
    }


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="deploy/faults --mutants", description=__doc__)
    parser.add_argument(
        "--module", default="", metavar="TEXT", help="only modules whose path contains TEXT, or a target's name"
    )
    parser.add_argument(
        "--sample",
        type=int,
        default=1 << 30,
        metavar="N",
        help="about so many, drawn by --seed, each module in proportion and at least two of it; else all",
    )
    parser.add_argument("--seed", type=int, default=1, help="which sample is drawn")
    parser.add_argument("--nice", type=int, default=19, help="how much it yields to other work, 0 to 19")
    parser.add_argument("--minutes", type=float, default=30.0, help="stop beginning new ones after so long")
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "plainsight"
    parser.add_argument("--workers", type=int, default=2, metavar="N", help="so many at a time")
    parser.add_argument(
        "--state", type=Path, default=cache / "mutants", help="the folder where outcomes are remembered"
    )
    parser.add_argument("--json", action="store_true", help="print the report as one JSON object")
    return parser


def main(arguments: list[str]) -> int:
    """Run the campaign; return 0 if at least 95 % was noticed and each survivor has a reason."""
    options = _parser().parse_args(arguments)
    chosen = campaign.sample(campaign.jobs(options.module), options.sample, options.seed)
    if not chosen:
        print(f"deploy/faults: no module and no target is called {options.module!r}", file=sys.stderr)
        return 2

    def tell(outcome: Outcome) -> None:
        word = f"noticed by {outcome.by}" if outcome.noticed else "MISSED"
        change = f"{outcome.before} -> {outcome.after}"
        print(f"{outcome.seconds:5.1f} s {outcome.module}:{outcome.line} {change[:120]}: {word}", file=sys.stderr)

    os.nice(options.nice)
    # a call that is ended takes its copies of the tree with it
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    with tempfile.TemporaryDirectory(prefix="plainsight-mutants-", dir=_memory()) as folder:
        until_s = time.monotonic() + 60 * options.minutes
        try:
            outcomes, left = campaign.run(
                chosen, Memory(options.state), Path(folder), until_s, tell, workers=max(1, options.workers)
            )
        except BrokenBaselineError as error:
            print(f"deploy/faults: {error}", file=sys.stderr)
            return 1
    found = report(outcomes, left, campaign.survivors())
    if options.json:
        print(json.dumps(found, indent=1))
    else:
        print(f"{found['noticed']} of {found['tried']} noticed, {left} left for the next call")
    return 0 if found["held"] and not left else 1


def _memory() -> str | None:
    """Where files need no disk: the tests fsync a great deal."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
