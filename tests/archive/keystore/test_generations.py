"""Generations of keys: each opens with a key of its own, and with nothing once that was forgotten everywhere."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from appliance.contract.encryption import Identity
from appliance.contract.errors import DecryptionError, KeyFileError, StorageError
from archive.keystore import generations as kept
from archive.keystore.generations import PartOfItError, forget_old, generations, make_generation, read_generation
from archive.keystore.places import MARK, MARKED, Places, places
from archive.keystore.recording_keys import recording_keys
from tests.support.archives import Archive

NOW = datetime(2026, 11, 24, 18, 0, tzinfo=UTC)
ID = "0123456789abcdef" * 2


@pytest.fixture
def where(archive: Archive, tmp_path: Path) -> Places:
    """The archive's own folders, and a second place for each."""
    recording_keys().put_once(ID, b"key.age of it")
    own = places()
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


def unmount(place: Path, *, leave_folder: bool) -> None:
    """A mount point is a folder, and stays when what was mounted there goes; an automounter takes it away too."""
    place.rename(place.with_name(f"{place.name}-away"))
    if leave_folder:
        place.mkdir()


def mount(place: Path) -> None:
    if place.exists():
        place.rename(place.with_name(f"{place.name}-point"))
    place.with_name(f"{place.name}-away").rename(place)


@pytest.mark.parametrize("kind", ["generations", "keys"])
@pytest.mark.parametrize("leave_folder", [True, False])
def test_what_lies_in_a_place_that_is_away_is_not_forgotten(where: Places, kind: str, leave_folder: bool) -> None:
    old = make_generation(NOW - timedelta(days=31), where)
    make_generation(NOW, where)
    (place,) = getattr(where, kind)[1:]
    unmount(place, leave_folder=leave_folder)
    with pytest.raises(StorageError, match=f"{place} is away"):
        forget_old(NOW, where)
    assert old in generations(where)
    # nothing was removed anywhere
    assert all((folder / f"{old}.tar.age").exists() for folder in where.generations if folder != place)
    mount(place)
    assert forget_old(NOW, where) == [old]
    assert old not in generations(where)
    assert not list(place.glob(f"{old}*"))


@pytest.mark.parametrize("kind", ["generations", "keys"])
def test_nothing_is_written_where_another_disk_is(where: Places, kind: str) -> None:
    make_generation(NOW - timedelta(days=1), where)
    (place,) = getattr(where, kind)[1:]
    unmount(place, leave_folder=True)
    with pytest.raises(PartOfItError, match=f"{place} is away") as told:
        make_generation(NOW, where)
    assert list(place.iterdir()) == []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kept, "places", lambda: where)
        kept.note_destroyed(ID)
    assert list(place.iterdir()) == []
    # it is whole in the archive's own folder, and opens there
    assert generations(where)[-1] == told.value.name
    assert dict(read_generation(where.generations[0], where.keys[0], told.value.name))
    # another stick took the place of one that was lost
    (place / MARK).touch()
    make_generation(NOW, where)
    assert ID in kept.destroyed_in(where.keys[1])


def test_a_place_that_is_named_later_gets_its_mark(where: Places, tmp_path: Path) -> None:
    make_generation(NOW - timedelta(days=31), Places(where.generations[:1], where.keys[:1]))
    # the setting is there, and no copy was made since: nothing can lie there, and nothing waits for it
    make_generation(NOW, Places(where.generations[:1], where.keys[:1]))
    assert len(forget_old(NOW, where)) == 1
    make_generation(NOW, where)
    assert (tmp_path / "nas" / MARK).exists()
    assert (tmp_path / "stick" / MARK).exists()


def test_after_a_restore_each_place_must_show_its_mark(where: Places) -> None:
    """The new folder does not know which places were used, and one that is away would get a mark of its own."""
    make_generation(NOW - timedelta(days=1), where)
    (where.keys[0] / MARKED).unlink()
    unmount(where.keys[1], leave_folder=True)
    for _ in range(2):
        with pytest.raises(PartOfItError, match="stick is away"):
            make_generation(NOW, where)
    assert list(where.keys[1].iterdir()) == []
    mount(where.keys[1])
    make_generation(NOW, where)
    assert (where.keys[0] / MARKED).read_text().splitlines() == sorted(map(str, where.second))


def test_the_newest_that_opens_in_each_place_is_kept(where: Places) -> None:
    """The stick was away since August: what lies on it is all that opens without this host."""
    august = make_generation(NOW - timedelta(days=90), where)
    unmount(where.keys[1], leave_folder=True)
    with pytest.raises(PartOfItError):
        make_generation(NOW, where)
    mount(where.keys[1])
    assert forget_old(NOW, where) == []
    make_generation(NOW, where)
    assert forget_old(NOW, where) == [august]


def test_a_copy_that_a_wrong_clock_named_is_not_the_newest(where: Places) -> None:
    real = make_generation(NOW - timedelta(days=31), where)
    ahead = make_generation(NOW + timedelta(days=3650), where)
    assert forget_old(NOW, where) == []
    assert generations(where) == [real, ahead]


def test_of_a_generation_that_a_full_disk_broke_off_no_key_is_left(
    where: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> bytes:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(kept, "encrypt", fail)
    with pytest.raises((StorageError, OSError)):
        make_generation(NOW, where)
    assert generations(where) == []
    assert not [path for folder in where.keys for path in folder.glob("2*.txt")]


@pytest.mark.parametrize("name", ["", "../x", "20261126T045500Z", "20261326T045500Z-00000000x"])
def test_other_names_are_no_generations(name: str) -> None:
    with pytest.raises(KeyFileError, match="no generation"):
        kept.made_at(name)
