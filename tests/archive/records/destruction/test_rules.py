"""What stands against a destruction, one thing at a time."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from archive.records.destruction.models import Basis, Reply, State
from archive.records.destruction.rules import ANSWER, REST, Letter, Obstacle, Standing, against_approval, against_deed
from archive.records.retention.rules import Kept, Why

NOW = datetime(2026, 11, 24, 18, 0, tzinfo=UTC)
TODAY = date(2026, 11, 24)
AGREED = Letter(NOW - timedelta(days=50), Reply.AGREES)
FREE = Standing(
    kept=Kept(Why.PERIOD, TODAY, ("SPED 1",)),
    basis=Basis.PERIOD,
    held=False,
    requests_open=False,
    disclosures_open=False,
    everybody_known=True,
    letters=[AGREED],
    now=NOW,
    today=TODAY,
    state=State.APPROVED,
    approved_at=NOW - REST,
)


def test_where_nothing_stands_against_it_two_people_may() -> None:
    assert against_approval(FREE) == []
    assert against_deed(FREE) == []


@pytest.mark.parametrize(
    ("change", "obstacle"),
    [
        ({"kept": Kept(Why.PERIOD, TODAY + timedelta(days=1))}, Obstacle.KEPT),
        ({"kept": Kept(Why.PERMANENT)}, Obstacle.KEPT),
        ({"kept": Kept(Why.NO_ANSWER)}, Obstacle.KEPT),
        ({"kept": Kept(Why.PERMANENT), "basis": Basis.REQUEST}, Obstacle.KEPT),
        ({"kept": Kept(Why.PERMANENT, on_request=True)}, Obstacle.KEPT),
        ({"held": True}, Obstacle.HELD),
        ({"held_in_store": True}, Obstacle.HELD_IN_STORE),
        ({"locked_until": NOW + timedelta(seconds=1)}, Obstacle.LOCKED),
        ({"requests_open": True}, Obstacle.REQUEST_OPEN),
        ({"disclosures_open": True}, Obstacle.DISCLOSURE_OPEN),
        ({"everybody_known": False}, Obstacle.NOBODY_TO_TELL),
        ({"letters": [AGREED, replace(AGREED, delivered_at=None)]}, Obstacle.NOT_TOLD),
        ({"letters": [replace(AGREED, reply="")]}, Obstacle.NO_REPLY),
        ({"letters": [Letter(NOW - ANSWER + timedelta(seconds=1), Reply.SILENT)]}, Obstacle.SILENT_TOO_SOON),
        ({"letters": [replace(AGREED, reply=Reply.OBJECTS)]}, Obstacle.REPLY_AGAINST),
        ({"letters": [replace(AGREED, reply=Reply.WANTS_COPY)]}, Obstacle.REPLY_AGAINST),
    ],
)
def test_each_thing_alone_stands_against_both(change: dict[str, Any], obstacle: Obstacle) -> None:
    changed = replace(FREE, **change)
    assert against_approval(changed) == [obstacle]
    assert against_deed(changed) == [obstacle]


@pytest.mark.parametrize(
    ("change", "obstacle"),
    [
        ({"state": State.PROPOSED, "approved_at": None}, Obstacle.NOT_APPROVED),
        ({"approved_at": NOW - REST + timedelta(seconds=1)}, Obstacle.REST),
        ({"approved_at": NOW + timedelta(days=365)}, Obstacle.CLOCK),
    ],
)
def test_what_stands_against_the_deed_alone(change: dict[str, Any], obstacle: Obstacle) -> None:
    assert against_deed(replace(FREE, **change)) == [obstacle]


def test_a_parent_may_ask_where_the_district_decided_so() -> None:
    letters = [replace(AGREED, student="Ana", asked=True)]
    asked = replace(FREE, basis=Basis.REQUEST, kept=Kept(Why.PERMANENT, on_request=True), letters=letters)
    assert against_deed(asked) == []


@pytest.mark.parametrize(
    ("other", "stands"),
    [
        ({"reply": Reply.SILENT}, [Obstacle.NOT_ASKED]),
        ({"reply": Reply.SILENT, "asked": True}, []),
        ({"reply": Reply.AGREES}, []),
        ({"reply": Reply.HAS_COPY}, []),
        ({"reply": Reply.AGREES, "student": ""}, [Obstacle.NOT_ASKED]),
    ],
)
def test_before_its_period_is_over_a_parent_of_each_student_asks_or_agrees(
    other: dict[str, Any], stands: list[Obstacle]
) -> None:
    """34 CFR 300.624(b): one student's parents do not speak for another's."""
    waited = NOW - ANSWER
    letters = [
        Letter(waited, Reply.SILENT, "Ana", asked=True),
        Letter(waited, Reply.SILENT, "Ben"),
        Letter(waited, **{"student": "Ben", **other}),
    ]
    asked = replace(FREE, basis=Basis.REQUEST, kept=Kept(Why.PERMANENT, on_request=True), letters=letters)
    assert against_deed(asked) == stands
    assert against_deed(replace(asked, kept=FREE.kept)) == [], "once it is over, silence is enough"


def test_no_answer_counts_once_the_letter_has_waited() -> None:
    assert against_deed(replace(FREE, letters=[Letter(NOW - ANSWER, Reply.SILENT)])) == []
