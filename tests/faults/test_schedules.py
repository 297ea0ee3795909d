"""A broken rule is found by the schedules, and the script that they write down replays it."""

from __future__ import annotations

import importlib
import json
from pathlib import Path

import pytest

from appliance.recorder.supervisor.machine.transition import Transition

from . import __main__ as command

rules = importlib.import_module("appliance.recorder.supervisor.machine.rules")


def dark_too_early(run: Transition) -> None:
    """`_switch_lamp_off` without its condition that no device may be open."""
    if run.state.red_asked and run.state.phase not in ("arming", "recording"):
        run.set(granted=False)
        rules._command_lamp(run, lit=False)


def test_a_broken_rule_is_found_and_its_script_fails_until_the_rule_is_mended(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(rules, "_switch_lamp_off", dark_too_early)
        assert command.main(["--schedules", "200", "--json"]) == 1
        report = json.loads(capsys.readouterr().out)
        path = Path(report["script_path"])
        assert "promise 1: dark before the microphone is closed" in report["failure"]
        assert report["held"] == report["schedules"] - 1
        assert path.read_text() == report["script"]
        assert report["script"].count("schedule.") <= 8, "it was made short"
        assert command.main(["--replay", str(path)]) == 1
        assert "promise 1: dark before the microphone is closed" in capsys.readouterr().out
    assert command.main(["--replay", str(path)]) == 0
    path.unlink()


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"hello world", b"\xff\x00", b'"""A schedule that failed: it"""\nhello'], ids=str
)
def test_a_script_that_is_none_is_refused(content: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "script.py").write_bytes(content)
    assert command.main(["--replay", str(tmp_path / "script.py")]) == 2
    assert "script.py" in capsys.readouterr().err


def test_schedules_that_hold_are_counted_and_the_exit_status_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--schedules", "20", "--seed", "3", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["schedules"] == report["held"] >= 20
    assert report["seed"] == 3
    assert report["reached"]["recording"] > 0


@pytest.mark.parametrize(
    "arguments",
    [[], ["--schedules", "many"], ["--schedules", "0"], ["--kills", "3", "--storage"], ["--kills", "0"], ["--nothing"]],
)
def test_wrong_arguments_are_told_apart_from_a_broken_promise(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        command.main(arguments)
    assert ended.value.code == 2
