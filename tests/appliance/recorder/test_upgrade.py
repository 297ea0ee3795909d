"""An upgrade under a recorder that makes a recording: its children go on with the version that it was started with."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.recorder.supervisor import own_code
from tests.support.box.folder import ROOT
from tests.support.box.whole_box import Box, kinds, whole_box
from tests.support.waiting import until


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """Where the package put the code, which an upgrade replaces."""
    folder = tmp_path / "installed"
    shutil.copytree(ROOT / "appliance", folder / "appliance")
    return folder


@pytest.fixture
def box(tmp_path: Path, installed: Path) -> Iterator[Box]:
    (tmp_path / "box").mkdir()
    (tmp_path / "plugin").mkdir()
    with whole_box(tmp_path / "box", tmp_path / "plugin") as box:
        box.environment = {"PYTHONPATH": f"{installed}:{ROOT}"}
        yield box


def upgrade(installed: Path) -> None:
    """Replace the files, as dpkg does: by others of the same names. What is started from these fits nothing older."""
    for part in ("recorder", "contract"):
        for path in (installed / "appliance" / part).rglob("*.py"):
            path.unlink()
            path.write_text("raise ImportError('this is another version')\n")


def test_promises_2_and_3_an_upgrade_in_a_pause_costs_the_meeting_nothing(box: Box, installed: Path) -> None:
    box.start()
    recording = box.begin()
    upgrade(installed)
    box.tap()
    until(lambda: box.shows("paused", red="off"), "paused")
    box.tap()
    until(lambda: box.shows("recording", green="on"), "safe again, by a capture process that was started since")
    assert box.status()["faults"] == []
    box.microphone.unplug()
    until(lambda: "microphone-missing" in box.status()["faults"], "a lost microphone is told")
    box.microphone.replug()
    until(lambda: not box.status()["faults"] and box.light("green") == "on", "and opened again")
    box.end()
    entries = box.ledger(recording)
    assert kinds(entries).count("pause") == 2
    closing = entries[-1]
    assert closing.kind == "closing"
    assert closing.reason == "button"
    box.stop()
    assert list((box.folder / "run").glob("code-*")) == []


def test_what_a_killed_recorder_left_is_removed_and_the_copy_goes_with_the_recorder(tmp_path: Path) -> None:
    (tmp_path / "code-old" / "appliance").mkdir(parents=True)
    (tmp_path / "status.json").write_text("{}")
    with own_code.own_code(tmp_path) as code:
        assert code is not None
        assert (code / "appliance" / "recorder" / "capture" / "process.py").read_bytes() == (
            ROOT / "appliance" / "recorder" / "capture" / "process.py"
        ).read_bytes()
        assert [path.name for path in tmp_path.glob("code-*")] == [code.name]
    assert [path.name for path in tmp_path.iterdir()] == ["status.json"]


def test_the_version_that_recordings_name_is_copied_with_the_code(tmp_path: Path) -> None:
    for name in ("run", "lib/appliance", "lib/plainsight-1.2.dist-info", "lib/other-1.0.dist-info"):
        (tmp_path / name).mkdir(parents=True)
    with own_code.own_code(tmp_path / "run", tmp_path / "lib" / "appliance") as code:
        assert code is not None
        assert sorted(path.name for path in code.iterdir()) == ["appliance", "plainsight-1.2.dist-info"]


def test_a_run_folder_without_room_keeps_no_meeting_from_being_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(shutil, "copytree", full)
    with own_code.own_code(tmp_path) as code:
        assert code is None
        assert list(tmp_path.iterdir()) == []
    assert "cannot be copied" in caplog.text
