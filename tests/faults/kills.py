"""Kills of real processes: `./deploy/faults --kills 200 --json`.

Whole recorders on the real ALSA test microphone. In each of many short meetings one of the supervisor, capture or the
writer is killed or stopped at a random instant, while an observer reads what is published as acknowledged; afterwards
that is compared, sample for sample, with what the spool holds. Lamp and device are judged by their own logs.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass

from appliance.contract.errors import DeviceError
from tests.support.kills import campaign
from tests.support.kills.rounds import Round

PROMISED_S = 2.0
"""At most so much is unacknowledged while an fsync takes under half a second (README, promise 3)."""
EPILOG = """Exit status: 0 if everything held, 1 if something did not, 2 if an argument is wrong or the machine
cannot build the test microphone.

example:
  ./deploy/faults --kills 200 --json
  ./deploy/faults --kills 20 --seed 7 --parallel 2
"""


@dataclass(frozen=True)
class KillReport:
    """What came of every strike."""

    kills: int
    """Meetings in which a process was struck."""
    acknowledged_s: float
    """Seconds of audio that were published as acknowledged."""
    lost_s: float
    """Seconds of it that were missing or wrong afterwards; must be 0."""
    max_unacknowledged_s: float
    """The most that was captured and not published as acknowledged at a strike, while the disk was quick; at most 2."""
    slow_disk: int
    """Strikes at which the disk was slow, which therefore say nothing about that."""
    max_closed_s: float
    """The longest from a kill, or from the supervisor's stop, to the device's being closed; at most 1."""
    lamp_uncovered: int
    """Times that a device was open outside every lit span, by the lamp's and the device's own logs; must be 0."""
    signals: dict[str, int]
    """Strikes by signal."""
    processes: dict[str, int]
    """Strikes by process."""
    whole_recorder_killed: int
    """Meetings in which the whole recorder was killed afterwards, or at once with its supervisor."""
    held: bool
    """Whether everything held."""
    seconds: float
    """How long it took."""
    seed: int
    """What the meetings were drawn from."""
    problems: list[str]
    """What did not hold, in words."""


def run(
    kills: int, seed: int, parallel: int, progress: Callable[[str], None] = lambda _: None
) -> tuple[KillReport, list[Round]]:
    """Play the meetings, on so many boxes at once."""
    began = time.monotonic()
    done = 0

    def told(seen: Round) -> None:
        nonlocal done
        done += 1
        for problem in seen.problems:
            progress(f"{seen.plan}: {problem}")
        if done % 10 == 0 or done == kills:
            progress(f"{done} of {kills} kills")

    rounds, broken = campaign.run(campaign.plans(kills, parallel, seed), seed, told)
    problems = [*broken, *(f"{seen.plan}: {problem}" for seen in rounds for problem in seen.problems)]
    unacknowledged = [seen.unacknowledged_s for seen in rounds if seen.unacknowledged_s is not None]
    worst = max(unacknowledged, default=0.0)
    if worst > PROMISED_S:
        problems.append(f"{worst:.2f} s were unacknowledged at a strike")
    plans = [seen.plan for seen in rounds]
    report = KillReport(
        kills=len(rounds),
        acknowledged_s=round(sum(seen.acknowledged_s for seen in rounds), 2),
        lost_s=sum(seen.lost_s for seen in rounds),
        max_unacknowledged_s=round(worst, 3),
        slow_disk=len(rounds) - len(unacknowledged),
        max_closed_s=round(max((seen.closed_s for seen in rounds if seen.closed_s is not None), default=0.0), 3),
        lamp_uncovered=sum(seen.uncovered for seen in rounds),
        signals=dict(Counter(plan.signal for plan in plans)),
        processes=dict(Counter(plan.process for plan in plans)),
        whole_recorder_killed=sum(
            plan.all_killed or (plan.process, plan.signal) == ("supervisor", "SIGKILL") for plan in plans
        ),
        held=not problems and len(rounds) == kills,
        seconds=round(time.monotonic() - began, 1),
        seed=seed,
        problems=problems,
    )
    return report, rounds


def main(arguments: list[str]) -> int:
    """Run the campaign, say what was found, return the exit status."""
    parser = argparse.ArgumentParser(
        prog="deploy/faults --kills",
        description="Kill processes of real recorders at random instants.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("kills", type=int, help="how many")
    parser.add_argument("--seed", type=int, default=1, help="what the meetings are drawn from (default: 1)")
    parser.add_argument("--parallel", type=int, default=4, help="boxes at once (default: 4)")
    parser.add_argument("--json", action="store_true", help="print the report as one JSON object")
    options = parser.parse_args(arguments)
    if options.kills < 1 or options.parallel < 1:
        parser.error("--kills and --parallel are at least 1")

    def say(what: str) -> None:
        sys.stderr.write(f"{what}\n")

    try:
        report, _ = run(options.kills, options.seed, options.parallel, say)
    except DeviceError as error:
        parser.error(error.message)
    if options.json:
        print(json.dumps(asdict(report)))
    else:
        for name, value in asdict(report).items():
            print(f"{name}: {value}")
    return 0 if report.held else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
