"""The local store: whole or not at all, once and for good."""

from __future__ import annotations

import io
import os
import stat
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.contract.errors import ConflictError, StorageError
from archive.store.base import open_object, package_name
from archive.store.local import LocalStore

ID = "0123456789abcdef" * 2
NAME = package_name(ID)


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "store")


def files(store: LocalStore) -> list[str]:
    return sorted(str(path.relative_to(store.root)) for path in store.root.rglob("*") if path.is_file())


def test_what_is_kept_once_is_never_replaced(store: LocalStore) -> None:
    store.put_once(NAME, b"first")
    store.put_once(NAME, b"first")
    with pytest.raises(ConflictError):
        store.put_once(NAME, b"other")
    assert store.read(NAME) == b"first"
    assert files(store) == [NAME], "no temporary file stays"


def test_a_sealed_package_is_read_only_and_conflicts_with_another(store: LocalStore) -> None:
    def publish(data: bytes) -> None:
        draft = store.draft(NAME)
        try:
            draft.write(data)
            with draft.reader() as file:
                assert file.read() == data
            draft.publish()
        finally:
            draft.discard()

    publish(b"package")
    publish(b"package")
    with pytest.raises(ConflictError):
        publish(b"other")
    assert (store.root / NAME).stat().st_mode & 0o777 == 0o444
    assert files(store) == [NAME]


def test_a_draft_is_seen_by_nobody_and_leaves_nothing(store: LocalStore) -> None:
    draft = store.draft(NAME)
    draft.write(b"half")
    assert not store.exists(NAME)
    assert list(store.names("packages")) == []
    draft.discard()
    assert files(store) == []


def test_a_draft_that_nobody_read_is_published_whole_and_durable(
    store: LocalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    original = os.fsync

    def watched(descriptor: int) -> None:
        synced.append(os.fstat(descriptor).st_size)
        original(descriptor)

    draft = store.draft(NAME)
    monkeypatch.setattr(os, "fsync", watched)
    draft.write(b"x" * 5000)
    draft.publish()
    draft.discard()
    assert 5000 in synced
    assert store.read(NAME) == b"x" * 5000


def test_what_arrived_is_listed_by_recording(store: LocalStore) -> None:
    assert store.incoming() == []
    for recording in ("f" * 32, ID):
        for _ in range(2):
            store.add_incoming(recording, "lines-00000000", [b"x"])
    assert store.incoming() == [ID, "f" * 32]


def test_names_lists_what_is_kept_and_nothing_in_the_making(store: LocalStore) -> None:
    store.put_once(NAME, b"x")
    store.draft(package_name("f" * 32)).write(b"y")
    (store.root / "packages" / ID[:2] / ".other.zip.123").write_bytes(b"z")
    assert list(store.names("packages")) == [NAME]
    assert list(store.names("nothing")) == []


@settings(deadline=None)  # it writes to a disk, which others use as well
@given(st.binary(max_size=3000), st.lists(st.tuples(st.integers(0, 3200), st.integers(-1, 3200)), max_size=8))
def test_a_reader_by_ranges_reads_as_a_file_does(data: bytes, reads: list[tuple[int, int]]) -> None:
    with TemporaryDirectory() as folder:
        store = LocalStore(Path(folder))
        store.put_once(NAME, data)
        with open_object(store, NAME) as file:
            plain = io.BytesIO(data)
            assert file.seek(0, 2) == len(data)
            for offset, size in reads:
                file.seek(offset)
                plain.seek(offset)
                assert file.read(size) == plain.read(size)
                assert file.tell() == plain.tell()


def test_a_reader_tells_when_the_store_says_no(store: LocalStore) -> None:
    with pytest.raises(StorageError):
        open_object(store, NAME)
    store.put_once(NAME, b"0123456789")
    with open_object(store, NAME) as file:
        os.truncate(store.root / NAME, 5)
        with pytest.raises(StorageError, match="ends before"):
            file.read()


def test_what_arrives_is_one_object_with_a_name_of_its_own(store: LocalStore) -> None:
    first = store.add_incoming(ID, "lines-00000003", [b"ab", b"cde"])
    second = store.add_incoming(ID, "lines-00000003", [b"other"])
    assert first != second
    assert first.startswith(f"incoming/{ID}/lines-00000003-")
    assert (store.read(first), store.read_range(first, 2, 3)) == (b"abcde", b"cde")
    store.remove_incoming(first)
    store.remove_incoming(first)
    assert files(store) == [second]


def test_what_arrives_is_durable_with_its_name_before_the_name_is_told(
    store: LocalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[tuple[str, int]] = []

    def watched(descriptor: int) -> None:
        status = os.fstat(descriptor)
        synced.append(("folder", 0) if stat.S_ISDIR(status.st_mode) else ("file", status.st_size))

    store.add_incoming(ID, "lines-00000000", [b"first"])
    monkeypatch.setattr(os, "fsync", watched)
    store.add_incoming(ID, "lines-00000003", [b"ab", b"cde"])
    assert synced == [("file", 5), ("folder", 0)], "one file and its name, whatever number of pieces"


def test_only_what_nothing_names_for_an_hour_is_a_stray(store: LocalStore) -> None:
    named, stray, young = (store.add_incoming(ID, "lines-00000000", [b"x"]) for _ in range(3))
    for name in (named, stray):
        os.utime(store.root / name, (0, 0))
    assert store.drop_strays(ID, {named}) == 1
    assert files(store) == sorted([named, young])


def test_a_disk_that_says_no_is_told_and_leaves_nothing(store: LocalStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(descriptor: int) -> None:
        raise OSError(5, "Input/output error")

    store.put_once("keys/other.age", b"x")
    monkeypatch.setattr(os, "fsync", broken)
    with pytest.raises(StorageError, match="Input/output error"):
        store.add_incoming(ID, "lines-00000000", [b"x", b"y"])
    with pytest.raises(StorageError):
        store.put_once(NAME, b"x")
    assert files(store) == ["keys/other.age"]


def test_a_range_beyond_the_end_is_told(store: LocalStore) -> None:
    store.put_once("keys/a.age", b"0123456789")
    assert store.read_range("keys/a.age", 3, 4) == b"3456"
    with pytest.raises(StorageError):
        store.read_range("keys/a.age", 8, 4)


def test_only_what_arrived_can_be_dropped(store: LocalStore) -> None:
    store.add_incoming(ID, "tail-00000000", [b"x"])
    store.put_once(NAME, b"k")
    store.drop_incoming(ID)
    store.drop_incoming(ID)
    assert files(store) == [NAME]


def test_what_is_removed_is_gone_for_good_and_once(store: LocalStore, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (NAME, package_name("f" * 32)):
        store.put_once(name, b"x")
    synced: list[int] = []
    monkeypatch.setattr("archive.store.local.sync_folder", lambda _: synced.append(len(files(store))))
    for _ in range(2):
        store.remove(NAME)
    assert (files(store), synced) == ([package_name("f" * 32)], [1])
