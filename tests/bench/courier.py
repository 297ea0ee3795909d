"""What the courier alone costs: a box that records, and one that is idle, with a real broker and an archive in memory.

usage: python -m tests.bench.courier --seconds 120 [--json]
"""

from __future__ import annotations

import argparse
import json
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.support.box.courier import Box
from tests.support.fake_archive import running_archive
from tests.support.mosquitto import Broker, running_broker
from tests.support.spools import Keys, Recording

WARM_S = 5.0
"""So long the courier gets to connect before the measurement begins, in seconds."""


def used(pid: int) -> tuple[float, int]:
    """CPU seconds of a process so far, and how often its threads were woken.

    The clock of the process is asked (clock_getcpuclockid(3)): /proc counts whole ticks, and what timers wake runs just
    when they are counted.
    """
    woken = sum(
        int(line.split()[1])
        for path in Path(f"/proc/{pid}/task").glob("*/status")
        for line in path.read_text().splitlines()
        if line.startswith("voluntary_ctxt_switches")
    )
    return time.clock_gettime((~pid << 3) | 2), woken


def settings(box: Box, url: str, broker: Broker) -> Path:
    """Settings as a box has them: with the times of the field."""
    files = broker.authority.client(box.root / "tls", box.keys.box)
    members = box.members(
        url, port=broker.port, ca=str(files.ca), certificate=str(files.certificate), key=str(files.key)
    )
    del members["times"]
    path = box.root / "courier.toml"
    path.write_text(
        "\n".join(
            line
            for section, values in members.items()
            for line in [f"[{section}]", *(f"{key} = {json.dumps(value)}" for key, value in values.items())]
        )
    )
    return path


def measure(seconds: float, *, recording: bool) -> dict[str, float]:
    """CPU seconds an hour and wake-ups a second."""
    with tempfile.TemporaryDirectory() as folder, running_archive() as archive:
        for name in ("spool/recordings", "inbox", "run", "state", "tls"):
            (Path(folder) / name).mkdir(parents=True)
        box = Box(Path(folder), Keys())
        made = Recording(box.spool, box.keys)
        if recording:
            made.begin()
        with running_broker(Path(folder) / "broker") as broker:
            config = settings(box, archive.url, broker)
            process = subprocess.Popen([sys.executable, "-m", "appliance.command", "courier", "--config", str(config)])
            try:
                began = time.monotonic()
                before, before_at = (0.0, 0), began
                for turn in range(1, int((WARM_S + seconds) * 2) + 1):
                    if recording and turn % 2 == 0:
                        made.segment()
                    # the supervisor writes its status twice a second
                    state = {"state": "recording", "recording": made.id, "acked_line": len(made.lines)}
                    box.say(frames=24000 * turn, acked_frame=made.frames, **(state if recording else {}))
                    time.sleep(max(0.0, began + turn / 2 - time.monotonic()))
                    if turn == int(WARM_S * 2):
                        before, before_at = used(process.pid), time.monotonic()
                after, took = used(process.pid), time.monotonic() - before_at
            finally:
                process.send_signal(signal.SIGTERM)
                process.wait(60)
        lines = len(archive.kept[made.id].lines) if recording else 0
    return {
        "cpu_s_per_hour": round((after[0] - before[0]) * 3600 / took, 1),
        "wakeups_per_s": round((after[1] - before[1]) / took, 1),
        "lines_behind": len(made.lines) - lines,
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60, help="length of each of the two measurements (60)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    found = {name: measure(options.seconds, recording=name == "recording") for name in ("recording", "idle")}
    print(json.dumps(found, indent=None if options.json else 2))


if __name__ == "__main__":
    main()
