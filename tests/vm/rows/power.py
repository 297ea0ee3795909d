"""Row 4: the plug is pulled in the middle of meetings."""

from __future__ import annotations

import json
import random
import time
from pathlib import Path

from tests.vm import sound
from tests.vm.box import GREEN, RED, Box
from tests.vm.limits import patience
from tests.vm.row import Row, progress
from tests.vm.stage import Stage

LONGEST_S = 30.0
"""The plug is pulled at most so long after the press, in seconds of the host."""


def run(row: Row, stage: Stage) -> None:
    """Cut the power at random instants after a press; boot; and hold what was acknowledged against the archive."""
    instants = random.Random(stage.seed)
    with stage.guest(row) as guest:
        box = Box(guest)
        acknowledged: dict[str, int] = {}
        for number in range(stage.cuts):
            after = instants.uniform(2.0, LONGEST_S)
            progress(f"power cut {number + 1} of {stage.cuts}, {after:.1f} s after the press")
            sound.play(guest)
            box.press()
            time.sleep(after)
            guest.cut_power()
            acknowledged |= read_acknowledged(guest.acked)
            began = time.monotonic()
            guest.start()
            guest.wait_up(patience(20))
            _judge_boot(row, box, f"cut {number + 1}", began)
        _judge_archive(row, box, acknowledged)


def read_acknowledged(path: Path) -> dict[str, int]:
    """Return the last acknowledged frame of each recording, as it left the guest."""
    found: dict[str, int] = {}
    for line in path.read_text(errors="replace").splitlines():
        try:
            said = json.loads(line)
        except ValueError:
            # the last line, cut off with the power
            continue
        if said.get("recording"):
            found[said["recording"]] = max(found.get(said["recording"], 0), said["acked_frame"] or 0)
    return found


def _judge_boot(row: Row, box: Box, name: str, began: float) -> None:
    red = box.level(RED)
    box.wait_ready(patience(30))
    took = time.monotonic() - began
    restarts = int(box.show("plainsight-recorder", "NRestarts"))
    row.hold(
        restarts == 0 and not red and not box.level(RED) and box.level(GREEN),
        f"{name}: dark, idle and ready at the first try ({took:.0f} s)",
        f"{restarts} restarts, red {red}",
    )


def _judge_archive(row: Row, box: Box, acknowledged: dict[str, int]) -> None:
    wanted = {recording for recording, frames in acknowledged.items() if frames}
    found = box.wait_sealed(wanted, patience(25 + 5 * len(wanted)))
    lost = {name: acknowledged[name] - found[name]["frames"] for name in wanted}
    seconds = sum(acknowledged.values()) / 48000
    row.hold(
        wanted and all(frames <= 0 for frames in lost.values()),
        f"{seconds:.1f} s were acknowledged in {len(wanted)} recordings, none of it is lost",
        lost,
    )
    outcomes = {name: found[name]["outcome"] for name in wanted}
    row.hold(set(outcomes.values()) == {"interrupted"}, "each is sealed as interrupted", outcomes)
