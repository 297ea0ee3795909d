"""The recorder's commands as a person calls them: exit status, words, --help with an example, no traceback."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from appliance.contract.errors import SettingsError
from appliance.contract.keys import SigningKey
from appliance.contract.single_instance import single_instance
from appliance.recorder.commissioning import command as commission
from appliance.recorder.doctor import command as doctor
from appliance.simulator.fakes import FakePanel
from appliance.simulator.panel import connect
from tests.support.box.folder import BoxFolder
from tests.support.box.panel_server import PanelServer
from tests.support.box.supervisor import KEYS, Running, plug
from tests.support.waiting import until

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    plug(tmp_path)
    write_settings(tmp_path)
    return tmp_path


def write_settings(folder: Path, extra: str = "", *, commissioned: bool = False) -> None:
    BoxFolder(folder, KEYS).configure(extra, checks={"commissioned": commissioned}, panel={"lamp_seen": 25})


@pytest.fixture
def panel(folder: Path) -> Iterator[PanelServer]:
    with PanelServer(folder) as server:
        yield server


def start(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "appliance.command", *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    process = start(*arguments)
    out, errors = process.communicate(timeout=60)
    return subprocess.CompletedProcess(arguments, process.returncode, out, errors)


def findings(folder: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, dict[str, Any]]]:
    status = doctor.main(["--config", str(folder / "recorder.toml"), "--json"])
    return status, {check["check"]: check for check in json.loads(capsys.readouterr().out)["checks"]}


@pytest.mark.parametrize("command", ["recorder", "lamps-out", "doctor", "commission"])
def test_each_command_has_help_with_an_example(command: str) -> None:
    result = run(command, "--help")
    assert result.returncode == 0
    assert f"example: plainsight {command} --config" in result.stdout


@pytest.mark.parametrize("command", ["recorder", "doctor", "commission"])
def test_a_misspelt_setting_ends_with_2_and_its_likely_name(folder: Path, command: str) -> None:
    write_settings(folder, "[times]\nhold_sec = 2.0\n")
    result = run(command, "--config", str(folder / "recorder.toml"))
    assert result.returncode == 2
    assert "did you mean 'times.hold_s'" in result.stderr
    assert "Traceback" not in result.stderr


def test_the_recorder_without_a_panel_ends_with_2_and_says_what_to_start(folder: Path) -> None:
    result = run("recorder", "--config", str(folder / "recorder.toml"))
    assert result.returncode == 2
    assert "plainsight simulator" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_run_folder_that_cannot_be_written_is_named(folder: Path, panel: PanelServer) -> None:
    (folder / "run").rmdir()
    (folder / "run").touch()
    result = run("recorder", "--config", str(folder / "recorder.toml"))
    assert result.returncode == 2
    assert "spool.run" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_second_recorder_is_refused_and_sigterm_ends_the_first_with_0(folder: Path, panel: PanelServer) -> None:
    write_settings(folder, commissioned=True)
    first = start("recorder", "--config", str(folder / "recorder.toml"))
    try:
        until((folder / "run" / "status.json").exists, "the first one's word")
        assert b'"not-commissioned"' in status_of(folder), "amber from the start"
        second = run("recorder", "--config", str(folder / "recorder.toml"))
        assert second.returncode == 2
        assert "another recorder" in second.stderr
    finally:
        first.send_signal(signal.SIGTERM)
        _, errors = first.communicate(timeout=60)
    assert first.returncode == 0, errors
    assert "run plainsight commission" in errors
    assert "Traceback" not in errors


def test_an_idle_recorder_ends_at_sighup_so_that_an_upgrade_takes_effect(folder: Path, panel: PanelServer) -> None:
    process = start("recorder", "--config", str(folder / "recorder.toml"))
    try:
        until(lambda: b'"ready":true' in status_of(folder), "it is ready")
        process.send_signal(signal.SIGHUP)
        _, errors = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 0, errors


def test_a_missing_key_is_told_and_no_press_is_taken_until_it_is_mended(folder: Path, panel: PanelServer) -> None:
    (folder / "box.key").unlink()
    process = start("recorder", "--config", str(folder / "recorder.toml"))
    try:
        until(lambda: b'"keys"' in status_of(folder), "the fault is told")
        panel.press()
        panel.release()
        SigningKey.generate().save(folder / "box.key")
        until(lambda: b'"ready":true' in status_of(folder), "mended, it is ready without a new start")
    finally:
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=60)
    assert "box.key" in errors
    assert {"red": True} not in panel.log()


@pytest.mark.parametrize("arguments", [[], ["--json"]])
def test_commission_without_a_terminal_asks_nobody_and_says_how_to_go_on(folder: Path, arguments: list[str]) -> None:
    with pytest.raises(SettingsError, match=r"no terminal.*--no-questions"):
        commission.main(["--config", str(folder / "recorder.toml"), *arguments])


def test_commission_refuses_beside_a_recorder(folder: Path, panel: PanelServer) -> None:
    with single_instance(folder / "run", "recorder", field="spool.run", remedy="stop it first"):
        result = run("commission", "--config", str(folder / "recorder.toml"), "--no-questions", "--json")
    assert result.returncode == 2
    assert "stop it first: systemctl stop plainsight-recorder" in result.stderr
    assert result.stdout == ""
    assert panel.log() == [], "its panel was not touched"


HANGS = """
import sys, time
from appliance.recorder.ipc.child_setup import protect_memory
protect_memory("ps-capture")
print("open", flush=True)
time.sleep(600)
"""


@pytest.fixture
def hanging(folder: Path) -> Iterator[int]:
    """A capture process of an earlier run that has a card open that the settings do not name."""
    process = subprocess.Popen([sys.executable, "-c", HANGS], cwd=ROOT, stdout=subprocess.PIPE)
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == b"open\n"
        status = folder / "asound" / "card3" / "pcm0c" / "sub0" / "status"
        status.parent.mkdir(parents=True)
        status.write_text(f"state: RUNNING\nowner_pid   : {process.pid}\n")
        yield process.pid
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.mark.parametrize("command", [("recorder",), ("commission", "--no-questions")])
def test_promise_1_what_starts_again_touches_no_light_over_a_usb_microphone_that_is_still_open(
    folder: Path, panel: PanelServer, hanging: int, command: tuple[str, ...]
) -> None:
    BoxFolder(folder, KEYS).configure(checks={"commissioned": False}, microphone={"card": ""})
    with connect(folder / "panel.sock") as line:
        line.sendall(b'{"red": true}\n')
        until(lambda: panel.panel.lit, "the lamp is lit")
    until(lambda: not panel.panel.listeners, "the killed recorder's line is down")
    before = panel.log()
    result = run(*command, "--config", str(folder / "recorder.toml"))
    assert result.returncode == 2
    assert f"the capture process {hanging} of an earlier run" in result.stderr
    assert panel.panel.lit
    assert panel.log() == before


def status_of(folder: Path) -> bytes:
    path = folder / "run" / "status.json"
    return path.read_bytes() if path.exists() else b""


def test_lamps_out_puts_out_what_a_killed_recorder_left_lit(folder: Path, panel: PanelServer) -> None:
    with connect(folder / "panel.sock") as line:
        line.sendall(b'{"red": true, "green": "on"}\n')
        until(lambda: panel.panel.lit, "the lamp is lit")
    until(lambda: not panel.panel.listeners, "the killed recorder's line is down")
    assert panel.panel.lit
    result = run("lamps-out", "--config", str(folder / "recorder.toml"))
    assert result.returncode == 0, result.stderr
    assert not panel.panel.lit
    assert panel.panel.green == "off"


def test_lamps_out_works_beside_a_recorder_that_hangs(folder: Path, panel: PanelServer) -> None:
    with connect(folder / "panel.sock") as line:
        line.sendall(b'{"red": true}\n')
        until(lambda: panel.panel.lit, "the lamp is lit")
        assert run("lamps-out", "--config", str(folder / "recorder.toml")).returncode == 0
        assert not panel.panel.lit


def test_lamps_out_puts_the_lights_out_although_a_setting_is_misspelled(folder: Path, panel: PanelServer) -> None:
    with connect(folder / "panel.sock") as line:
        line.sendall(b'{"red": true}\n')
        until(lambda: panel.panel.lit, "the lamp is lit")
        write_settings(folder, "[times]\nhold_sec = 2.0\n")
        assert run("lamps-out", "--config", str(folder / "recorder.toml")).returncode == 0
        assert not panel.panel.lit


@pytest.mark.parametrize("arguments", [["--config"], ["--verbose"], ["now", "--config", "x"]])
def test_lamps_out_answers_arguments_that_it_does_not_know_with_its_usage(arguments: list[str]) -> None:
    result = run("lamps-out", *arguments)
    assert result.returncode == 2
    assert "example: plainsight lamps-out" in result.stderr


def test_lamps_out_without_a_panel_ends_with_2(folder: Path) -> None:
    result = run("lamps-out", "--config", str(folder / "recorder.toml"))
    assert result.returncode == 2
    assert "Traceback" not in result.stderr


def test_doctor_says_what_is_well_and_ends_with_0(
    folder: Path, panel: PanelServer, capsys: pytest.CaptureFixture[str]
) -> None:
    status, found = findings(folder, capsys)
    assert status == 0, found
    assert found["microphone"]["verdict"] == "ok"
    assert found["signing key"]["verdict"] == "ok"
    assert found["recorder"]["verdict"] == "warning"
    assert found["commissioning"]["verdict"] == "warning"
    assert "plainsight commission" in found["commissioning"]["remedy"]


@pytest.mark.parametrize(
    ("spoil", "check", "words"),
    [
        ("key", "signing key", "amber 6: keys"),
        ("spool", "spool", "is no folder"),
        ("microphone", "microphone", "amber 1: microphone-missing"),
        ("panel", "panel", "no simulator"),
    ],
)
def test_doctor_names_each_thing_that_is_wrong_with_a_remedy_and_ends_with_1(
    folder: Path, panel: PanelServer, capsys: pytest.CaptureFixture[str], *, spoil: str, check: str, words: str
) -> None:
    match spoil:
        case "key":
            (folder / "box.key").unlink()
        case "spool":
            (folder / "spool").rmdir()
        case "microphone":
            plug(folder, plugged=False)
        case "panel":
            (folder / "panel.sock").unlink()
    status, found = findings(folder, capsys)
    assert status == 1
    assert found[check]["verdict"] == "wrong"
    assert words in found[check]["found"]
    assert found[check]["remedy"]


def test_doctor_takes_what_this_user_may_not_see_for_wrong_and_goes_on(
    folder: Path, panel: PanelServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    real = Path.stat

    def stat(path: Path, *, follow_symlinks: bool = True) -> os.stat_result:
        if path.name in ("panel.sock", "spool"):
            raise PermissionError(13, "Permission denied")
        return real(path, follow_symlinks=follow_symlinks)

    monkeypatch.setattr(Path, "stat", stat)
    assert doctor.main(["--config", str(folder / "recorder.toml")]) == 1
    assert capsys.readouterr().out.count("this user may see") == 2


def test_doctor_opens_no_device_and_changes_nothing(folder: Path, panel: PanelServer) -> None:
    before = sorted(folder.rglob("*"))
    arguments = ["--config", str(folder / "recorder.toml")]
    program = f"""
import sys
from appliance.contract.single_instance import single_instance
from appliance.recorder.commissioning import command
from appliance.recorder.doctor import command as doctor
doctor.main({arguments})
sys.exit("pyaudio" in sys.modules)
"""
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True)
    assert sorted(folder.rglob("*")) == before


def test_doctor_repeats_the_running_recorders_amber_codes(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PLAINSIGHT_FAKES", str(folder))
    plug(folder, plugged=False)
    with Running(folder, FakePanel()) as running:
        running.until("fault")
        until(lambda: running.status().state == "fault", "told")
        _, found = findings(folder, capsys)
        assert found["recorder"]["found"] == "fault"
        assert found["recorder's amber light"]["found"].endswith("(amber 1: microphone-missing)")
