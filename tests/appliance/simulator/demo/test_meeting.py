"""A meeting of the demonstration is judged by what holds, and what does not is said in words."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from appliance.simulator.demo.meeting import compared, what_fails

TRUE: dict[str, Any] = {
    "receipt_verified": True,
    "package_verified": True,
    "pcm_exact": True,
    "lamp_covers_audio": True,
    "lost_frames": 0,
}


@pytest.mark.parametrize("name", [name for name in TRUE if name != "lost_frames"])
def test_each_truth_counts(name: str) -> None:
    assert what_fails(TRUE) == []
    assert what_fails(TRUE | {name: False}) == [f"{name} is not true"]


def test_a_meeting_on_a_real_microphone_is_not_compared() -> None:
    heard = {name: value for name, value in TRUE.items() if name not in {"pcm_exact", "lamp_covers_audio"}}
    assert what_fails(heard) == []


def test_samples_are_compared_piece_by_piece_from_where_the_microphone_began(tmp_path: Path) -> None:
    spoken = tmp_path / "spoken.raw"
    all_of_it = np.arange(100, dtype="<i2")
    spoken.write_bytes(all_of_it.tobytes())
    # what is spoken begins again at its end
    heard = np.concatenate([all_of_it[90:], all_of_it[:30]])
    pieces = [heard[:7], heard[7:12], heard[12:]]
    assert compared(pieces, spoken, 90) == (40, True)
    assert compared(pieces, spoken, 91) == (40, False)
    assert compared([heard[:7], heard[8:]], spoken, 90) == (39, False)
    assert compared(pieces, spoken, -1) == (40, False), "a microphone that never began gave nothing"
    assert compared(pieces, None, -1) == (40, False)


def test_lost_frames_say_what_to_do() -> None:
    [told] = what_fails(TRUE | {"lost_frames": 9803, "pcm_exact": False})
    assert "9803 frames" in told
    assert "try again" in told


def test_a_reader_who_goes_away_gets_no_traceback() -> None:
    program = (
        "import appliance.simulator.demo.__main__ as demo\n"
        "demo.find_real_box = lambda: None\n"
        "async def gone(*_): raise BrokenPipeError\n"
        "demo._run = gone\n"
        "raise SystemExit(demo.main(['--once', '--json']))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "")
