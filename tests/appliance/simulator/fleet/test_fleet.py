"""A small fleet: real couriers, a real archive and a real broker, from enrollment to the last receipt."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from appliance.contract.stop_signal import StopSignal
from appliance.simulator.fleet.__main__ import main
from appliance.simulator.fleet.plan import Plan
from appliance.simulator.fleet.running import Fleet
from tests.support.archives import ROOT, template


def test_a_small_fleet_brings_every_meeting_in_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", f"{ROOT}:{os.environ.get('PYTHONPATH', '')}")
    # with its tables made, which takes longest
    (tmp_path / "archive").mkdir()
    shutil.copy(template("sqlite").home / "archive.sqlite3", tmp_path / "archive")
    plan = Plan(boxes=5, recording=2, minutes=0.05)
    result = Fleet(plan, tmp_path, StopSignal(), postgresql=False).run()
    assert (result["lost"], result["twice"], result["problems"]) == (0, 0, [])
    assert (result["recordings"], result["receipts"]) == (2, 2)
    assert result["broker"]["connected"] == 5
    assert result["lag"]["end_to_receipt_s"]["count"] == 2
    assert set(result["parts"]) == {"broker", "web", "worker", "listen", "fleet"}
    assert all(part["cpu_s"] >= 0 and part["memory_mb"] > 0 for part in result["parts"].values())
    assert not list((tmp_path / "boxes").glob("*/spool/recordings/*")), "each box has deleted what has its receipt"


def test_the_help_needs_nothing_but_the_standard_library() -> None:
    command = [sys.executable, "-S", "-B", "-m", "appliance.simulator.fleet", "--help"]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    assert "deploy/fleet --boxes 20" in done.stdout


@pytest.mark.parametrize(
    "arguments",
    [["--boxes", "0"], ["--boxes", "2", "--recording", "3"], ["--keep", "/proc/nowhere"], ["--scenario", "x"]],
)
def test_a_wrong_argument_ends_it_with_2_and_words(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    try:
        status = main(arguments)
    except SystemExit as ended:
        status = int(ended.code or 0)
    assert status == 2
    said = capsys.readouterr()
    assert not said.out
    assert arguments[-2] in said.err
