"""The writer process, real: what it acknowledges is on disk, whatever is killed (promises 2 and 3)."""

from __future__ import annotations

import random
import signal
import stat
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from appliance.contract import ledger
from appliance.recorder.ipc.messages import (
    CaptureReady,
    EndRecording,
    ExpectGap,
    RecordingClosed,
    RecordingProgress,
    SpoolChecked,
    StopWriter,
    WriterFault,
    WriterReady,
)
from appliance.recorder.ipc.ring import INPUT_OVERFLOW
from tests.support.box.writer import BLOCK, RATE, Home, WriterProcess, open_recording, receipt_for, speech
from tests.support.waiting import until


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


@pytest.fixture
def writer(home: Home) -> Iterator[WriterProcess]:
    process = WriterProcess(home)
    process.wait_for(WriterReady)
    yield process
    process.kill()


def test_a_recording_is_on_disk_sample_for_sample_with_its_ledger_in_the_order_of_events(writer: WriterProcess) -> None:
    recording = writer.begin()
    samples = speech(int(RATE * 3.5))
    writer.push(samples)
    closed = writer.end()
    assert closed == RecordingClosed(recording=recording, frames=samples.size)
    opened = open_recording(writer.home, recording)
    assert np.array_equal(opened.samples, samples)
    assert opened.kinds() == ["lamp", "audio", *["segment"] * 4, "audio", "lamp", "closing"]
    assert opened.closing is not None
    assert (opened.closing.reason, opened.closing.lost_frames) == ("button", 0)
    assert opened.header.panel == "simulated"
    assert opened.header.lamp == "unverified"
    assert writer.stop() == 0


def test_a_key_file_that_goes_away_is_told_before_the_next_start_needs_it(writer: WriterProcess) -> None:
    key = writer.home.root / "box.key"
    pem = key.read_bytes()
    for spoil, faults in ((key.unlink, ["keys"]), (lambda: key.write_bytes(pem), [])):
        spoil()
        # the spool is tried at once after a recording
        writer.begin()
        writer.push(speech(RATE))
        writer.end()
        writer.wait_for(SpoolChecked, faults=frozenset(faults))


def test_the_escrow_opens_a_recording_as_well(writer: WriterProcess) -> None:
    recording = writer.begin()
    writer.push(speech(RATE))
    writer.end()
    assert open_recording(writer.home, recording, identity=writer.home.keys.escrow).samples.size == RATE


def test_promise_7_no_secret_lies_in_the_spool_and_only_owner_and_group_read_it(writer: WriterProcess) -> None:
    writer.begin()
    writer.push(speech(RATE * 2))
    writer.wait_acked(RATE)
    for path in writer.home.spool.rglob("*"):
        mode = stat.S_IMODE(path.stat().st_mode)
        assert mode & 0o027 == 0o000, f"{path} is {mode:o}"
        if path.is_file():
            data = path.read_bytes()
            assert b"AGE-SECRET-KEY" not in data
            assert b"PRIVATE KEY" not in data
    folder = writer.home.folder(writer.recording)
    assert stat.S_IMODE((folder / "header.tsv").stat().st_mode) == 0o640
    assert stat.S_IMODE(folder.stat().st_mode) == 0o750


def test_what_is_acknowledged_can_be_opened_at_that_moment(writer: WriterProcess) -> None:
    recording = writer.begin()
    samples = speech(RATE * 3)
    writer.push(samples)
    progress = writer.wait_acked(RATE * 2)
    lines = (writer.home.folder(recording) / "ledger.tsv").read_bytes().split(b"\n")[: progress.acked_line]
    last = ledger.Entry.read(lines[-1] + b"\n", writer.home.keys.box_signing.public).fact
    assert isinstance(last, ledger.Segment)
    assert last.first_frame + last.frames == progress.acked_frame
    opened = open_recording(writer.home, recording)
    assert np.array_equal(opened.samples[: progress.acked_frame], samples[: progress.acked_frame])
    writer.end()


def test_a_pause_ends_its_segment_at_once_and_no_frame_stands_for_it(writer: WriterProcess) -> None:
    recording = writer.begin()
    first, second = speech(5000, 1), speech(3000, 2)
    last_ns = writer.push(first)
    writer.closed(1)
    writer.pause(paused=True)
    writer.wait_acked(5000)
    writer.pause(paused=False)
    writer.open(2)
    writer.push(second, last_ns + 60_000_000_000)
    writer.end(2)
    opened = open_recording(writer.home, recording)
    assert np.array_equal(opened.samples, np.concatenate([first, second]))
    assert [(pause.frame, pause.paused) for pause in opened.of(ledger.Pause)] == [(5000, True), (5000, False)]
    assert opened.of(ledger.Gap) == []
    before, after = ["lamp", "audio", "segment", "audio"], ["audio", "segment", "audio", "lamp", "closing"]
    assert opened.kinds() == [*before, "pause", "pause", *after]


@pytest.mark.parametrize(
    "packet", [b'{"kind":"enter-fact","fact":{"kind":"lamp","lit":true}}', CaptureReady().model_dump_json().encode()]
)
def test_promise_5_a_message_that_cannot_be_entered_is_a_fault_and_the_recording_says_that_evidence_is_missing(
    writer: WriterProcess, packet: bytes
) -> None:
    recording = writer.begin()
    writer.push(speech(RATE))
    writer.control._socket.send(packet)
    assert not writer.wait_for(WriterFault, code="ledger-incomplete").fatal
    writer.end()
    closing = open_recording(writer.home, recording).closing
    assert closing is not None
    assert closing.reason == "interrupted"
    # it is told until the next recording
    writer.begin()
    writer.wait_for(SpoolChecked, faults=frozenset())


def test_promise_5_a_fact_without_a_recording_is_a_fault(writer: WriterProcess) -> None:
    writer.enter(ledger.Fault(t_ns=1, code="clock", raised=True))
    writer.wait_for(WriterFault, code="ledger-incomplete")


def test_a_microphone_that_came_back_leaves_silence_of_the_true_length_and_its_cause(writer: WriterProcess) -> None:
    recording = writer.begin()
    first, second = speech(RATE * 2, 1), speech(RATE, 2)
    last_ns = writer.push(first)
    writer.closed(1)
    writer.control.send(ExpectGap(cause="unplugged"))
    writer.open(2)
    writer.push(second, last_ns + 3_000_000_000)
    writer.end(2)
    opened = open_recording(writer.home, recording)
    gap = opened.of(ledger.Gap)
    assert [(g.first_frame, g.cause) for g in gap] == [(first.size, "unplugged")]
    assert abs(gap[0].frames - 3 * RATE) <= 1
    assert opened.closing is not None
    assert opened.closing.lost_frames == gap[0].frames
    silence = np.zeros(gap[0].frames, np.int16)
    assert np.array_equal(opened.samples, np.concatenate([first, silence, second]))


def test_an_hour_without_a_microphone_neither_fills_memory_nor_overruns_the_ring(home: Home) -> None:
    writer = WriterProcess(home)
    writer.wait_for(WriterReady)
    recording = writer.begin()
    last_ns = writer.push(speech(RATE))
    writer.closed(1)
    writer.control.send(ExpectGap(cause="unplugged"))
    writer.open(2)
    writer.push(speech(RATE * 2, 2), last_ns + 300_000_000_000)
    writer.end(2)
    assert writer.ring.lost_frames == 0
    opened = open_recording(home, recording)
    assert abs(opened.samples.size - 303 * RATE) <= 1
    writer.kill()


def test_frames_that_found_no_place_in_the_ring_are_an_overrun_also_at_the_end(home: Home) -> None:
    writer = WriterProcess(home)
    writer.wait_for(WriterReady)
    writer.begin()
    writer.wait_for(RecordingProgress, acked_line=2)
    slots = writer.ring.slots
    writer.process.send_signal(signal.SIGSTOP)
    samples = speech((slots + 10) * BLOCK)
    writer.push(samples)
    writer.process.send_signal(signal.SIGCONT)
    writer.end()
    opened = open_recording(home, writer.recording)
    (gap,) = opened.of(ledger.Gap)
    assert (gap.first_frame, gap.frames, gap.cause) == (slots * BLOCK, 10 * BLOCK, "overrun")
    assert np.array_equal(opened.samples[: slots * BLOCK], samples[: slots * BLOCK])
    assert opened.samples.size == samples.size
    writer.kill()


def test_a_block_that_changed_in_memory_is_silence_under_a_checksum_gap(writer: WriterProcess) -> None:
    writer.begin()
    writer.wait_for(RecordingProgress, acked_line=2)
    writer.process.send_signal(signal.SIGSTOP)
    samples = speech(4 * BLOCK)
    writer.push(samples)
    writer.ring._bytes[writer.ring._offset(2) + 100] ^= 4
    writer.process.send_signal(signal.SIGCONT)
    writer.end()
    opened = open_recording(writer.home, writer.recording)
    assert [(g.first_frame, g.frames, g.cause) for g in opened.of(ledger.Gap)] == [(BLOCK, BLOCK, "checksum")]
    samples[BLOCK : 2 * BLOCK] = 0
    assert np.array_equal(opened.samples, samples)


def test_loss_that_nobody_reported_becomes_a_gap_where_it_was(writer: WriterProcess) -> None:
    writer.begin()
    first, second = speech(20 * BLOCK, 1), speech(20 * BLOCK, 2)
    last_ns = writer.push(first)
    writer.push(second[:BLOCK], last_ns + 700_000_000, INPUT_OVERFLOW)
    writer.push(second[BLOCK:], last_ns + 700_000_000 + BLOCK * 1_000_000_000 // RATE)
    writer.end()
    opened = open_recording(writer.home, writer.recording)
    (gap,) = opened.of(ledger.Gap)
    assert (gap.first_frame, gap.cause) == (first.size, "overrun")
    assert abs(gap.frames - 0.7 * RATE) < 0.05 * RATE


def test_promise_1_nothing_from_before_the_press_is_kept(writer: WriterProcess) -> None:
    writer.open(1)
    assert writer.producer is not None
    writer.producer.push(speech(BLOCK, 9).tobytes(), BLOCK, time.monotonic_ns())
    writer.reports.clear()
    recording = writer.begin()
    samples = speech(3 * BLOCK)
    writer.push(samples)
    writer.end()
    assert np.array_equal(open_recording(writer.home, recording).samples, samples)


@pytest.mark.parametrize("seed", range(6))
def test_promise_3_a_killed_writer_loses_nothing_acknowledged(home: Home, seed: int) -> None:
    writer = WriterProcess(home)
    writer.wait_for(WriterReady)
    recording = writer.begin()
    samples = speech(RATE * 40, seed)
    chance = random.Random(seed)
    acked = 0
    at_ns = time.monotonic_ns()
    # faster than life, so that the kill falls into any of the disk calls
    for start in range(0, samples.size, RATE):
        at_ns = writer.push(samples[start : start + RATE], at_ns)
        until(lambda: writer.ring.write_seq - writer.ring.read_seq < writer.ring.slots // 2, "room in the ring")
        time.sleep(chance.random() * 0.01)
        while (message := writer.read()) is not None:
            acked = message.acked_frame if isinstance(message, RecordingProgress) else acked
        if acked and chance.random() < 0.15:
            break
    writer.kill()
    after = WriterProcess(home)
    ready = after.wait_for(WriterReady)
    assert ready.continues == recording
    opened = open_recording(home, recording)
    assert opened.closing is not None
    assert opened.closing.reason == "interrupted"
    assert opened.samples.size >= acked > 0
    assert np.array_equal(opened.samples, samples[: opened.samples.size])
    for tail in opened.closing.unverified_tail:
        assert tail.segment >= opened.closing.segments
    after.begin(continues=recording)
    after.push(speech(BLOCK))
    after.end()
    after.kill()
    third = WriterProcess(home)
    assert third.wait_for(WriterReady).continues is None
    third.kill()


def test_when_the_supervisor_is_gone_the_ring_is_saved_and_the_recording_left_for_recovery(home: Home) -> None:
    writer = WriterProcess(home)
    writer.wait_for(WriterReady)
    recording = writer.begin()
    samples = speech(RATE * 2 + 777)
    writer.push(samples)
    writer.control.close()
    assert writer.process.wait(60) == 0
    opened = open_recording(home, recording)
    assert opened.closing is None
    assert np.array_equal(opened.samples, samples)
    after = WriterProcess(home)
    after.wait_for(WriterReady)
    after.kill()
    closing = open_recording(home, recording).closing
    assert closing is not None
    assert closing.reason == "interrupted"


@pytest.mark.parametrize("ended", [False, True])
def test_promise_3_a_writer_that_is_told_to_stop_saves_what_was_heard_first(home: Home, *, ended: bool) -> None:
    writer = WriterProcess(home)
    writer.wait_for(WriterReady)
    recording = writer.begin()
    writer.wait_for(RecordingProgress, acked_line=2)
    # as on a slow disk: nothing of this is written when the word comes
    writer.process.send_signal(signal.SIGSTOP)
    samples = speech(RATE * 2 + 777)
    writer.push(samples)
    if ended:
        writer.closed(1)
        now = writer.now_ns()
        writer.enter(ledger.Lamp(t_ns=now, lit=False, commanded_ns=now, seen_ns=now))
        writer.control.send(EndRecording(reason="shutdown"))
    writer.control.send(StopWriter())
    writer.process.send_signal(signal.SIGCONT)
    assert writer.process.wait(60) == 0
    writer.kill()
    opened = open_recording(home, recording)
    assert np.array_equal(opened.samples, samples)
    # one that was not ended is closed as interrupted by the next start
    assert (opened.closing.reason if opened.closing else None) == ("shutdown" if ended else None)


def test_a_second_recorder_on_the_spool_is_refused_and_told_by_whom(writer: WriterProcess) -> None:
    second = WriterProcess(writer.home)
    fault = second.wait_for(WriterFault)
    assert fault.fatal
    assert f"process {writer.process.pid}" in fault.message
    assert second.process.wait(60) == 2
    second.kill()
    writer.begin()
    writer.push(speech(RATE))
    writer.end()


def test_a_receipt_for_exactly_these_bytes_deletes_and_is_kept(writer: WriterProcess) -> None:
    home = writer.home
    recording = writer.begin()
    writer.push(speech(RATE))
    writer.end()
    line = receipt_for(home, recording)
    (home.inbox / f"{recording}.tsv").write_bytes(line)
    until(lambda: home.recordings() == [], "the recording is deleted")
    assert (home.spool / "receipts" / f"{recording}.tsv").read_bytes() == line
    assert (home.inbox / f"{recording}.tsv").exists()


def test_a_wrong_receipt_deletes_nothing_and_is_a_fault_until_it_is_gone(writer: WriterProcess) -> None:
    home = writer.home
    recording = writer.begin()
    writer.push(speech(RATE))
    writer.end()
    (home.inbox / f"{recording}.tsv").write_bytes(receipt_for(home, recording, frames=1))
    fault = writer.wait_for(WriterFault)
    assert (fault.code, fault.fatal) == ("bad-receipt", False)
    assert home.recordings() == [recording]
    (home.inbox / f"{recording}.tsv").unlink()
    writer.wait_for(SpoolChecked, faults=frozenset())


def test_a_spool_that_does_not_exist_ends_with_a_message_that_names_it(home: Home) -> None:
    home.spool.rmdir()
    writer = WriterProcess(home)
    fault = writer.wait_for(WriterFault)
    assert fault.fatal
    assert str(home.spool) in fault.message
    assert writer.process.wait(60) == 2
    writer.kill()


def test_a_missing_signing_key_is_the_fault_keys(home: Home) -> None:
    (home.root / "box.key").unlink()
    writer = WriterProcess(home)
    assert writer.wait_for(WriterFault).code == "keys"
    assert writer.process.wait(60) == 2
    writer.kill()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "small"
    folder.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder], capture_output=True, text=True, check=False
    )
    if made.returncode:
        pytest.skip(f"this machine cannot mount a tmpfs (needs root): {made.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


@pytest.mark.root
def test_a_full_disk_ends_visibly_closes_in_the_reserve_and_keeps_what_was_acknowledged(small_disk: Path) -> None:
    home = Home(small_disk)
    writer = WriterProcess(home)
    writer.wait_for(WriterReady)
    recording = writer.begin()
    samples = speech(RATE * 29)
    at_ns = writer.push(samples)
    acked, fatal = 0, False
    deadline = time.monotonic() + 20
    while not fatal and time.monotonic() < deadline:
        if writer.ring.write_seq - writer.ring.read_seq < 10:
            more = speech(RATE, 5)
            samples = np.concatenate([samples, more])
            at_ns = writer.push(more, at_ns)
        message = writer.read(0.05)
        if isinstance(message, RecordingProgress):
            acked = message.acked_frame
        fatal = isinstance(message, WriterFault) and message.fatal
        if isinstance(message, WriterFault):
            assert message.code == "spool-full"
            assert "uploads" in message.message
    assert fatal
    assert acked > 0
    writer.end(reason="disk-full")
    opened = open_recording(home, recording)
    assert opened.closing is not None
    assert opened.closing.reason == "disk-full"
    assert opened.samples.size == acked
    assert np.array_equal(opened.samples, samples[:acked])
    writer.kill()
