"""`plainsight doctor` opens what it calls ok, and its remedy names the right setting, package or user."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from appliance.contract.check_result import CheckResult
from appliance.contract.health import reported
from appliance.contract.keys import SigningKey
from appliance.recorder import resources
from appliance.recorder.doctor import check_result, compare, examination
from appliance.recorder.settings import RecorderSettings
from tests.support.box.supervisor import settings


def of(found: list[CheckResult], name: str) -> CheckResult:
    return next(result for result in found if result.check == name)


def look(given: RecorderSettings, devices: Path) -> list[CheckResult]:
    return examination.examine_box(given, devices)


@pytest.fixture(autouse=True)
def driver(monkeypatch: pytest.MonkeyPatch) -> None:
    """The driver of the pins is installed; Debian has none for its newer Python, Raspberry Pi OS has."""
    real: Callable[[str], Any] = importlib.util.find_spec
    there = real("pytest")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: there if name == "lgpio" else real(name))


@pytest.fixture
def with_pins(tmp_path: Path) -> RecorderSettings:
    return settings(tmp_path, panel={"kind": "gpio", "lamp_seen": 25})


@pytest.fixture
def devices(tmp_path: Path) -> Path:
    folder = tmp_path / "dev"
    folder.mkdir()
    (folder / "gpiochip0").write_bytes(b"")
    return folder


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """A chip that answers."""
    monkeypatch.setattr("fcntl.ioctl", lambda *_: 0)


@pytest.mark.usefixtures("answers")
def test_a_chip_that_answers_is_ok(with_pins: RecorderSettings, devices: Path) -> None:
    assert of(look(with_pins, devices), "panel").verdict == "ok"


def test_a_chip_that_does_not_answer_is_wrong(with_pins: RecorderSettings, devices: Path) -> None:
    panel = of(look(with_pins, devices), "panel")
    assert (panel.verdict, "does not open" in panel.found) == ("wrong", True)
    assert "plainsight-gpio" in panel.remedy


@pytest.mark.usefixtures("answers")
@pytest.mark.parametrize("module", ["lgpio", "gpiozero"])
def test_a_driver_that_was_not_installed_is_wrong_and_its_package_named(
    with_pins: RecorderSettings, devices: Path, monkeypatch: pytest.MonkeyPatch, module: str
) -> None:
    real: Callable[[str], Any] = importlib.util.find_spec
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == module else real(name))
    panel = of(look(with_pins, devices), "panel")
    assert panel.verdict == "wrong"
    assert f"python3-{module}" in panel.remedy


def test_a_usb_microphone_that_is_there_only_while_the_lamp_is_lit_is_no_trouble(tmp_path: Path, devices: Path) -> None:
    """Each box for one is set up so: a trouble a day that needs nothing hides the others on the page of rooms."""
    given = settings(tmp_path, microphone={"card": ""})
    assert reported([of(look(given, devices), "microphone")]) == []
    capture = tmp_path / "asound" / "card1" / "pcm0c" / "sub0" / "status"
    capture.parent.mkdir(parents=True)
    capture.write_text("state: RUNNING\nowner_pid   : 1\n")
    assert of(look(given, devices), "microphone").verdict == "ok", "it records, and the lamp is lit"
    capture.write_text("closed\n")
    found = of(look(given, devices), "microphone")
    assert (found.verdict, "set microphone.card" in found.remedy) == ("warning", True)


def test_a_missing_folder_names_its_own_setting(tmp_path: Path, devices: Path) -> None:
    found = look(settings(tmp_path / "nowhere"), devices)
    assert "set spool.path" in of(found, "spool").remedy
    assert "set spool.inbox" in of(found, "inbox").remedy


@pytest.mark.parametrize(("mount", "verdict"), [("tmpfs", "ok"), ("ext4", "wrong")])
def test_the_run_folder_of_a_stopped_box_is_made_at_its_start(
    tmp_path: Path, devices: Path, monkeypatch: pytest.MonkeyPatch, mount: str, verdict: str
) -> None:
    monkeypatch.setattr(examination, "_kind_of_mount", lambda _: mount)
    assert of(look(settings(tmp_path, spool={"run": tmp_path / "absent"}), devices), "run folder").verdict == verdict


def test_what_this_user_may_not_read_is_no_missing_key(
    tmp_path: Path, devices: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = settings(tmp_path, box={"signing_key": tmp_path / "box.key", "commissioning": tmp_path / "c.tsv"})
    SigningKey.generate().save(tmp_path / "box.key")

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    monkeypatch.setattr(Path, "open", refuse)
    assert of([examination._keys(given)], "signing key").remedy == check_result.AS_RECORDER
    _, about = compare.compare(given)
    assert about[0].remedy == check_result.AS_RECORDER


def test_what_a_recording_needs_besides_a_disk_is_looked_at(
    tmp_path: Path, devices: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = settings(tmp_path)
    (tmp_path / "spool").mkdir(exist_ok=True)
    found = look(given, devices)
    assert {of(found, name).verdict for name in ("file names", "memory", "file handles")} == {"ok"}
    monkeypatch.setattr(resources, "free_names", lambda _: 14399)
    monkeypatch.setattr(resources, "memory_fault", lambda: "3 MB of memory are available")
    monkeypatch.setattr(resources, "handles_fault", lambda: "1020 of 1024 file handles are in use")
    found = look(given, devices)
    assert {of(found, name).verdict for name in ("file names", "memory", "file handles")} == {"warning"}
    assert "df -i" in of(found, "file names").remedy
    assert "14400 wanted" in of(found, "file names").found
    assert "top" in of(found, "memory").remedy
    assert "journal" in of(found, "file handles").remedy
