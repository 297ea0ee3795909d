"""A record is believed only if this box signed it for itself, and the old one stays until the new one is whole."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from appliance.contract.errors import KeyFileError
from appliance.contract.header import Microphone
from appliance.contract.keys import SigningKey
from appliance.contract.times import parse_wall
from appliance.recorder.commissioning.record import keep_record
from appliance.recorder.commissioning_record import RecordError, read_record
from appliance.recorder.doctor.compare import compare, compare_record
from appliance.recorder.settings import RecorderSettings
from appliance.recorder.storage.disk import Disk, DiskError
from tests.support.box.commissioning import a_record
from tests.support.box.supervisor import settings


@pytest.fixture
def key(tmp_path: Path) -> SigningKey:
    key = SigningKey.generate()
    key.save(tmp_path / "box.key")
    return key


@pytest.fixture
def chosen(tmp_path: Path, key: SigningKey) -> RecorderSettings:
    box = {"signing_key": tmp_path / "box.key", "commissioning": tmp_path / "commissioning.tsv"}
    return settings(tmp_path, box=box, checks={"commissioned": True})


def test_what_was_kept_is_read_back(chosen: RecorderSettings, key: SigningKey) -> None:
    record = a_record(chosen, key)
    keep_record(chosen.box.commissioning, record, key)
    assert read_record(chosen) == record


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda path, line, other: path.unlink(), "there is no record"),
        (lambda path, line, other: (path.unlink(), path.mkdir()), "cannot read"),
        (lambda path, line, other: path.write_bytes(line[:-9]), "no record of this box"),
        (lambda path, line, other: path.write_bytes(b""), "no record of this box"),
        (lambda path, line, other: path.write_bytes(bytes(2 << 20)), "no record of this box"),
        (lambda path, line, other: path.write_bytes(line.replace(b"-6000", b"-3000")), "signature"),
        (lambda path, line, other: path.write_bytes(other), "signature"),
    ],
)
def test_anything_else_is_not_believed(
    chosen: RecorderSettings, key: SigningKey, spoil: Callable[[Path, bytes, bytes], Any], words: str
) -> None:
    path = chosen.box.commissioning
    line = a_record(chosen, key).sign(key)
    other = SigningKey.generate()
    path.write_bytes(line)
    spoil(path, line, a_record(chosen, other).sign(other))
    with pytest.raises(RecordError, match=words):
        read_record(chosen)


def test_a_record_of_another_box_with_the_same_key_is_not_believed(chosen: RecorderSettings, key: SigningKey) -> None:
    keep_record(chosen.box.commissioning, a_record(chosen, key, box="box-other"), key)
    with pytest.raises(RecordError, match="box-other"):
        read_record(chosen)


def test_without_a_key_nothing_is_believed(chosen: RecorderSettings, key: SigningKey) -> None:
    keep_record(chosen.box.commissioning, a_record(chosen, key), key)
    chosen.box.signing_key.unlink()
    with pytest.raises(KeyFileError):
        read_record(chosen)


@pytest.mark.parametrize("call", ["create", "write", "set_mode", "fsync", "close", "rename"])
def test_a_disk_that_fails_leaves_the_old_record(chosen: RecorderSettings, key: SigningKey, call: str) -> None:
    path = chosen.box.commissioning
    keep_record(path, a_record(chosen, key), key)
    before = path.read_bytes()

    def fail(*_: Any) -> None:
        raise DiskError("spool-failed", "cannot: Input/output error")

    disk = Disk()
    setattr(disk, call, fail)
    with pytest.raises(DiskError):
        keep_record(path, a_record(chosen, key, rate=16000), key, disk)
    assert path.read_bytes() == before
    assert [left.name for left in path.parent.glob(".*")] == []


def test_doctor_tells_age_and_what_was_not_tried(chosen: RecorderSettings, key: SigningKey) -> None:
    record = a_record(chosen, key, checked=["lamp-sensor", "microphone"])
    now = parse_wall(record.made_at) + timedelta(days=40)
    found = {finding.check: finding for finding in compare_record(record, chosen, now)}
    assert found["commissioning"].found.endswith("40 days ago")
    assert found["commissioned parts"].found == "not tried: red, green, amber, button, speech"
    assert found["commissioned microphone"].verdict == "ok"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"rate": 16000}, "rate was 16000, is 48000"),
        ({"microphone": Microphone(device="test", card="Other", identity="")}, "card was Other, is Test"),
        ({"microphone": Microphone(device="line", card="Test", identity="")}, "device was line, is test"),
    ],
)
def test_doctor_tells_a_microphone_that_is_set_otherwise_than_it_was_commissioned(
    chosen: RecorderSettings, key: SigningKey, changes: dict[str, Any], words: str
) -> None:
    record = a_record(chosen, key, **changes)
    (found,) = [one for one in compare_record(record, chosen, parse_wall(record.made_at)) if "microphone" in one.check]
    assert (found.verdict, found.found) == ("warning", words)


def test_doctor_tells_a_missing_record_by_its_amber_code(chosen: RecorderSettings) -> None:
    record, (found,) = compare(chosen)
    assert record is None
    assert found.verdict == "warning"
    assert "amber 7: not-commissioned" in found.found
