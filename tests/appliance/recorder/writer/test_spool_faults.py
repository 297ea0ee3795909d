"""Promise 3 at every single disk call: the writer's process may die there, or the disk refuse; then it goes on."""

from __future__ import annotations

import errno
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from appliance.contract import ledger
from appliance.contract.errors import SettingsError
from appliance.contract.header import Audio, Microphone
from appliance.contract.ids import new_recording_id
from appliance.contract.signed import split_lines
from appliance.recorder.ipc.messages import FromWriter, SpoolChecked, WriterFault
from appliance.recorder.settings import second_bytes
from appliance.recorder.storage.disk import FAILED, FULL, Disk, DiskError
from appliance.recorder.storage.spool import Spool, store
from appliance.recorder.writer import recovery
from appliance.recorder.writer.process import Writer
from appliance.recorder.writer.receipts import Pinned, ReceiptInbox
from appliance.recorder.writer.recording_file import Begin, Maker, RecordingFile
from appliance.recorder.writer.segmenter import Gap, Segment
from appliance.recorder.writer.spool_faults import SpoolFaults
from tests.support.box.writer import RATE, Home, open_recording, speech

LOOKS = {"take_slowest_ns", "free_bytes", "free_names"}
CALLS = [name for name in vars(Disk) if not name.startswith("_") and name not in LOOKS]


class Crash(BaseException):
    """The process is killed here."""


def _only_at(at: int, error: DiskError, calls: int, _name: str) -> DiskError | None:
    return error if calls == at else None


class FaultyDisk(Disk):
    """Counts every call; `at` decides whether one crashes or fails."""

    def __init__(self, at: Callable[[int, str], BaseException | None]) -> None:
        super().__init__()
        self.at = at
        self.calls = 0

    def __getattribute__(self, name: str) -> Any:
        found = super().__getattribute__(name)
        if name not in CALLS:
            return found

        def call(*arguments: Any) -> Any:
            self.calls += 1
            error = self.at(self.calls, name)
            if error is None:
                return found(*arguments)
            if name == "write" and isinstance(error, Crash):
                descriptor, data, path = arguments
                found(descriptor, data[: len(data) // 2], path)
            raise error

        return call


class DamagedDisk(Disk):
    """Gives these files back no more, and has no other fault."""

    def __init__(self, *damaged: Path) -> None:
        super().__init__()
        self.damaged = damaged

    def read(self, path: Path, offset: int = 0) -> bytes:
        if path in self.damaged:
            raise DiskError(FAILED, f"cannot read {path}: Input/output error; check the card or disk and its mount")
        return super().read(path, offset)


def crash_at(number: int) -> Callable[[int, str], BaseException | None]:
    return lambda calls, _: Crash() if calls == number else None


def maker(home: Home) -> Maker:
    keys = home.keys
    return Maker(
        box="box-test1234",
        key=keys.box_signing,
        key_recipients=(keys.archive.recipient, keys.escrow.recipient),
        audio=Audio(rate=RATE, segment_frames=RATE, max_frames=3600 * RATE),
        panel="simulated",
        lamp="unverified",
        microphone=Microphone(device="test", card="", identity=""),
        software="test",
    )


SAMPLES = speech(RATE * 2 + 500)
LONG = 1 << 62
BEFORE = (
    ledger.Lamp(t_ns=1, lit=True, commanded_ns=1, seen_ns=None),
    ledger.AudioSpan(t_ns=2, open=True, at_ns=2, generation=1),
)
AFTER = (
    ledger.AudioSpan(t_ns=LONG, open=False, at_ns=LONG, generation=1),
    ledger.Lamp(t_ns=LONG, lit=False, commanded_ns=LONG, seen_ns=None),
)


def parts() -> list[Segment]:
    now = time.monotonic_ns()
    return [
        Segment(0, SAMPLES[:RATE], now, ()),
        Segment(RATE, SAMPLES[RATE : 2 * RATE], now, (Gap(RATE + 5, 10, "overrun"),)),
        Segment(2 * RATE, SAMPLES[2 * RATE :], now, ()),
    ]


def record(home: Home, disk: Disk, recording: str, acked: list[int]) -> None:
    """A short recording, from an empty spool to its closing record."""
    spool = Spool(home.spool, disk)
    spool.prepare()
    file = RecordingFile(spool, maker(home), Begin(recording, None, time.monotonic_ns()))
    file.begin()
    for fact in BEFORE:
        file.enter(fact)
    for part in parts():
        file.add(part)
        acked.append(file.frames)
    for fact in AFTER:
        file.enter(fact)
    file.close("button")


def number_of_calls(tmp_path: Path) -> int:
    home = Home(tmp_path)
    disk = FaultyDisk(lambda *_: None)
    record(home, disk, new_recording_id(), [])
    return disk.calls


def whole(home: Home, recording: str, acked: list[int]) -> None:
    """What recovery must have left: nothing of it unsigned, nothing acknowledged missing."""
    if recording not in home.recordings():
        assert not acked
        return
    opened = open_recording(home, recording)
    assert opened.closing is not None
    assert np.array_equal(opened.samples, SAMPLES[: opened.samples.size])
    assert opened.samples.size >= (acked[-1] if acked else 0)
    found = sorted(path.name for path in (home.folder(recording) / "segments").iterdir())
    named = len(opened.of(ledger.Segment)) + len(opened.closing.unverified_tail)
    assert len(found) == named, "every file is vouched for or named as unverified tail"
    assert not any(name.startswith(".") for name in found)


def test_promise_3_a_writer_killed_at_any_disk_call_loses_nothing_acknowledged(tmp_path: Path) -> None:
    (tmp_path / "count").mkdir()
    total = number_of_calls(tmp_path / "count")
    assert total > 60
    for number in range(1, total + 1):
        (tmp_path / str(number)).mkdir()
        home, recording, acked = Home(tmp_path / str(number)), new_recording_id(), list[int]()
        with pytest.raises(Crash):
            record(home, FaultyDisk(crash_at(number)), recording, acked)
        spool = Spool(home.spool, Disk())
        spool.prepare()
        recovery.recover(spool, home.keys.box_signing)
        whole(home, recording, acked)
        assert recovery.recover(spool, home.keys.box_signing) == []


def test_recovery_killed_at_any_disk_call_is_finished_by_the_next(tmp_path: Path) -> None:
    for number in range(1, 200):
        (tmp_path / str(number)).mkdir()
        home, recording, acked = Home(tmp_path / str(number)), new_recording_id(), list[int]()

        writes: list[str] = []

        def torn(_: int, name: str, acked: list[int] = acked, writes: list[str] = writes) -> BaseException | None:
            # in the middle of the second segment's ledger lines, which follow on its file
            if name == "write" and len(acked) == 1:
                writes.append(name)
            return Crash() if len(writes) == 2 else None

        with pytest.raises(Crash):
            record(home, FaultyDisk(torn), recording, acked)
        path = home.folder(recording) / "ledger.tsv"
        with path.open("ab") as file:
            file.write(b'{"type":"plainsight/entry/1","recor')
        disk = FaultyDisk(crash_at(number))
        try:
            recovery.recover(Spool(home.spool, disk), home.keys.box_signing)
        except Crash:
            recovery.recover(Spool(home.spool, Disk()), home.keys.box_signing)
            whole(home, recording, acked)
        else:
            whole(home, recording, acked)
            aside = [path.read_bytes() for path in (home.spool / ".set-aside").iterdir() if "ledger" in path.name]
            assert len(aside) == 1
            assert aside[0].endswith(b'{"type":"plainsight/entry/1","recor')
            return
    pytest.fail("recovery never came to its end")


@pytest.mark.parametrize("number", [errno.EIO, errno.ENOSPC])
def test_a_disk_that_refuses_any_one_call_once_is_tried_again_and_nothing_is_twice(tmp_path: Path, number: int) -> None:
    (tmp_path / "count").mkdir()
    total = number_of_calls(tmp_path / "count")
    for at in range(1, total + 1):
        (tmp_path / str(at)).mkdir()
        home, recording = Home(tmp_path / str(at)), new_recording_id()
        disk = FaultyDisk(lambda *_: None)
        spool = Spool(home.spool, disk)
        spool.prepare()
        error = DiskError(FULL if number == errno.ENOSPC else FAILED, "made up")
        disk.at = partial(_only_at, at, error)
        file = RecordingFile(spool, maker(home), Begin(recording, None, time.monotonic_ns()))
        steps: list[Callable[[], None]] = [file.begin]
        steps += [partial(file.enter, fact) for fact in BEFORE]
        steps += [partial(file.add, part) for part in parts()]
        steps += [partial(file.enter, fact) for fact in AFTER]
        steps += [partial(file.close, "button")]
        for step in steps:
            try:
                step()
            except DiskError:
                step()
        spool.disk = Disk()
        recovery.recover(spool, home.keys.box_signing)
        opened = open_recording(home, recording)
        assert np.array_equal(opened.samples, SAMPLES)
        assert [gap.frames for gap in opened.of(ledger.Gap)] == [10]
        assert opened.closing is not None
        assert opened.closing.reason == "button"


def test_a_recording_without_a_header_is_set_aside_and_not_deleted(tmp_path: Path) -> None:
    home = Home(tmp_path)
    spool = Spool(home.spool, Disk())
    spool.prepare()
    stray = spool.folder(new_recording_id())
    stray.mkdir()
    (stray / "key.age").write_bytes(b"something")
    assert recovery.recover(spool, home.keys.box_signing) == []
    assert home.recordings() == []
    assert [path.read_bytes() for path in spool.aside.rglob("key.age")] == [b"something"]
    assert recovery.continued(spool, home.keys.box_signing) is None


def test_a_segment_without_a_line_is_named_as_unverified_tail(tmp_path: Path) -> None:
    home, recording = Home(tmp_path), new_recording_id()
    spool = Spool(home.spool, Disk())
    spool.prepare()
    file = RecordingFile(spool, maker(home), Begin(recording, None, time.monotonic_ns()))
    file.begin()
    for fact in BEFORE:
        file.enter(fact)
    file.add(parts()[0])
    store(spool.disk, file.folder / "segments" / "00000001.age", b"not entered")
    assert recovery.recover(spool, home.keys.box_signing) == [recording]
    opened = open_recording(home, recording)
    assert opened.closing is not None
    assert [(tail.segment, tail.size) for tail in opened.closing.unverified_tail] == [(1, 11)]
    interrupted = recovery.continued(spool, home.keys.box_signing)
    assert interrupted is not None
    assert interrupted.recording == recording


@pytest.mark.parametrize("damage", [lambda line: line.replace(b"overrun", b"0verrun"), lambda _: b""])
def test_a_ledger_that_the_disk_damaged_keeps_what_still_holds(
    tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    home, recording = Home(tmp_path), new_recording_id()
    spool = Spool(home.spool, Disk())
    spool.prepare()
    file = RecordingFile(spool, maker(home), Begin(recording, None, time.monotonic_ns()))
    file.begin()
    for fact in BEFORE:
        file.enter(fact)
    for part in parts():
        file.add(part)
    path = file.folder / "ledger.tsv"
    lines = split_lines(path.read_bytes())
    damaged = b"".join(lines[:3]) + damage(lines[3]) + b"".join(lines[4:])
    path.write_bytes(damaged)
    recovery.recover(spool, home.keys.box_signing)
    opened = open_recording(home, recording)
    assert np.array_equal(opened.samples, SAMPLES[:RATE])
    assert opened.closing is not None
    assert [tail.segment for tail in opened.closing.unverified_tail] == [1, 2]
    assert [path.read_bytes() for path in spool.aside.iterdir()] == [damaged[sum(map(len, lines[:3])) :]]


def test_a_closing_record_behind_a_line_that_the_disk_damaged_closes_nothing(tmp_path: Path) -> None:
    home, recording = Home(tmp_path), new_recording_id()
    record(home, Disk(), recording, [])
    path = home.folder(recording) / "ledger.tsv"
    lines = split_lines(path.read_bytes())
    path.write_bytes(b"".join(lines[:-2]) + lines[-2].replace(b"lamp", b"lump") + lines[-1])
    assert recovery.recover(Spool(home.spool, Disk()), home.keys.box_signing) == [recording]
    closing = open_recording(home, recording).closing
    assert closing is not None
    assert closing.reason == "interrupted"


def test_a_file_that_reads_back_differently_is_never_entered(tmp_path: Path) -> None:
    class Liar(Disk):
        def read(self, path: Path, offset: int = 0) -> bytes:
            data = super().read(path, offset)
            return data[:-1] + bytes([data[-1] ^ 1]) if path.suffix == ".age" else data

    home, recording = Home(tmp_path), new_recording_id()
    spool = Spool(home.spool, Liar())
    spool.prepare()
    file = RecordingFile(spool, maker(home), Begin(recording, None, time.monotonic_ns()))
    file.begin()
    with pytest.raises(DiskError, match="read back"):
        file.add(parts()[0])
    assert (file.frames, file.lines) == (0, 0)
    assert (file.folder / "ledger.tsv").read_bytes() == b""


def test_a_spool_that_may_not_be_written_is_a_setting_to_correct(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "nothing", Disk())
    with pytest.raises(SettingsError, match="does not exist"):
        spool.prepare()
    with pytest.raises(SettingsError, match="cannot write"):
        spool.lock(0.0)


class SmallDisk(Disk):
    """A disk with this many bytes and names left."""

    def __init__(self, free: int, names: int | None) -> None:
        super().__init__()
        self.left_bytes, self.left_names = free, names

    def free_bytes(self, folder: Path) -> int:
        return self.left_bytes

    def free_names(self, folder: Path) -> int | None:
        return self.left_names


@pytest.mark.parametrize(
    ("free", "names", "seconds"), [(1 << 40, None, None), (1 << 40, 100, 100), (0, 100, 0), (1 << 40, 0, 0)]
)
def test_each_second_is_a_file_so_that_names_bound_the_room(
    tmp_path: Path, free: int, names: int | None, seconds: int | None
) -> None:
    spool_faults = SpoolFaults(Spool(tmp_path, SmallDisk(free, names)), lambda _: None, 48000)
    expected = free if seconds is None else seconds * second_bytes(48000)
    assert spool_faults.free_bytes() == expected


def test_too_few_names_for_the_longest_recording_are_told_before_it_and_taken_back(tmp_path: Path) -> None:
    told: list[FromWriter] = []
    disk = SmallDisk(1 << 40, 99)
    spool_faults = SpoolFaults(Spool(tmp_path, disk), told.append, 48000)
    spool_faults.check_names(100)
    assert [(one.code, one.fatal) for one in told if isinstance(one, WriterFault)] == [("spool-names", False)]
    disk.left_names = 100
    spool_faults.check_names(100)
    assert [one.faults for one in told if isinstance(one, SpoolChecked)] == [frozenset()]


def test_an_idle_writer_tells_of_handles_and_names_before_anybody_presses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Home(tmp_path)
    spool = Spool(home.spool, Disk())
    spool.prepare()
    told: list[FromWriter] = []
    keys = home.keys
    pinned = Pinned({keys.box_signing.public: keys.box}, keys.archive_signing.public)
    writer = object.__new__(Writer)
    vars(writer).update(
        _spool=spool, _cap_s=1 << 60, _key_fault=lambda: None, _spool_faults=SpoolFaults(spool, told.append),
        _damaged=set(), _inbox=ReceiptInbox(home.inbox, spool, pinned),
    )  # fmt: skip
    monkeypatch.setattr("appliance.recorder.resources.handles_fault", lambda: "1020 of 1024")
    monkeypatch.setattr("appliance.recorder.resources.free_names", lambda _: 1 << 59)
    writer._check(0.0)
    assert {one.code for one in told if isinstance(one, WriterFault)} == {"handles-low", "spool-names"}
    checked = [one for one in told if isinstance(one, SpoolChecked)][-1]
    assert checked.faults == {"handles-low", "spool-names"}


def test_a_running_recording_does_not_end_for_names_that_may_come_back(tmp_path: Path) -> None:
    """The ring rides a full table of names out, as it does a full disk; only readiness counts it as no room."""
    spool_faults = SpoolFaults(Spool(tmp_path, SmallDisk(1 << 40, 0)), lambda _: None, 48000)
    assert (spool_faults.free_bytes(), spool_faults.free_bytes(running=True)) == (0, 1 << 40)
