"""WebVTT is read strictly: words and times are kept, looks are left out, what does not fit is told with its line."""

from __future__ import annotations

import unicodedata

import pytest
import webvtt as reference
from hypothesis import given
from hypothesis import strategies as st

from archive.records.text import HIDDEN
from archive.records.transcripts.webvtt import (
    MOST_BYTES,
    MOST_CUES,
    MOST_TEXT,
    OWN,
    Cue,
    TranscriptFileError,
    cleaned,
    read,
    write,
)

VENDOR = """\ufeffWEBVTT - made by a service

STYLE
::cue { color: lime }

REGION
id:fred

NOTE checked
twice

intro
00:00.500 --> 00:02.000 align:start position:10%
<v.loud Ms. Lee>Good <i>morning</i>,\u00a0everyone.
- &lt;laughs&gt; R&D &amp; more

00:00:02.000 --> 01:00:03.250
<c.yellow>We <00:00:02.500>begin</c>.

00:00:03.000 --> 00:00:04.000
<b></b>
"""


def test_a_service_s_file_becomes_words_and_times() -> None:
    for data in (VENDOR.encode(), VENDOR.replace("\n", "\r\n").encode(), VENDOR.replace("\n", "\r").encode()):
        assert read(data) == (
            Cue(500, 2000, "Ms. Lee: Good morning, everyone.\n- <laughs> R&D & more"),
            Cue(2000, 3_603_250, "We begin."),
        )


CUE = "00:01.000 --> 00:02.000\n"
REFUSED = {
    "not UTF-8": (b"WEBVTT\n\n00:01.000 --> 00:02.000\n\xff\xfe", "Line 4: this is not UTF-8"),
    "UTF-16": (("WEBVTT\n\n" + CUE + "x").encode("utf-16"), "Line 1: this is not UTF-8"),
    "no header": (b"1\n00:00:01,000 --> 00:00:02,000\nx\n", "Line 1: a transcript in WebVTT begins"),
    "empty": (b"", "Line 1"),
    "header that only begins so": (b"WEBVTTX\n\n" + CUE.encode() + b"x", "Line 1"),
    "no cue": (b"WEBVTT\n\nNOTE nothing\n", "not one word"),
    "only empty cues": (f"WEBVTT\n\n{CUE}\n".encode(), "not one word"),
    "a cue glued to the header": (f"WEBVTT\n{CUE}x\n".encode(), "Line 2: an empty line is missing"),
    "a cue glued to a note": (f"WEBVTT\n\nNOTE x\n{CUE}y\n\n{CUE}z".encode(), "Line 4: an empty line is missing"),
    "a cue glued to a cue": (f"WEBVTT\n\n{CUE}x\n{CUE}y\n".encode(), "Line 5: an empty line is missing"),
    "words without times": (
        f"WEBVTT\n\n{CUE}x\n\nlost words\n".encode(),
        "Line 7: here the times of a cue are missing",
    ),
    "styles behind a cue": (f"WEBVTT\n\n{CUE}x\n\nSTYLE\n::cue {{}}\n".encode(), "Line 7: here the times"),
    "commas as in SRT": (b"WEBVTT\n\n00:00:01,000 --> 00:00:02,000\nx\n", "Line 3: here the times"),
    "61 seconds": (b"WEBVTT\n\n00:61.000 --> 02:02.000\nx\n", "Line 3: here the times"),
    "huge hours": (b"WEBVTT\n\n99999:00:00.000 --> 99999:00:01.000\nx\n", "Line 3: here the times"),
    "unknown settings": (b"WEBVTT\n\n00:01.000 --> 00:02.000 <script>\nx\n", "Line 3: here the times"),
    "digits that are none of ours": ("WEBVTT\n\n00:0\u0661.000 --> 00:02.000\nx\n".encode(), "Line 3: here the times"),
    "backwards": (b"WEBVTT\n\n00:02.000 --> 00:01.000\nx\n", "Line 3: this cue ends before it begins"),
    "no length": (b"WEBVTT\n\n00:02.000 --> 00:02.000\nx\n", "Line 3: this cue ends before it begins"),
    "out of order": (
        b"WEBVTT\n\n00:05.000 --> 00:06.000\nx\n\n00:04.000 --> 00:05.000\ny\n",
        "Line 6: this cue begins before the one above it",
    ),
    "markup of a page": (f"WEBVTT\n\n{CUE}a <script>alert(1)</script>\n".encode(), "Line 4: '<script>' is no markup"),
    "an image": (f"WEBVTT\n\n{CUE}<img src=x onerror=y>\n".encode(), "Line 4"),
    "a bare sign": (f"WEBVTT\n\n{CUE}2 < 3\n".encode(), "Line 4: '<' is no markup"),
    "turned direction": (f"WEBVTT\n\n{CUE}abc\u202edef\n".encode(), "Line 4: it holds a character that nobody can see"),
    "turned direction by its number": (f"WEBVTT\n\n{CUE}abc&#8238;def\n".encode(), "U+202E"),
    "turned direction in a name": (f"WEBVTT\n\n{CUE}<v a&#x2066;b>x\n".encode(), "U+2066"),
    "a bell": (f"WEBVTT\n\n{CUE}\x07\n".encode(), "U+0007"),
    "a null": (f"WEBVTT\n\n{CUE}a\x00b\n".encode(), "U+0000"),
    "a long cue": (f"WEBVTT\n\n{CUE}{'x' * (MOST_TEXT + 1)}\n".encode(), "Line 4: this cue has more than"),
    "a long cue in lines": (f"WEBVTT\n\n{CUE}{('x' * 99 + chr(10)) * 21}\n".encode(), "this cue has more than"),
    "too many cues": (
        ("WEBVTT\n\n" + f"{CUE}x\n\n" * (MOST_CUES + 1)).encode(),
        f"there are more than {MOST_CUES} cues",
    ),
    "too large": (b"WEBVTT\n\n" + b"x" * MOST_BYTES, "larger than 2 MB"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_does_not_fit_is_refused_with_its_line(case: str) -> None:
    data, told = REFUSED[case]
    with pytest.raises(TranscriptFileError) as refused:
        read(data)
    assert told in refused.value.message
    assert refused.value.field == "file"


def test_harmless_marks_and_writing_from_right_to_left_are_kept_readable() -> None:
    text = "\u200f\u05e9\u05dc\u05d5\u05dd, \u0645\u0631\u062d\u0628\u0627\u200e soft\u00adhyphen"
    assert (
        read(f"WEBVTT\n\n{CUE}{text}\n".encode())[0].text
        == "\u05e9\u05dc\u05d5\u05dd, \u0645\u0631\u062d\u0628\u0627 softhyphen"
    )


def test_cues_may_overlap() -> None:
    data = b"WEBVTT\n\n00:01.000 --> 00:09.000\nx\n\n00:01.000 --> 00:02.000\ny\n\n00:03.000 --> 00:04.000\nz\n"
    assert [cue.text for cue in read(data)] == ["x", "y", "z"]


TEXTS = (
    st.lists(
        st.text(
            st.characters(codec="utf-8", exclude_categories=["Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp", "Zs"]),
            min_size=1,
        ),
        min_size=1,
        max_size=3,
    )
    .map(lambda words: cleaned(" ".join(words)))
    .filter(bool)
)


@st.composite
def cues_in_order(draw: st.DrawFn) -> tuple[Cue, ...]:
    starts = sorted(draw(st.lists(st.integers(0, 10**8), min_size=1, max_size=20)))
    return tuple(Cue(start, start + draw(st.integers(1, 10**6)), draw(TEXTS)[:MOST_TEXT].strip()) for start in starts)


@given(cues_in_order(), st.lists(st.text(max_size=60), max_size=2))
def test_what_is_written_is_read_again_whatever_it_says(cues: tuple[Cue, ...], notes: list[str]) -> None:
    assert read(write(cues, notes), slack=OWN) == cues


@given(cues_in_order())
def test_another_reader_finds_the_same_cues(cues: tuple[Cue, ...]) -> None:
    """webvtt-py, which reads what others write; it leaves escapes as they are."""
    found = reference.from_string(write(cues, ["a note"]).decode()).captions
    assert [(one.start, one.end) for one in found] == [
        (line.split(" ")[0], line.split(" ")[2]) for line in write(cues).decode().splitlines() if " --> " in line
    ]
    assert len(found) == len(cues)


@given(st.binary(max_size=200), st.text(max_size=200))
def test_any_file_is_read_or_refused(data: bytes, text: str) -> None:
    for one in (data, f"WEBVTT\n\n{text}".encode(errors="replace"), f"WEBVTT\n\n{CUE}{text}".encode(errors="replace")):
        try:
            found = read(one)
        except TranscriptFileError:
            continue
        assert read(write(found), slack=OWN) == found


@given(st.text())
def test_what_a_computer_wrote_is_cleaned_of_what_nobody_can_see(text: str) -> None:
    assert not {unicodedata.category(one) for one in cleaned(text)} & (HIDDEN - {"Cf"})
