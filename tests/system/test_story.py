"""The story of one meeting, told by the people who hold it, by the command that a user runs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from appliance.simulator.demo.district import District
from appliance.simulator.demo.layout import Layout
from appliance.simulator.demo.story import Step, Story, story_holds

pytestmark = pytest.mark.system
COMMAND = [sys.executable, "-m", "appliance.simulator.demo"]


def test_every_step_of_the_story_holds() -> None:
    done = subprocess.run([*COMMAND, "--story", "--json"], capture_output=True, text=True, timeout=1800, check=False)
    told: list[dict[str, Any]] = json.loads(done.stdout)["steps"]
    assert [one for one in told if not one["ok"]] == [], done.stderr
    assert done.returncode == 0
    assert len(told) == len({one["name"] for one in told}) >= 30
    assert [one["name"] for one in told] == [name for name, _ in _story().steps]
    assert all(one["seconds"] >= 0 for one in told)
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--story", "--once"], "--once"),
        (["--story", "--seconds", "30"], "--seconds"),
        (["--story", "--mic", "x"], "--mic"),
    ],
)
def test_arguments_that_do_not_go_with_the_story_get_status_2(arguments: list[str], named: str) -> None:
    done = subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, timeout=600, check=False)
    assert (done.returncode, "Traceback" in done.stderr) == (2, False)
    assert named in done.stderr


def test_a_story_with_one_step_that_failed_does_not_hold() -> None:
    held = Step("one", ok=True, seconds=0.1)
    assert story_holds([held])
    assert not story_holds([held, Step("two", ok=False, seconds=0.1, why="broken")])


def _story() -> Story:
    return Story(District(Layout(Path("/nowhere")), seconds=3, microphone=None, tell=print), print)
