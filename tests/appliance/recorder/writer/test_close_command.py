"""`plainsight close`: what a dead board left open is closed by a person with that box's key, and by nobody else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from appliance.command import main
from appliance.contract.keys import SigningKey
from appliance.recorder.storage.disk import Disk
from appliance.recorder.storage.spool import Spool
from appliance.recorder.writer.recovery import recover
from tests.support.box.writer import Home, open_recording

from .test_recovery import contents, left_open


def close(home: Home, *arguments: str, key: str = "box.key") -> int:
    return main(["close", "--spool", str(home.spool), "--key", str(home.root / key), *arguments])


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def test_what_was_left_open_is_closed_as_interrupted_and_once(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    recordings = sorted(left_open(home) for _ in range(2))
    assert close(home, "--json") == 0
    done = json.loads(capsys.readouterr().out)
    assert done == {"closed": recordings, "closed_before": [], "incomplete": {}, "failed": {}}
    for recording in recordings:
        closing = open_recording(home, recording).closing
        assert closing is not None
        assert closing.reason == "interrupted"
    before = contents(home.spool / "recordings")
    assert close(home) == 0
    assert capsys.readouterr().out.count("was closed already") == 2
    assert contents(home.spool / "recordings") == before


def test_one_of_several_can_be_named(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = left_open(home), left_open(home)
    assert close(home, first) == 0
    assert f"{first}: closed as interrupted" in capsys.readouterr().out
    assert open_recording(home, second).closing is None


def test_promise_5_another_boxs_key_closes_nothing_and_nothing_is_moved(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    recording = left_open(home)
    SigningKey.generate().save(home.root / "other.key")
    before = contents(home.folder(recording))
    assert close(home, "--json", key="other.key") == 1
    assert list(json.loads(capsys.readouterr().out)["failed"]) == [recording]
    assert contents(home.folder(recording)) == before


def test_beside_a_recorder_it_is_refused(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    recording = left_open(home)
    Spool(home.spool, Disk()).lock(0.0)
    assert close(home) == 2
    assert "already uses the spool" in capsys.readouterr().err
    assert open_recording(home, recording).closing is None


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--spool", "SPOOL"], "--key"),
        (["--key", "KEY"], "--spool"),
        (["--spool", "SPOOL", "--key", "KEY", "0" * 32], "no recording"),
        (["--spool", "KEY", "--key", "KEY"], "is no spool"),
        (["--spool", "SPOOL", "--key", "SPOOL"], "signing key"),
    ],
)
def test_wrong_use_ends_with_2_and_words(
    home: Home, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    left_open(home)
    given = {"SPOOL": str(home.spool), "KEY": str(home.root / "box.key")}
    assert main(["close", *(given.get(one, one) for one in arguments)]) == 2
    assert words in capsys.readouterr().err


def test_help_has_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["close", "--help"]) == 0
    assert "example: plainsight close --spool" in capsys.readouterr().out


def test_promise_3_a_board_closes_what_the_box_before_it_left_open_with_that_boxs_key(home: Home) -> None:
    """docs/enrollment.md, "Same box, new board": the recordings stay that box's own."""
    recording, mine = left_open(home), SigningKey.generate()
    spool = Spool(home.spool, Disk())
    assert recover(spool, mine, former=[home.keys.box_signing]) == [recording]
    assert open_recording(home, recording).closing is not None
    assert recover(spool, mine, former=[home.keys.box_signing]) == []
    assert home.recordings() == [recording], "it waits to be sent"
    recover(spool, mine)
    assert home.recordings() == [], "without that key it would be nobody's"
