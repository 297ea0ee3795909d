"""A meeting from the button to the verified package, by the command that a user runs."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from appliance.simulator.demo.services import alive_in_group
from tests.support.lateness import Lateness
from tests.support.waiting import until

pytestmark = pytest.mark.system
COMMAND = [sys.executable, "-m", "appliance.simulator.demo"]
SECOND = 1_000_000_000


@pytest.fixture(scope="module")
def folder(open_folder: Path) -> Path:
    return open_folder


@pytest.fixture(scope="module")
def result(folder: Path) -> dict[str, Any]:
    """What the command says; a meeting of which a busy machine lost sound is held again, as the command advises."""
    with Lateness() as machine:
        for attempt in range(3):
            began_ns, kept = time.monotonic_ns(), folder / f"kept-{attempt}"
            done = subprocess.run(
                [*COMMAND, "--once", "--seconds", "6", "--json", "--keep", str(kept)],
                capture_output=True,
                text=True,
                timeout=600,
                check=False,
            )
            answer: dict[str, Any] = json.loads(done.stdout or "{}")
            lost = answer.get("lost_frames", 0)
            if not lost or machine.late_ns(began_ns, time.monotonic_ns()) < SECOND // 4:
                break
    assert done.returncode == 0, done.stderr
    assert str(kept) in done.stderr, "it says where what it made lies"
    return answer | {"kept": kept}


def test_every_truth_of_the_meeting_holds(result: dict[str, Any]) -> None:
    for truth in ("pcm_exact", "receipt_verified", "package_verified", "lamp_covers_audio"):
        assert result[truth] is True, truth
    assert result["lost_frames"] == 0
    assert result["frames"] >= 48000 * 5


def test_a_recording_made_with_the_simulator_says_so_in_its_signed_header(result: dict[str, Any]) -> None:
    header = result["kept"] / "export" / result["recording"] / "data" / "header.tsv"
    assert json.loads(header.read_text().split("\t")[0])["panel"] == "simulated"


def test_the_printed_command_verifies_the_package_again(result: dict[str, Any]) -> None:
    assert subprocess.run(result["verify"], capture_output=True, check=False).returncode == 0


def test_promise_6_the_spoken_samples_come_out_of_stock_tools(result: dict[str, Any]) -> None:
    kept = result["kept"]
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


def test_promise_7_no_name_is_in_the_box_or_the_package(result: dict[str, Any]) -> None:
    kept = result["kept"]
    for path in [*(kept / "box").rglob("*"), *(kept / "export").rglob("*"), *(kept / "logs").glob("recorder*")]:
        assert "Room" not in path.name
        if path.is_file():
            assert b"Room 12" not in path.read_bytes(), path


def test_ctrl_c_ends_everything_also_in_the_background_with_its_output_in_a_file(folder: Path) -> None:
    out, place = folder / "out", folder / "interactive"
    place.mkdir(mode=0o711)
    command = shlex.join(COMMAND)
    with out.open("w") as output:
        # as a shell without job control and nohup start what runs in their background
        process = subprocess.Popen(
            ["sh", "-c", f"trap '' INT HUP; exec {command}"],
            stdout=output,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            env={**os.environ, "TMPDIR": str(place)},
        )
    until(lambda: "Ctrl-C ends everything." in out.read_text(), "the addresses, while it still runs", 600)
    lines = out.read_text().splitlines()
    assert lines[0].startswith("front panel  http://127.0.0.1:")
    assert "password" in lines[1]
    assert "verify" in lines[2]
    ring = Path(lines[2].split()[-1])
    assert ring.is_file()
    parts = _children(process.pid)
    assert len(parts) >= 7
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=600)
    assert "Traceback" not in errors
    assert "removed" in errors
    assert not any(place.iterdir()), "without --keep nothing is left"
    until(lambda: not any(alive_in_group(part) for part in parts), "everything to have ended")


def test_a_closed_terminal_leaves_nothing_behind(folder: Path) -> None:
    place = folder / "closed"
    place.mkdir(mode=0o711)
    process = started_in(place)
    until(lambda: any(place.glob("*/keys/escrow.txt")), "keys, which must not stay", 600)
    parts = _children(process.pid)
    assert process.stderr is not None
    # as a terminal's end: whatever is said fails from here on
    process.stderr.close()
    process.send_signal(signal.SIGHUP)
    assert process.wait(600) != 0
    assert not any(place.iterdir())
    until(lambda: not any(alive_in_group(part) for part in parts), "everything to have ended")


def test_a_demonstration_that_is_killed_leaves_no_server_that_holds_keys(folder: Path) -> None:
    """Also under root's umask of a hardened host, where nothing that it wrote could be read by the parts' users."""
    place = folder / "killed"
    place.mkdir(mode=0o711)
    process = started_in(place, umask="077")

    def serving() -> list[int]:
        return [part for part in _children(process.pid) if _children(part)]

    until(lambda: len(serving()) >= 2, "both web servers and their workers", 600)
    parts = _children(process.pid)
    process.kill()
    process.communicate(timeout=600)
    until(lambda: not any(alive_in_group(part) for part in parts), "everything to have ended")


def started_in(place: Path, umask: str = "022") -> subprocess.Popen[str]:
    return subprocess.Popen(
        ["sh", "-c", f"umask {umask}; exec {shlex.join(COMMAND)}"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, "TMPDIR": str(place)},
    )


def _children(parent: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{parent}/task/{parent}/children").read_text().split()]
    except OSError:
        return []


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--json"], "--once"),
        (["--once", "--seconds", "1"], "3 to 14400"),
        (["--once", "--seconds", "soon"], "3 to 14400"),
        (["--seconds", "30"], "--once"),
        (["--keep", "/proc/nowhere"], "--keep"),
        (["--keep", "/"], "not empty"),
    ],
)
def test_wrong_arguments_get_status_2(arguments: list[str], named: str) -> None:
    done = subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 2
    assert named in done.stderr
    assert "Traceback" not in done.stderr


def test_an_absent_microphone_is_named_and_nothing_is_left_running() -> None:
    done = subprocess.run(
        [*COMMAND, "--once", "--seconds", "5", "--json", "--mic", "no such microphone"],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "no audio came" in done.stderr
    assert "arecord -l" in done.stderr
    assert "Plug the microphone in again" in done.stderr or "Unplug the microphone" in done.stderr
    assert all(line.startswith("demo: ") for line in done.stderr.splitlines())


def test_a_folder_that_the_parts_could_not_enter_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only as root do the parts run as users of their own")
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    done = subprocess.run(
        [*COMMAND, "--keep", str(private / "kept")], capture_output=True, text=True, timeout=600, check=False
    )
    assert (done.returncode, "Traceback" in done.stderr) == (2, False)
    assert f"cannot enter {private}" in " ".join(done.stderr.split()) or "cannot enter" in done.stderr
    assert not any(private.iterdir())
