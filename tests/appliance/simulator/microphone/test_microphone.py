"""The test microphone behaves like a real one towards real PortAudio, and is exact."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from appliance.contract.errors import DeviceError
from appliance.simulator.microphone import build as building
from appliance.simulator.microphone.device import SimulatedMicrophone
from appliance.simulator.speech import write_meeting
from tests.support.simulator import Simulator
from tests.support.waiting import until

HEAR = Path(__file__).with_name("hear.py")


def hear(simulator: Simulator, seconds: float) -> tuple[subprocess.Popen[str], Path]:
    out = simulator.folder / "heard.raw"
    process = subprocess.Popen(
        [sys.executable, str(HEAR), str(out), str(seconds)],
        env=simulator.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    return process, out


def expected(simulator: Simulator, position: int, frames: int) -> npt.NDArray[np.int16]:
    raw = np.fromfile(simulator.spoken, "<i2")
    return raw.take(np.arange(position, position + frames), mode="wrap")


def started(simulator: Simulator) -> list[int]:
    return [line["position"] for line in simulator.log("microphone") if line["device"] == "started"]


def told(output: str) -> dict[str, Any]:
    lines = [json.loads(line) for line in output.splitlines()]
    return {key: value for line in lines for key, value in line.items()}


def hear_all(
    simulator: Simulator, seconds: float, act: Callable[[], object] = lambda: None
) -> tuple[npt.NDArray[np.int16], int, str]:
    """Listen, and `act` meanwhile; return what was heard, where it begins in the file, and what the listener said.

    A listener that a busy machine keeps from its stream overruns it, as with a real card: then another one listens.
    """

    def heard() -> tuple[npt.NDArray[np.int16], int, str] | None:
        before = len(started(simulator))
        process, out = hear(simulator, seconds)
        until(lambda: len(started(simulator)) > before)
        act()
        output, errors = process.communicate(timeout=60)
        assert process.returncode == 0, errors
        positions = started(simulator)[before:]
        return (np.fromfile(out, "<i2"), positions[0], output) if len(positions) == 1 else None

    return until(heard, "a listener that the machine lets hear all")


def test_what_portaudio_hears_is_the_file_sample_for_sample(simulator: Simulator) -> None:
    heard, position, output = hear_all(simulator, 3)
    assert len(heard) >= 2.5 * 48000
    assert np.array_equal(heard, expected(simulator, position, len(heard)))
    assert told(output)["overflowed"] is False


def test_a_gain_that_is_too_high_is_cut_off_and_one_of_nothing_changes_nothing(simulator: Simulator) -> None:
    assert simulator.control(gain_db=30)["state"]["faults"]["overdriven"] is True
    assert simulator.control(gain_db=90)["ok"] is False
    heard, position, _ = hear_all(simulator, 0.5)
    louder = np.trunc(expected(simulator, position, len(heard)) * 31.623).clip(-32768, 32767)
    assert np.abs(heard - louder).max() <= 1
    assert np.count_nonzero(np.abs(heard.astype(int)) >= 32767) > len(heard) / 2
    assert simulator.control(gain_db=0)["state"]["faults"]["overdriven"] is False


def test_a_microphone_that_is_switched_off_gives_its_amplifiers_low_noise(simulator: Simulator) -> None:
    simulator.control(microphone="switch-off")
    process, out = hear(simulator, 0.5)
    process.communicate(timeout=60)
    heard = np.fromfile(out, "<i2").astype(float)
    assert 2.0 < heard.std() < 3.0
    assert np.abs(heard).max() <= 5


def test_every_open_is_in_the_log_probing_included(simulator: Simulator) -> None:
    process, _ = hear(simulator, 0.3)
    process.communicate(timeout=60)
    log = until(lambda: [entry for entry in simulator.log("microphone") if entry["device"] != "started"])
    opens = [entry["handle"] for entry in log if entry["device"] == "open"]
    assert len(opens) >= 2, "PortAudio probes before it opens"
    until(lambda: sorted(opens) == sorted(e["handle"] for e in simulator.log("microphone") if e["device"] == "closed"))


def test_a_killed_listener_is_seen_to_have_closed(simulator: Simulator) -> None:
    process, _ = hear(simulator, 60)
    until(lambda: started(simulator))
    process.kill()
    killed_ns = time.monotonic_ns()
    process.wait()
    closed = until(lambda: [entry for entry in simulator.log("microphone") if entry.get("killed")])
    assert abs(closed[0]["t_ns"] - killed_ns) < 1_000_000_000


def test_unplugging_ends_a_stream_and_hides_the_device(simulator: Simulator) -> None:
    process, out = hear(simulator, 2)
    until(lambda: started(simulator))
    simulator.control(microphone="unplug")
    assert "PlainSight" not in (simulator.folder / "asound" / "cards").read_text()
    process.communicate(timeout=60)
    again = subprocess.run(
        [sys.executable, str(HEAR), str(out), "1"],
        env=simulator.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert again.returncode != 0
    assert "'plainsight' is not in list" in again.stderr
    simulator.control(microphone="replug")
    assert "PlainSight" in (simulator.folder / "asound" / "cards").read_text()
    process, _ = hear(simulator, 0.5)
    assert process.wait(60) == 0


def test_a_stream_that_was_unplugged_stays_dead_and_is_never_logged_as_started_again(simulator: Simulator) -> None:
    process, out = hear(simulator, 3)
    until(lambda: started(simulator))
    simulator.control(microphone="unplug")
    positions = started(simulator)
    time.sleep(0.6)  # long enough for PortAudio to notice and try to recover several times
    simulator.control(microphone="replug")
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    heard = np.fromfile(out, "<i2")
    assert started(simulator) == positions
    assert len(heard) < 2 * 48000, "what was plugged in again is another device"
    # where a busy machine made it overrun before, it is of two pieces
    assert len(positions) > 1 or np.array_equal(heard, expected(simulator, positions[0], len(heard)))


def test_a_stall_gives_nothing_and_leaves_the_stream_active(simulator: Simulator) -> None:
    process, _ = hear(simulator, 2)
    until(lambda: started(simulator))
    simulator.control(microphone="stall")
    assert process.stdout is not None
    output = process.stdout.readline() + process.stdout.readline()
    process.kill()  # closing a stalled stream may hang in PortAudio, as with a real device
    process.wait()
    assert told(output)["active"] is True
    assert told(output)["blocks"] < 10


def test_a_listener_that_is_stopped_loses_audio_as_with_a_real_card(simulator: Simulator) -> None:
    process, out = hear(simulator, 4)
    until(lambda: started(simulator))
    process.send_signal(signal.SIGSTOP)
    time.sleep(1.5)  # how long it is stopped is what is tested
    process.send_signal(signal.SIGCONT)
    process.communicate(timeout=60)
    positions = until(lambda: started(simulator))
    heard = np.fromfile(out, "<i2")
    # a machine that is late stops it as well, for less
    assert len(positions) >= 2, "the overrun restarted the stream"
    assert np.diff(positions).max() > 1.4 * 48000, "and the meeting went on meanwhile"
    assert not np.array_equal(heard, expected(simulator, positions[0], len(heard)))


def test_silent_loss_skips_so_many_frames(simulator: Simulator) -> None:
    heard, position, _ = hear_all(simulator, 2, lambda: simulator.control(lose=5000))
    assert np.array_equal(heard[-4096:], expected(simulator, position + len(heard) - 4096 + 5000, 4096))


def test_a_missing_compiler_is_named_with_its_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(DeviceError, match="gcc"):
        building.build(tmp_path)


def test_a_source_that_does_not_compile_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "ioplug.c").write_text("no C at all")
    monkeypatch.setattr(building, "SOURCE", tmp_path / "ioplug.c")
    with pytest.raises(DeviceError, match="libasound2-dev"):
        building.build(tmp_path)


def test_a_missing_file_to_hear_is_named(tmp_path: Path) -> None:
    with pytest.raises(DeviceError, match=r"missing\.raw"):
        SimulatedMicrophone(tmp_path, tmp_path / "missing.raw")


def test_a_spoken_meeting_is_speech_without_a_stretch_of_digital_silence(tmp_path: Path) -> None:
    write_meeting(tmp_path / "meeting.raw", 30)
    audio = np.fromfile(tmp_path / "meeting.raw", "<i2")
    assert len(audio) == 30 * 48000
    seconds = audio.reshape(30, 48000).astype(np.int64)
    assert (seconds != 0).any(axis=1).all()
    assert np.abs(audio.astype(np.int64)).max() > 5000
