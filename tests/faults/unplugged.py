"""A microphone that is taken away and comes back: `./deploy/faults --unplugged 5,40 --json`.

One whole recorder on the real ALSA test microphone and one recording. The microphone is unplugged for each of the given
times, once more with a pause in between, and once more until the recording's end. The recording has to go on each time,
with green only over sound that is saved, and its ledger has to hold silence of the true length.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import numpy as np

from appliance.contract.errors import DeviceError
from appliance.contract.ledger import AnyFact
from appliance.simulator.microphone.device import SimulatedMicrophone
from tests.support.box.panel_server import PanelServer
from tests.support.box.whole_box import Box
from tests.support.box.writer import speech
from tests.support.lateness import Lateness
from tests.support.waiting import until

RATE: Final = 48000
SLACK_S: Final = 1.5
"""A gap may be longer than the absence by this, in seconds: the device's buffer, and opening it again."""
BACK_S: Final = 8.0
"""So soon after it is back, sound is saved again and green is on, in seconds."""
MAX_AWAY_S: Final = 24 * 3600.0
EPILOG = """Exit status: 0 if the recording went on each time and its ledger tells the truth, 1 if not, 2 if an argument
is wrong or the machine cannot build the test microphone.

example:
  ./deploy/faults --unplugged 5,40 --json
"""


@dataclass(frozen=True)
class Absence:
    """One time that the microphone was away."""

    away_s: float
    """How long it was unplugged, as measured, in seconds."""
    then: str
    """`back`: it was plugged in again; `paused`: the same with a pause in between; `ended`: the recording was ended."""
    gap_s: float
    """Silence that the ledger tells for it, in seconds."""
    lines: int
    """Ledger lines of kind `gap` that tell it."""
    safe_s: float | None
    """From plugging it in to green, in seconds; None: it was not plugged in again, or green never came."""
    problems: tuple[str, ...]
    """What did not hold, in words."""


@dataclass(frozen=True)
class UnpluggedReport:
    """What came of every absence."""

    absences: list[Absence]
    closing: str | None
    """The reason in the closing record; must be `button`."""
    held: bool
    """Whether everything held."""
    seconds: float
    """How long it took."""


class Campaign:
    """One recording through all absences."""

    def __init__(self, box: Box, progress: Callable[[str], None]) -> None:
        self._box = box
        self._progress = progress
        self._recording = box.begin()
        self._told = 0
        self.absences: list[Absence] = []

    def away(self, seconds: float, then: str) -> None:
        """Take the microphone away for so long; go on, or end."""
        microphone, problems = self._box.microphone, list[str]()
        began_ns = time.monotonic_ns()
        microphone.unplug()
        paused_s = 0.0
        if then == "paused":
            time.sleep(seconds / 2)
            until(lambda: self._box.status()["faults"], "the absence is noticed before the pause")
            paused_s = self._pause()
        time.sleep(max(0.0, seconds + paused_s - (time.monotonic_ns() - began_ns) / 1e9))
        if self._box.light("green") == "on" and seconds >= 5:
            problems.append("green is on while the microphone is away")
        safe_s = None
        if then == "ended":
            # the ledger's gap lasts until the recording ends, which is when the lamp goes out
            ended_ns = self._end()
        else:
            ended_ns = time.monotonic_ns()
            microphone.replug()
            safe_s = self._safe(problems)
        away_s = (ended_ns - began_ns) / 1e9 - paused_s
        late_s = self._box.machine.late_ns(began_ns, ended_ns) / 1e9
        lines = self._new_gaps()
        gap_s = sum(entry.frames for entry in lines if entry.kind == "gap") / RATE
        if not -0.3 - late_s <= gap_s - away_s <= SLACK_S + late_s:
            problems.append(f"it was away for {away_s:.1f} s, and the ledger tells {gap_s:.1f} s")
        absence = Absence(round(away_s, 2), then, round(gap_s, 2), len(lines), safe_s, tuple(problems))
        self.absences.append(absence)
        self._progress(str(absence))

    def _end(self) -> int:
        """End the recording; return when the lamp went out, on CLOCK_MONOTONIC."""
        panel, pressed_ns = self._box.panel, time.monotonic_ns()
        panel.press()
        # no box is idle without a microphone
        until(lambda: self._box.status()["state"] in ("idle", "fault"), "the end")
        panel.release()
        return self._box.logged_ns("panel", "red", False, pressed_ns)

    def _pause(self) -> float:
        began = time.monotonic()
        self._box.tap()
        until(lambda: self._box.shows("paused"), "paused")
        time.sleep(2)
        self._box.tap()
        until(lambda: self._box.shows("recording"), "recording again")
        return time.monotonic() - began

    def _safe(self, problems: list[str]) -> float | None:
        began_ns = time.monotonic_ns()
        until(
            lambda: self._box.status()["state"] != "recording" or self._box.light("green") == "on", "green, or an end"
        )
        status = self._box.status()
        if status["state"] != "recording":
            problems.append(f"the recording ended when the microphone came back: {status['state']}")
            return None
        safe_s = round(self._box.machine.taken_ns(began_ns, time.monotonic_ns()) / 1e9, 2)
        if safe_s > BACK_S:
            problems.append(f"what was heard after it came back was saved after {safe_s:g} s only")
        return safe_s

    def _new_gaps(self) -> list[AnyFact]:
        gaps = [entry for entry in self._box.ledger(self._recording) if entry.kind == "gap"]
        new, self._told = gaps[self._told :], len(gaps)
        return list(new)

    def closing(self) -> str | None:
        """Return the reason in the closing record, after its audio was held against its gaps."""
        entries = self._box.ledger(self._recording)
        heard = np.concatenate(self._box.samples(self._recording))
        for entry in entries:
            if entry.kind == "gap" and heard[entry.first_frame : entry.first_frame + entry.frames].any():
                self.absences[-1] = Absence(**{**asdict(self.absences[-1]), "problems": ("a gap is not silent",)})
        return next((entry.reason for entry in entries if entry.kind == "closing"), None)


def run(times_s: list[float], progress: Callable[[str], None] = lambda _: None, settings: str = "") -> UnpluggedReport:
    """Take the microphone away for each of these times; raise DeviceError where it cannot be built.

    `settings` is more of the recorder's TOML.
    """
    began = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="unplugged-"))
    try:
        spoken = folder / "spoken.raw"
        spoken.write_bytes(speech(RATE * 60).tobytes())
        microphone = SimulatedMicrophone(folder, spoken)
        with microphone, PanelServer(folder, microphone) as panel, Lateness() as machine:
            box = Box(folder, panel, microphone, machine)
            try:
                box.start(settings)
                campaign = Campaign(box, progress)
                for seconds in times_s:
                    campaign.away(seconds, "back")
                campaign.away(max(4.0, min(times_s)), "paused")
                campaign.away(max(4.0, min(times_s)), "ended")
                closing = campaign.closing()
            finally:
                box.stop()
    finally:
        shutil.rmtree(folder)
    held = closing == "button" and not any(absence.problems for absence in campaign.absences)
    return UnpluggedReport(campaign.absences, closing, held=held, seconds=round(time.monotonic() - began, 1))


def times(text: str) -> list[float]:
    """Return the times that `5,40` gives, in seconds; raise ArgumentTypeError if there is none or one is wrong."""
    try:
        found = [float(part) for part in text.split(",")]
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not seconds with commas between them, such as 5,40") from error
    if not all(1 <= seconds <= MAX_AWAY_S for seconds in found):
        raise argparse.ArgumentTypeError(f"each time is from 1 to {MAX_AWAY_S:g} seconds")
    return found


def main(arguments: list[str]) -> int:
    """Run the campaign, say what was found, return the exit status."""
    parser = argparse.ArgumentParser(
        prog="deploy/faults --unplugged",
        description="Unplug the microphone of a real recorder in the middle of a recording.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("times", type=times, metavar="SECONDS", help="how long it is away each time, such as 5,40")
    parser.add_argument("--json", action="store_true", help="print the report as one JSON object")
    options = parser.parse_args(arguments)

    def say(what: str) -> None:
        sys.stderr.write(f"{what}\n")

    try:
        report = run(options.times, say)
    except DeviceError as error:
        parser.error(error.message)
    except AssertionError as error:
        say(f"the recorder did not do what was waited for: {error}")
        return 1
    if options.json:
        print(json.dumps(asdict(report)))
    else:
        for name, value in asdict(report).items():
            print(f"{name}: {value}")
    return 0 if report.held else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
