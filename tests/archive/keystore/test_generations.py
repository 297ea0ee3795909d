"""Generations of keys: each opens with a key of its own, and with nothing once that was forgotten everywhere."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from appliance.contract.encryption import Identity
from appliance.contract.errors import DecryptionError, KeyFileError, StorageError
from archive.keystore import generations as kept
from archive.keystore.generations import Places, forget_old, generations, make_generation, read_generation
from archive.keystore.recording_keys import recording_keys
from tests.support.archives import Archive

NOW = datetime(2026, 11, 24, 18, 0, tzinfo=UTC)
ID = "0123456789abcdef" * 2


@pytest.fixture
def where(archive: Archive, tmp_path: Path) -> Places:
    """The archive's own folders, and a second place for each."""
    recording_keys().put_once(ID, b"key.age of it")
    own = kept.places()
    return Places((*own.generations, tmp_path / "nas"), (*own.keys, tmp_path / "stick"))


@pytest.mark.parametrize("end", [b"0123456789", b"\xff\x00", ID.encode()])
def test_a_destroyed_recording_is_on_the_list_whatever_a_crash_cut_off(where: Places, end: bytes) -> None:
    """An identifier glued to what broke off names nothing, and a restored backup would bring the recording back."""
    one, other = "a" * 32, "b" * 32
    kept.note_destroyed(one)
    path = where.keys[0] / kept.DESTROYED
    path.write_bytes(path.read_bytes() + end)
    kept.note_destroyed(other)
    assert {one, other} <= kept.destroyed_in(where.keys[0])
    assert (ID in kept.destroyed_in(where.keys[0])) == (end == ID.encode())
    make_generation(NOW, where)
    assert {one, other} <= kept.destroyed_in(where.keys[1])


def test_nothing_counts_as_destroyed_that_is_not_on_the_list(where: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "destroyed_in", lambda _: set())
    with pytest.raises(StorageError, match="does not name"):
        kept.note_destroyed(ID)


@pytest.mark.parametrize("copy", [0, 1])
def test_a_generation_holds_every_key_and_opens_from_each_place(where: Places, copy: int) -> None:
    name = make_generation(NOW, where)
    held = dict(read_generation(where.generations[copy], where.keys[copy], name))
    assert held[f"recording-keys/{ID}.age"] == b"key.age of it"
    assert {"keys/opening.txt", "keys/signing.pem", "keys/escrow.txt"} <= held.keys()
    assert ID.encode() not in (where.generations[copy] / f"{name}.tar.age").read_bytes()


def test_an_old_generation_opens_nothing_wherever_a_copy_of_it_lies(where: Places, tmp_path: Path) -> None:
    old = make_generation(NOW - timedelta(days=31), where)
    stolen = tmp_path / "stolen"
    stolen.mkdir()
    (stolen / f"{old}.tar.age").write_bytes((where.generations[1] / f"{old}.tar.age").read_bytes())
    new = make_generation(NOW, where)
    assert generations(where) == [old, new]
    assert forget_old(NOW, where) == [old]
    assert generations(where) == [new]
    for folder in where.keys:
        with pytest.raises(KeyFileError, match="forgotten"):
            list(read_generation(stolen, folder, old))
        with pytest.raises(DecryptionError):
            Identity.load(folder / f"{new}.txt").decrypt((stolen / f"{old}.tar.age").read_bytes())


def test_the_newest_is_kept_however_old_it_is(where: Places) -> None:
    only = make_generation(NOW - timedelta(days=400), where)
    assert forget_old(NOW, where) == []
    # one that a full disk broke off is no copy
    broken = make_generation(NOW, where)
    for folder in where.generations:
        (folder / f"{broken}.tar.age").unlink()
    assert forget_old(NOW, where) == []
    assert generations(where) == [only, broken]


def test_a_clock_put_back_forgets_nothing_early(where: Places) -> None:
    first, second = make_generation(NOW, where), make_generation(NOW + timedelta(hours=1), where)
    assert forget_old(NOW - timedelta(days=365), where) == []
    assert generations(where) == [first, second]


def test_what_lies_in_a_place_that_is_away_is_not_forgotten(where: Places) -> None:
    old = make_generation(NOW - timedelta(days=31), where)
    make_generation(NOW, where)
    where.keys[1].rename(where.keys[1].with_name("unplugged"))
    with pytest.raises(StorageError, match="not forgotten"):
        forget_old(NOW, where)
    assert old in generations(where)
    where.keys[1].with_name("unplugged").rename(where.keys[1])
    assert forget_old(NOW, where) == [old]
    assert old not in generations(where)


@pytest.mark.parametrize("name", ["", "../x", "20261126T045500Z", "20261326T045500Z-00000000x"])
def test_other_names_are_no_generations(name: str) -> None:
    with pytest.raises(KeyFileError, match="no generation"):
        kept.made_at(name)
