"""How soon the lamp follows the button, over many short meetings on the real recorder: `deploy/bench --latency 200`.

Each meeting is begun, paused, resumed and ended by the simulated panel's button, with the settings of the field, on the
real ALSA test microphone. All moments are from the panel's and the microphone's own logs, on CLOCK_MONOTONIC; the end
is the moment at which the button was held for 1.5 s. Dark never comes before closed, or the bench fails.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from appliance.contract.errors import DeviceError
from appliance.recorder.settings import Times
from appliance.simulator.demo import outside_view
from appliance.simulator.microphone.device import SimulatedMicrophone
from tests.support.box.panel_server import PanelServer
from tests.support.box.whole_box import Box
from tests.support.box.writer import speech
from tests.support.lateness import Lateness
from tests.support.waiting import until

HOLD_NS = round(Times().hold_s * 1e9)
BOUND_MS = 300.0
"""Pause and end: closed and dark within so many milliseconds (docs/testing.md, fault campaigns)."""
EPILOG = """Exit status: 0 if the lamp was dark within 300 ms each time and covered the microphone, 1 if not, 2 if an
argument is wrong.

example:
  deploy/bench --latency 200 --json
"""
Moments = dict[str, list[float]]


def meet(box: Box, found: Moments) -> None:
    """Hold one meeting, and add its latencies in milliseconds."""
    panel_log, microphone_log = Tail(box.folder / "panel.log"), Tail(box.folder / "microphone.log")
    box.tap()
    until(lambda: microphone_log.started() == 1 and box.status()["state"] == "recording")
    time.sleep(0.2)  # the meeting's length, not a wait for something
    box.tap()
    until(lambda: box.status()["state"] == "paused" and not box.panel.panel.lit)
    box.tap()
    until(lambda: microphone_log.started() == 2)
    time.sleep(0.2)  # the same
    box.panel.press()
    until(lambda: not box.panel.panel.lit)
    box.panel.release()
    until(lambda: box.status().get("ready") is True)
    panel = panel_log.lines()
    downs = [line["t_ns"] for line in panel if line.get("button") == "down"]
    # the release that belongs to the meeting before may still be written
    ups = [line["t_ns"] for line in panel if line.get("button") == "up" and line["t_ns"] > downs[0]]
    lit = [line["t_ns"] for line in panel if line.get("red") is True]
    dark = [line["t_ns"] for line in panel if line.get("red") is False]
    microphone = microphone_log.lines()
    started = [line["t_ns"] for line in microphone if line["device"] == "started"]
    closed = max(line["t_ns"] for line in microphone if line["device"] == "closed")
    for name, since, then in (
        ("press to lamp", downs[0], lit[0]),
        ("press to the microphone's start", downs[0], started[0]),
        ("pause to dark", ups[1], dark[0]),
        ("resume to lamp", ups[2], lit[1]),
        ("end to microphone closed", downs[3] + HOLD_NS, closed),
        ("end to dark", downs[3] + HOLD_NS, dark[1]),
    ):
        found.setdefault(name, []).append((then - since) / 1e6)


class Tail:
    """What came into a log since; reading all of it all the time would keep the panel's own thread waiting."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._from = path.stat().st_size

    def lines(self) -> list[dict[str, Any]]:
        with self._path.open() as file:
            file.seek(self._from)
            return outside_view.read_log(file.read())

    def started(self) -> int:
        return sum(line["device"] == "started" for line in self.lines())


def measure(runs: int, parallel: int, tell: Callable[[str], None]) -> dict[str, Any]:
    """Hold the meetings on so many boxes at once, and return the latencies."""
    folder = Path(tempfile.mkdtemp(prefix="latency-"))
    found: Moments = {}
    uncovered: list[outside_view.Span] = []
    try:
        spoken = folder / "spoken.raw"
        spoken.write_bytes(speech(48000 * 60).tobytes())

        def one(number: int) -> None:
            home = folder / str(number)
            home.mkdir()
            with (
                SimulatedMicrophone(home, spoken, home) as microphone,
                PanelServer(home) as panel,
                Lateness() as machine,
            ):
                box = Box(home, panel, microphone, machine)
                try:
                    box.start()
                    for _ in range(number, runs, parallel):
                        meet(box, found)
                        done = len(found["end to dark"])
                        if done % 20 == 0:
                            tell(f"{done} of {runs} meetings")
                    uncovered.extend(box.uncovered())
                finally:
                    box.stop()

        with ThreadPoolExecutor(parallel, thread_name_prefix="box") as pool:
            list(pool.map(one, range(parallel)))
    finally:
        shutil.rmtree(folder)
    table = {
        name: {
            "p50_ms": round(float(np.percentile(values, 50)), 1),
            "p99_ms": round(float(np.percentile(values, 99)), 1),
            "max_ms": round(max(values), 1),
        }
        for name, values in found.items()
    }
    late = max(table[name]["max_ms"] for name in ("pause to dark", "end to dark"))
    return {
        "runs": len(found["end to dark"]),
        "latencies": table,
        "lamp_uncovered": len(uncovered),
        "held": not uncovered and late <= BOUND_MS,
    }


def main() -> int:
    """Measure and print; 0 only if every bound held."""
    parser = argparse.ArgumentParser(
        prog="deploy/bench",
        description="Measure how soon lamp and microphone follow the button, by their own logs.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--latency", type=int, required=True, metavar="N", help="so many short meetings")
    parser.add_argument("--parallel", type=int, default=2, help="boxes at once (default: 2)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    if options.latency < 1 or options.parallel < 1:
        parser.error("--latency and --parallel are at least 1")

    def tell(text: str) -> None:
        sys.stderr.write(f"bench: {text}\n")

    try:
        found = measure(options.latency, min(options.parallel, options.latency), tell)
    except DeviceError as error:
        parser.error(error.message)
    if options.json:
        print(json.dumps(found))
    else:
        for name, row in found["latencies"].items():
            print(f"{name}: p50 {row['p50_ms']} ms, p99 {row['p99_ms']} ms, at most {row['max_ms']} ms")
        print(f"lamp uncovered: {found['lamp_uncovered']}; held: {found['held']}")
    return 0 if found["held"] else 1


if __name__ == "__main__":
    sys.exit(main())
