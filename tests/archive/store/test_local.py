"""The local store: whole or not at all, once and for good."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from appliance.contract.errors import ConflictError, StorageError
from archive.store.base import incoming_name, key_name, package_name
from archive.store.local import LocalStore

ID = "0123456789abcdef" * 2


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "store")


def files(store: LocalStore) -> list[str]:
    return sorted(str(path.relative_to(store.root)) for path in store.root.rglob("*") if path.is_file())


def test_what_is_kept_once_is_never_replaced(store: LocalStore) -> None:
    store.put_once(key_name(ID), b"first")
    store.put_once(key_name(ID), b"first")
    with pytest.raises(ConflictError):
        store.put_once(key_name(ID), b"other")
    assert store.read(key_name(ID)) == b"first"
    assert files(store) == [key_name(ID)], "no temporary file stays"


def test_a_sealed_package_is_read_only_and_conflicts_with_another(store: LocalStore) -> None:
    def finished(data: bytes) -> Path:
        path = store.workspace() / "package"
        path.write_bytes(data)
        return path

    store.adopt_once(package_name(ID), finished(b"package"))
    store.adopt_once(package_name(ID), finished(b"package"))
    with pytest.raises(ConflictError):
        store.adopt_once(package_name(ID), finished(b"other"))
    assert store.local(package_name(ID)).stat().st_mode & 0o777 == 0o444
    assert files(store) == [package_name(ID)]


def test_staged_bytes_are_invisible_until_published(store: LocalStore) -> None:
    staged = store.stage([(incoming_name(ID, n, tail=False), b"x") for n in range(3)])
    assert not store.exists(incoming_name(ID, 0, tail=False))
    staged.publish()
    assert [store.exists(incoming_name(ID, n, tail=False)) for n in range(3)] == [True] * 3
    staged.discard()
    assert len(files(store)) == 3


def test_what_was_not_published_leaves_nothing(store: LocalStore) -> None:
    store.stage([(incoming_name(ID, 0, tail=True), b"x")]).discard()
    assert files(store) == []


def test_a_disk_that_says_no_is_told_and_leaves_nothing(store: LocalStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(descriptor: int) -> None:
        raise OSError(5, "Input/output error")

    store.put_once("keys/other.age", b"x")
    monkeypatch.setattr(os, "fsync", broken)
    with pytest.raises(StorageError, match="Input/output error"):
        store.stage([("keys/a.age", b"x"), ("keys/b.age", b"x")])
    with pytest.raises(StorageError):
        store.put_once(key_name(ID), b"x")
    assert files(store) == ["keys/other.age"]


def test_a_range_beyond_the_end_is_told(store: LocalStore) -> None:
    store.put_once("keys/a.age", b"0123456789")
    assert store.read_range("keys/a.age", 3, 4) == b"3456"
    with pytest.raises(StorageError):
        store.read_range("keys/a.age", 8, 4)


def test_only_what_arrived_can_be_dropped(store: LocalStore) -> None:
    store.stage([(incoming_name(ID, 0, tail=False), b"x")]).publish()
    store.put_once(key_name(ID), b"k")
    store.drop_incoming(ID)
    store.drop_incoming(ID)
    assert files(store) == [key_name(ID)]


def test_a_copy_of_a_key_that_a_crash_left_is_swept_away(store: LocalStore) -> None:
    store.put_once(key_name(ID), b"k")
    left, fresh = store.root / "keys" / ".left.age.123", store.root / "keys" / ".fresh.age.123"
    left.write_bytes(b"k")
    fresh.write_bytes(b"k")
    os.utime(left, (1, 1))
    store.sweep()
    assert files(store) == ["keys/.fresh.age.123", key_name(ID)]
