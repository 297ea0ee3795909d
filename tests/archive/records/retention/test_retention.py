"""Retention: the software asks, keeps what was said, and destroys nothing by itself."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from appliance.contract.stop_signal import StopSignal
from archive.access.deeds import Deed
from archive.access.scopes import DISTRICT, Reach
from archive.accounts.models import User
from archive.core.jobs import JOBS
from archive.custody.check import contradictions
from archive.custody.models import Entry
from archive.keystore.recording_keys import recording_keys
from archive.recordings.models import Recording
from archive.records.errors import DeedError
from archive.records.meetings.deeds import MeetingFacts, change_meeting
from archive.records.meetings.models import Filing, Meeting, MeetingKind
from archive.records.retention import deeds
from archive.records.retention.deeds import AnswerFacts
from archive.records.retention.describe import kept_words
from archive.records.retention.models import Answer, CountsFrom, Series
from archive.records.retention.reach import ahead, kept_of, unanswered
from archive.records.retention.rules import Why
from archive.records.today.day import Day
from archive.records.today.tasks import retention_due
from archive.store.current import store
from tests.archive.page_fixtures import Arrive, make_user, signed_in
from tests.archive.pages import check
from tests.archive.records.factories import make_filing, make_hold, make_matter, make_meeting, make_student
from tests.support.archives import Archive, change_as_owner

EVERYWHERE = Reach(frozenset({DISTRICT}))


def facts(years: int | None = 1, **other: Any) -> AnswerFacts:
    given: dict[str, Any] = {
        "permanent": years is None,
        "years": years,
        "counts_from": CountsFrom.MEETING.value if years else "",
        "on_request": False,
        "citation": "schedule, item 7",
        "decided_by": "the board",
        "decided_on": date(2026, 11, 2),
        "advice": "Counsel Lee, letter of Oct 30",
    }
    return AnswerFacts(**{**given, **other})


@pytest.fixture
def ann(archive: Archive) -> User:
    return make_user("ann", Deed.RETENTION)


@pytest.fixture
def row(archive: Archive, sealed: Arrive) -> Recording:
    """A recording of an IEP meeting of two years ago."""
    row = Recording.objects.get(pk=sealed(seconds=1).id)
    make_filing(row.pk, make_meeting())
    # two years, whether a leap day lies between or not
    return age(row, 2 * 365 + 3)


def age(row: Recording, days: int) -> Recording:
    row.arrived_at = timezone.now() - timedelta(days=days)
    row.save()
    for filing in row.filings.select_related("meeting"):
        filing.meeting.starts_at, filing.meeting.ends_at = row.arrived_at, row.arrived_at + timedelta(hours=1)
        filing.meeting.save()
    return row


def test_before_counsel_answered_everything_is_kept(row: Recording, ann: User) -> None:
    assert kept_of(row).why == Why.NO_SERIES
    assert {kind for kind, _ in unanswered()} == set(MeetingKind)
    series = deeds.enter_series("SPED 1", "Meetings", [MeetingKind.IEP], by=ann)
    assert kept_of(row).why == Why.NO_ANSWER
    assert list(ahead(timezone.localdate(), EVERYWHERE)) == []
    assert (MeetingKind.IEP, series) in unanswered()
    assert len(retention_due(Day.of(ann, timezone.localtime()))) == 3
    deeds.enter_answer(series.pk, facts(), by=ann)
    assert [recording for recording, _ in ahead(timezone.localdate(), EVERYWHERE)] == [row]
    assert kept_of(row).eligible(timezone.localdate())


def test_nothing_is_destroyed_by_a_clock(row: Recording, ann: User) -> None:
    deeds.enter_answer(deeds.enter_series("S", "x", [MeetingKind.IEP], by=ann).pk, facts(), by=ann)
    assert kept_of(row).eligible(timezone.localdate())
    for job in JOBS:
        job.run(StopSignal())
    assert recording_keys().exists(row.pk)
    assert store().exists(row.package)
    assert Recording.objects.filter(pk=row.pk).exists()


def test_it_is_listed_a_year_ahead_and_no_earlier(row: Recording, ann: User) -> None:
    deeds.enter_answer(deeds.enter_series("S", "x", [MeetingKind.IEP], by=ann).pk, facts(3), by=ann)
    today = timezone.localdate()
    assert [recording for recording, _ in ahead(today, EVERYWHERE)] == [row]
    assert not kept_of(row).eligible(today)
    age(row, 365)
    assert list(ahead(today, EVERYWHERE)) == []


@pytest.mark.parametrize("state", ["unconfirmed", "doubted"])
def test_what_is_not_surely_filed_is_kept(row: Recording, ann: User, state: str) -> None:
    deeds.enter_answer(deeds.enter_series("S", "x", [MeetingKind.IEP], by=ann).pk, facts(), by=ann)
    changed: dict[str, Any] = {"confirmed_at": None} if state == "unconfirmed" else {"end_asked_at": timezone.now()}
    Filing.objects.update(**changed)
    assert kept_of(row).why == Why.FILING_OPEN
    assert list(ahead(timezone.localdate(), EVERYWHERE)) == []


def test_a_decision_entered_with_a_clock_put_back_shortens_nothing(
    row: Recording, ann: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    series = deeds.enter_series("S", "x", [MeetingKind.IEP], by=ann)
    deeds.enter_answer(series.pk, facts(None), by=ann)
    past = timezone.now() - timedelta(days=3 * 365)
    monkeypatch.setattr(timezone, "now", lambda: past)
    deeds.enter_answer(series.pk, facts(decided_on=date(2020, 1, 1)), by=ann)
    monkeypatch.undo()
    assert kept_of(row).why == Why.PERMANENT


def corrected(meeting: Meeting, ann: User, kind: MeetingKind) -> None:
    meeting.refresh_from_db()
    facts_now = MeetingFacts(
        *(kind, meeting.student, meeting.starts_at, meeting.ends_at, meeting.room, meeting.place, meeting.facilitator)
    )
    change_meeting(meeting.pk, facts_now, meeting.version, by=ann)


def test_no_correction_of_its_meetings_kind_makes_a_recording_eligible(row: Recording, ann: User) -> None:
    """The longest period wins, and one person's correction would be a way around two."""
    deeds.enter_answer(deeds.enter_series("S", "x", [MeetingKind.IEP], by=ann).pk, facts(None), by=ann)
    deeds.enter_answer(deeds.enter_series("T", "y", [MeetingKind.SECTION_504], by=ann).pk, facts(1), by=ann)
    meeting = row.filings.get().meeting
    corrected(meeting, ann, MeetingKind.SECTION_504)
    kept = kept_of(row)
    assert (kept.why, kept.former) == (Why.PERMANENT, True)
    assert "of another kind before" in kept_words(kept)
    assert list(ahead(timezone.localdate(), EVERYWHERE)) == []
    corrected(meeting, ann, MeetingKind.OTHER)
    corrected(meeting, ann, MeetingKind.IEP)
    assert kept_of(row).why == Why.PERMANENT
    other = make_meeting(make_student("Ben", "Ash"))
    corrected(other, ann, MeetingKind.SECTION_504)
    other.refresh_from_db()
    assert other.kinds_before == [], "nothing was filed under it"
    for statement in ("kind = 'other', kinds_before = '[]'", "kinds_before = '[]'"):
        with (
            pytest.raises(DatabaseError, match="how long that is kept"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(f"UPDATE meetings_meeting SET {statement}")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE retention_answer SET years = 1, permanent = false, counts_from = 'meeting'",
        "UPDATE retention_answer SET entry = 0",
        "DELETE FROM retention_answer",
        "UPDATE retention_series SET kinds = '[]'",
    ],
)
def test_the_database_keeps_what_was_decided(row: Recording, ann: User, statement: str) -> None:
    deeds.enter_answer(deeds.enter_series("S", "x", [MeetingKind.IEP], by=ann).pk, facts(None), by=ann)
    with pytest.raises(DatabaseError, match="never changed"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


def test_the_log_contradicts_a_decision_that_was_changed(row: Recording, ann: User) -> None:
    deeds.enter_answer(deeds.enter_series("S", "x", [MeetingKind.IEP], by=ann).pk, facts(7), by=ann)
    assert not [one for one in contradictions() if "decision" in one]
    change_as_owner("UPDATE retention_answer SET years = 1")
    assert [one for one in contradictions() if "is not the one that was entered" in one]


@pytest.mark.parametrize(
    ("other", "field"),
    [
        ({"decided_on": date(2999, 1, 1)}, "decided_on"),
        ({"permanent": True}, "years"),
        ({"years": None, "permanent": False}, "years"),
        ({"counts_from": "now"}, "years"),
    ],
)
def test_decisions_that_make_no_sense_are_told(ann: User, other: dict[str, Any], field: str) -> None:
    series = deeds.enter_series("S", "x", [MeetingKind.IEP], by=ann)
    with pytest.raises(DeedError) as told:
        deeds.enter_answer(series.pk, facts(**other), by=ann)
    assert told.value.field == field
    assert not Answer.objects.exists()
    with pytest.raises(DeedError, match="with this code"):
        deeds.enter_series("s", "y", [MeetingKind.IEP], by=ann)


def test_the_pages_enter_ask_and_list_ahead(archive: Archive, row: Recording) -> None:
    client = signed_in(archive, "custodian", role="custodian")
    assert "Ask counsel" in check(client.get("/retention/").content.decode()).text
    question = check(client.get("/retention/question/").content.decode()).text
    assert "RSMo 167.027" in question
    assert "destroys nothing" in question
    check(client.get("/retention/new/").content.decode())
    typed = {"code": "SPED 1", "title": "Recordings of meetings", "kinds": ["iep", "504"]}
    assert client.post("/retention/new/", {**typed, "kinds": [], "once": "0" * 32}).status_code == 422
    there = client.post("/retention/new/", {**typed, "once": "a" * 32}).headers["Location"]
    assert "nothing of it can be destroyed" in check(client.get(there).content.decode()).text
    form = check(client.get(f"{there}answer/").content.decode())
    assert not [one for one in form.all("input") if "checked" in one.attributes], "nothing is chosen beforehand"
    decided = {
        "length": "years",
        "years": "1",
        "counts_from": "meeting",
        "on_request": "no",
        "citation": "item 7",
        "decided_by": "the board",
        "decided_on": "2026-11-02",
        "advice": "Counsel Lee",
    }
    for wrong in ({"years": ""}, {"counts_from": ""}, {"length": ""}, {"advice": ""}, {"decided_on": "2999-01-01"}):
        assert client.post(f"{there}answer/", {**decided, **wrong, "once": "b" * 32}).status_code == 422
    page = check(client.post(f"{there}answer/", {**decided, "once": "c" * 32}, follow=True).content.decode())
    assert "Counsel Lee" in page.text
    assert "SPED 1" in check(client.get("/retention/ahead/").content.decode()).text
    assert "which they may from" in client.get(f"/recordings/{row.pk}/").content.decode()
    make_hold(make_matter(), student=row.filings.get().meeting.student)
    assert "on hold" in check(client.get("/retention/ahead/").content.decode()).text
    assert Entry.objects.filter(code="retention-answer").count() == 1
    check(client.get("/retention/").content.decode())
    assert Series.objects.get().kinds == ["iep", "504"]


def test_a_second_series_keeps_what_the_first_would_let_go(row: Recording, ann: User) -> None:
    deeds.enter_answer(deeds.enter_series("S", "x", [MeetingKind.IEP], by=ann).pk, facts(), by=ann)
    other = make_filing(row.pk, make_meeting(make_student("Ben"), kind=MeetingKind.SECTION_504))
    assert kept_of(row).why == Why.NO_SERIES
    series = deeds.enter_series("T", "y", [MeetingKind.SECTION_504], by=ann)
    deeds.enter_answer(series.pk, facts(None), by=ann)
    assert kept_of(row).why == Why.PERMANENT
    Filing.objects.filter(pk=other.pk).update(ended_at=timezone.now(), end_asked_at=timezone.now())
    assert kept_of(row).why == Why.PERIOD
