"""What every store does, on a disk and in a bucket: once and for good, whole or not at all."""

from __future__ import annotations

import io

import pytest

from appliance.contract.errors import ConflictError, StorageError
from archive.store.base import Store, derivatives_folder, open_object, package_name

ID = "0123456789abcdef" * 2
NAME = package_name(ID)
COPY = f"{derivatives_folder(ID)}/copy.zip"


def test_what_is_kept_once_is_never_replaced(store: Store) -> None:
    store.put_once(NAME, b"first")
    store.put_once(NAME, b"first")
    for other in (b"other", b"longer"):
        with pytest.raises(ConflictError):
            store.put_once(NAME, other)
    assert store.read(NAME) == b"first"


def test_a_draft_is_seen_by_nobody_until_it_is_published_whole(store: Store) -> None:
    def publish(data: bytes) -> None:
        draft = store.draft(NAME)
        try:
            draft.write(data[:3])
            draft.write(data[3:])
            with draft.reader() as file:
                assert file.read() == data
            assert store.exists(NAME) == (kept == 1)
            draft.publish()
        finally:
            draft.discard()

    kept = 0
    publish(b"package")
    kept = 1
    publish(b"package")
    with pytest.raises(ConflictError):
        publish(b"another")
    assert (store.read(NAME), store.size(NAME)) == (b"package", 7)
    assert list(store.names("packages")) == [NAME]
    assert list(store.sizes("packages")) == [(NAME, 7)]


def test_ranges_are_read_exactly_or_not_at_all(store: Store) -> None:
    store.put_once(NAME, b"0123456789")
    assert (store.read_range(NAME, 3, 4), store.read_range(NAME, 0, 10)) == (b"3456", b"0123456789")
    with pytest.raises(StorageError, match="ends before"):
        store.read_range(NAME, 8, 4)
    with open_object(store, NAME) as file:
        assert file.seek(-4, io.SEEK_END) == 6
        assert file.read() == b"6789"


def test_an_empty_object_is_one(store: Store) -> None:
    store.put_once(NAME, b"")
    assert (store.read(NAME), store.size(NAME), store.read_range(NAME, 0, 0)) == (b"", 0, b"")


def test_what_is_not_there_is_told(store: Store) -> None:
    assert not store.exists(NAME)
    assert list(store.names("packages")) == []
    for ask in (lambda: store.read(NAME), lambda: store.size(NAME), lambda: store.read_range(NAME, 0, 1)):
        with pytest.raises(StorageError, match=ID):
            ask()
    store.remove(NAME)


def test_a_destruction_leaves_nothing_and_what_only_begins_alike_stays(store: Store) -> None:
    for name in (NAME, f"{NAME}.other", COPY):
        store.put_once(name, b"x")
    store.remove(NAME)
    store.remove(COPY)
    assert not store.exists(NAME)
    assert not store.exists(COPY)
    assert list(store.names("packages")) == [f"{NAME}.other"]
    store.put_once(NAME, b"other bytes, since there is nothing any more")


def test_what_arrives_lies_on_this_host_apart_from_what_is_kept(store: Store) -> None:
    first = store.add_incoming(ID, "lines-00000003", [b"ab", b"cde"])
    second = store.add_incoming(ID, "lines-00000003", [b"other"])
    store.put_once(NAME, b"k")
    assert first.startswith(f"incoming/{ID}/lines-00000003-")
    assert (store.exists(first), store.read(first), store.size(first), store.read_range(first, 2, 3)) == (
        True,
        b"abcde",
        5,
        b"cde",
    )
    assert (set(store.names("incoming")), store.incoming()) == ({first, second}, [ID])
    store.remove_incoming(first)
    assert store.drop_strays(ID, {second}) == 0
    store.drop_incoming(ID)
    store.sweep()
    assert (store.incoming(), list(store.names("packages"))) == ([], [NAME])
