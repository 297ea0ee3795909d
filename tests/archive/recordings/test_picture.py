"""The picture of a recording: what is drawn stands where it happened."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.contract.ledger import Entry
from archive.recordings.picture import LEAST, Stretch, audio_marks, audio_stretch, bars, picture
from tests.support.spools import Keys, Recording

RATE = 8000


def entries(recording: Recording) -> list[Entry]:
    return [Entry.read(line, recording.keys.box_signing.public) for line in recording.lines]


@pytest.fixture
def eventful(tmp_path: Path) -> Recording:
    """Ten seconds of sound, ten of pause, ten of sound of which two are lost."""
    made = Recording(tmp_path, Keys(), rate=RATE, segment_frames=RATE)
    made.begin()
    for _ in range(10):
        made.segment()
    made.note("pause", frame=10 * RATE, paused=True)
    made.now_ns += 10_000_000_000
    made.note("pause", frame=10 * RATE, paused=False)
    made.gap(2 * RATE, "overrun")
    for _ in range(10):
        made.segment()
    made.close()
    return made


def ends(stretches: tuple[Stretch, ...]) -> list[tuple[int, int]]:
    return [(round(one.start), round(one.start + one.width)) for one in stretches]


def test_a_pause_has_its_length_on_the_line_of_time(eventful: Recording) -> None:
    drawn = picture(entries(eventful), RATE)
    assert drawn is not None
    assert ends(drawn.lamp) == [(0, 100)]
    assert ends(drawn.microphone) == [(0, 100)]
    assert ends(drawn.sound) == [(0, 33), (67, 100)]
    assert ends(drawn.pauses) == [(33, 67)]
    assert ends(drawn.gaps) == [(67, 73)]
    assert drawn.end_ns - drawn.begin_ns == pytest.approx(30e9, rel=0.01)


def test_a_pause_is_a_place_in_the_audio(eventful: Recording) -> None:
    gaps, pauses = audio_marks(entries(eventful), RATE, 20.0)
    assert ends(gaps) == [(50, 60)]
    assert [(one.start, one.width) for one in pauses] == [(50.0, LEAST)]


def test_a_recording_that_a_power_cut_ended_is_drawn_to_its_last_sound(tmp_path: Path) -> None:
    made = Recording(tmp_path, Keys(), rate=RATE, segment_frames=RATE)
    made.begin()
    made.segment()
    drawn = picture(entries(made), RATE)
    assert drawn is not None
    assert ends(drawn.lamp) == [(0, 100)]
    assert drawn.lamp == drawn.sound or drawn.lamp[0].width >= drawn.sound[0].width


def test_nothing_is_drawn_before_there_is_sound(tmp_path: Path) -> None:
    made = Recording(tmp_path, Keys(), rate=RATE, segment_frames=RATE)
    made.begin()
    assert picture(entries(made), RATE) is None
    assert picture([], RATE) is None


@given(st.floats(-10, 1e5), st.floats(0, 1e5), st.floats(0, 1e5))
def test_nothing_is_drawn_outside_of_the_picture(first: float, length: float, seconds: float) -> None:
    one = audio_stretch(first, length, seconds)
    assert one.start >= 0
    assert one.start + one.width <= 100.001


def test_thousands_of_gaps_are_few_in_the_picture(tmp_path: Path) -> None:
    made = Recording(tmp_path, Keys(), rate=RATE, segment_frames=1000)
    made.begin()
    for place in range(600):
        made.gap(400, "overrun" if place % 2 else "stall")
        made.segment()
    drawn = picture(entries(made), RATE)
    assert drawn is not None
    assert len(drawn.gaps) <= 100 / LEAST


@given(st.binary(min_size=1, max_size=3000), st.integers(1, 400))
def test_every_waveform_is_as_many_bars_as_the_picture_is_wide(peaks: bytes, count: int) -> None:
    assert bars(peaks, count).count("M") == count


def test_no_waveform_is_no_bars() -> None:
    assert bars(b"") == ""
