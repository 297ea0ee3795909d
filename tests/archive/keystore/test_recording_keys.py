"""The recordings' own keys: apart from the packages, kept once, and gone for good when they are destroyed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from appliance.contract.errors import ConflictError
from archive.keystore.recording_keys import LocalRecordingKeys

ID = "0123456789abcdef" * 2


@pytest.fixture
def keys(tmp_path: Path) -> LocalRecordingKeys:
    return LocalRecordingKeys(tmp_path / "recording-keys")


def test_a_key_is_kept_once_and_never_replaced(keys: LocalRecordingKeys) -> None:
    keys.put_once(ID, b"first")
    keys.put_once(ID, b"first")
    with pytest.raises(ConflictError):
        keys.put_once(ID, b"other")
    assert keys.read(ID) == b"first"


def test_a_destroyed_key_leaves_no_copy(keys: LocalRecordingKeys) -> None:
    keys.destroy_key(ID)
    keys.put_once(ID, b"k")
    keys.put_once("f" * 32, b"another's")
    (keys.root / f".{ID}.age.0123").write_bytes(b"k")
    keys.destroy_key(ID)
    keys.destroy_key(ID)
    assert not keys.exists(ID)
    assert [path.name for path in keys.root.iterdir()] == [f"{'f' * 32}.age"]


def test_a_copy_of_a_key_that_a_crash_left_is_swept_away(keys: LocalRecordingKeys) -> None:
    keys.put_once(ID, b"k")
    left, fresh = keys.root / ".left.age.123", keys.root / ".fresh.age.123"
    left.write_bytes(b"k")
    fresh.write_bytes(b"k")
    os.utime(left, (1, 1))
    keys.sweep()
    assert sorted(path.name for path in keys.root.iterdir()) == [".fresh.age.123", f"{ID}.age"]
