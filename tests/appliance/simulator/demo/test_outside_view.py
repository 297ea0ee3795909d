"""The outside view of promise 1: it must see through every order of lamp and microphone that breaks it."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.contract.ledger import AnyFact, AudioSpan, Lamp
from appliance.simulator.demo.outside_view import Span, lamp_covers_audio, merged, read_log, timing

MS = 1_000_000
PANEL: list[dict[str, Any]] = [
    {"t_ns": 1000 * MS, "button": "down"},
    {"t_ns": 1004 * MS, "red": True},
    {"t_ns": 1100 * MS, "button": "up"},
    {"t_ns": 9000 * MS, "button": "down"},
    {"t_ns": 10600 * MS, "red": False},
]
MICROPHONE: list[dict[str, Any]] = [
    {"t_ns": 1010 * MS, "device": "open", "handle": 1},
    {"t_ns": 1012 * MS, "device": "closed", "handle": 1},
    {"t_ns": 1020 * MS, "device": "open", "handle": 2},
    {"t_ns": 1090 * MS, "device": "started", "handle": 2, "position": 48},
    {"t_ns": 10550 * MS, "device": "closed", "handle": 2},
]


def ledger(lit: int = 1004, opened: int = 1009, closed: int = 10551, dark: int = 10600) -> list[AnyFact]:
    return [
        Lamp(t_ns=0, lit=True, commanded_ns=lit * MS, seen_ns=None),
        AudioSpan(t_ns=0, open=True, at_ns=opened * MS, generation=1),
        AudioSpan(t_ns=0, open=False, at_ns=closed * MS, generation=1),
        Lamp(t_ns=0, lit=False, commanded_ns=dark * MS, seen_ns=None),
    ]


def moved(log: list[dict[str, Any]], index: int, to_ms: int) -> list[dict[str, Any]]:
    return [{**line, "t_ns": to_ms * MS} if number == index else line for number, line in enumerate(log)]


def test_promise_1_an_honest_meeting_passes() -> None:
    assert lamp_covers_audio(PANEL, MICROPHONE, ledger()) == []


def test_a_probe_that_a_busy_machine_sets_apart_is_no_span_of_audio() -> None:
    waited = [*MICROPHONE[:2], *({**line, "t_ns": line["t_ns"] + 400 * MS} for line in MICROPHONE[2:4]), MICROPHONE[4]]
    assert lamp_covers_audio(PANEL, waited, ledger(opened=1409)) == []
    assert lamp_covers_audio(PANEL, [*waited, {**MICROPHONE[0], "t_ns": 10601 * MS}], ledger(opened=1409)) != []


@pytest.mark.parametrize(
    ("panel", "microphone"),
    [
        pytest.param(PANEL, moved(MICROPHONE, 0, 1003), id="probed before the lamp"),
        pytest.param(PANEL, moved(MICROPHONE, 4, 10601), id="closed after the lamp"),
        pytest.param(PANEL, MICROPHONE[:-1], id="never closed"),
        pytest.param([*PANEL[:2], {"t_ns": 5000 * MS, "red": False}], MICROPHONE, id="dark in the middle"),
        pytest.param([], MICROPHONE, id="never lit"),
        pytest.param(PANEL, [], id="a log that shows nothing"),
    ],
)
def test_promise_1_every_dishonest_order_is_named(
    panel: list[dict[str, Any]], microphone: list[dict[str, Any]]
) -> None:
    assert lamp_covers_audio(panel, microphone, ledger())


@pytest.mark.parametrize("wrong", [{"lit": 983}, {"opened": 1031}, {"closed": 10529}, {"dark": 10621}])
def test_promise_5_a_ledger_that_is_20_ms_off_is_named(wrong: dict[str, int]) -> None:
    (problem,) = lamp_covers_audio(PANEL, MICROPHONE, ledger(**wrong))
    assert "differs by" in problem


@pytest.mark.parametrize(
    ("member", "near", "far"),
    [("lit", 1204, 1260), ("opened", 790, 750), ("closed", 10790, 10810), ("dark", 10370, 10340)],
)
def test_a_busy_machine_may_be_late_where_the_ledger_then_claims_no_more_than_was(
    member: str, near: int, far: int
) -> None:
    assert lamp_covers_audio(PANEL, MICROPHONE, ledger(**{member: near})) == []
    (problem,) = lamp_covers_audio(PANEL, MICROPHONE, ledger(**{member: far}))
    assert "differs by" in problem


def test_the_three_latencies_come_from_the_logs() -> None:
    times = timing(PANEL, MICROPHONE, hold_s=1.5)
    assert (times.press_to_lamp_ms, times.press_to_first_frame_ms, times.end_to_dark_ms) == (4, 90, 100)


def test_an_incomplete_last_line_is_left_out() -> None:
    assert read_log('{"t_ns": 2}\n{"t_ns": 1}\n{"t_n') == [{"t_ns": 1}, {"t_ns": 2}]


SPANS = st.lists(st.tuples(st.integers(0, 10**12), st.integers(0, 10**11)), max_size=8)


@given(SPANS)
def test_merging_loses_no_open_time(pairs: list[tuple[int, int]]) -> None:
    spans = [Span(start, start + length) for start, length in pairs]
    joined = merged(spans)
    assert all(any(big.covers(small) for big in joined) for small in spans)
    assert all(left.end_ns is not None and left.end_ns < right.start_ns for left, right in pairwise(joined))
