"""The box sends a line only after it was acknowledged (docs/format.md 2.6 and 3, docs/architecture.md)."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.contract.errors import StorageError
from appliance.contract.signed import split_lines
from appliance.contract.status import RecorderStatus
from appliance.courier.upload.batches import BatchReader
from appliance.courier.upload.spool_reader import PendingRecording, SpoolReader, ends_in_closing
from tests.support.box.courier import Box
from tests.support.spools import Keys, Recording

KEYS = Keys()
ACTIONS = st.lists(
    st.one_of(
        st.tuples(st.just("line"), st.just(0)),
        st.tuples(st.just("segment"), st.just(0)),
        st.tuples(st.just("acknowledge"), st.integers(0, 5)),
        st.tuples(st.just("torn"), st.integers(1, 40)),
        st.tuples(st.just("silent"), st.just(0)),
        st.tuples(st.just("close"), st.just(0)),
        st.tuples(st.just("idle"), st.just(0)),
    ),
    max_size=25,
)


def status(recording: str | None, acked_line: int) -> RecorderStatus:
    return RecorderStatus(
        box=KEYS.box,
        boot_id="b",
        monotonic_ns=1,
        state="recording" if recording else "idle",
        ready=True,
        recording=recording,
        since_ns=0,
        acked_line=acked_line,
    )


def sent(offers: list[PendingRecording]) -> dict[str, list[bytes]]:
    """Every ledger line that the offers let go, by recording."""
    found: dict[str, list[bytes]] = {}
    for offer in offers:
        reader, lines = BatchReader(offer.folder), 0
        while batch := reader.read_batch(lines, offer.limit):
            if not batch.lines:
                break
            lines = batch.next_line
        found[offer.recording] = split_lines((offer.folder / "ledger.tsv").read_bytes())[:lines]
    return found


@settings(deadline=None, max_examples=60)
@given(ACTIONS)
def test_no_line_goes_before_it_is_acknowledged_or_the_ledger_is_complete(actions: list[tuple[str, int]]) -> None:
    root = Path(tempfile.mkdtemp())
    try:
        recording = Recording(root, KEYS, rate=8000, segment_frames=1000)
        view = SpoolReader(root)
        acked, word, closed = 0, status(recording.id, 0), False
        for action, argument in actions:
            path = recording.folder / "ledger.tsv"
            if action in {"line", "segment", "close"} and not closed:
                path.write_bytes(recording.ledger)
                if action == "line":
                    recording.note("drift", frame=0, ppb=1)
                elif action == "segment":
                    recording.segment()
                else:
                    recording.close("interrupted")
                closed = action == "close"
            elif action == "torn" and not closed:
                path.write_bytes(recording.ledger + b"{" * argument)
            elif action == "acknowledge":
                acked = min(len(recording.lines), acked + argument)
                word = status(recording.id, acked)
            seen = {"silent": None, "idle": status(None, 0)}.get(action, word)
            lines = sent(view.pending(view.present(), seen)).get(recording.id, [])
            if seen is word:
                assert len(lines) == acked
            else:
                assert len(lines) == (len(recording.lines) if closed else 0)
            assert lines == recording.lines[: len(lines)]
    finally:
        shutil.rmtree(root)


def test_a_recording_without_closing_waits_while_the_recorder_is_silent(box: Box) -> None:
    open_one = box.record(reason=None)
    closed = box.record()
    view = SpoolReader(box.spool)
    assert [offer.recording for offer in view.pending(view.present(), None)] == [closed.id]
    open_one.close("interrupted")
    assert {offer.recording for offer in view.pending(view.present(), None)} == {closed.id, open_one.id}


def test_an_active_recording_that_has_closed_still_waits_for_its_last_acknowledgement(box: Box) -> None:
    recording = box.record()
    view = SpoolReader(box.spool)
    (offer,) = view.pending(view.present(), status(recording.id, 3))
    assert offer.limit == 3


def test_the_active_recording_goes_first_then_the_oldest(box: Box) -> None:
    late, early, active = box.record(), box.record(), box.record(reason=None)
    for recording, moment in ((late, 2000), (early, 1000), (active, 3000)):
        os.utime(recording.folder / "ledger.tsv", (moment, moment))
    view = SpoolReader(box.spool)
    order = [offer.recording for offer in view.pending(view.present(), status(active.id, 1))]
    assert order == [active.id, early.id, late.id]


def test_the_ledger_is_fsynced_before_its_end_is_believed(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    box.record()
    synced: list[str] = []
    real = os.fsync

    def fsync(descriptor: int) -> None:
        synced.append(str(Path(f"/proc/self/fd/{descriptor}").readlink()))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    view = SpoolReader(box.spool)
    for _ in range(3):
        assert view.pending(view.present(), None)
    assert [Path(path).name for path in synced] == ["ledger.tsv"]


def test_a_ledger_whose_fsync_fails_waits_and_keeps_no_other_back(
    box: Box, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    bad, good = box.record(), box.record()
    real = os.fsync

    def fsync(descriptor: int) -> None:
        if bad.id in str(Path(f"/proc/self/fd/{descriptor}").readlink()):
            raise OSError(5, "Input/output error")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    view = SpoolReader(box.spool)
    for _ in range(2):
        assert [offer.recording for offer in view.pending(view.present(), None)] == [good.id]
    assert sum(bad.id in message for message in caplog.messages) == 1


def test_an_unchanged_ledger_is_not_read_again(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    box.record()
    box.record(reason=None)
    view = SpoolReader(box.spool)
    first = view.pending(view.present(), None)
    monkeypatch.setattr(os, "pread", lambda *_: pytest.fail("read again"))
    assert view.pending(view.present(), None) == first


def test_what_vanishes_meanwhile_is_no_error(box: Box) -> None:
    recording = box.record()
    view = SpoolReader(box.spool)
    present = view.present()
    shutil.rmtree(recording.folder)
    assert view.pending(present, None) == []
    assert view.pending(present, status(recording.id, 0)) == []


def test_names_that_are_no_recordings_are_left_alone(box: Box) -> None:
    (box.spool / "recordings" / ".new").mkdir()
    (box.spool / "recordings" / "lost+found").mkdir()
    assert SpoolReader(box.spool).present() == set()


def test_a_spool_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="recordings"):
        SpoolReader(tmp_path / "nowhere").present()


def test_a_long_closing_record_and_bytes_after_it_are_found(box: Box) -> None:
    recording = Recording(box.spool, box.keys, rate=8000, segment_frames=1000)
    recording.leave_tail(400)
    recording.close("interrupted")
    path = recording.folder / "ledger.tsv"
    assert len(recording.lines[-1]) > 2 * (16 << 10)
    with path.open("ab") as file:
        file.write(b'{"type":"plainsight/entry/1","reco')
    with path.open("rb") as file:
        assert ends_in_closing(file.fileno(), path.stat().st_size)


def test_a_spool_that_cannot_be_looked_into_is_told_apart_from_one_that_is_not_made_yet(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="not there yet"):
        SpoolReader(tmp_path).present()
    (tmp_path / "recordings").write_bytes(b"no folder")
    with pytest.raises(StorageError, match="group"):
        SpoolReader(tmp_path).present()
