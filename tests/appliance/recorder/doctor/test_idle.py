"""`plainsight idle`: an upgrade waits for the end of a meeting, and of what follows it at once."""

from __future__ import annotations

import re
import shlex
import subprocess
import time
from collections.abc import Iterable
from pathlib import Path

import pytest

from appliance.command import main
from appliance.contract.status import RecorderStatus
from appliance.contract.times import boot_id
from appliance.recorder.doctor import idle
from appliance.recorder.doctor.idle import is_idle, wait_until_idle
from appliance.recorder.settings import Spool as SpoolSettings
from tests.support.box.folder import ROOT


def status(run: Path, state: str, age_s: float = 0.0) -> None:
    made = RecorderStatus.model_validate(
        {
            "box": "box-0123456789abcdef", "boot_id": boot_id(), "state": state, "ready": True, "recording": None,
            "monotonic_ns": time.monotonic_ns() - int(age_s * 1e9), "since_ns": 0,
        }
    )  # fmt: skip
    (run / "status.json").write_text(made.model_dump_json())


@pytest.mark.parametrize("state", ["arming", "recording", "paused", "ending"])
def test_a_recording_is_not_idle_until_it_is_saved(tmp_path: Path, state: str) -> None:
    status(tmp_path, state)
    assert not is_idle(tmp_path)
    # a recorder that died records nothing, whatever it said last
    status(tmp_path, state, age_s=60)
    assert is_idle(tmp_path)


def test_a_box_that_rests_is_broken_or_has_no_recorder_is_idle(tmp_path: Path) -> None:
    assert is_idle(tmp_path)
    for state in ("idle", "fault", "self-test"):
        status(tmp_path, state)
        assert is_idle(tmp_path)
    (tmp_path / "status.json").write_text("{")
    assert is_idle(tmp_path)


class Meeting:
    """A clock, on which the recorder is in these states, a second each; the last one stays."""

    def __init__(self, run: Path, states: Iterable[str]) -> None:
        self.at = 0.0
        self._run = run
        self._states = list(states)
        self.sleep(0)

    def sleep(self, seconds: float) -> None:
        self.at += seconds
        status(self._run, self._states[min(int(self.at), len(self._states) - 1)])


def waited(run: Path, states: list[str], for_s: float, wait_s: float) -> tuple[bool, float]:
    meeting = Meeting(run, states)
    found = wait_until_idle(run, for_s, wait_s, lambda: meeting.at, meeting.sleep)
    return found, meeting.at


def test_it_waits_for_the_end_and_for_a_quiet_time_without_a_break(tmp_path: Path) -> None:
    assert waited(tmp_path, ["idle"], 3, 100) == (True, 3)
    assert waited(tmp_path, ["recording"] * 5 + ["idle"], 3, 100) == (True, 8)
    assert waited(tmp_path, ["idle", "idle", "recording", "idle"], 3, 100) == (True, 6)
    assert waited(tmp_path, ["recording"], 3, 20) == (False, 20)


def test_the_command_says_it_by_its_status(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idle, "RUN", tmp_path)
    nowhere = ["--config", str(tmp_path / "none.toml")]
    status(tmp_path, "recording")
    assert main(["idle", *nowhere]) == 1
    status(tmp_path, "idle")
    assert main(["idle", *nowhere]) == 0
    assert main(["idle", *nowhere, "--wait-s", "-1"]) == 2


@pytest.mark.parametrize(
    "text",
    ['[spool]\nrun = "{run}"\n[from]\na = "later version"\n', '[spool]\nrun = "{run}"\n\n[times]\nhold_s = -1\n'],
)
def test_settings_that_this_version_refuses_keep_the_one_that_mends_it_from_no_box(tmp_path: Path, text: str) -> None:
    """Nobody logs in to a box: an upgrade that waits for ever could be followed by new cards only."""
    config, run = tmp_path / "recorder.toml", tmp_path / "elsewhere"
    run.mkdir()
    config.write_text(text.format(run=run))
    assert main(["idle", "--config", str(config)]) == 0
    status(run, "recording")
    assert main(["idle", "--config", str(config)]) == 1


@pytest.mark.parametrize("text", ["[spool\n", 'spool = "a word"\n', "[spool]\nrun = 5\n", "\xff", None])
def test_where_the_settings_cannot_be_read_the_status_is_looked_for_at_its_usual_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], text: str | None
) -> None:
    run, config = tmp_path / "run", tmp_path / "recorder.toml"
    run.mkdir()
    monkeypatch.setattr(idle, "RUN", run)
    if text is None:
        config.mkdir()
    else:
        config.write_text(text, encoding="latin-1")
    assert main(["idle", "--config", str(config)]) == 0
    assert str(config) in capsys.readouterr().err
    status(run, "recording")
    assert main(["idle", "--config", str(config)]) == 1


def test_the_usual_place_is_that_of_the_settings() -> None:
    assert SpoolSettings().run == idle.RUN


def test_the_nightly_upgrade_is_left_out_for_a_meeting_alone() -> None:
    """systemd leaves a unit out for any status of its condition from 1 to 254, a defect's 70 as well."""
    drop_in = ROOT / "systemd" / "apt-daily-upgrade.service.d" / "plainsight.conf"
    (condition,) = re.findall(r"^ExecCondition=(.*)$", drop_in.read_text(), re.MULTILINE)
    shell, option, script = shlex.split(condition.replace("$$", "$"))
    for said, expected in ((0, 0), (idle.BUSY, 1), (2, 0), (70, 0), (126, 0)):
        doubled = script.replace("/usr/bin/plainsight", f"sh -c 'exit {said}' plainsight")
        assert doubled != script
        assert subprocess.run([shell, option, doubled], check=False).returncode == expected
