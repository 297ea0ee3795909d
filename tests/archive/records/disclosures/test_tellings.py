"""When parents were told stays as it was entered; a second time is entered beside it, and opens nothing sooner."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from archive.access.deeds import Deed
from archive.accounts.models import User
from archive.recordings.models import Recording
from archive.records.disclosures import deeds, notice_deeds
from archive.records.disclosures.models import Basis, Disclosure, NoticeGiven
from archive.records.disclosures.notice_deeds import Notice
from archive.records.disclosures.reach import facts_of
from archive.records.disclosures.rules import Missing, ferpa_gate
from archive.records.errors import DeedError
from tests.archive.page_fixtures import Arrive, entries, make_user, signed_in
from tests.archive.pages import check
from tests.archive.records.disclosures.scene import facts
from tests.archive.records.factories import make_filing, make_meeting, make_person, make_right, make_student
from tests.support.archives import Archive


@pytest.fixture
def ann(archive: Archive) -> User:
    return make_user("ann", Deed.DISCLOSE)


@pytest.fixture
def made(archive: Archive, sealed: Arrive, ann: User) -> Disclosure:
    """A court's order about a recording of Ana Torres's meeting."""
    row = Recording.objects.get(pk=sealed(seconds=1).id)
    student = make_student("Ana", "Torres", local_id="S-17")
    make_right(make_person("Rosa", "Torres"), student)
    make_filing(row.pk, make_meeting(student))
    return deeds.prepare(row.pk, facts(basis=Basis.COMPELLED, explanation="Circuit Court, no. 17"), by=ann)


def tell(made: Disclosure, by: User, days_ago: int, waits_until: int | None = None) -> None:
    today = timezone.localdate()
    student = made.about.filings.get().meeting.student
    until = None if waits_until is None else today + timedelta(days=waits_until)
    notice_deeds.enter_notice(made.pk, Notice(student, today - timedelta(days=days_ago), until), by=by)


def told_on(made: Disclosure) -> list[int]:
    """How many days ago each telling was."""
    return [(timezone.localdate() - one.told_on).days for one in made.told.all()]


def test_a_first_telling_stays_beside_a_second_one(archive: Archive, made: Disclosure, ann: User) -> None:
    tell(made, ann, 8, waits_until=9)
    tell(made, ann, 2)
    assert told_on(made) == [8, 2]
    days = [one.member("told_on") for one in entries(made.recording_id or "", "disclosure-notice")]
    assert days == [(timezone.localdate() - timedelta(days=ago)).isoformat() for ago in (8, 2)]
    page = check(signed_in(archive, "carol", role="custodian").get(f"/disclosures/{made.pk}/").content.decode()).text
    assert page.count("the parents of Ana Torres:") == 2


def test_an_earlier_day_that_is_entered_later_opens_nothing_sooner(made: Disclosure, ann: User) -> None:
    tell(made, ann, 0, waits_until=9)
    tell(made, ann, 30)
    assert told_on(made) == [30, 0]
    made.refresh_from_db()
    assert facts_of(made).told_last == timezone.localdate(), "the last telling counts"
    assert ferpa_gate(facts_of(made)) == [Missing.WAITING]


def test_a_later_telling_needs_time_of_its_own(made: Disclosure, ann: User) -> None:
    tell(made, ann, 8, waits_until=0)
    with pytest.raises(DeedError, match="Leave the parent time"):
        tell(made, ann, 0)
    assert told_on(made) == [8], "nothing was changed"
    tell(made, ann, 0, waits_until=5)
    assert told_on(made) == [8, 0]


def test_the_same_day_again_is_the_same_telling(made: Disclosure, ann: User) -> None:
    tell(made, ann, 1, waits_until=5)
    tell(made, ann, 1, waits_until=7)
    assert NoticeGiven.objects.count() == 1
    assert len(entries(made.recording_id or "", "disclosure-notice")) == 2
