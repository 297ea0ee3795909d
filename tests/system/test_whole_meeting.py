"""A meeting from the button to the verified package, by the command that a user runs."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from appliance.simulator.demo.services import alive_in_group

pytestmark = pytest.mark.system
COMMAND = [sys.executable, "-m", "appliance.simulator.demo"]


@pytest.fixture(scope="module")
def folder(open_folder: Path) -> Path:
    return open_folder


@pytest.fixture(scope="module")
def result(folder: Path) -> dict[str, Any]:
    done = subprocess.run(
        [*COMMAND, "--once", "--seconds", "6", "--json", "--keep", str(folder / "kept")],
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def test_every_truth_of_the_meeting_holds(result: dict[str, Any]) -> None:
    for truth in ("pcm_exact", "receipt_verified", "package_verified", "lamp_covers_audio"):
        assert result[truth] is True, truth
    assert result["lost_frames"] == 0
    assert result["frames"] >= 48000 * 5


def test_a_recording_made_with_the_simulator_says_so_in_its_signed_header(result: dict[str, Any], folder: Path) -> None:
    header = folder / "kept" / "export" / result["recording"] / "data" / "header.tsv"
    assert json.loads(header.read_text().split("\t")[0])["panel"] == "simulated"


def test_the_printed_command_verifies_the_package_again(result: dict[str, Any]) -> None:
    assert subprocess.run(result["verify"], capture_output=True, check=False).returncode == 0


def test_promise_6_the_spoken_samples_come_out_of_stock_tools(result: dict[str, Any], folder: Path) -> None:
    kept = folder / "kept"
    key = next((kept / "export" / result["recording"]).glob("*.age"))
    identity = kept / "archive" / "keys" / "opening.txt"
    secret = subprocess.run(["age", "-d", "-i", str(identity), str(key)], capture_output=True, check=True).stdout
    (kept / "recording.txt").write_bytes(secret)
    first = kept / "export" / result["recording"] / "data" / "segments" / "00000000.age"
    flac = subprocess.run(["age", "-d", "-i", str(kept / "recording.txt"), str(first)], capture_output=True, check=True)
    pcm = subprocess.run(
        ["flac", "-s", "-d", "--force-raw-format", "--endian=little", "--sign=signed", "-c", "-"],
        input=flac.stdout,
        capture_output=True,
        check=True,
    ).stdout
    at = 2 * result["spoken_offset"]
    assert Path(result["spoken"]).read_bytes()[at : at + len(pcm)] == pcm


def test_promise_7_no_name_is_in_the_box_or_the_package(result: dict[str, Any], folder: Path) -> None:
    kept = folder / "kept"
    for path in [*(kept / "box").rglob("*"), *(kept / "export").rglob("*"), *(kept / "logs").glob("recorder*")]:
        assert "Room" not in path.name
        if path.is_file():
            assert b"Room 12" not in path.read_bytes(), path


def test_ctrl_c_ends_everything_and_names_the_folder(folder: Path) -> None:
    process = subprocess.Popen(
        [*COMMAND, "--keep", str(folder / "interactive")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    lines = [process.stdout.readline() for _ in range(4)]
    assert lines[0].startswith("front panel  http://127.0.0.1:")
    assert "password" in lines[1]
    parts = _children(process.pid)
    assert len(parts) >= 7
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert str(folder / "interactive") in errors
    assert "Traceback" not in errors
    deadline = time.monotonic() + 10
    while any(alive_in_group(part) for part in parts):
        assert time.monotonic() < deadline, "something was left running"
        time.sleep(0.05)


def _children(parent: int) -> list[int]:
    found = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    return [int(child) for child in found]


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--json"], "--once"),
        (["--once", "--seconds", "1"], "3 to 14400"),
        (["--once", "--seconds", "soon"], "--seconds"),
        (["--keep", "/proc/nowhere"], "--keep"),
        (["--keep", "/"], "not empty"),
    ],
)
def test_wrong_arguments_get_status_2(arguments: list[str], named: str) -> None:
    done = subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert named in done.stderr
    assert "Traceback" not in done.stderr


def test_an_absent_microphone_is_named_and_nothing_is_left_running() -> None:
    done = subprocess.run(
        [*COMMAND, "--once", "--seconds", "5", "--json", "--mic", "no such microphone"],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "no audio came" in done.stderr
    assert "microphone" in done.stderr
