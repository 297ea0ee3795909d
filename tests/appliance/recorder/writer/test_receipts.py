"""Promise 3: the box deletes only against the archive's signed receipt for exactly those bytes."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from appliance.contract import amber_codes
from appliance.contract.durable_files import read_bounded
from appliance.contract.ids import new_recording_id
from appliance.contract.keys import SigningKey
from appliance.contract.signed import split_lines
from appliance.recorder.storage.disk import FAILED, Disk, DiskError
from appliance.recorder.storage.spool import Spool
from appliance.recorder.writer import recovery
from appliance.recorder.writer.receipts import Pinned, ReceiptError, ReceiptInbox
from tests.support.box.writer import Home, receipt_for

from .test_spool_faults import Crash, DamagedDisk, FaultyDisk, crash_at, record


class Deletion:
    """A closed recording, and the inbox that may delete it."""

    def __init__(self, tmp_path: Path) -> None:
        self.home = Home(tmp_path)
        self.recording = new_recording_id()
        record(self.home, Disk(), self.recording, [])
        self.disk = FaultyDisk(lambda *_: None)
        self.spool = Spool(self.home.spool, self.disk)
        self.inbox = self.new()

    def new(self) -> ReceiptInbox:
        keys = self.home.keys
        pinned = Pinned({keys.box_signing.public: keys.box}, keys.archive_signing.public)
        return ReceiptInbox(self.home.inbox, self.spool, pinned)

    def deliver(self, line: bytes) -> None:
        (self.home.inbox / f"{self.recording}.tsv").write_bytes(line)

    def run(self) -> None:
        while self.inbox.step():
            pass


WRONG: dict[str, dict[str, Any]] = {
    "header_sha256": {"header_sha256": "1" * 64},
    "ledger_sha256": {"ledger_sha256": "1" * 64},
    "ledger_lines": {"ledger_lines": 2},
    "key_sha256": {"key_sha256": "1" * 64},
    "segments": {"segments": 2},
    "frames": {"frames": 1},
    "tail": {"tail": 1},
    "outcome": {"outcome": "incomplete"},
    "box": {"box": "box-other1234"},
    "recording": {"recording": "0" * 32},
}


@pytest.mark.parametrize("member", WRONG)
def test_promise_3_a_receipt_that_names_anything_else_deletes_nothing(tmp_path: Path, member: str) -> None:
    case = Deletion(tmp_path)
    case.deliver(receipt_for(case.home, case.recording, **WRONG[member]))
    with pytest.raises(ReceiptError, match="deletes nothing") as caught:
        case.run()
    assert caught.value.field == member
    assert case.inbox.refused
    case.run()  # said once
    assert case.home.recordings() == [case.recording]
    case.deliver(receipt_for(case.home, case.recording))
    case.run()
    assert case.home.recordings() == []
    assert not case.inbox.refused


def test_promise_3_an_interrupted_recording_goes_only_against_a_receipt_that_says_so(tmp_path: Path) -> None:
    case = Deletion(tmp_path)
    path = case.home.folder(case.recording) / "ledger.tsv"
    path.write_bytes(b"".join(split_lines(path.read_bytes())[:-1]))
    assert recovery.recover(case.spool, case.home.keys.box_signing) == [case.recording]
    case.deliver(receipt_for(case.home, case.recording, outcome="complete"))
    with pytest.raises(ReceiptError, match="deletes nothing") as caught:
        case.run()
    assert caught.value.field == "outcome"
    case.deliver(receipt_for(case.home, case.recording, outcome="interrupted"))
    case.run()
    assert case.home.recordings() == []


def test_promise_3_what_a_former_box_left_goes_against_a_receipt_in_its_own_name_alone(tmp_path: Path) -> None:
    """docs/enrollment.md, "Same box, new board"."""
    case = Deletion(tmp_path)
    keys, mine = case.home.keys, SigningKey.generate().public
    case.inbox = ReceiptInbox(case.home.inbox, case.spool, Pinned({mine: "box-mine1234"}, keys.archive_signing.public))
    case.deliver(receipt_for(case.home, case.recording))
    with pytest.raises(ReceiptError, match="of another box"):
        case.run()
    boxes = {mine: "box-mine1234", keys.box_signing.public: keys.box}
    case.inbox = ReceiptInbox(case.home.inbox, case.spool, Pinned(boxes, keys.archive_signing.public))
    case.deliver(receipt_for(case.home, case.recording, box="box-mine1234"))
    with pytest.raises(ReceiptError, match="deletes nothing"):
        case.run()
    assert case.home.recordings() == [case.recording]
    case.deliver(receipt_for(case.home, case.recording))
    case.run()
    assert case.home.recordings() == []


@pytest.mark.parametrize("line", [b"", b"{}\n", b"x" * 100_000])
def test_a_receipt_that_is_none_deletes_nothing(tmp_path: Path, line: bytes) -> None:
    case = Deletion(tmp_path)
    case.deliver(line)
    with pytest.raises(ReceiptError):
        case.run()
    assert case.home.recordings() == [case.recording]


def test_a_receipt_signed_by_another_archive_deletes_nothing(tmp_path: Path) -> None:
    case = Deletion(tmp_path)
    case.deliver(receipt_for(case.home, case.recording, key=case.home.keys.box_signing))
    with pytest.raises(ReceiptError):
        case.run()
    assert case.home.recordings() == [case.recording]


def test_an_open_recording_is_not_deleted_whatever_the_receipt_says(tmp_path: Path) -> None:
    case = Deletion(tmp_path)
    receipt = receipt_for(case.home, case.recording)
    path = case.home.folder(case.recording) / "ledger.tsv"
    path.write_bytes(b"".join(split_lines(path.read_bytes())[:-1]))
    case.deliver(receipt)
    with pytest.raises(ReceiptError, match="not closed"):
        case.run()


def test_a_deletion_cut_off_at_any_disk_call_is_finished_later_and_the_receipt_is_kept(tmp_path: Path) -> None:
    for number in range(1, 200):
        (tmp_path / str(number)).mkdir()
        case = Deletion(tmp_path / str(number))
        line = receipt_for(case.home, case.recording)
        case.deliver(line)
        case.disk.at = crash_at(number)
        try:
            case.run()
            done = True
        except Crash:
            done = False
        case.disk.at = lambda *_: None
        recovery.recover(case.spool, case.home.keys.box_signing)
        case.inbox = case.new()
        case.inbox.resume()
        case.run()
        assert list((case.home.spool / "recordings").iterdir()) == []
        assert list(case.home.spool.glob("**/.set-aside/*")) == [], "with its receipt here, nothing is left to keep"
        assert (case.home.spool / "receipts" / f"{case.recording}.tsv").read_bytes() == line
        if done:
            return
    pytest.fail("the deletion never came to its end")


def test_promise_3_a_deletion_without_its_receipt_deletes_nothing_more_and_is_set_aside(tmp_path: Path) -> None:
    case = Deletion(tmp_path)
    ledger = (case.home.folder(case.recording) / "ledger.tsv").read_bytes()
    case.home.folder(case.recording).rename(case.home.spool / "recordings" / f".{case.recording}.deleted")
    case.inbox.resume()
    case.run()
    assert [path.read_bytes() for path in case.home.spool.glob("**/.set-aside/*/ledger.tsv")] == [ledger]


@pytest.mark.parametrize("part", ["header.tsv", "ledger.tsv", "key.age"])
def test_promise_3_a_recording_that_the_disk_does_not_give_back_keeps_no_other_from_its_deletion(
    tmp_path: Path, part: str
) -> None:
    case = Deletion(tmp_path)
    damaged = case.recording
    disk = case.spool.disk = DamagedDisk(case.home.folder(damaged) / part)
    receipts = {damaged: receipt_for(case.home, damaged)}
    for _ in range(3):
        recording = new_recording_id()
        record(case.home, Disk(), recording, [])
        receipts[recording] = receipt_for(case.home, recording)
    for recording, line in receipts.items():
        (case.home.inbox / f"{recording}.tsv").write_bytes(line)
    for _ in receipts.keys() - {damaged}:
        case.run()
    with pytest.raises(DiskError, match=damaged) as caught:
        case.run()
    assert caught.value.fault == "recording-damaged"
    assert amber_codes.press([caught.value.fault]) == "records"
    assert case.home.recordings() == [damaged]
    assert case.inbox.unreadable
    disk.damaged = ()
    case.run()
    assert case.home.recordings() == []
    assert not case.inbox.unreadable


def test_promise_3_a_deletion_whose_name_is_not_durable_yet_goes_on_without_a_restart_and_removes_nothing_before(
    tmp_path: Path,
) -> None:
    case = Deletion(tmp_path)
    case.deliver(receipt_for(case.home, case.recording))
    renamed = case.spool.recordings / f".{case.recording}.deleted"
    case.disk.at = lambda _, name: DiskError(FAILED, "made up") if name == "sync_folder" and renamed.exists() else None
    for _ in range(3):
        with pytest.raises(DiskError, match="made up"):
            case.run()
        # if the power went now, the recording could be back under its own name
        assert len(list(renamed.rglob("*.*"))) == 6
    case.disk.at = lambda *_: None
    case.run()
    assert list(case.spool.recordings.iterdir()) == []


def _fifo(path: Path) -> None:
    os.mkfifo(path)


def _link(path: Path) -> None:
    path.symlink_to("/dev/zero")


@pytest.mark.parametrize("make", [_fifo, _link, Path.mkdir])
def test_promise_2_whatever_a_courier_puts_in_its_inbox_keeps_nobody_waiting_and_is_told_once(
    tmp_path: Path, make: Callable[[Path], None]
) -> None:
    case = Deletion(tmp_path)
    place = case.home.inbox / f"{case.recording}.tsv"
    make(place)
    with pytest.raises(ReceiptError, match="cannot be read"):
        case.run()
    case.run()  # said once
    assert case.inbox.refused
    assert case.home.recordings() == [case.recording]
    place.rename(tmp_path / "aside")
    case.run()
    assert not case.inbox.refused
    case.deliver(receipt_for(case.home, case.recording))
    case.run()
    assert case.home.recordings() == []


def test_an_inbox_full_of_names_costs_no_more_than_an_empty_one(tmp_path: Path) -> None:
    case = Deletion(tmp_path)

    def calls() -> int:
        before = case.disk.calls
        case.run()
        return case.disk.calls - before

    empty = calls()
    for number in range(50):
        (case.home.inbox / f"{number:032x}.tsv").write_bytes(b"{}\n")
    assert calls() == empty


@pytest.mark.parametrize("make", [_fifo, _link, Path.mkdir, lambda path: path.write_bytes(b"12345")])
def test_a_bounded_read_waits_for_nothing_and_takes_only_a_short_regular_file(
    tmp_path: Path, make: Callable[[Path], None]
) -> None:
    make(tmp_path / "place")
    with pytest.raises(OSError, match="place"):
        read_bounded(tmp_path / "place", 4)
