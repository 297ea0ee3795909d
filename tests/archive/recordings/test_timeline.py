"""The ledger as people read it: in order, in words, at the right place of the audio."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, seed, settings
from hypothesis import strategies as st

from appliance.contract.ledger import Entry
from archive.recordings.timeline import drift_words, timeline
from tests.support.spools import CLOCK, Keys, Recording, make_recording, noise

RATE = 8000


def at(entry: Entry, t_ns: int) -> Entry:
    return entry.model_copy(update={"fact": entry.fact.model_copy(update={"t_ns": t_ns})})


def entries(recording: Recording) -> list[Entry]:
    return [Entry.read(line, recording.keys.box_signing.public) for line in recording.lines]


def told(recording: Recording) -> list[tuple[str, str]]:
    return [(moment.at, moment.text) for moment in timeline(entries(recording), RATE)]


def open_one(folder: Path) -> Recording:
    recording = Recording(folder, Keys(), rate=RATE, segment_frames=RATE)
    recording.begin()
    return recording


def test_a_plain_meeting(tmp_path: Path) -> None:
    recording = make_recording(tmp_path, Keys(), seconds=3, rate=RATE, segment_frames=RATE)
    assert told(recording) == [
        ("0:00", "Red lamp switched on (no sensor is wired to see it)"),
        ("0:00", "Microphone opened"),
        ("0:00", "Audio kept from 0:00 to 0:03 (3 signed segments)"),
        ("0:03", "Microphone closed"),
        ("0:03", "Red lamp switched off (no sensor is wired to see it)"),
        ("0:03", "Ended: someone held the button. 3 s of audio, nothing lost"),
    ]


def test_a_gap_and_a_pause_stand_at_their_frames(tmp_path: Path) -> None:
    recording = open_one(tmp_path)
    recording.segment()
    recording.gap(RATE // 2, "unplugged")
    recording.segment()
    recording.note("pause", frame=2 * RATE, paused=True)
    recording.now_ns += 600_000_000_000
    recording.note("pause", frame=2 * RATE, paused=False)
    recording.segment()
    recording.close()
    assert told(recording)[2:8] == [
        ("0:00", "Audio kept from 0:00 to 0:01 (1 signed segment)"),
        ("0:01", "0.5 s of sound lost and written as silence: the microphone was unplugged"),
        ("0:01", "Audio kept from 0:01 to 0:02 (1 signed segment)"),
        ("0:02", "Paused for 10 min; nothing was recorded"),
        ("0:02", "Resumed"),
        ("0:02", "Audio kept from 0:02 to 0:03 (1 signed segment)"),
    ]
    assert told(recording)[-1][1].endswith("3 s of audio, 0.5 s of it lost")


def losses(recording: Recording) -> list[tuple[str, str]]:
    found = [moment for moment in timeline(entries(recording), RATE) if moment.kind == "loss"]
    return [(moment.at, moment.text.partition(" written")[0]) for moment in found]


def test_an_absence_that_was_written_in_pieces_is_one_row(tmp_path: Path) -> None:
    recording = open_one(tmp_path)
    recording.segment()
    for seconds in (2, 2, 1):
        recording.gap(seconds * RATE, "unplugged")
        for _ in range(seconds):
            recording.segment()
    recording.segment()
    recording.close()
    assert losses(recording) == [("0:01", "5 s of sound lost and")]
    kept = [text for _, text in told(recording) if text.startswith("Audio kept")]
    assert kept == [
        "Audio kept from 0:00 to 0:01 (1 signed segment)",
        "Audio kept from 0:01 to 0:07 (6 signed segments)",
    ]
    assert told(recording)[-1][1].endswith("7 s of audio, 5 s of it lost")


def test_absences_with_sound_a_pause_or_another_cause_between_them_are_rows_of_their_own(tmp_path: Path) -> None:
    recording = open_one(tmp_path)
    for cause in ("unplugged", "overrun"):
        recording.gap(RATE, cause)
        recording.segment()
    recording.segment()
    recording.gap(RATE, "overrun")
    recording.segment()
    for paused in (True, False):
        recording.note("pause", frame=4 * RATE, paused=paused)
    recording.gap(RATE, "overrun")
    recording.segment()
    recording.close()
    assert losses(recording) == [(f"0:0{second}", "1 s of sound lost and") for second in (0, 1, 3, 4)]


def test_what_has_only_a_time_is_placed_by_the_segment_around_it(tmp_path: Path) -> None:
    recording = open_one(tmp_path)
    recording.segment()
    middle = recording.now_ns + 400_000_000
    recording.note("fault", code="clock", raised=True)
    recording.segment()
    moved = [at(entry, middle) if entry.fact.kind == "fault" else entry for entry in entries(recording)]
    fault = next(moment for moment in timeline(moved, RATE) if moment.kind == "fault")
    assert 1.3 < fault.offset < 1.5
    assert fault.text == "Fault: The clock is not synchronized; times in the recording may be wrong."


def test_times_never_leave_the_audio(tmp_path: Path) -> None:
    recording = make_recording(tmp_path, Keys(), seconds=2, rate=RATE, segment_frames=RATE)
    for shift in (-(10**12), 10**12):
        moved = [at(entry, entry.fact.t_ns + shift) for entry in entries(recording)]
        assert all(0 <= moment.offset <= 2 for moment in timeline(moved, RATE))


def test_warnings_and_the_clock_are_told(tmp_path: Path) -> None:
    recording = open_one(tmp_path)
    recording.segment()
    recording.note("warning", code="quiet", in_s=60)
    recording.note("clock", at="2026-11-24T10:00:00.000Z", step_ns=-1_500_000_000, clock=CLOCK.model_dump())
    recording.note("clock", at="2026-11-24T10:00:01.000Z", step_ns=0, clock=CLOCK.model_dump())
    texts = [text for _, text in told(recording)]
    assert "The box's clock is now kept right by ntp, 0.0 ms off when last checked" in texts
    assert "Warning: the recording ends by itself in 1 min: the room had been quiet for a long time" in texts
    assert "The box's clock was set back by 1.500 s; it is now kept right by ntp, 0.0 ms off when last checked" in texts


def test_an_interrupted_recording_says_what_nobody_vouches_for(tmp_path: Path) -> None:
    recording = make_recording(
        tmp_path, Keys(), seconds=1, reason="interrupted", tail=2, rate=RATE, segment_frames=RATE
    )
    assert told(recording)[-2:] == [
        ("0:01", "Ended: a crash or a power cut; written at the next start. 1 s of audio, nothing lost"),
        ("0:01", "After the end, up to 2 more seconds of sound were found that the box had not signed; not played"),
    ]


def test_drift_is_a_fact_and_no_moment(tmp_path: Path) -> None:
    recording = open_one(tmp_path)
    recording.segment(noise(RATE))
    assert drift_words(entries(recording)) == "not measured"
    recording.note("drift", frame=RATE, ppb=-12_300)
    recording.segment(noise(RATE))
    assert drift_words(entries(recording)) == "12.3 parts per million slow"
    assert told(recording)[-1] == ("0:00", "Audio kept from 0:00 to 0:02 (2 signed segments)")


def test_an_empty_ledger_has_no_moments() -> None:
    assert timeline([], RATE) == []


def test_a_pause_that_nobody_ended_says_so(tmp_path: Path) -> None:
    recording = open_one(tmp_path)
    recording.segment()
    recording.note("pause", frame=RATE, paused=True)
    recording.close()
    assert "Paused until the end; nothing was recorded" in [text for _, text in told(recording)]


def test_a_fault_that_ended_does_not_read_as_its_opposite(tmp_path: Path) -> None:
    recording = open_one(tmp_path)
    recording.segment()
    recording.note("fault", code="microphone-missing", raised=True)
    recording.segment()
    recording.note("fault", code="microphone-missing", raised=False)
    texts = [text for _, text in told(recording)]
    assert "Fault: The microphone is not there." in texts
    assert "No longer a fault: “The microphone is not there.”" in texts


@seed(3)
@settings(max_examples=60, deadline=None, database=None)
@given(shifts=st.lists(st.integers(-3_000_000_000, 3_000_000_000), min_size=8, max_size=8))
def test_the_timeline_never_runs_backwards(shifts: list[int], recording_of_notes: Recording) -> None:
    moved, left = [], list(shifts)
    for entry in entries(recording_of_notes):
        late = left.pop() if entry.fact.kind == "fault" else 0
        moved.append(at(entry, entry.fact.t_ns + late))
    offsets = [moment.offset for moment in timeline(moved, RATE)]
    assert offsets == sorted(offsets)


@pytest.fixture(scope="module")
def recording_of_notes(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    """Eight seconds with a fault's line after each, in one gap and one pause."""
    recording = open_one(tmp_path_factory.mktemp("notes"))
    for number in range(8):
        recording.segment()
        recording.note("fault", code="clock", raised=number % 2 == 0)
    recording.gap(RATE // 2, "unplugged")
    recording.segment()
    recording.close()
    return recording


def test_each_moment_knows_when_it_was(tmp_path: Path) -> None:
    recording = open_one(tmp_path)
    recording.segment()
    recording.note("pause", frame=RATE, paused=True)
    recording.now_ns += 600_000_000_000
    recording.note("pause", frame=RATE, paused=False)
    recording.segment()
    recording.close()
    times = {moment.text.split(" ")[0]: moment.at_ns for moment in timeline(entries(recording), RATE)}
    assert times["Resumed"] - times["Paused"] == pytest.approx(600e9, abs=1e9)


def watched(folder: Path) -> Recording:
    recording = Recording(folder, Keys(), rate=RATE, segment_frames=RATE, about={"lamp": "verified"})
    recording.begin()
    recording.segment()
    return recording


def of_lamp(recording: Recording) -> list[tuple[str, bool]]:
    moments = timeline(entries(recording), RATE, sensed=True)
    return [(moment.text, moment.serious) for moment in moments if "lamp" in moment.text]


def test_promise_1_a_lamp_that_its_sensor_did_not_see_is_told_as_that_and_not_as_one_without_a_sensor(
    tmp_path: Path,
) -> None:
    recording = watched(tmp_path)
    for lit in (True, False):
        recording.now_ns += 10**9
        recording.note("lamp", lit=lit, commanded_ns=recording.now_ns, seen_ns=None)
    assert of_lamp(recording) == [
        ("Red lamp switched on (the sensor saw it)", False),
        ("Red lamp switched on, but the sensor did not see it light up", True),
        ("Red lamp switched off, but the sensor did not see it go out", True),
    ]


def test_a_lamp_that_was_switched_again_before_its_sensor_told_is_no_fault(tmp_path: Path) -> None:
    recording = watched(tmp_path)
    for lit in (True, False):
        recording.note("lamp", lit=lit, commanded_ns=recording.now_ns, seen_ns=None)
    recording.note("lamp", lit=True, commanded_ns=recording.now_ns, seen_ns=recording.now_ns)
    assert of_lamp(recording)[1:] == [
        ("Red lamp switched on (and off again before the sensor could tell)", False),
        ("Red lamp switched off (and on again before the sensor could tell)", False),
        ("Red lamp switched on (the sensor saw it)", False),
    ]


def test_a_pause_that_may_still_end_is_not_told_as_the_end(tmp_path: Path) -> None:
    recording = open_one(tmp_path)
    recording.segment()
    recording.note("pause", frame=RATE, paused=True)
    assert "Paused, and not resumed so far; nothing is recorded meanwhile" in [
        moment.text for moment in timeline(entries(recording), RATE, over=False)
    ]
    recording.close()
    for over in (True, False):
        texts = [moment.text for moment in timeline(entries(recording), RATE, over=over)]
        assert "Paused until the end; nothing was recorded" in texts
