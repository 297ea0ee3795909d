"""Settings: every mistake is named with file and setting, and the shipped example is right."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

import appliance.recorder
from appliance.contract.errors import SettingsError
from appliance.contract.settings_file import setting_names
from appliance.recorder import settings
from appliance.recorder.settings import load

EXAMPLE = Path(appliance.recorder.__file__).parent / "recorder.example.toml"


def write(folder: Path, old: str = "", new: str = "") -> Path:
    text = EXAMPLE.read_text()
    assert old in text
    path = folder / "recorder.toml"
    path.write_text(text.replace(old, new, 1))
    return path


def test_the_shipped_example_loads_and_its_comments_show_the_defaults(tmp_path: Path) -> None:
    loaded = load(EXAMPLE)
    uncommented = tmp_path / "all.toml"
    lines = [line.removeprefix("# ") if " = " in line else line for line in EXAMPLE.read_text().splitlines()]
    uncommented.write_text("\n".join(lines).replace('identity = "0d8c:0014"', 'identity = ""'))
    assert load(uncommented) == loaded


def test_the_example_shows_every_setting_of_a_real_box() -> None:
    shown = {line.strip("# ").split(" = ")[0] for line in EXAMPLE.read_text().splitlines() if " = " in line}
    everything = {name for name in setting_names(settings.RecorderSettings) if "." in name}
    simulated = {"panel.client", "panel.socket"}
    rarely_touched = {name for name in everything if name.startswith("times.")}
    assert {name.split(".")[1] for name in everything - simulated - rarely_touched} <= shown


@pytest.mark.parametrize(
    ("old", "new", "field", "words"),
    [
        ("device =", "devise =", "microphone.devise", "did you mean 'microphone.device'"),
        ('card = "', 'crad = "', "microphone.crad", "did you mean 'microphone.card'"),
        ("[limits]", "[limit]", "limit", "did you mean 'limits'"),
        ("# red = 23", "red = 24", "panel", "two lines are given the same pin"),
        ("# red = 23", "red = 40", "panel.red", "less than or equal to 27"),
        ("# red = 23", 'red = "23"', "panel.red", "integer"),
        ('# kind = "gpio"', 'kind = "simulated"', "panel", "needs 'socket'"),
        ("# cap_s = 14400.0", "cap_s = -1.0", "limits.cap_s", "greater than 0"),
        ("# hold_s = 1.5", "hold_s = 0.5", "times", "short_press_s must not exceed hold_s"),
        ('# path = "/var/lib/plainsight/spool"', 'path = "spool"', "spool.path", "absolute"),
        ('id = "box-7f3a92c1"', 'id = "Room 12"', "box.id", "pattern"),
    ],
)
def test_a_wrong_setting_is_named_with_file_and_remedy(
    tmp_path: Path, old: str, new: str, field: str, words: str
) -> None:
    path = write(tmp_path, old, new)
    with pytest.raises(SettingsError) as caught:
        load(path)
    assert caught.value.field == field
    assert str(path) in caught.value.message
    assert words in caught.value.message


def test_a_file_that_is_absent_or_no_toml_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"absent\.toml.*--config"):
        load(tmp_path / "absent.toml")
    (tmp_path / "bad.toml").write_text("[box\n")
    with pytest.raises(SettingsError, match=r"bad\.toml is not TOML"):
        load(tmp_path / "bad.toml")


def test_systemds_credential_goes_before_the_setting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    box = load(EXAMPLE).box
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    assert box.signing_key_path() == Path("/etc/plainsight/box.key")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert box.signing_key_path() == Path("/etc/plainsight/box.key")
    (tmp_path / "box.key").touch()
    assert box.signing_key_path() == tmp_path / "box.key"


def test_every_section_and_setting_says_what_it_is() -> None:
    source = Path(settings.__file__).read_text().splitlines()
    for number, line in enumerate(source):
        if line.startswith("    ") and ": " in line and (" = " in line or line.endswith(("Id", "Text", "Key"))):
            name = line.strip().split(":")[0]
            if name.isidentifier() and line.startswith(f"    {name}:"):
                follows = source[number + 1].strip()
                assert follows.startswith('"""') or name in tomllib.loads(EXAMPLE.read_text()), f"{name} has no words"
