"""A meeting of the demonstration is judged by what holds, and what does not is said in words."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from appliance.simulator.demo.meeting import what_fails

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
