"""RFC 9110 section 14: what a Range field asks for."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from archive.recordings.ranges import Span, UnsatisfiableError, if_range_holds, parse


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        (None, None),
        ("", None),
        ("bytes=0-0", Span(0, 1)),
        ("bytes=0-9", Span(0, 10)),
        ("bytes=5-", Span(5, 100)),
        ("bytes=99-", Span(99, 100)),
        ("bytes=0-5000", Span(0, 100)),
        ("bytes=-1", Span(99, 100)),
        ("bytes=-5000", Span(0, 100)),
        ("BYTES=0-9", Span(0, 10)),
        ("bytes= 0-9 ,", Span(0, 10)),
        ("bytes=0-9,10-19", Span(0, 20)),
        ("bytes=10-19, 0-12", Span(0, 20)),
        ("bytes=0-9, 500-600", Span(0, 10)),
    ],
)
def test_a_range_is_what_the_rfc_says(field: str | None, expected: Span | None) -> None:
    assert parse(field, 100) == expected


@pytest.mark.parametrize(
    "field",
    [
        "seconds=0-9",
        "bytes",
        "bytes=",
        "bytes=,",
        "bytes=a-b",
        "bytes=9-0",
        "bytes=-",
        "bytes=0x0-9",
        "bytes=1-2-3",
        "bytes=+1-2",
        "bytes=1 - 2",
        "bytes=\u0661-2",
        "bytes=0-9, 20-29",
        "bytes=" + ",".join(f"{n}-{n}" for n in range(40)),
        "bytes=0-" + "9" * 5000,
    ],
)
def test_what_has_another_unit_or_form_or_many_parts_is_ignored(field: str) -> None:
    assert parse(field, 100) is None


@pytest.mark.parametrize("field", ["bytes=100-", "bytes=100-200", "bytes=-0", "bytes=200-300,400-"])
def test_a_range_without_any_byte_is_unsatisfiable(field: str) -> None:
    with pytest.raises(UnsatisfiableError):
        parse(field, 100)


def test_nothing_of_an_empty_file_can_be_had() -> None:
    for field in ("bytes=0-", "bytes=-1"):
        with pytest.raises(UnsatisfiableError):
            parse(field, 0)


@given(st.binary(min_size=1, max_size=60), st.integers(0, 80), st.integers(0, 80))
def test_a_span_holds_exactly_the_bytes_that_a_slice_does(data: bytes, first: int, last: int) -> None:
    assume(first <= last)
    field = f"bytes={first}-{last}"
    if first >= len(data):
        with pytest.raises(UnsatisfiableError):
            parse(field, len(data))
        return
    span = parse(field, len(data))
    assert span is not None
    assert data[span.start : span.stop] == data[first : last + 1]
    assert span.content_range(len(data)) == f"bytes {first}-{first + span.size - 1}/{len(data)}"


@given(st.binary(min_size=1, max_size=60), st.integers(1, 80))
def test_a_suffix_is_the_end(data: bytes, count: int) -> None:
    span = parse(f"bytes=-{count}", len(data))
    assert span is not None
    assert data[span.start : span.stop] == data[-count:]


@given(st.text(max_size=40), st.integers(0, 1000))
def test_no_field_breaks_the_parser_and_no_span_leaves_the_file(field: str, length: int) -> None:
    for text in (field, f"bytes={field}"):
        try:
            span = parse(text, length)
        except UnsatisfiableError:
            continue
        assert span is None or 0 <= span.start < span.stop <= length


@given(st.lists(st.tuples(st.integers(0, 99), st.integers(0, 99)), min_size=1, max_size=8))
def test_several_ranges_are_joined_only_if_they_leave_no_hole(pairs: list[tuple[int, int]]) -> None:
    pairs = [(min(pair), max(pair)) for pair in pairs]
    wanted = {position for first, last in pairs for position in range(first, last + 1)}
    span = parse("bytes=" + ",".join(f"{first}-{last}" for first, last in pairs), 100)
    if span is None:
        assert len(wanted) < max(wanted) - min(wanted) + 1
    else:
        assert set(range(span.start, span.stop)) == wanted


@pytest.mark.parametrize(
    ("field", "holds"),
    [(None, True), ('"a"', True), ('"b"', False), ('W/"a"', False), ("Tue, 24 Nov 2026 10:00:00 GMT", False)],
)
def test_if_range_needs_exactly_the_strong_tag(field: str | None, holds: bool) -> None:
    assert if_range_holds(field, '"a"') is holds


def test_a_weak_tag_never_holds() -> None:
    assert not if_range_holds('W/"a"', 'W/"a"')
