"""A transcript fits its recording, its reader reads what he may hear and no more, and words are found."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.recordings.parts import Part
from archive.records.restrictions.rules import outside
from archive.records.transcripts.rules import LATE_MS, MARGIN_MS, best, fitted, found_in, pieces, readable
from archive.records.transcripts.webvtt import Cue, TranscriptFileError

RATE = 8000
HOUR_MS = 3_600_000


def said(*seconds: tuple[float, float]) -> tuple[Cue, ...]:
    return tuple(Cue(int(first * 1000), int(last * 1000), f"{first}") for first, last in seconds)


@pytest.mark.parametrize(
    ("cue", "shift_ms", "length_ms", "told"),
    [
        (Cue(0, 1000, "x"), -1, HOUR_MS, "before the recording began"),
        (Cue(HOUR_MS, HOUR_MS + 1, "x"), 0, HOUR_MS, "beyond the end of the recording, which is 1:00:00 long"),
        (Cue(0, 1000, "x"), HOUR_MS, HOUR_MS, "beyond the end"),
        (Cue(1000, HOUR_MS + LATE_MS + 1, "x"), 0, HOUR_MS, "beyond the end"),
    ],
)
def test_words_from_outside_of_the_recording_are_refused(cue: Cue, shift_ms: int, length_ms: int, told: str) -> None:
    with pytest.raises(TranscriptFileError, match=told):
        fitted([cue], shift_ms, length_ms)


def test_a_file_that_began_before_the_recording_is_moved() -> None:
    assert fitted(said((65, 66), (70, 71)), -60_000, HOUR_MS) == tuple(
        Cue(one.start_ms - 60_000, one.end_ms - 60_000, one.text) for one in said((65, 66), (70, 71))
    )


def test_a_last_cue_that_stays_a_little_longer_is_cut() -> None:
    (cue,) = fitted([Cue(HOUR_MS - 500, HOUR_MS + LATE_MS, "x")], 0, HOUR_MS)
    assert cue.end_ms == HOUR_MS


def test_a_cue_that_touches_a_restricted_passage_is_left_out() -> None:
    cues = said((0, 10), (9, 10.001), (9.9, 31), (10, 20), (19.999, 25), (20, 25), (30, 40))
    shown = readable(cues, outside([Part(10 * RATE, 20 * RATE)]), RATE, margin_ms=0)
    assert [cue.text for cue in shown.cues] == ["0", "20", "30"]
    assert shown.left_out == 4


def test_what_stands_near_a_passage_is_left_out_as_well() -> None:
    """Live captions come some seconds after the words."""
    cues = said((80, 89), (85, 91), (120, 121), (129, 131), (130, 131), (0, 1))
    shown = readable(cues, outside([Part(100 * RATE, 120 * RATE)]), RATE)
    assert [cue.text for cue in shown.cues] == ["80", "130", "0"]


def test_the_ends_of_the_recording_have_no_margin_and_parts_that_touch_are_one() -> None:
    cues = said((0, 1), (49, 51), (59, 60))
    assert readable(cues, (Part(0, 50 * RATE), Part(50 * RATE, None)), RATE).left_out == 0
    assert readable(cues, (Part(50 * RATE, None), Part(0, 50 * RATE)), RATE).left_out == 0


def test_nothing_is_read_where_nothing_is_heard_and_all_where_nothing_bounds() -> None:
    cues = said((0, 1), (2, 3))
    assert readable(cues, (), RATE).left_out == 2
    assert readable(cues, None, RATE).left_out == 0


PASSAGES = st.lists(
    st.tuples(st.integers(0, 100 * RATE), st.one_of(st.none(), st.integers(1, 40 * RATE))).map(
        lambda pair: Part(pair[0], None if pair[1] is None else pair[0] + pair[1])
    ),
    max_size=4,
)
CUES = st.lists(
    st.tuples(st.integers(0, 120_000), st.integers(1, 20_000)).map(lambda pair: Cue(pair[0], sum(pair), "x")),
    max_size=8,
)


@given(CUES, PASSAGES, st.sampled_from([0, 1, MARGIN_MS]))
def test_no_millisecond_of_a_passage_is_ever_read(cues: list[Cue], passages: list[Part], margin_ms: int) -> None:
    for cue in readable(cues, outside(passages), RATE, margin_ms).cues:
        for passage in passages:
            begins = passage.first * 1000 / RATE
            ends = float("inf") if passage.last is None else passage.last * 1000 / RATE
            assert cue.end_ms <= begins - margin_ms or cue.start_ms >= ends + margin_ms


@given(CUES, PASSAGES)
def test_a_cue_far_from_every_passage_is_read(cues: list[Cue], passages: list[Part]) -> None:
    shown = readable(cues, outside(passages), RATE).cues
    for cue in cues:
        far = all(
            cue.end_ms < passage.first * 1000 / RATE - MARGIN_MS - 1
            or (passage.last is not None and cue.start_ms > passage.last * 1000 / RATE + MARGIN_MS + 1)
            for passage in passages
        )
        # between two passages the way may be shorter than two margins
        assert cue in shown or not far


@dataclass
class Shown:
    version: int
    language: str
    answered_at: datetime | None = None


def test_what_somebody_answers_for_is_shown_first_then_the_reader_s_language_then_the_newest() -> None:
    now = datetime(2026, 11, 24, tzinfo=UTC)
    old, new, spanish = Shown(1, "en", now), Shown(2, "en"), Shown(3, "es")
    assert best([old, new, spanish], "es") is old
    assert best([new, spanish], "es") is spanish
    assert best([new, spanish, Shown(1, "en")], "en") is new
    assert best([], "en") is None


@pytest.mark.parametrize(
    ("text", "wanted", "found"),
    [
        ("The goals, and the GOALS.", "goal", ["goal", "GOAL"]),
        ("Señora Núñez", "nunez", ["Núñez"]),
        ("Señora Núñez", "SEÑ", ["Señ"]),
        ("Stra\u00dfe", "strasse", ["Stra\u00dfe"]),
        ("a\nb", "a\nb", ["a\nb"]),
        ("\u0645\u0631\u062d\u0628\u0627", "\u0645\u0631", ["\u0645\u0631"]),
        ("aaa", "aa", ["aa"]),
        ("nothing", "", []),
        ("nothing", "xyz", []),
        ("\ufb01ne", "fin", ["\ufb01n"]),
    ],
)
def test_words_are_found_without_case_and_accents(text: str, wanted: str, found: list[str]) -> None:
    assert [text[first:last] for first, last in found_in(text, wanted)] == found


@given(st.text(max_size=60), st.text(max_size=4))
def test_what_is_marked_and_what_is_not_is_the_whole_text(text: str, wanted: str) -> None:
    spans = found_in(text, wanted)
    assert "".join(piece for piece, _ in pieces(text, spans)) == text
    assert all(first < last for first, last in spans)
    assert all(spans[place][1] <= spans[place + 1][0] for place in range(len(spans) - 1))
