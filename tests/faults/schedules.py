"""Schedules in number: `./deploy/faults --schedules 10000 --json`.

Hypothesis draws what happens to a simulated box around the pure core: presses, pauses, unplugging, stalls, lamps that
break, disks that hang, refuse and fill, kills, clock steps. The invariants are checked after every event. A
schedule that fails is made as short as possible and written down as a script that replays it without hypothesis. The
everyday suite runs 300 of the same schedules.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.support.schedules.schedule import Schedule

ROOT = Path(__file__).resolve().parents[2]
_BATCH = 2000
"""Schedules of one run of hypothesis, whose memory of what it tried grows with each."""
_STEPS = 25
_HEAD = '"""A schedule that failed:'
EPILOG = """Exit status: 0 if every schedule held, 1 if one did not, 2 if an argument is wrong.

example:
  ./deploy/faults --schedules 10000 --json
  ./deploy/faults --schedules 500 --seed 7
  ./deploy/faults --replay SCRIPT      a schedule that failed, once more
"""


@dataclass(frozen=True)
class ScheduleReport:
    """What came of the schedules."""

    schedules: int
    """Schedules that ran, the failing one included; attempts to shorten it do not count."""
    held: int
    """Schedules in which every promise held at every step."""
    seconds: float
    """How long it took."""
    seed: int
    """What the schedules were drawn from."""
    reached: dict[str, int]
    """In how many schedules a state, an amber code, or an end by some reason was reached."""
    failure: str | None = None
    """What did not hold, in words."""
    script: str | None = None
    """A script that replays the failing schedule."""
    script_path: str | None = None
    """Where that script was written."""


@dataclass
class _Tally:
    """Counts schedules until the first one that fails."""

    ran: int = 0
    failed: Schedule | None = None
    reached: Counter[str] = field(default_factory=Counter)


def script(schedule: Schedule, failure: str) -> str:
    """Return a schedule's steps as a script."""
    what = failure.splitlines()[0].replace("\\", "\\\\").replace('"""', "'''")
    steps = "\n".join(f"schedule.{step}" for step in schedule.steps)
    return (
        f'{_HEAD} {what}"""\n\nimport sys\n\nsys.path.insert(0, {str(ROOT)!r})\n\n'
        "from tests.support.schedules.schedule import Schedule\n\n"
        f'schedule = Schedule()\n{steps}\nprint("it held")\n'
    )


def run(count: int, drawn_from: int, progress: Callable[[str], None] = lambda _: None) -> ScheduleReport:
    """Run so many schedules, or until one fails."""
    began = time.monotonic()
    tally = _Tally()

    class Counted(Schedule):
        """Tells how it ended."""

        def teardown(self) -> None:
            try:
                super().teardown()
            finally:
                # hypothesis begins a few more than it is asked for, and gives them up half-way
                if tally.failed is None and tally.ran < count and hasattr(self, "world"):
                    tally.ran += 1
                    tally.reached.update(self.world.invariants.reached)
                if not self.held:
                    # the last one that fails is the shortest
                    tally.failed = self

    batch = 0
    while tally.ran < count:
        wanted = min(_BATCH, count - tally.ran)
        try:
            # the same seed gives the same schedules, each batch others
            run_state_machine_as_test(
                seed(drawn_from * 1_000_003 + batch)(Counted),
                settings=settings(
                    max_examples=wanted,
                    stateful_step_count=_STEPS,
                    deadline=None,
                    database=None,
                    phases=[Phase.generate, Phase.shrink],
                    report_multiple_bugs=False,
                    print_blob=False,
                    suppress_health_check=list(HealthCheck),
                ),
            )
        except Exception as error:
            if tally.failed is None:
                raise
            return _failed(tally, error, drawn_from, began)
        batch += 1
        progress(f"{tally.ran} of {count} schedules held, {time.monotonic() - began:.0f} s")
    reached = dict(sorted(tally.reached.items()))
    return ScheduleReport(tally.ran, tally.ran, round(time.monotonic() - began, 1), drawn_from, reached)


def _failed(tally: _Tally, error: Exception, drawn_from: int, began: float) -> ScheduleReport:
    assert tally.failed is not None
    failure = f"{type(error).__name__}: {error}"
    text = script(tally.failed, failure)
    with tempfile.NamedTemporaryFile("w", prefix="schedule-", suffix=".py", delete=False) as file:
        file.write(text)
    return ScheduleReport(
        tally.ran,
        tally.ran - 1,
        round(time.monotonic() - began, 1),
        drawn_from,
        dict(sorted(tally.reached.items())),
        failure,
        text,
        file.name,
    )


def replay(path: Path) -> int:
    """Run a script that `run` wrote; return the exit status."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        sys.stderr.write(f"cannot read {path}: {error.strerror}; name the script that a failing campaign wrote\n")
        return 2
    except UnicodeDecodeError:
        text = ""
    if not text.startswith(_HEAD):
        sys.stderr.write(f"{path} is no schedule; name the script that a failing campaign wrote\n")
        return 2
    try:
        exec(compile(text, str(path), "exec"), {"__name__": "__main__"})
    except AssertionError as error:
        print(f"it failed: {error}")
        return 1
    except (SyntaxError, NameError, AttributeError, TypeError, ImportError) as error:
        sys.stderr.write(f"{path} does not run: {error}; write it again with --schedules\n")
        return 2
    return 0


def main(arguments: list[str]) -> int:
    """Run the campaign, say what was found, return the exit status."""
    parser = argparse.ArgumentParser(
        prog="deploy/faults --schedules",
        description="Run many schedules of everything that can happen against the recorder's pure core.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("schedules", type=int, help="how many")
    parser.add_argument("--seed", type=int, default=1, help="what they are drawn from (default: 1)")
    parser.add_argument("--json", action="store_true", help="print the report as one JSON object")
    options = parser.parse_args(arguments)
    if options.schedules < 1:
        parser.error("--schedules is at least 1")

    def say(what: str) -> None:
        sys.stderr.write(f"{what}\n")
        sys.stderr.flush()

    report = run(options.schedules, options.seed, say)
    if options.json:
        print(json.dumps(asdict(report)))
    else:
        print(f"{report.held} of {report.schedules} schedules held, {report.seconds} s, seed {report.seed}")
        if report.script is not None:
            print(f"{report.failure}\n\n{report.script}")
    if report.script_path is not None:
        say(f"the schedule that failed is in {report.script_path}; replay it with --replay {report.script_path}")
    return 0 if report.failure is None else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
