"""A report says exactly what was checked and what a reader should know besides: nothing more, nothing less."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from appliance.contract.errors import StorageError
from appliance.contract.keys import KeyRing
from appliance.contract.signed import digest
from appliance.contract.times import Clock
from appliance.contract.verification import Report, verify
from appliance.contract.verification import bag as bags
from appliance.contract.verification.evidence import duration
from tests.support.packages import Sealed, rebuilt, reforged, taken_apart
from tests.support.spools import Keys, Recording, make_recording, noise

SHORT: dict[str, Any] = {"rate": 8000, "segment_frames": 1000}
UNSYNCHRONIZED = Clock(synchronized=False, source="none", offset_ns=None)
PLAIN: dict[str, Any] = {"panel": "gpio", "lamp": "verified"}
"""A real box with a sensor at its lamp."""
SIMULATED = "the button and the lamps were simulated: this is a trial, not a meeting"
NO_SENSOR = "no sensor was wired to the lamp: 'lit' means commanded, not seen"
NOT_OPENED = "the audio itself was not opened; give its key to check that as well"


@pytest.fixture(scope="module")
def keys() -> Keys:
    return Keys()


def made(folder: Path, keys: Keys, **about: Any) -> Recording:
    recording = Recording(folder, keys, about={**PLAIN, **about}, **SHORT)
    recording.begin()
    recording.segment()
    return recording


def report_of(sealed: Sealed, ring: KeyRing | None, *, opened: bool = True) -> Report:
    return verify(io.BytesIO(sealed.build()), ring, sealed.recording.identity if opened else None)


def closed(recording: Recording) -> Sealed:
    recording.close()
    return Sealed(recording)


def test_of_a_plain_meeting_there_is_nothing_to_know_besides(tmp_path: Path, keys: Keys) -> None:
    report = report_of(closed(made(tmp_path, keys)), keys.ring())
    assert (report.verdict, report.notes) == ("intact", ())
    members = len(taken_apart(closed(made(tmp_path, keys)).build()))
    assert report.checks == (
        f"every byte of the ZIP around its {members} members is what the format demands",
        f"the header is signed by the pinned key of {keys.box}",
        "6 ledger lines are signed, follow on each other, and keep the microphone within lit spans",
        "1 segments, 0.1 s of audio, each with the digest that the box signed",
        "the receipt is signed by the pinned archive key and names all this",
        "5 arrivals are signed by the archive and are exactly what is here",
        "the BagIt manifests name each of the 5 payload files with its digest",
        "all 1 segments open, and decode to exactly the frames that the ledger says",
    )


@pytest.mark.parametrize(
    ("about", "note"),
    [
        ({"panel": "simulated"}, SIMULATED),
        ({"lamp": "unverified"}, NO_SENSOR),
        (
            {"clock": UNSYNCHRONIZED},
            "the box's wall clock was not synchronized at the start; its times of day may be wrong",
        ),
        (
            {"continues": "0f3c9a52e4b14f1f8a0e6f7f5d2b9c31"},
            "it goes on from recording 0f3c9a52e4b14f1f8a0e6f7f5d2b9c31",
        ),
    ],
)
def test_what_the_header_says_of_the_box_is_told_alone(
    tmp_path: Path, keys: Keys, about: dict[str, Any], note: str
) -> None:
    report = report_of(closed(made(tmp_path, keys, **about)), keys.ring())
    assert (report.verdict, report.notes) == ("intact", (note,))


def stepped(folder: Path, keys: Keys, *steps_ns: int, clock: Clock) -> Recording:
    recording = made(folder, keys)
    for step_ns in steps_ns:
        recording.note("clock", at="2026-11-24T13:00:00.000Z", step_ns=step_ns, clock=clock.model_dump())
    return recording


def test_at_most_three_steps_of_the_clock_are_told_one_by_one(tmp_path: Path, keys: Keys) -> None:
    synchronized = Clock(synchronized=True, source="ntp", offset_ns=0)
    hour = 3600 * 10**9
    three = report_of(closed(stepped(tmp_path, keys, hour, -hour, hour, clock=synchronized)), keys.ring())
    assert [note.partition(",")[0] for note in three.notes] == [
        "the box's wall clock was put forward by 1 h 0 min 0 s",
        "the box's wall clock was put back by 1 h 0 min 0 s",
        "the box's wall clock was put forward by 1 h 0 min 0 s",
    ]
    four = report_of(closed(stepped(tmp_path, keys, hour, -hour, hour, -hour, clock=synchronized)), keys.ring())
    assert four.notes[:3] == three.notes
    assert four.notes[3:] == ("the box's wall clock was put 4 times in all; the ledger names each",)


def test_a_clock_that_lost_its_source_is_told_and_one_that_found_it_is_not(tmp_path: Path, keys: Keys) -> None:
    lost = report_of(closed(stepped(tmp_path, keys, 0, clock=UNSYNCHRONIZED)), keys.ring())
    assert lost.notes == ("the box's wall clock was synchronized at the start, but not all the time",)
    recording = made(tmp_path, keys, clock=UNSYNCHRONIZED)
    synchronized = Clock(synchronized=True, source="ntp", offset_ns=0)
    recording.note("clock", at="2026-11-24T13:00:00.000Z", step_ns=0, clock=synchronized.model_dump())
    found = report_of(closed(recording), keys.ring())
    assert found.notes == ("the box's wall clock was not synchronized at the start; its times of day may be wrong",)


def test_lost_audio_is_told_by_its_length(tmp_path: Path, keys: Keys) -> None:
    recording = made(tmp_path, keys)
    recording.gap(300)
    recording.segment(np.concatenate([np.zeros(300, np.int16), noise(700, 9)]))
    report = report_of(closed(recording), keys.ring())
    assert report.notes == ("0.037 s of audio were lost and are silence; the ledger names each gap",)


def test_an_interruption_and_its_tail_are_told(tmp_path: Path, keys: Keys) -> None:
    interrupted = make_recording(tmp_path, keys, reason="interrupted", tail=2, about=PLAIN, **SHORT)
    report = report_of(Sealed(interrupted, "interrupted"), keys.ring())
    assert report.notes == (
        "a crash, a power cut or a failing disk ended the recording; what followed is not here",
        "2 segments of an unverified tail are kept as well; the box did not verify them",
        "2 of 2 segments of the unverified tail open and hold 0.2 s of audio",
    )


def test_a_recording_that_was_never_closed_is_told(tmp_path: Path, keys: Keys) -> None:
    lost = make_recording(tmp_path, keys, reason=None, about=PLAIN, **SHORT)
    report = report_of(Sealed(lost, "incomplete"), keys.ring(), opened=False)
    assert report.notes == ("its box never closed the recording; there may have been more", NOT_OPENED)


def test_without_keys_from_outside_it_says_whose_are_missing(tmp_path: Path, keys: Keys) -> None:
    sealed = closed(made(tmp_path, keys))
    nothing = report_of(sealed, None)
    assert nothing.notes == ("no key ring was given: whoever made the package could have made up its keys as well",)
    assert nothing.checks[1] == f"the header is signed by a key that claims to be {keys.box}"
    assert nothing.checks[4] == "the receipt is signed by some archive key and names all this"
    no_box = f"the key ring does not know {keys.box}: who signed the header is open"
    no_archive = "the key ring has no archive key: who signed the receipt is open"
    assert report_of(sealed, KeyRing()).notes == (no_box, no_archive)
    box = report_of(sealed, KeyRing(boxes=keys.ring().boxes))
    assert box.notes == (no_archive,)
    assert box.checks[1] == f"the header is signed by the pinned key of {keys.box}"
    archive = report_of(sealed, KeyRing(archives=keys.ring().archives))
    assert archive.notes == (no_box,)
    assert archive.checks[4] == "the receipt is signed by the pinned archive key and names all this"


def test_another_file_is_no_package_and_says_so() -> None:
    report = verify(io.BytesIO(b"Dear parents, " * 100), None)
    assert (report.verdict, report.recording, report.checks) == ("not-a-package", "", ())
    assert "give that one" in report.problem


def test_a_store_that_cannot_be_read_is_no_tampering(tmp_path: Path, keys: Keys) -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if self.tell() > 2000:
                raise StorageError("the disk gives nothing")
            return super().read(size)

    with pytest.raises(StorageError, match="gives nothing"):
        verify(Broken(closed(made(tmp_path, keys)).build()), keys.ring())


def test_every_missing_or_misplaced_member_is_named_for_what_it_is(tmp_path: Path, keys: Keys) -> None:
    recording = made(tmp_path, keys)
    recording.segment()
    sealed = closed(recording)
    parts = taken_apart(sealed.build())

    def problem(changed: list[tuple[str, bytes]], name: str | None = None) -> str:
        return verify(io.BytesIO(rebuilt(name or recording.id, changed)), keys.ring()).problem

    names = [name for name, _ in parts]
    first, last = names.index("data/segments/00000000.age"), names.index("data/segments/00000001.age")
    swapped = [*parts[:first], parts[last], parts[first]]
    assert problem(swapped) == f"{names[first]} is not in its place; {names[last]} stands there"
    assert problem(parts[:last]) == f"{names[last]} is missing"
    assert problem([*parts[:first], parts[last]]) == f"{names[first]} is missing; {names[last]} stands there"
    assert problem([*parts, ("data/segments/00000002.age", b"")]).startswith(
        "data/segments/00000002.age does not belong"
    )
    for name in ("bagit.txt", "bag-info.txt", "receipt.tsv", "data/header.tsv", "data/events.json"):
        without = [part for part in parts if part[0] != name]
        expected = "byte 0: " if name == "bagit.txt" else f"{name} is missing"
        assert problem(without).startswith(expected), name
    assert "the first member" in problem(parts, "0" * 31)
    assert "the first member" in problem(parts, "x" * 32)
    assert "the first member" in problem([parts[1], parts[0], *parts[2:]])
    assert "two members have the same name" in problem([*parts, parts[-1]])


def test_a_member_that_is_too_large_is_not_read(tmp_path: Path, keys: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    sealed = closed(made(tmp_path, keys))
    largest = max(len(data) for _, data in taken_apart(sealed.build()))
    monkeypatch.setattr(bags, "MAX_MEMBER_BYTES", largest)
    assert report_of(sealed, keys.ring()).verdict == "intact"
    monkeypatch.setattr(bags, "MAX_MEMBER_BYTES", largest - 1)
    assert "are more than it can have" in report_of(sealed, keys.ring()).problem


def test_events_of_another_form_are_refused_although_the_receipt_covers_them(tmp_path: Path, keys: Keys) -> None:
    sealed = closed(made(tmp_path, keys))
    wrong = sealed.build({**sealed.payload(), "data/events.json": b'[{"event": "party"}]'})
    report = verify(io.BytesIO(wrong), keys.ring())
    assert report.status == 1
    assert report.problem.startswith("data/events.json: ")


def test_a_segment_that_does_not_open_is_named(tmp_path: Path, keys: Keys) -> None:
    recording = made(tmp_path, keys)
    other = Recording(tmp_path, keys, **SHORT)
    data = other.sealed(noise(1000, 5))
    recording.segments.append(data)
    recording.samples = np.concatenate([recording.samples, noise(1000, 5)])
    recording.now_ns += 125_000_000

    recording.note(
        "segment", segment=1, first_frame=1000, frames=1000, size=len(data), sha256=digest(data),
        captured_ns=recording.now_ns,
    )  # fmt: skip
    report = report_of(closed(recording), keys.ring())
    assert report.status == 1
    assert report.problem.startswith("data/segments/00000001.age: ")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.04, "0.0 s"),
        (59.94, "59.9 s"),
        (60, "1 min 0 s"),
        (3599, "59 min 59 s"),
        (3600, "1 h 0 min 0 s"),
        (14400.4, "4 h 0 min 0 s"),
    ],
)
def test_lengths_are_told_as_people_say_them(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_a_forged_manifest_is_told_by_the_file_that_does_not_fit(tmp_path: Path, keys: Keys) -> None:
    sealed = closed(made(tmp_path, keys))
    parts = {**sealed.payload(), "data/events.json": b"[]"}
    assert "manifest-sha256.txt" in verify(io.BytesIO(reforged(sealed, parts)), keys.ring()).problem
