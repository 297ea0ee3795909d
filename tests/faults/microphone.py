"""Detection of microphone faults on the whole test set: `./deploy/faults --microphone --json`.

Spoken, noisy, musical and quiet-room material at several gains, each live and with each fault of a microphone, and
hours of a quiet room with pauses in speech of ten minutes. Prints the confusion table. The everyday suite tries a part.
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
from appliance.recorder.microphone_monitor import CODES
from tests.support.hearing.trials import WITHIN_S, Hours, Trial, hours, low_radio, table

Progress = Callable[[str], None]
RADIO_S = 1800
EPILOG = f"""Exit status: 0 if nothing false was said of a live microphone, every fault was found within
{WITHIN_S:.0f} s and as what it is, and no speech or radio was called quiet; 1 if not.

example:
  deploy/faults --microphone --json
  deploy/faults --microphone --hours 0.2 --seconds 30
"""


@dataclass(frozen=True)
class Row:
    """One truth, over all sounds and gains."""

    truth: str
    expected: str | None
    """The code that has to be said, or None for a live microphone."""
    trials: int
    said: dict[str, int]
    """In how many trials each code was said; `nothing`: none was."""
    slowest_s: float | None
    """The longest time from a fault's beginning to its code."""


@dataclass(frozen=True)
class MicrophoneReport:
    """What was said of what."""

    rows: list[Row]
    hours: list[Hours]
    """Long meetings with long pauses."""
    radio_quiet_s: int
    """The longest quiet that was called while a low radio played, in seconds."""
    false_alarms: int
    """Codes said of live microphones, hours included."""
    missed: int
    """Faults that were not found, or too late, or as something else, or not cleared."""
    held: bool
    seconds: float
    """How long it took."""
    wrong: list[Trial]
    """Trials that did not hold."""


def run(progress: Progress, *, seconds: int, quiet_s: int) -> MicrophoneReport:
    """Try everything: live sounds for `seconds` each, and `quiet_s` of a quiet room at three gains."""
    began = time.monotonic()
    trials = table(progress, seconds)
    long = []
    for number, gain_db in enumerate((0.0, -12.0, 12.0)):
        long.append(hours(gain_db, quiet_s, 300 + number))
        progress(f"{quiet_s / 3600:g} h of quiet room at gain {gain_db:+.0f} dB: {long[-1].false_alarms} false alarms")
    radio = max(low_radio(gain_db, RADIO_S, 400) for gain_db in (-12.0, 12.0))
    wrong = [trial for trial in trials if not trial.held]
    return MicrophoneReport(
        rows(trials),
        long,
        radio,
        false_alarms=sum(len(t.said) for t in trials if t.expected is None) + sum(h.false_alarms for h in long),
        missed=sum(trial.expected is not None for trial in wrong),
        held=not wrong and all(one.held for one in long) and not radio,
        seconds=round(time.monotonic() - began, 1),
        wrong=wrong,
    )


def rows(trials: list[Trial]) -> list[Row]:
    """Gather trials into one row a truth."""
    found = []
    for truth in dict.fromkeys(trial.truth for trial in trials):
        of = [trial for trial in trials if trial.truth == truth]
        said = Counter(code for trial in of for code in (set(trial.said) or {"nothing"}))
        times = [trial.found_s for trial in of if trial.found_s is not None]
        found.append(Row(truth, of[0].expected, len(of), dict(said), max(times, default=None)))
    return found


def markdown(report: MicrophoneReport) -> str:
    """Return the confusion table."""
    columns = ("nothing", *CODES)
    lines = [
        f"| what was so | trials | {' | '.join(c.removeprefix('microphone-') for c in columns)} | found within |",
        f"|---|{'---|' * (len(columns) + 2)}",
    ]
    for row in report.rows:
        counts = " | ".join(str(row.said.get(column, 0)) for column in columns)
        slowest = "" if row.slowest_s is None else f"{row.slowest_s:.1f} s"
        lines.append(f"| {row.truth} | {row.trials} | {counts} | {slowest} |")
    return "\n".join(lines)


def main(arguments: list[str]) -> int:
    """Run the campaign, print its table, return the exit status."""
    parser = argparse.ArgumentParser(
        prog="deploy/faults --microphone",
        description="Try the detection of microphone faults on the whole test set.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--seconds", type=int, default=600, help="length of each live sound (default: 600)")
    parser.add_argument("--hours", type=float, default=3.0, help="length of the quiet room at each gain (default: 3)")
    parser.add_argument("--json", action="store_true", help="print the report as one JSON object")
    options = parser.parse_args(arguments)
    if options.seconds < 1 or options.hours <= 0:
        parser.error("--seconds is at least 1 and --hours more than 0")

    def say(what: str) -> None:
        sys.stderr.write(f"{what}\n")

    try:
        report = run(say, seconds=options.seconds, quiet_s=round(options.hours * 3600))
    except DeviceError as error:
        say(error.message)
        return 2
    if options.json:
        print(json.dumps(asdict(report)))
    else:
        print(markdown(report))
        for one in report.hours:
            print(
                f"{one.seconds} s of quiet room at gain {one.gain_db:+.0f} dB: {one.false_alarms} false alarms, "
                f"{one.quiet_in_speech_s} s of speech called quiet, {one.quiet_share:.0%} of the pauses called quiet"
            )
        print(f"the longest quiet called while a low radio played: {report.radio_quiet_s} s")
        for trial in report.wrong:
            print(f"  {trial}")
    return 0 if report.held else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
