"""A recording that no box made belongs to a series as a box's does, and is kept by the same rules."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.utils import timezone

from archive.access.deeds import Deed
from archive.access.scopes import Reach
from archive.accounts.models import User
from archive.recordings.models import Recording
from archive.records.meetings.models import MeetingKind
from archive.records.outside_recordings import filing_deeds
from archive.records.outside_recordings.models import OutsideFiling, OutsideRecording
from archive.records.retention import deeds
from archive.records.retention.models import CountsFrom
from archive.records.retention.reach import ahead, kept_of
from archive.records.retention.rules import Why
from tests.archive.page_fixtures import Arrive, make_user, signed_in
from tests.archive.pages import check
from tests.archive.records.factories import make_filing, make_hold, make_matter, make_meeting, make_person, make_request
from tests.archive.records.outside_recordings.files import brought, sound
from tests.support.archives import Archive

from .test_retention import EVERYWHERE, age, facts

LONG_AGO = timedelta(days=2 * 365 + 3)
"""Two years, whether a leap day lies between or not."""


@pytest.fixture
def ann(archive: Archive) -> User:
    return make_user("ann", Deed.RETENTION)


@pytest.fixture
def row(ann: User) -> OutsideRecording:
    """What was brought of an IEP meeting of two years ago."""
    before = timezone.localtime() - LONG_AGO
    made = brought(ann, sound("FLAC"), made_on=before.date(), brought_on=before.date())
    filing = filing_deeds.file_outside(made.pk, make_meeting(starts=before), by=ann)
    filing_deeds.confirm(made.pk, filing.pk, by=make_user("bob"))
    OutsideRecording.objects.update(arrived_at=before)
    return OutsideRecording.objects.get()


def decide(ann: User, years: int | None = 1, kind: MeetingKind = MeetingKind.IEP, **other: Any) -> None:
    code = f"S {timezone.now():%f}"
    deeds.enter_answer(deeds.enter_series(code, "x", [kind], by=ann).pk, facts(years, **other), by=ann)


def listed(reach: Reach = EVERYWHERE) -> list[str]:
    return [one.pk for one, _ in ahead(timezone.localdate(), reach)]


def test_it_belongs_to_a_series_through_the_kind_of_its_meeting(row: OutsideRecording, ann: User) -> None:
    assert kept_of(row).why == Why.NO_SERIES
    deeds.enter_series("S", "x", [MeetingKind.IEP], by=ann)
    assert kept_of(row).why == Why.NO_ANSWER
    assert listed() == []


def test_it_is_listed_a_year_ahead_and_no_earlier(row: OutsideRecording, ann: User) -> None:
    decide(ann, 3)
    assert listed() == [row.pk]
    assert not kept_of(row).eligible(timezone.localdate())
    OutsideRecording.objects.update(arrived_at=timezone.now() - timedelta(days=365))
    assert listed() == []


def test_the_last_known_day_counts_and_the_longest_period_wins(row: OutsideRecording, ann: User) -> None:
    decide(ann)
    assert kept_of(row).eligible(timezone.localdate())
    OutsideRecording.objects.update(arrived_at=timezone.now())
    assert not kept_of(OutsideRecording.objects.get()).eligible(timezone.localdate())
    OutsideRecording.objects.update(arrived_at=row.arrived_at)
    decide(ann, 50)
    assert kept_of(row).eligible_on == date(row.made_on.year + 50, row.made_on.month, row.made_on.day) + timedelta(1)
    decide(ann, None)
    assert kept_of(row).why == Why.PERMANENT


@pytest.mark.parametrize("state", ["unfiled", "unconfirmed", "without a day"])
def test_what_is_not_surely_filed_or_has_no_day_is_kept(row: OutsideRecording, ann: User, state: str) -> None:
    decide(ann, counts_from=CountsFrom.LEFT.value if state == "without a day" else CountsFrom.MEETING.value)
    if state == "unfiled":
        filing_deeds.end_filing(row.pk, OutsideFiling.objects.get().pk, "wrong", by=ann)
    elif state == "unconfirmed":
        OutsideFiling.objects.update(confirmed_at=None, confirmed_by=None)
    expected = {"unfiled": Why.UNFILED, "unconfirmed": Why.FILING_OPEN, "without a day": Why.NO_DATE}
    assert kept_of(row).why == expected[state]
    assert listed() == []


def test_the_page_lists_both_kinds_in_order_and_what_stands_against_each(
    archive: Archive, row: OutsideRecording, ann: User, sealed: Arrive
) -> None:
    decide(ann)
    box = sealed(seconds=1).id
    make_filing(box, make_meeting())
    age(Recording.objects.get(pk=box), 3 * 365)
    assert listed() == [box, row.pk]
    make_hold(make_matter(), outside=row)
    make_request(OutsideFiling.objects.get().meeting.student, make_person())
    client = signed_in(archive, "carol", role="custodian")
    page = check(client.get("/retention/ahead/").content.decode())
    assert "no box made it" in page.text
    assert "on hold, a request is open" in page.text
    assert {f"/recordings/{box}/", f"/outside-recordings/{row.pk}/"} <= {one.get("href") for one in page.all("a")}
    assert listed(Reach(frozenset())) == []
