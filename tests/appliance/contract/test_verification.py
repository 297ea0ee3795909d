"""Promise 5: whatever is done to a package, the check says so and names the place."""

from __future__ import annotations

import io
import random
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bagit
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.contract.encryption import Identity
from appliance.contract.keys import KeyRing, SigningKey
from appliance.contract.signed import split_lines
from appliance.contract.verification import Report, verify
from appliance.contract.zip_profile import Member, read_members
from tests.support.packages import Parts, Sealed, rebuilt, reforged, taken_apart
from tests.support.spools import Keys, Recording, make_recording, noise

SHORT: dict[str, Any] = {"rate": 8000, "segment_frames": 1000}


@pytest.fixture(scope="module")
def keys() -> Keys:
    return Keys()


@pytest.fixture(scope="module")
def spool(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("spool")


@pytest.fixture(scope="module")
def sealed(spool: Path, keys: Keys) -> Sealed:
    recording = Recording(spool, keys, **SHORT)
    recording.begin()
    recording.segment()
    recording.gap(300)
    recording.segment(np.concatenate([np.zeros(300, np.int16), noise(700, 99)]))
    recording.segment()
    recording.close()
    return Sealed(recording)


def check(data: bytes, ring: KeyRing | None, identity: Identity | None = None) -> Report:
    return verify(io.BytesIO(data), ring, identity)


def test_a_stepped_clock_is_told_and_is_no_tampering(tmp_path: Path, keys: Keys) -> None:
    recording = Recording(tmp_path, keys, **SHORT)
    recording.begin()
    recording.segment()
    clock = {"synchronized": False, "source": "none", "offset_ns": None}
    recording.note("clock", at="2026-11-24T13:00:00.000Z", step_ns=3 * 3600 * 10**9, clock=clock)
    recording.note("clock", at="2026-11-24T08:00:00.000Z", step_ns=-5 * 3600 * 10**9, clock=clock)
    recording.segment()
    recording.close()
    report = check(Sealed(recording).build(), keys.ring(), recording.identity)
    assert report.verdict == "intact"
    notes = "\n".join(report.notes)
    assert "forward by 3 h 0 min 0 s, to 2026-11-24T13:00:00.000Z" in notes
    assert "back by 5 h 0 min 0 s, to 2026-11-24T08:00:00.000Z" in notes


def test_an_honest_package_is_intact(sealed: Sealed, keys: Keys) -> None:
    report = check(sealed.build(), keys.ring(), sealed.recording.identity)
    assert (report.verdict, report.status, report.problem) == ("intact", 0, "")
    assert any("3 segments" in line for line in report.checks)
    assert any("simulated" in note for note in report.notes)


def test_without_keys_from_outside_the_verdict_is_not_pinned(sealed: Sealed, keys: Keys) -> None:
    for ring in (None, KeyRing(), KeyRing(boxes=keys.ring().boxes), KeyRing(archives=keys.ring().archives)):
        assert check(sealed.build(), ring).status == 3


def test_a_key_that_the_ring_does_not_have_is_no_key(sealed: Sealed, keys: Keys) -> None:
    other = SigningKey.generate().public
    wrong_box = KeyRing(boxes={keys.box: [other]}, archives=keys.ring().archives)
    wrong_archive = KeyRing(boxes=keys.ring().boxes, archives=[other])
    assert "header.tsv" in check(sealed.build(), wrong_box).problem
    assert "receipt.tsv" in check(sealed.build(), wrong_archive).problem


def test_promise_5_one_flipped_bit_anywhere_outside_the_segments_is_named(sealed: Sealed, keys: Keys) -> None:
    data, ring = sealed.build(), keys.ring()
    segments = [range(m.offset + 1, m.offset + m.size - 1) for m in _segments(data)]
    places = [at for at in range(len(data)) if not any(at in span for span in segments)]
    for at in places:
        flipped = bytearray(data)
        flipped[at] ^= 1 << (at % 8)
        report = check(bytes(flipped), ring)
        assert report.status == 1, f"byte {at}"
        assert report.problem, f"byte {at}"


def test_promise_5_one_flipped_bit_in_a_segment_names_it(sealed: Sealed, keys: Keys) -> None:
    data, chance = sealed.build(), random.Random(1)
    for member in _segments(data):
        for _ in range(40):
            flipped = bytearray(data)
            flipped[member.offset + chance.randrange(member.size)] ^= 1 << chance.randrange(8)
            report = check(bytes(flipped), keys.ring())
            assert report.status == 1
            assert member.name in report.problem


def _segments(data: bytes) -> list[Member]:
    return [member for member in read_members(io.BytesIO(data)) if "/segments/" in member.name]


def _without_segment(parts: Parts) -> None:
    del parts["data/segments/00000001.age"]


def _swapped(parts: Parts) -> None:
    one, two = "data/segments/00000000.age", "data/segments/00000001.age"
    parts[one], parts[two] = parts[two], parts[one]


def _repeated(parts: Parts) -> None:
    parts["data/segments/00000002.age"] = parts["data/segments/00000001.age"]


def _one_more(parts: Parts) -> None:
    parts["data/segments/00000003.age"] = parts["data/segments/00000002.age"]


def _ledger_line_changed(parts: Parts) -> None:
    parts["data/ledger.tsv"] = parts["data/ledger.tsv"].replace(b'"frames":1000', b'"frames":1001', 1)


def _ledger_line_dropped(parts: Parts) -> None:
    lines = split_lines(parts["data/ledger.tsv"])
    parts["data/ledger.tsv"] = b"".join([*lines[:3], *lines[4:]])


def _tail_cut(parts: Parts) -> None:
    lines = split_lines(parts["data/ledger.tsv"])
    parts["data/ledger.tsv"] = b"".join(lines[:-4])
    del parts["data/segments/00000002.age"]


def _arrivals_cut(parts: Parts) -> None:
    parts["data/arrivals.tsv"] = b"".join(split_lines(parts["data/arrivals.tsv"])[:-1])


def _events_made_up(parts: Parts) -> None:
    parts["data/events.json"] = b"[]"


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (_without_segment, "data/segments/00000001.age"),
        (_swapped, "data/segments/00000000.age"),
        (_repeated, "data/segments/00000002.age"),
        (_one_more, "data/segments/00000003.age"),
        (_ledger_line_changed, "ledger line 2"),
        (_ledger_line_dropped, "ledger line 3"),
        (_tail_cut, "receipt.tsv"),
        (_arrivals_cut, "data/arrivals.tsv"),
        (_events_made_up, "manifest-sha256.txt"),
    ],
)
def test_promise_5_recomputed_manifests_help_nobody(
    sealed: Sealed, keys: Keys, change: Callable[[Parts], None], place: str
) -> None:
    parts = sealed.payload()
    change(parts)
    report = check(reforged(sealed, parts), keys.ring())
    assert report.status == 1
    assert place in report.problem


def test_promise_5_parts_of_a_second_recording_are_foreign(sealed: Sealed, spool: Path, keys: Keys) -> None:
    other = Sealed(make_recording(spool, keys, seed=5, **SHORT)).payload()
    for name, place in [
        ("data/segments/00000001.age", "data/segments/00000001.age"),
        ("data/ledger.tsv", "ledger line 0"),
        ("data/header.tsv", "data/header.tsv"),
        ("data/arrivals.tsv", "data/arrivals.tsv"),
    ]:
        report = check(reforged(sealed, {**sealed.payload(), name: other[name]}), keys.ring())
        assert (report.status, place in report.problem) == (1, True), report.problem


def test_promise_5_a_tail_that_the_box_itself_cuts_is_caught_by_the_arrival_log(spool: Path, keys: Keys) -> None:
    whole = make_recording(spool, keys, seconds=4, **SHORT)
    honest = Sealed(whole).payload()
    # the box's key signs another, shorter ledger over the same beginning; the archive's signed log cannot be made anew
    short = Recording(spool, keys, recording=whole.id[::-1], **SHORT)
    short.id, short.header, short.header_line, short.key = whole.id, whole.header, whole.header_line, whole.key
    short.lines, short.segments, short.samples = whole.lines[:4], whole.segments[:2], whole.samples[:2000]
    short.now_ns = whole.now_ns
    short.close()
    forged = Sealed(short)
    payload = {**forged.payload(), "data/arrivals.tsv": honest["data/arrivals.tsv"]}
    lying_receipt = forged.build(payload, receipt=forged.receipt)  # even if the archive's key signed a new receipt
    report = check(lying_receipt, keys.ring())
    assert report.status == 1
    assert "data/arrivals.tsv" in report.problem


def test_an_honest_interruption_has_a_verdict_of_its_own(spool: Path, keys: Keys) -> None:
    recording = make_recording(spool, keys, reason="interrupted", tail=2, **SHORT)
    report = check(Sealed(recording, "interrupted").build(), keys.ring(), recording.identity)
    assert (report.verdict, report.status) == ("interrupted", 4)
    assert any("unverified tail" in note for note in report.notes)


def test_a_tail_that_never_arrived_is_told_and_one_that_was_taken_away_is_found(spool: Path, keys: Keys) -> None:
    recording = make_recording(spool, keys, reason="interrupted", tail=2, **SHORT)
    whole = Sealed(recording, "interrupted")
    arrivals = whole.arrivals()
    taken = {name: data for name, data in whole.payload().items() if not name.endswith("00000004.age")}
    report = check(whole.build(taken, receipt=whole.receipt), keys.ring(), recording.identity)
    assert (report.verdict, "receipt.tsv" in report.problem) == ("tampered", True)
    # even with a receipt of the archive's own that counts one: its arrival log names what had arrived
    del recording.tail[max(recording.tail)]
    lost = Sealed(recording, "interrupted")
    report = check(lost.build(lost.payload() | {"data/arrivals.tsv": arrivals}), keys.ring())
    assert (report.verdict, "data/arrivals.tsv" in report.problem) == ("tampered", True)
    report = check(lost.build(), keys.ring(), recording.identity)
    assert (report.verdict, report.status) == ("interrupted", 4)
    assert any("1 segments of an unverified tail never reached the archive" in note for note in report.notes)


def test_a_lost_box_has_a_verdict_of_its_own(spool: Path, keys: Keys) -> None:
    recording = make_recording(spool, keys, reason=None, **SHORT)
    assert check(Sealed(recording, "incomplete").build(), keys.ring()).status == 5
    assert "outcome" in check(Sealed(recording, "complete").build(), keys.ring()).problem


def test_promise_1_audio_outside_a_lit_span_fails_although_the_box_signed_it(spool: Path, keys: Keys) -> None:
    recording = Recording(spool, keys, **SHORT)
    recording.note("audio", open=True, at_ns=recording.now_ns, generation=1)
    recording.segment()
    report = check(Sealed(recording, "incomplete").build(), keys.ring())
    assert "promise 1" in report.problem
    assert "ledger line 0" in report.problem


def test_audio_that_is_not_what_the_ledger_says_fails_when_it_is_opened(spool: Path, keys: Keys) -> None:
    recording = Recording(spool, keys, **SHORT)
    recording.begin()
    recording.gap(200)
    recording.segment()  # noise where the ledger says that everything was lost
    recording.close()
    data = Sealed(recording).build()
    assert check(data, keys.ring()).status == 0
    assert "00000000.age" in check(data, keys.ring(), recording.identity).problem


def test_stock_tools_accept_the_package(sealed: Sealed, tmp_path: Path) -> None:
    path = tmp_path / "package.zip"
    path.write_bytes(sealed.build())
    assert subprocess.run(["unzip", "-tqq", str(path)], check=False).returncode == 0
    with zipfile.ZipFile(path) as file:
        assert file.testzip() is None
        file.extractall(tmp_path)
    bagit.Bag(str(tmp_path / sealed.recording.id)).validate()


@given(st.binary(max_size=300))
def test_any_bytes_get_a_verdict_and_never_an_exception(data: bytes) -> None:
    assert check(data, None).status in {1, 2}
    assert check(b"PK\x03\x04" + data, None).status in {1, 2}


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_any_cut_or_mixed_up_package_gets_a_verdict(sealed: Sealed, keys: Keys, data: st.DataObject) -> None:
    parts = taken_apart(sealed.build())
    mixed = data.draw(st.lists(st.sampled_from(parts), min_size=1, max_size=len(parts) + 2))
    report = check(rebuilt(sealed.recording.id, mixed), keys.ring())
    assert report.status == (0 if mixed == parts else 1)
    whole = sealed.build()
    cut = data.draw(st.integers(4, len(whole) - 1))
    assert check(whole[:cut], keys.ring()).status == 1
