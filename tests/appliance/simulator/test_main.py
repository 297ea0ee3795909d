"""The simulator's command line: a wrong start is refused in words, and one folder has one simulator."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.simulator import Simulator, run


def refused(folder: Path, spoken: Path, *more: str) -> str:
    result = subprocess.run(
        [
            *(sys.executable, "-m", "appliance.command", "simulator"),
            *("--dir", str(folder), "--spoken", str(spoken), "--root", str(spoken.parent), *more),
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (result.returncode, result.stdout) == (2, "")
    assert "Traceback" not in result.stderr
    return result.stderr


def test_a_second_simulator_cannot_take_the_sockets_and_logs_of_a_running_one(simulator: Simulator) -> None:
    before = simulator.control(button="down")["state"]
    assert "another simulator runs" in refused(simulator.folder, simulator.spoken)
    assert simulator.control(state=True)["state"] == before, "the first one still answers, unchanged"


def test_a_simulator_that_was_killed_leaves_its_folder_usable(tmp_path: Path, spoken: Path) -> None:
    first = run(tmp_path, spoken)
    first.process.kill()
    first.process.wait()
    again = run(tmp_path, spoken)
    assert again.control(state=True)["ok"]
    again.process.send_signal(signal.SIGTERM)
    assert again.process.wait(60) == 0


def test_a_port_that_is_taken_is_named(tmp_path: Path, spoken: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        assert port in refused(tmp_path, spoken, "--http-port", port)


def test_a_port_that_is_none_is_named(tmp_path: Path, spoken: Path) -> None:
    assert "0 to 65535" in refused(tmp_path, spoken, "--http-port", "99999")


@pytest.mark.parametrize("junk", [b"", b"junk\n", b"1234", b"\0" * 96001, b"RIFF" + b"\0" * 96000])
def test_a_file_that_is_no_raw_audio_is_refused(tmp_path: Path, junk: bytes) -> None:
    spoken = tmp_path / "meeting.raw"
    spoken.write_bytes(junk)
    told = refused(tmp_path / "panel", spoken)
    assert "meeting.raw" in told
    assert "raw audio" in told


@pytest.mark.parametrize(("name", "wrong"), [("a-file", "cannot use"), ("x" * 120, "too long a path")])
def test_a_folder_that_cannot_be_used_is_named(tmp_path: Path, spoken: Path, name: str, wrong: str) -> None:
    (tmp_path / "a-file").touch()
    told = refused(tmp_path / name, spoken)
    assert wrong in told
    assert name in told


def test_a_strict_umask_does_not_hide_the_microphone_from_the_recorder_s_user(tmp_path: Path, spoken: Path) -> None:
    old = os.umask(0o077)
    try:
        running = run(tmp_path / "panel", spoken)
    finally:
        os.umask(old)
    try:
        folder = running.folder
        read = [folder / "asound.conf", folder / "microphone.control", folder / "asound" / "cards"]
        read += [folder / "asound" / "PlainSight" / "usbid", *folder.glob("plainsight-*.so")]
        assert len(read) == 5
        assert [path.name for path in read if not path.stat().st_mode & 0o004] == []
        assert [path.name for path in read if path.stat().st_mode & 0o022] == [], "and only we may change them"
        assert (folder / "asound").stat().st_mode & 0o005 == 0o005
        assert (folder / "asound" / "card0").stat().st_mode & 0o005 == 0o005
    finally:
        running.process.send_signal(signal.SIGTERM)
        assert running.process.wait(60) == 0
