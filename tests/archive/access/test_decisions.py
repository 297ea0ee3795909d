"""`may` decides from grants alone, and says why in a stable code."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from archive.access.decisions import Decision, granted_deeds, may, may_each, reached_recordings
from archive.access.deeds import OF_ONE_RECORDING, Deed
from archive.access.models import Grant
from archive.custody.actors import NOTHING, Subject
from archive.custody.models import Entry
from archive.recordings.models import Recording
from tests.archive.page_fixtures import Arrive, make_user, signed_in
from tests.archive.records.factories import (
    make_bar,
    make_filing,
    make_meeting,
    make_person,
    make_school,
    make_student,
)
from tests.support.archives import Archive

SUBJECT = Subject.recording("a" * 32)
NO_GRANT = Decision(allowed=False, reason="no-grant")
GRANTED = Decision(allowed=True, reason="granted")


def subject_of(deed: Deed) -> Subject:
    return SUBJECT if deed in OF_ONE_RECORDING else NOTHING


@pytest.mark.parametrize("deed", Deed)
def test_one_grant_allows_its_deed_and_no_other(archive: Archive, deed: Deed) -> None:
    user = make_user("ann", deed)
    assert {other: may(user, other, subject_of(other)) for other in Deed} == {
        other: GRANTED if other is deed else NO_GRANT for other in Deed
    }
    assert granted_deeds(user) == {deed}


@pytest.mark.parametrize("deed", Deed)
def test_somebody_elses_grant_allows_nothing(archive: Archive, deed: Deed) -> None:
    make_user("ann", deed)
    assert may(make_user("bob"), deed, subject_of(deed)) == NO_GRANT


@pytest.mark.parametrize("deed", Deed)
def test_without_a_sign_in_nothing_is_allowed(archive: Archive, deed: Deed) -> None:
    assert may(AnonymousUser(), deed, subject_of(deed)) == Decision(allowed=False, reason="not-signed-in")
    assert may_each(AnonymousUser(), [deed], subject_of(deed)) == {deed: False}
    assert granted_deeds(AnonymousUser()) == frozenset()


def test_an_account_that_has_ended_may_nothing_whatever_was_granted(archive: Archive) -> None:
    user = make_user("ann", *Deed)
    user.active_until = timezone.now()
    assert may(user, Deed.LISTEN, SUBJECT) == Decision(allowed=False, reason="account-ended")
    assert may_each(user, [Deed.LISTEN], SUBJECT) == {Deed.LISTEN: False}
    assert granted_deeds(user) == frozenset()


def test_for_who_may_do_it_to_everything_the_subject_is_not_looked_up(archive: Archive) -> None:
    user = make_user("ann", Deed.LISTEN)
    with CaptureQueriesContext(connection) as queries:
        assert may(user, Deed.LISTEN, SUBJECT) == GRANTED
    assert len(queries) == 2, "what bars them, and what they were granted"


@pytest.mark.parametrize(
    ("begins_h", "ends_h", "holds"),
    [(-2, None, True), (-2, 1, True), (-2, -1, False), (1, None, False), (1, 2, False)],
)
def test_a_grant_holds_only_in_its_time(archive: Archive, begins_h: int, ends_h: int | None, holds: bool) -> None:
    user, now = make_user("ann"), timezone.now()
    until = None if ends_h is None else now + timedelta(hours=ends_h)
    Grant.objects.create(user=user, deed="listen", valid_from=now + timedelta(hours=begins_h), valid_until=until)
    assert may(user, Deed.LISTEN, SUBJECT).allowed is holds


def test_the_first_moment_is_in_a_grant_and_the_last_is_not(archive: Archive) -> None:
    user, now = make_user("ann"), timezone.now()
    later = now + timedelta(hours=1)
    Grant.objects.create(user=user, deed="listen", valid_from=now, valid_until=later)
    moments = (now - timedelta(microseconds=1), now, later - timedelta(microseconds=1), later)
    assert [Grant.objects.at(moment).exists() for moment in moments] == [False, True, True, False]


@pytest.mark.parametrize(
    ("deed", "subject"),
    [(Deed.LISTEN, NOTHING), (Deed.LOOK, Subject.box("box-7f3a")), (Deed.LIST, SUBJECT), (Deed.BOARD, SUBJECT)],
)
def test_a_deed_that_does_not_fit_its_subject_is_a_defect_and_no_answer(
    archive: Archive, deed: Deed, subject: Subject
) -> None:
    with pytest.raises(ValueError, match=deed.value):
        may(make_user("ann", *Deed), deed, subject)


@pytest.mark.parametrize("barred", [False, True])
@pytest.mark.parametrize("scope", ["district", "school", "student", "recording", "nothing"])
def test_a_list_holds_the_recordings_that_may_allows_and_no_others(
    archive: Archive, sealed: Arrive, scope: str, barred: bool
) -> None:
    """So that no row of a list and no card of a room leads to a refusal, a court order included."""
    student = make_student(school=make_school())
    first, second = sealed(seconds=1).id, sealed(seconds=1).id
    make_filing(first, make_meeting(student))
    user = make_user("ann")
    ids = {"district": "", "school": str(student.school_id), "student": str(student.pk), "recording": first}
    if scope != "nothing":
        Grant.objects.create(user=user, deed=Deed.LOOK, scope_type=scope, scope_id=ids[scope])
    if barred:
        make_bar(make_person(user=user), student)
    for one in (first, second):
        subject = Subject.recording(one)
        assert may_each(user, OF_ONE_RECORDING, subject) == {
            deed: may(user, deed, subject).allowed for deed in OF_ONE_RECORDING
        }
    listed = set(Recording.objects.filter(reached_recordings(user, Deed.LOOK)).values_list("pk", flat=True))
    allowed = {pk for pk in (first, second) if may(user, Deed.LOOK, Subject.recording(pk)).allowed}
    assert listed == allowed
    expected = {"district": {second} if barred else {first, second}, "nothing": set()}
    assert allowed == expected.get(scope, set() if barred else {first})


def test_a_court_order_bars_a_parent_who_works_for_the_district(archive: Archive, sealed: Arrive) -> None:
    """34 CFR 99.4: the order names the person, and reaches the account at work beside the one that links open."""
    student, father = make_student(), make_person("Luis")
    made = sealed(seconds=1)
    make_filing(made.id, make_meeting(student))
    father.user = make_user("link")
    father.save()
    make_bar(father, student)
    work, about = make_user("luis", role="custodian"), Subject.recording(made.id)
    assert may(work, Deed.LISTEN, about).allowed, "nobody entered whose account it is"
    staff = signed_in(archive, "director", role="custodian")
    there = f"/people/{father.pk}/account/"
    assert staff.get(there).status_code == 200
    assert staff.post(there, {"user": "Luis", "version": "0", "once": "a" * 32}).status_code == 302
    assert "luis" in staff.get(f"/people/{father.pk}/").content.decode()
    assert may(work, Deed.LISTEN, about) == Decision(allowed=False, reason="barred")
    assert not Recording.objects.filter(reached_recordings(work, Deed.LISTEN)).exists()
    (entry,) = Entry.objects.about(Subject.person(father.pk)).filter(code="work-account")
    assert entry.member("account") == str(work.pk)


def test_nobody_enters_which_account_is_their_own(archive: Archive) -> None:
    """Else a barred parent with the deed `correct` would take the order off their own account."""
    father, work = make_person("Luis"), make_user("luis", role="custodian")
    client = archive.client()
    client.force_login(work)
    there = f"/people/{father.pk}/account/"
    mine = client.post(there, {"user": "luis", "version": "0", "once": "a" * 32})
    assert "your own account" in mine.content.decode()
    father.work_user = work
    father.save()
    client.post(there, {"user": "", "version": "0", "once": "b" * 32})
    father.refresh_from_db()
    assert father.work_user == work
