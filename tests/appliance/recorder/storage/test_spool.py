"""One writer a spool; what is no part of a recording is set aside; a folder without its disk is not written to."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from appliance.contract.errors import SettingsError
from appliance.recorder.storage.disk import Disk, DiskError
from appliance.recorder.storage.spool import RESERVE_BYTES, Spool, SpoolBusyError
from appliance.recorder.writer import recovery
from tests.support.spools import Keys, Recording


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    made = Spool(tmp_path, Disk())
    made.prepare()
    return made


def test_another_writer_is_kept_out_and_told_who_holds_the_spool(spool: Spool) -> None:
    held = spool.lock(0.0)
    began = time.monotonic()
    with pytest.raises(SpoolBusyError, match=rf"process {os.getpid()}\b"):
        spool.lock(0.3)
    assert time.monotonic() - began >= 0.3, "the one before may still be finishing"
    os.close(held)
    os.close(spool.lock(0.0))


def test_a_writer_that_finishes_within_the_patience_is_waited_for(spool: Spool) -> None:
    held = spool.lock(0.0)
    later = threading.Timer(0.2, os.close, (held,))
    later.start()
    os.close(spool.lock(60.0))
    later.join()


def test_a_spool_that_is_not_there_is_no_spool_and_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="does not exist"):
        Spool(tmp_path / "nowhere", Disk()).prepare()
    assert not (tmp_path / "nowhere").exists()
    with pytest.raises(SettingsError, match="cannot write to the spool"):
        Spool(tmp_path / "nowhere", Disk()).lock(0.0)


def test_without_its_disk_nothing_is_written_and_another_disk_is_noticed(
    spool: Spool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(DiskError, match="nothing is mounted"):
        Spool(tmp_path, Disk(), mounted=True).require_mount()
    numbers = {tmp_path: 7, tmp_path.parent: 1}
    monkeypatch.setattr(Disk, "device", lambda _, path: numbers[path])
    mounted = Spool(tmp_path, Disk(), mounted=True)
    mounted.require_mount()
    mounted.require_mount()
    numbers[tmp_path] = 8
    with pytest.raises(DiskError, match="another disk than before"):
        mounted.require_mount()


def test_what_is_set_aside_never_replaces_what_lies_there(spool: Spool) -> None:
    for content in (b"one", b"two"):
        path = spool.recordings / "x"
        path.write_bytes(content)
        spool.quarantine(path)
    assert [path.read_bytes() for path in sorted(spool.aside.iterdir())] == [b"one", b"two"]


def test_bytes_that_are_cut_are_kept_once(spool: Spool) -> None:
    for data in (b"torn", b"torn", b"other", b"torn"):
        spool.quarantine_data("ledger", data)
    assert [path.read_bytes() for path in sorted(spool.aside.iterdir())] == [b"torn", b"other"]


def test_the_reserve_is_kept_once_and_given_back(spool: Spool) -> None:
    reserve = spool.root / ".reserve"
    spool.keep_reserve()
    assert reserve.stat().st_size == RESERVE_BYTES
    spool.keep_reserve()
    spool.release_reserve()
    assert not reserve.exists()
    spool.release_reserve()


@pytest.mark.parametrize(("fault", "told"), [("spool-full", False), ("spool-failed", True)])
def test_a_full_disk_has_no_reserve_and_a_failing_one_says_so(
    spool: Spool, monkeypatch: pytest.MonkeyPatch, fault: str, told: bool
) -> None:
    def fails(*_: object) -> None:
        raise DiskError(fault, "no")

    monkeypatch.setattr(Disk, "reserve", fails)
    if told:
        with pytest.raises(DiskError):
            spool.keep_reserve()
    else:
        spool.keep_reserve()
        assert not (spool.root / ".reserve").exists()


def test_only_names_of_recordings_are_recordings(spool: Spool) -> None:
    for name in ("a" * 32, "A" * 32, "a" * 31, ".new"):
        (spool.recordings / name).mkdir()
    assert spool.ids() == ["a" * 32]


def test_a_recording_that_a_crash_left_without_a_ledger_is_closed(tmp_path: Path) -> None:
    keys = Keys()
    made = Recording(tmp_path, keys, rate=8000, segment_frames=1000)
    (made.folder / "ledger.tsv").unlink()
    spool = Spool(tmp_path, Disk())
    spool.prepare()
    assert recovery.recover(spool, keys.box_signing) == [made.id]
    assert b'"reason":"interrupted"' in (made.folder / "ledger.tsv").read_bytes()
    assert recovery.recover(spool, keys.box_signing) == [], "closed once"
