"""What recording costs, beside peers that record the same microphone at the same time.

A whole district records one meeting while sox, ffmpeg and python-sounddevice record FLAC from the same test microphone.
CPU is user and system time out of /proc, of all of a part's processes, while the meeting lasts; memory is summed PSS.

usage: python -m tests.bench.cost --seconds 600 [--stress N] [--json]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from appliance.simulator.demo.district import District
from appliance.simulator.demo.layout import Layout
from appliance.simulator.demo.meeting import Meeting, read_status, what_fails
from appliance.simulator.demo.services import alive_in_group

TICK = os.sysconf("SC_CLK_TCK")
HERE = Path(__file__).parent


class InMemory(Layout):
    """A demonstration whose status file lies in memory, as a box's does (/run/plainsight)."""

    @property
    def run(self) -> Path:
        """The recorder's folder for its status."""
        return Path("/dev/shm") / self.root.parent.name


def cpu_s(group: int) -> float:
    """CPU seconds so far of a group's processes, children that have ended included."""
    total = 0
    for pid in alive_in_group(group):
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        total += sum(int(field) for field in fields[11:15])
    return total / TICK


def pss_mb(group: int) -> float:
    """Proportional set size of a group, in MB."""
    total = 0
    for pid in alive_in_group(group):
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
        total += next(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:"))
    return total * 1024 / 1e6


def peers(folder: Path, seconds: float) -> dict[str, list[str]]:
    """The peers' commands, as their manuals have them."""
    return {
        "sox": ["sox", "-q", "-t", "alsa", "plainsight", str(folder / "sox.flac"), "trim", "0", str(seconds)],
        "ffmpeg": [
            *("ffmpeg", "-nostdin", "-loglevel", "error", "-f", "alsa", "-sample_rate", "48000", "-channels", "1"),
            *("-i", "plainsight", "-t", str(seconds), str(folder / "ffmpeg.flac")),
        ],
        "sounddevice": [sys.executable, str(HERE / "queue_recorder.py"), str(folder / "queue.flac"), str(seconds)],
    }


async def measure(seconds: float, stress: int) -> dict[str, Any]:
    """Hold the meeting and return what it cost."""
    folder = Path(tempfile.mkdtemp(prefix="plainsight-bench-"))
    district = District(InMemory(folder / "district"), seconds=seconds, microphone=None, tell=tell)
    folder.chmod(0o711)
    running: dict[str, subprocess.Popen[bytes]] = {}
    load: subprocess.Popen[bytes] | None = None
    try:
        await district.start()
        meeting = asyncio.create_task(Meeting(district, seconds, tell).hold())
        while (status := read_status(district.layout.status)) is None or status.state != "recording":
            await asyncio.sleep(0.05)
        environment = {**os.environ, "ALSA_CONFIG_PATH": str(district.layout.panel / "asound.conf")}
        length = seconds - 4
        if stress:
            load = subprocess.Popen(["stress-ng", "--quiet", "--cpu", str(stress), "--timeout", str(int(length) + 2)])
        await asyncio.sleep(0.5)
        groups = {name: district.services[name].process.pid for name in ("recorder", "courier")}  # type: ignore[union-attr]
        before, began = {name: cpu_s(group) for name, group in groups.items()}, time.monotonic()
        for name, command in peers(folder, length).items():
            running[name] = subprocess.Popen(command, env=environment, start_new_session=True)
        await asyncio.sleep(length - 2)
        took = time.monotonic() - began
        cost = {name: cpu_s(group) - before[name] for name, group in groups.items()}
        cost |= {name: cpu_s(process.pid) for name, process in running.items()}
        memory = {name: round(pss_mb(group), 1) for name, group in groups.items()}
        result = await meeting
    finally:
        for process in [*running.values(), *([load] if load else [])]:
            process.terminate()
            process.wait()
        await district.stop()
        shutil.rmtree(district.layout.run, ignore_errors=True)
    per_hour = {name: round(value * 3600 / took, 1) for name, value in cost.items()}
    return {
        "seconds": seconds,
        "stress_cpus": stress,
        "cpu_s_per_hour": per_hour,
        "recorder_to": {name: round(per_hour["recorder"] / per_hour[name], 2) for name in running},
        "courier_to": {name: round(per_hour["courier"] / per_hour[name], 2) for name in running},
        "pss_mb": memory,
        "pss_mb_sum": round(sum(memory.values()), 1),
        "held": not what_fails(result),
        "meeting": {name: value for name, value in result.items() if name not in {"package", "verify", "spoken"}},
    }


def tell(text: str) -> None:
    """Progress."""
    sys.stderr.write(f"bench: {text}\n")


def main() -> int:
    """Measure and print; 0 only if every truth of the meeting held."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=120, help="length of the meeting (default: 120)")
    parser.add_argument("--stress", type=int, default=0, metavar="N", help="run stress-ng --cpu N beside it")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    found = asyncio.run(measure(options.seconds, options.stress))
    print(json.dumps(found, indent=None if options.json else 2))
    return 0 if found["held"] else 1


if __name__ == "__main__":
    sys.exit(main())
