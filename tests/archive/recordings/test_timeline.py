"""The ledger as people read it: in order, in words, at the right place of the audio."""

from __future__ import annotations

from pathlib import Path

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
        ("0:02", "Paused: nothing is recorded from here until the next line"),
        ("0:02", "Resumed"),
        ("0:02", "Audio kept from 0:02 to 0:03 (1 signed segment)"),
    ]
    assert told(recording)[-1][1].endswith("3 s of audio, 0.5 s of it lost")


def test_what_has_only_a_time_is_placed_by_the_segment_around_it(tmp_path: Path) -> None:
    recording = open_one(tmp_path)
    recording.segment()
    middle = recording.now_ns + 400_000_000
    recording.note("fault", code="clock", raised=True)
    recording.segment()
    moved = [at(entry, middle) if entry.fact.kind == "fault" else entry for entry in entries(recording)]
    fault = next(moment for moment in timeline(moved, RATE) if moment.kind == "fault")
    assert 1.3 < fault.offset < 1.5
    assert fault.text == "Fault: the clock is not synchronized; times in the recording may be wrong"


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
    assert any(text.startswith("The box's clock at 2026-11-24T10:00:01.000Z; from now on it is kept") for text in texts)
    assert "Warning: the recording ends by itself in 1 min: the room had been quiet for a long time" in texts
    stepped = [text for text in texts if text.startswith("The box's clock stepped by -1.500 s")]
    assert len(stepped) == 1
    assert stepped[0].endswith("it is kept right by ntp, 0.0 ms off at last look")


def test_an_interrupted_recording_says_what_nobody_vouches_for(tmp_path: Path) -> None:
    recording = make_recording(
        tmp_path, Keys(), seconds=1, reason="interrupted", tail=2, rate=RATE, segment_frames=RATE
    )
    assert told(recording)[-2:] == [
        ("0:01", "Ended: a crash or a power cut; written at the next start. 1 s of audio, nothing lost"),
        ("0:01", "After the end 2 piece(s) were found that nobody vouches for; they are not played"),
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
