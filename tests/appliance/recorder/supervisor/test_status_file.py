"""The status file is whole at every moment, and a failure to write it stops nothing."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from appliance.contract.errors import SettingsError
from appliance.contract.status import RecorderStatus
from appliance.recorder.supervisor.machine import Parameters, State
from appliance.recorder.supervisor.status_file import StatusFile, describe
from tests.support.box.supervisor import settings


def word(folder: Path, state: State, *, sensed: bool = True) -> RecorderStatus:
    parameters = Parameters.of(settings(folder), sensed=sensed, block_frames=4096)
    return describe(state, parameters, box="box-test", boot_id="x", now_ns=5, panel="simulated")


def test_frames_are_told_as_they_are_captured_and_acknowledged(tmp_path: Path) -> None:
    state = State(phase="recording", recording="a" * 32, frames=48000, acked_frame=40000, write_seq=12, counted_seq=10)
    status = word(tmp_path, state)
    assert (status.frames, status.acked_frame, status.ready) == (48000 + 2 * 4096, 40000, False)


def test_outside_a_meeting_no_figures_of_the_last_one_are_told(tmp_path: Path) -> None:
    status = word(tmp_path, State(phase="idle", frames=48000, acked_frame=48000, lost_frames=3))
    assert (status.frames, status.acked_frame, status.lost_frames, status.recording) == (0, 0, 0, None)
    assert status.ready


def test_without_a_sensor_the_lamp_is_unverified(tmp_path: Path) -> None:
    assert word(tmp_path, State(), sensed=False).lamp == "unverified"


def test_readers_never_see_half_a_word(tmp_path: Path) -> None:
    file = StatusFile(tmp_path)
    status = word(tmp_path, State())
    file.write(status)
    done = threading.Event()

    def write() -> None:
        for _ in range(500):
            file.write(status)
        done.set()

    writer = threading.Thread(target=write)
    writer.start()
    while not done.is_set():
        assert RecorderStatus.model_validate_json((tmp_path / "status.json").read_bytes()) == status
    writer.join()


def test_a_write_that_fails_is_told_once_and_stops_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = StatusFile(tmp_path / "run")
    (tmp_path / "run" / ".status.json").unlink()
    (tmp_path / "run").rmdir()
    file.write(word(tmp_path, State()))
    file.write(word(tmp_path, State()))
    assert len([record for record in caplog.records if "status.json" in record.message]) == 1


def test_a_folder_that_cannot_be_written_is_named_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "run").touch()
    with pytest.raises(SettingsError) as caught:
        StatusFile(tmp_path / "run")
    assert caught.value.field == "spool.run"
