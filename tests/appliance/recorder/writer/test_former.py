"""The boxes whose cards went on in this board: read from systemd's credential, and never in a meeting's way."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from appliance.contract.keys import SigningKey
from appliance.recorder.settings import RecorderSettings
from appliance.recorder.writer.former import former_keys
from tests.support.box.folder import ROOT
from tests.support.box.supervisor import settings


@pytest.fixture
def given(tmp_path: Path) -> RecorderSettings:
    return settings(tmp_path, box={"former": tmp_path / "former.toml"})


def box(name: str, key: SigningKey) -> str:
    return f'[[boxes]]\nid = "{name}"\nkey = {json.dumps(key.pem().decode())}\n'


def test_their_keys_are_read_oldest_first_and_a_credential_goes_first(
    given: RecorderSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert former_keys(given) == {}, "mostly there is none"
    first, second = SigningKey.generate(), SigningKey.generate()
    given.box.former.write_text("version = 1\n" + box("box-first111", first) + box("box-second11", second))
    found = former_keys(given)
    assert [(name, key.public) for name, key in found.items()] == [
        ("box-first111", first.public),
        ("box-second11", second.public),
    ]
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path / "credentials"))
    (tmp_path / "credentials").mkdir()
    (tmp_path / "credentials" / "former.toml").write_text(box("box-third111", first))
    assert list(former_keys(given)) == ["box-third111"]


def test_what_the_unit_hands_over_where_there_is_none_is_none(given: RecorderSettings) -> None:
    unit = (ROOT / "systemd" / "plainsight-recorder.service").read_text()
    (text,) = re.findall(r"^SetCredential=former.toml:(.*)$", unit, re.MULTILINE)
    given.box.former.write_text(text)
    assert former_keys(given) == {}


@pytest.mark.parametrize("text", ["nonsense", '[[boxes]]\nid = "box-first111"\nkey = "none"\n', "version = 2"])
def test_a_file_that_cannot_be_read_is_told_and_keeps_no_meeting_from_being_recorded(
    given: RecorderSettings, caplog: pytest.LogCaptureFixture, text: str
) -> None:
    given.box.former.write_text(text)
    assert former_keys(given) == {}
    assert "what a former box left here is not sent" in caplog.text
