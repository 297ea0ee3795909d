"""A notice that was logged wrongly is corrected: both stay told, and nobody answers it with yes or no."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from archive.access.deeds import Deed
from archive.access.models import Grant
from archive.access.scopes import ScopeType
from archive.accounts.models import User
from archive.custody.actors import Subject
from archive.custody.check import contradictions
from archive.custody.models import Entry
from archive.records.destruction import deeds as destruction_deeds
from archive.records.errors import DeedError, StaleError, UnknownRecordError
from archive.records.letters.deeds import approve_text, make_letter
from archive.records.letters.models import Letter, LetterKind, Template
from archive.records.meetings import deeds
from archive.records.meetings.deeds import NoticeFacts
from archive.records.meetings.describe import expects_parent, notice_words
from archive.records.meetings.models import Meeting, Notice, NoticeCorrection, ParentRecords
from archive.records.meetings.notice_deeds import correct_notice
from archive.records.people.models import Student
from tests.archive.page_fixtures import Arrive, make_user, signed_in
from tests.archive.pages import check
from tests.archive.records.destruction.scene import make_scene
from tests.archive.records.factories import (
    NOON,
    make_meeting,
    make_person,
    make_right,
    make_room,
    make_school,
    make_student,
)
from tests.support.archives import Archive

WHY = "The names stand side by side."


@pytest.fixture
def facilitator(archive: Archive) -> User:
    return make_user("case.manager", role="facilitator")


def facts(student: Student, at: datetime = NOON, **other: Any) -> NoticeFacts:
    given: dict[str, Any] = {"received_at": NOON - timedelta(hours=30), "room": make_room(), **other}
    return NoticeFacts(student, at, **given)


def entries() -> list[dict[str, Any]]:
    return [
        {"subject": one.subject_id, **json.loads(one.detail)}
        for one in Entry.objects.filter(code="notice-corrected").order_by("n")
    ]


def test_a_notice_of_the_wrong_student_goes_to_the_meeting_of_the_right_one(facilitator: User) -> None:
    ana, ben = make_student("Ana", "Fox"), make_student("Ben", "Fox")
    planned = make_meeting(ben, NOON + timedelta(hours=1))
    notice = deeds.log_notice(facts(ana, device="a phone"), by=facilitator)
    wrong = notice.meeting
    assert wrong is not None
    made = correct_notice(notice.pk, facts(ben, device="a phone"), WHY, 0, by=facilitator)
    assert (made.student, made.meeting, made.version, made.logged_at) == (ben, planned, 1, notice.logged_at)
    assert Notice.objects.count() == 1
    kept = NoticeCorrection.objects.get()
    assert (kept.student, kept.meeting, kept.why, kept.device, kept.by) == (ana, wrong, WHY, "a phone", facilitator)
    wrong, planned = Meeting.objects.get(pk=wrong.pk), Meeting.objects.get(pk=planned.pk)
    assert (expects_parent(wrong), expects_parent(planned)) == (False, True)
    assert (wrong.parent_device, planned.parent_device) == ("", "a phone")
    assert wrong.cancelled_at is None, "a person cancels it, where there is none"


def test_the_log_of_custody_has_both_and_no_name(facilitator: User) -> None:
    ana, ben = make_student("Ana", "Fox"), make_student("Ben", "Fox")
    notice = deeds.log_notice(facts(ana), by=facilitator)
    wrong = notice.meeting_id
    right = facts(ben, NOON + timedelta(days=1), received_at=NOON - timedelta(hours=2))
    made = correct_notice(notice.pk, right, WHY, 0, by=facilitator)
    told = {
        "fields": "meeting meeting_at received_at student",
        "received_before": "2026-11-23T12:00:00.000Z",
        "received": "2026-11-24T16:00:00.000Z",
        "meeting_at_before": "2026-11-24T18:00:00.000Z",
        "meeting_at": "2026-11-25T18:00:00.000Z",
    }
    here, there = str(wrong), str(made.meeting_id)
    assert entries() == [
        {"subject": here, "notice": str(notice.pk), **told},
        {"subject": there, "notice": str(made.pk), **told},
    ]
    assert made.pk != notice.pk, "no identifier in the log leads from the one meeting to the other"
    assert not [one for one in contradictions() if "notice" in one]
    Notice.objects.update(received_at=NOON)
    assert [one for one in contradictions() if f"the notice {made.pk}" in one]
    everything = " ".join(one.detail for one in Entry.objects.all())
    # a student's identifier would lead to a person once the meeting's own leads nowhere (destruction/erase_deeds.py)
    assert not [one for one in (str(ana.pk), str(ben.pk), "Fox", WHY) if one in everything]


@pytest.mark.parametrize(("hours", "late"), [(30, False), (2, True)])
def test_whether_it_came_late_follows_from_the_times_as_they_are_now(facilitator: User, hours: int, late: bool) -> None:
    student = make_student()
    notice = deeds.log_notice(facts(student, received_at=NOON - timedelta(hours=32 - hours)), by=facilitator)
    assert notice_words(notice).late is not late
    made = correct_notice(notice.pk, facts(student, received_at=NOON - timedelta(hours=hours)), WHY, 0, by=facilitator)
    assert notice_words(Notice.objects.get(pk=made.pk)).late is late


def test_on_the_same_day_the_meeting_stays_unless_another_one_is_planned_for_that_time(facilitator: User) -> None:
    student = make_student()
    notice = deeds.log_notice(facts(student), by=facilitator)
    stood = notice.meeting
    assert stood is not None
    Meeting.objects.update(starts_at=NOON + timedelta(days=3), ends_at=NOON + timedelta(days=3, hours=1))
    another = make_meeting(student, NOON)
    made = correct_notice(notice.pk, facts(student, reason="to hear it again"), WHY, 0, by=facilitator)
    assert made.meeting == stood, "what has nothing to do with its time moves it nowhere"
    another.delete()
    made = correct_notice(notice.pk, facts(student, NOON + timedelta(hours=1)), WHY, 1, by=facilitator)
    assert made.meeting == stood, "it was moved since, and is the notice's all the same"
    second = make_meeting(student, NOON + timedelta(hours=2))
    made = correct_notice(notice.pk, facts(student, NOON + timedelta(hours=2)), WHY, 2, by=facilitator)
    assert made.meeting == second
    assert made.corrections.count() == 3
    assert Meeting.objects.count() == 2


def test_a_notice_of_a_canceled_meeting_goes_to_the_one_that_is_held(facilitator: User) -> None:
    student = make_student()
    notice = deeds.log_notice(facts(student), by=facilitator)
    Meeting.objects.update(cancelled_at=NOON)
    held = make_meeting(student, NOON + timedelta(hours=2))
    made = correct_notice(notice.pk, facts(student), WHY, 0, by=facilitator)
    assert made.meeting == held
    assert expects_parent(held)


def test_a_meeting_that_is_new_is_led_by_who_led_the_other_one(facilitator: User) -> None:
    notice = deeds.log_notice(facts(make_student("Ana")), by=facilitator)
    made = correct_notice(notice.pk, facts(make_student("Ben")), WHY, 0, by=make_user("o.diaz", role="facilitator"))
    assert made.meeting is not None
    assert made.meeting.facilitator == facilitator


@pytest.mark.parametrize("said", [ParentRecords.NO, ParentRecords.YES])
def test_what_has_nothing_to_do_with_the_device_enters_none(facilitator: User, said: ParentRecords) -> None:
    student = make_student()
    notice = deeds.log_notice(facts(student, device="a phone"), by=facilitator)
    Meeting.objects.update(parent_records=said, parent_device="")
    correct_notice(notice.pk, facts(student, device="a phone", reason="to hear it again"), WHY, 0, by=facilitator)
    correct_notice(notice.pk, facts(student, device="a tablet", reason="to hear it again"), WHY, 1, by=facilitator)
    assert Meeting.objects.get().parent_device == "", "the parent's own answer stands before the notice"


def test_what_the_parent_said_themselves_is_not_taken_back(facilitator: User) -> None:
    ana, ben = make_student("Ana"), make_student("Ben")
    notice = deeds.log_notice(facts(ana, device="a phone"), by=facilitator)
    stood = notice.meeting_id
    assert stood is not None
    deeds.enter_parent_records(stood, ParentRecords.YES, "a phone", by=facilitator)
    correct_notice(notice.pk, facts(ben, device="a phone"), WHY, 0, by=facilitator)
    row = Meeting.objects.get(pk=stood)
    assert (row.parent_records, row.parent_device) == ("yes", "a phone")


def test_of_two_at_once_the_second_is_told_and_nothing_is_corrected_into_itself(facilitator: User) -> None:
    student = make_student()
    notice = deeds.log_notice(facts(student), by=facilitator)
    with pytest.raises(DeedError, match="Nothing differs"):
        correct_notice(notice.pk, facts(student), WHY, 0, by=facilitator)
    correct_notice(notice.pk, facts(student, reason="to hear it again"), WHY, 0, by=facilitator)
    with pytest.raises(StaleError):
        correct_notice(notice.pk, facts(student, reason="x"), WHY, 0, by=facilitator)
    with pytest.raises(UnknownRecordError):
        correct_notice(student.pk, facts(student), WHY, 0, by=facilitator)
    with pytest.raises(IntegrityError), transaction.atomic():
        NoticeCorrection.objects.update(why="")
    assert NoticeCorrection.objects.count() == 1
    assert len(entries()) == 1


def letter(student: Student, meeting: Meeting, by: User) -> Letter:
    for text in Template.objects.filter(kind=LetterKind.ACKNOWLEDGMENT, approved_at=None):
        approve_text(text.pk, by=by)
    values = dict.fromkeys(
        ("district", "date", "recipient", "contact", "student", "meeting", "received", "device"), "x"
    )
    return make_letter(
        LetterKind.ACKNOWLEDGMENT,
        values,
        by=by,
        student=student,
        person=None,
        language="en",
        about=Subject.meeting(meeting.pk),
    )


def test_a_letter_that_was_made_before_is_marked_and_keeps_its_text(archive: Archive, facilitator: User) -> None:
    ana, ben = make_student("Ana"), make_student("Ben")
    notice = deeds.log_notice(facts(ana), by=facilitator)
    stood = notice.meeting
    assert stood is not None
    before = letter(ana, stood, facilitator)
    correct_notice(notice.pk, facts(ana, reason="to hear it again"), WHY, 0, by=facilitator)
    assert Letter.objects.get().overtaken_at is None, "a letter does not say why the parent records"
    made = correct_notice(notice.pk, facts(ben), WHY, 1, by=facilitator)
    assert made.meeting is not None
    after = letter(ben, made.meeting, facilitator)
    rows = {one.pk: one for one in Letter.objects.all()}
    assert (rows[before.pk].overtaken_at is None, rows[after.pk].overtaken_at is None) == (False, True)
    assert rows[before.pk].body == before.body
    (entry,) = Entry.objects.filter(code="letter-overtaken")
    assert (entry.subject_id, entry.detail) == (str(before.pk), "{}")
    client = signed_in(archive, "director", role="custodian")
    said = "before the correction"
    assert said in check(client.get(f"/letters/{before.pk}/").content.decode()).text
    assert said not in check(client.get(f"/letters/{after.pk}/").content.decode()).text
    listed = check(client.get("/letters/").content.decode()).text
    assert "Not to be delivered" in listed
    assert client.get(f"/letters/{before.pk}/letter.pdf").status_code == 409
    links = {one.get("href") for one in check(client.get(f"/letters/{before.pk}/").content.decode()).all("a")}
    assert f"/letters/{before.pk}/delivery/" in links, "it may have been delivered before anybody noted that"
    assert f"/letters/{before.pk}/letter.pdf" not in links
    today = client.get("/today/").content.decode()
    assert (f"/letters/{before.pk}/" in today, f"/letters/{after.pk}/" in today) == (False, True)
    assert said in check(client.get(f"/meetings/{stood.pk}/").content.decode()).text
    assert said not in check(client.get(f"/meetings/{made.meeting_id}/").content.decode()).text


def typed(notice: Notice, **other: Any) -> dict[str, Any]:
    at, received = timezone.localtime(notice.meeting_at), timezone.localtime(notice.received_at)
    return {
        "student": notice.student.local_id,
        "day": f"{at:%Y-%m-%d}",
        "at": f"{at:%H:%M}",
        "received_day": f"{received:%Y-%m-%d}",
        "received_at": f"{received:%H:%M}",
        "why": WHY,
        "version": "0",
        "once": "a" * 32,
        **other,
    }


@pytest.fixture
def notice(facilitator: User) -> Notice:
    parent, student = make_person("Rosa", "Fox"), make_student("Ana", "Fox", local_id="S-1", school=make_school())
    make_right(parent, student)
    # to the second: a form that knows minutes alone must not take that for a change
    received = NOON - timedelta(hours=30, seconds=17)
    return deeds.log_notice(facts(student, received_at=received, given_by=parent), by=facilitator)


def test_the_page_asks_why_keeps_what_was_typed_and_shows_both(archive: Archive, notice: Notice) -> None:
    make_student("Ben", "Fox", local_id="S-2")
    client = signed_in(archive, "other.manager", role="facilitator")
    there = f"/meetings/{notice.meeting_id}/"
    place = f"{there}notices/{notice.pk}/correct/"
    assert place in {one.get("href") for one in check(client.get(there).content.decode()).all("a")}
    form = check(client.get(place).content.decode())
    shown = {one.get("name"): one.get("value") for one in form.all("input")}
    assert (shown["student"], shown["given_by"], shown["received_at"]) == ("S-1", "Rosa Fox", "05:59")
    ahead = f"{timezone.localdate() + timedelta(days=2):%Y-%m-%d}"
    for wrong in ({"why": ""}, {"student": "nobody"}, {"at": "25:00"}, {"received_day": ""}, {"received_at": ""},
                  {"received_day": ahead}, {"day": "yesterday"}):  # fmt: skip
        answer = client.post(place, typed(notice, student="S-2", device="my own phone") | wrong)
        assert answer.status_code == 422, wrong
        assert "my own phone" in answer.content.decode()
    unchanged = client.post(place, typed(notice, given_by="Rosa Fox"))
    assert (unchanged.status_code, "Nothing differs" in unchanged.content.decode()) == (422, True)
    answer = client.post(place, typed(notice, student="S-2", given_by="Rosa Fox"), follow=True)
    page = check(answer.content.decode()).text
    assert "The notice was corrected" in page
    assert "stays planned" in page
    assert "Before, it said: Ana Fox" in page
    again = client.post(place, typed(notice, student="S-2", given_by="Rosa Fox"), follow=True)
    assert NoticeCorrection.objects.count() == 1
    left = check(again.content.decode()).text
    assert "A notice that was logged here is about another meeting: Ben Fox" in left
    assert WHY in left
    assert "No notice was logged for this meeting." in left
    assert Notice.objects.get().received_at.second == 43, "what was not typed anew is not changed"
    now = Notice.objects.get()
    assert client.get(f"/meetings/{now.meeting_id}/notices/{notice.pk}/correct/").status_code == 404


def test_who_reaches_one_of_both_students_alone_reads_nothing_of_the_other(
    archive: Archive, facilitator: User, notice: Notice
) -> None:
    ben, stood = make_student("Ben", "Fox", school=make_school("Rolla High")), notice.meeting_id
    reader = make_user("of.rolla")
    for deed in (Deed.MEETINGS, Deed.PLAN):
        Grant.objects.create(user=reader, deed=deed, scope_type=ScopeType.SCHOOL, scope_id=str(ben.school_id))
    client = archive.client()
    client.force_login(reader)
    place = f"/meetings/{stood}/notices/{notice.pk}/correct/"
    assert client.get(place).status_code == 403
    made = correct_notice(notice.pk, facts(ben), WHY, 0, by=facilitator)
    page = check(client.get(f"/meetings/{made.meeting_id}/").content.decode())
    assert "Before, it was about another student." in page.text
    assert WHY not in page.text, "it may name both"
    assert not [one for one in page.all("a") if str(stood) in one.get("href")]
    assert "Ana" not in page.text
    answer = client.post(f"/meetings/{made.meeting_id}/notices/{made.pk}/correct/", typed(made, student="S-1"))
    assert (answer.status_code, "No student here" in answer.content.decode()) == (422, True)


def test_a_reason_is_read_by_who_reaches_everybody_whom_the_notice_was_ever_about(
    archive: Archive, facilitator: User, notice: Notice
) -> None:
    ben, cat = (make_student(name, "Fox", school=make_school(f"{name}'s school")) for name in ("Ben", "Cat"))
    made = correct_notice(notice.pk, facts(ben), "Ana's, it turned out Ben's.", 0, by=facilitator)
    made = correct_notice(made.pk, facts(cat), "And now it is Cat's.", 1, by=facilitator)
    reader = make_user("of.two.schools")
    for student in (notice.student, cat):
        for deed in (Deed.MEETINGS, Deed.PLAN):
            Grant.objects.create(user=reader, deed=deed, scope_type=ScopeType.SCHOOL, scope_id=str(student.school_id))
    client = archive.client()
    client.force_login(reader)
    page = check(client.get(f"/meetings/{made.meeting_id}/").content.decode()).text
    assert "Ben" not in page
    assert "Cat's." not in page


def test_somebody_with_a_namesake_hinders_no_correction(archive: Archive, notice: Notice) -> None:
    make_person("Rosa", "Fox")
    client = signed_in(archive, "other.manager", role="facilitator")
    place = f"/meetings/{notice.meeting_id}/notices/{notice.pk}/correct/"
    answer = client.post(place, typed(notice, given_by="Rosa Fox", device="a tablet"), follow=True)
    assert "The notice was corrected" in check(answer.content.decode()).text
    assert Notice.objects.get().given_by == notice.given_by


def test_where_only_the_time_was_wrong_the_page_says_that_the_meeting_stays(archive: Archive, notice: Notice) -> None:
    client = signed_in(archive, "other.manager", role="facilitator")
    place = f"/meetings/{notice.meeting_id}/notices/{notice.pk}/correct/"
    answer = client.post(place, typed(notice, given_by="Rosa Fox", at="13:30"), follow=True)
    page = check(answer.content.decode()).text
    assert "The meeting itself stays planned for" in page
    assert "this one is planned for another time" in page


def test_no_word_of_it_approves_denies_or_requests(archive: Archive, notice: Notice) -> None:
    """RSMo 162.686: a parent notifies."""
    client = signed_in(archive, "other.manager", role="facilitator")
    page = client.get(f"/meetings/{notice.meeting_id}/notices/{notice.pk}/correct/").content.decode()
    main = page[page.index("<main") : page.index("</main>")].lower()
    assert not [one for one in ("approv", "den", "request", "permit", "grant") if f" {one}" in main]


def test_nothing_leads_from_the_log_to_a_student_whose_recording_was_destroyed(
    archive: Archive, sealed: Arrive
) -> None:
    scene = make_scene(sealed(seconds=1).id)
    meeting = Meeting.objects.get()
    logged = deeds.log_notice(
        facts(scene.student, meeting.starts_at, received_at=meeting.starts_at - timedelta(days=2)), by=scene.ann
    )
    assert logged.meeting == meeting
    right = facts(make_student("Ben"), meeting.starts_at, received_at=meeting.starts_at - timedelta(days=2))
    correct_notice(logged.pk, right, WHY, 0, by=scene.ann)
    destruction_deeds.carry_out(scene.approved().pk, by=scene.bob)
    log = " ".join(f"{one.subject_id} {one.detail}" for one in Entry.objects.filter(code="notice-corrected"))
    was = Meeting.objects.get(student=scene.student)
    kept = NoticeCorrection.objects.get()
    assert kept.meeting == was
    assert str(was.pk) not in log
    (at_first,) = [one.member("notice") for one in Entry.objects.filter(code="notice")]
    assert not Notice.objects.filter(pk=at_first).exists()
    assert at_first not in [one["notice"] for one in entries() if one["subject"] == str(kept.notice.meeting_id)]
