"""Promises 2 and 3: what the disk lost of one recording keeps neither the others nor the next meeting from being
recorded, and is told."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest

from appliance.contract import amber_codes, ledger
from appliance.contract.ids import new_recording_id
from appliance.contract.signed import MAX_LINE
from appliance.contract.times import Clock
from appliance.recorder.ipc.message_channel import MessageChannel
from appliance.recorder.ipc.messages import FromWriter, RecordingClosed, SpoolChecked, WriterFault, WriterReady
from appliance.recorder.ipc.ring import Ring
from appliance.recorder.storage.disk import FAILED, FULL, Disk, DiskError
from appliance.recorder.storage.spool import Spool
from appliance.recorder.writer import recovery
from appliance.recorder.writer.process import Writer
from appliance.recorder.writer.receipts import Pinned, ReceiptInbox
from appliance.recorder.writer.recording_file import Begin, RecordingFile
from tests.support.box.writer import BLOCK, RATE, Home, open_recording, receipt_for

from .test_spool_faults import BEFORE, Crash, DamagedDisk, FaultyDisk, crash_at, maker, parts, record

Report = TypeVar("Report", bound=FromWriter)
PARTS = ["header.tsv", "ledger.tsv", "segments/00000001.age"]


def left_open(home: Home) -> str:
    """A recording that a crash cut off, with a segment that has no ledger line."""
    recording = new_recording_id()
    spool = Spool(home.spool, Disk())
    spool.prepare()
    file = RecordingFile(spool, maker(home), Begin(recording, None, time.monotonic_ns()))
    file.begin()
    for fact in BEFORE:
        file.enter(fact)
    first, second, _ = parts()
    file.add(first)
    lines = (file.folder / "ledger.tsv").read_bytes()
    file.add(second)
    (file.folder / "ledger.tsv").write_bytes(lines)
    return recording


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


class Idle:
    """A writer in this process, between its start and the first press."""

    def __init__(self, home: Home, disk: Disk) -> None:
        self.spool = Spool(home.spool, disk)
        self.spool.prepare()
        self.supervisor, theirs = MessageChannel.pair()
        control = MessageChannel.from_fd(theirs.detach())
        keys = home.keys
        pinned = Pinned({keys.box_signing.public: keys.box}, keys.archive_signing.public)
        self.inbox = ReceiptInbox(home.inbox, self.spool, pinned)
        self.writer = Writer(
            self.spool, maker(home), self.inbox, Ring.create(RATE, BLOCK), control, key_fault=lambda: None
        )
        self.reports: list[object] = []

    def work(self) -> None:
        """What is due at the start; later, a look at the spool."""
        self.writer._check_at = self.writer._inbox_at = 0.0
        self.writer._idle()
        while (message := self.supervisor.receive()) is not None:
            self.reports.append(message)

    def look_into_the_inbox(self) -> None:
        self.writer._check_at, self.writer._inbox_at = time.monotonic() + 100, 0.0
        self.writer._idle()

    def told(self, kind: type[Report]) -> list[Report]:
        return [message for message in self.reports if isinstance(message, kind)]

    def codes(self) -> frozenset[str]:
        return self.told(SpoolChecked)[-1].faults


@pytest.mark.parametrize("part", PARTS)
def test_one_unreadable_recording_keeps_no_other_open_and_is_left_as_it_is(tmp_path: Path, part: str) -> None:
    home = Home(tmp_path)
    recordings = [left_open(home) for _ in range(3)]
    damaged = min(recordings)
    before = contents(home.folder(damaged))
    left: dict[str, str] = {}
    disk = DamagedDisk(home.folder(damaged) / part)
    closed = recovery.recover(Spool(home.spool, disk), home.keys.box_signing, left.__setitem__)
    assert sorted(closed) == sorted(recordings)[1:]
    assert all(open_recording(home, recording).closing is not None for recording in closed)
    assert list(left) == [damaged]
    assert damaged in left[damaged]
    assert contents(home.folder(damaged)) == before
    # a disk that gives it back later loses nothing by it
    assert recovery.recover(Spool(home.spool, Disk()), home.keys.box_signing) == [damaged]
    assert open_recording(home, damaged).closing is not None


@pytest.mark.parametrize("part", PARTS)
def test_promise_2_a_box_with_an_unreadable_recording_is_ready_for_the_next_meeting_and_tells_it(
    tmp_path: Path, part: str
) -> None:
    home = Home(tmp_path)
    damaged = left_open(home)
    disk = DamagedDisk(home.folder(damaged) / part)
    idle = Idle(home, disk)
    idle.work()
    assert len(idle.told(WriterReady)) == 1
    (fault,) = idle.told(WriterFault)
    assert (fault.code, fault.fatal) == ("recording-damaged", False)
    assert damaged in fault.message
    assert amber_codes.press(idle.codes()) == "records"
    idle.work()
    assert idle.codes() == {"recording-damaged"}, "it holds for as long as the recording lies there"
    home.folder(damaged).rename(home.root / "elsewhere")
    idle.work()
    assert idle.codes() == set()


def test_a_closed_recording_that_cannot_be_read_is_not_continued_and_keeps_nobody_waiting(tmp_path: Path) -> None:
    home = Home(tmp_path)
    recording = new_recording_id()
    record(home, Disk(), recording, [])
    recent = left_open(home)
    recovery.recover(Spool(home.spool, Disk()), home.keys.box_signing)
    idle = Idle(home, DamagedDisk(home.folder(recording) / "ledger.tsv"))
    idle.work()
    assert [ready.continues for ready in idle.told(WriterReady)] == [recent]
    assert idle.codes() == {"recording-damaged"}


def test_a_receipt_for_an_unreadable_recording_never_makes_the_box_refuse_a_press(tmp_path: Path) -> None:
    home = Home(tmp_path)
    recording = new_recording_id()
    record(home, Disk(), recording, [])
    disk = DamagedDisk()
    idle = Idle(home, disk)
    idle.work()
    disk.damaged = (home.folder(recording) / "key.age",)
    (home.inbox / f"{recording}.tsv").write_bytes(receipt_for(home, recording))
    for _ in range(3):
        idle.look_into_the_inbox()
        idle.work()
    assert {fault.code for fault in idle.told(WriterFault)} == {"recording-damaged"}
    assert idle.codes() == {"recording-damaged"}
    disk.damaged = ()
    idle.look_into_the_inbox()
    idle.work()
    assert idle.codes() == set()


def _full(name: str) -> Callable[[int, str], BaseException | None]:
    return lambda _, called: DiskError(FULL, "no room") if called == name else None


def test_a_full_disk_is_no_damage_the_recording_is_closed_when_there_is_room(tmp_path: Path) -> None:
    home = Home(tmp_path)
    recording = left_open(home)
    disk = FaultyDisk(_full("write"))
    left: dict[str, str] = {}
    with pytest.raises(DiskError) as caught:
        recovery.recover(Spool(home.spool, disk), home.keys.box_signing, left.__setitem__)
    assert (caught.value.fault, left) == (FULL, {})
    disk.at = lambda *_: None
    assert recovery.recover(Spool(home.spool, disk), home.keys.box_signing, left.__setitem__) == [recording]


@pytest.mark.parametrize("name", ["names", "sync_folder", "create"])
def test_a_disk_that_tells_no_names_or_takes_nothing_is_not_ready(tmp_path: Path, name: str) -> None:
    home = Home(tmp_path)
    disk = FaultyDisk(lambda *_: None)
    idle = Idle(home, disk)
    disk.at = lambda _, called: DiskError(FAILED, "made up") if called == name else None
    idle.work()
    assert idle.told(WriterReady) == []
    assert [fault.code for fault in idle.told(WriterFault)] == [FAILED]


def test_a_recording_that_was_given_up_is_not_called_closed_before_it_is(tmp_path: Path) -> None:
    home = Home(tmp_path)
    disk = DamagedDisk()
    idle = Idle(home, disk)
    idle.work()
    recording = left_open(home)
    idle.writer._unfinished.append((recording, RATE))
    disk.damaged = (home.folder(recording) / "ledger.tsv",)
    idle.work()
    assert idle.told(RecordingClosed) == []
    assert FAILED in {fault.code for fault in idle.told(WriterFault)}
    disk.damaged = ()
    idle.work()
    assert idle.told(RecordingClosed) == [RecordingClosed(recording=recording, frames=RATE)]
    idle.work()
    assert idle.codes() == set()


def without_a_ledger(home: Home) -> str:
    """A recording whose ledger is lost, with six segments, for two of which the closing record has room."""
    recording = left_open(home)
    folder = home.folder(recording)
    (folder / "ledger.tsv").write_bytes(b"")
    for number in range(2, 6):
        (folder / "segments" / f"{number:08d}.age").write_bytes(b"segment %d" % number)
    return recording


def test_promise_3_segments_that_no_closing_record_can_name_are_set_aside_and_told_and_the_recording_is_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recovery, "TAIL_BYTES", 250)
    for number in range(1, 200):
        (tmp_path / str(number)).mkdir()
        home = Home(tmp_path / str(number))
        recording = without_a_ledger(home)
        before = contents(home.folder(recording) / "segments")
        left: dict[str, str] = {}
        disk = FaultyDisk(crash_at(number))
        try:
            recovery.recover(Spool(home.spool, disk), home.keys.box_signing, left.__setitem__)
            done = True
        except Crash:
            recovery.recover(Spool(home.spool, Disk()), home.keys.box_signing)
            done = False
        closing = open_recording(home, recording).closing
        assert closing is not None
        assert [tail.segment for tail in closing.unverified_tail] == [0, 1]
        aside = contents(home.spool / ".set-aside" / f"{recording}.segments")
        assert contents(home.folder(recording) / "segments") | aside == before
        assert sorted(aside) == [f"{number:08d}.age" for number in range(2, 6)]
        assert recovery.recover(Spool(home.spool, Disk()), home.keys.box_signing) == []
        if done:
            assert "4 segments" in left[recording]
            return
    pytest.fail("recovery never came to its end")


def test_a_closing_record_with_every_segment_that_it_has_room_for_is_no_longer_than_a_reader_takes(
    tmp_path: Path,
) -> None:
    home = Home(tmp_path)
    recording = without_a_ledger(home)
    one = ledger.TailSegment(segment=0, size=100_447, sha256="1" * 64)
    room = recovery.TAIL_BYTES // (len(one.model_dump_json()) + 1)
    names = [f"{number:08d}.age" for number in range(10_000_000, 10_000_000 + room + 1000)]
    tail, beyond = recovery._tail(Spool(home.spool, Many(names)), Path("segments"), 0)
    assert len(tail) + len(beyond) == len(names)
    assert beyond
    closing = ledger.Closing(
        t_ns=1 << 62, reason="interrupted", frames=1 << 39, segments=1 << 39, lost_frames=1 << 39,
        ended_at="2026-11-24T10:00:00.000Z",
        clock=Clock(synchronized=False, source="n" * 40, offset_ns=-(1 << 62)), unverified_tail=tail,
    )  # fmt: skip
    key = home.keys.box_signing
    line = ledger.Entry(recording=recording, n=1 << 39, prev="1" * 64, fact=closing).sign(key)
    assert MAX_LINE - 8192 < len(line) <= MAX_LINE
    assert ledger.Entry.read(line, key.public).fact == closing


class Many(Disk):
    """Has these files in each folder."""

    def __init__(self, names: list[str]) -> None:
        super().__init__()
        self._names = names

    def names(self, folder: Path) -> list[str]:
        return self._names

    def read(self, path: Path, offset: int = 0) -> bytes:
        return b"x" * 100_447
