"""Settings: every mistake is named with file and setting, and the shipped example is right."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

import appliance.recorder
from appliance.contract.errors import SettingsError
from appliance.contract.keys import PUBLISHED, public_text
from appliance.contract.settings_file import setting_names
from appliance.contract.zip_profile import MAX_BYTES, MAX_MEMBERS
from appliance.recorder import settings
from appliance.recorder.settings import RecorderSettings, load, second_bytes
from appliance.recorder.supervisor.machine import Parameters
from tests.support.box.supervisor import ENROLLED
from tests.support.box.supervisor import settings as a_box
from tests.support.examples import fill

EXAMPLE = Path(appliance.recorder.__file__).parent / "recorder.example.toml"


def filled() -> str:
    """The example with what enrollment gives."""
    return fill(EXAMPLE.read_text(), id="box-7f3a92c1", **ENROLLED)


def write(folder: Path, old: str = "", new: str = "") -> Path:
    text = filled()
    assert old in text
    path = folder / "recorder.toml"
    path.write_text(text.replace(old, new, 1))
    return path


@pytest.mark.parametrize("line", [None, "id", *ENROLLED])
def test_the_example_is_refused_as_shipped_and_with_any_of_its_texts_left(tmp_path: Path, line: str | None) -> None:
    path = tmp_path / "recorder.toml"
    shipped = EXAMPLE.read_text()
    left = [] if line is None else [text for text in shipped.splitlines() if text.startswith(f"{line} = ")]
    path.write_text(shipped if line is None else re.sub(rf"(?m)^{line} = .*$", left[0], filled()))
    with pytest.raises(SettingsError, match="still has the shipped example's text") as caught:
        load(path)
    assert caught.value.field == ("box.id" if line in (None, "id") else f"keys.{line}")


@pytest.mark.parametrize("key", sorted(PUBLISHED))
def test_an_archive_key_whose_private_half_is_published_is_refused(tmp_path: Path, key: str) -> None:
    with pytest.raises(SettingsError, match="published example"):
        load(write(tmp_path, ENROLLED["archive_key"], key))


def test_the_published_keys_are_those_of_rfc_8032() -> None:
    secret = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
    assert public_text(Ed25519PrivateKey.from_private_bytes(secret).public_key()) in PUBLISHED


def test_an_escrow_that_is_the_archive_itself_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="escrow_recipient must not be") as caught:
        load(write(tmp_path, ENROLLED["escrow_recipient"], ENROLLED["archive_recipient"]))
    assert caught.value.field == "keys"


def test_the_filled_example_loads_and_its_comments_show_the_defaults(tmp_path: Path) -> None:
    loaded = load(write(tmp_path))
    uncommented = tmp_path / "all.toml"
    lines = [line.removeprefix("# ") for line in filled().splitlines() if not line.startswith("# socket = ")]
    lines = [line if re.match(r"\w+ = |\[", line) else f"# {line}" for line in lines]
    uncommented.write_text("\n".join(lines).replace('identity = "0d8c:0014"', 'identity = ""'))
    assert load(uncommented) == loaded


def test_the_example_shows_every_setting() -> None:
    shown = {line.strip("# ").split(" = ")[0] for line in EXAMPLE.read_text().splitlines() if " = " in line}
    everything = {name for name in setting_names(settings.RecorderSettings) if "." in name}
    assert {name.split(".")[1] for name in everything} <= shown


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
        ("# rate = 48000", "rate = 192000", "(whole)", "that no archive can seal: at microphone.rate = 192000"),
        ("# cap_s = 14400.0", "cap_s = 43000.0", "(whole)", "a package holds"),
        ("# gain_db = 0.0", "gain_db = 20.0", "microphone", "needs bits = 32"),
        ('# channel = "left"', 'channel = "right"', "microphone", "needs channels = 2"),
        ("# hold_s = 1.5", "first_block_s = 1.0", "times", "first_block_s must not be less than stall_s"),
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
    box = load(write(tmp_path)).box
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


def rules(given: RecorderSettings) -> Parameters:
    return Parameters.of(given, sensed=True, block_frames=4096)


ACTS: dict[str, tuple[object, list[Callable[[RecorderSettings], object]]]] = {
    "times.short_press_s": (0.9, [lambda given: rules(given).short_press]),
    "times.hold_s": (1.7, [lambda given: rules(given).hold]),
    "times.close_s": (0.2, [lambda given: rules(given).close, RecorderSettings.capture_arguments]),
    "times.heartbeat_stale_s": (0.7, [RecorderSettings.capture_arguments]),
    "times.lamp_s": (0.3, [lambda given: rules(given).lamp]),
    "times.stall_s": (1.9, [lambda given: rules(given).stall]),
    "times.first_block_s": (6.0, [lambda given: rules(given).first_block]),
    "times.warm_s": (11.0, [lambda given: rules(given).warm]),
    "times.retry_s": (1.5, [lambda given: rules(given).retry]),
    "times.ack_s": (6.0, [lambda given: rules(given).ack]),
    "times.slow_s": (4.0, [lambda given: rules(given).slow]),
    "times.unsafe_s": (20.0, [lambda given: rules(given).unsafe]),
    "times.drain_s": (20.0, [lambda given: rules(given).drain]),
    "times.shutdown_s": (4.0, [lambda given: rules(given).shutdown]),
    "limits.cap_s": (600.0, [lambda given: rules(given).cap, lambda given: rules(given).longest_bytes]),
    "limits.quiet_s": (600.0, [lambda given: rules(given).quiet]),
    "limits.paused_s": (600.0, [lambda given: rules(given).paused]),
    "limits.warn_s": (30.0, [lambda given: rules(given).warn, lambda given: rules(given).warn_bytes]),
    "limits.min_free_bytes": (
        1 << 20,
        [lambda given: rules(given).min_free_bytes, lambda given: rules(given).warn_bytes],
    ),
    "microphone.rate": (96000, [lambda given: rules(given).second_bytes, lambda given: rules(given).longest_bytes]),
    "microphone.channels": (2, [RecorderSettings.capture_arguments]),
    "microphone.bits": (32, [RecorderSettings.capture_arguments]),
}
"""A value that is not the default, and each part of the recorder that must make something else of it."""


@pytest.mark.parametrize("name", ACTS)
def test_a_setting_reaches_the_part_that_it_is_about(tmp_path: Path, name: str) -> None:
    value, consumers = ACTS[name]
    section, member = name.split(".")
    before, after = a_box(tmp_path), a_box(tmp_path, **{section: {member: value}})
    for made in consumers:
        assert made(before) != made(after)


def test_no_setting_is_validated_and_never_used() -> None:
    read = set[str]()
    for path in Path(appliance.recorder.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef) and path.name == "settings.py":
                # a validator that compares two settings lets neither of them act
                node.body = [one for one in node.body if not getattr(one, "decorator_list", [])]
            if isinstance(node, ast.FunctionDef) and path.name == "settings.py" and node.decorator_list:
                node.body = [ast.Pass()]
            if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
                read.add(node.attr)
    unread = {name for name in setting_names(RecorderSettings) if name.split(".")[-1] not in read}
    assert unread == set()


@given(st.integers(8000, 192000))
def test_the_longest_recording_that_the_settings_allow_fits_into_a_package(rate: int) -> None:
    values: dict[str, Any] = {"box": {"id": "box-test"}, "keys": ENROLLED, "microphone": {"device": "x", "rate": rate}}
    longest = 0
    for cap_s in (64000.0, 40000.0, 20000.0, 9900.0):
        try:
            RecorderSettings.model_validate({**values, "limits": {"cap_s": cap_s}})
        except ValueError:
            continue
        longest = round(cap_s)
        break
    assert longest
    # a segment, its ledger line and its two headers in the package, each second
    assert longest * (second_bytes(rate) + 300) < MAX_BYTES
    assert longest < MAX_MEMBERS
