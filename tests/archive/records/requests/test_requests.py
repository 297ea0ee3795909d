"""Parents' rights: 34 CFR 99.4, 99.10, 99.12, 99.20 to 99.22, 99.32, 300.613 to 300.621."""

from __future__ import annotations

import hashlib
import re
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from appliance.contract.times import wall
from archive.access.decisions import may
from archive.access.deeds import Deed
from archive.access.models import Grant
from archive.accounts.models import User
from archive.custody.actors import Subject
from archive.custody.models import Entry
from archive.recordings.models import Recording
from archive.records.errors import DeedError, StaleError
from archive.records.letters.deeds import approve_text
from archive.records.letters.models import Letter, Template
from archive.records.meetings.models import Filing
from archive.records.people.deeds import end_right
from archive.records.people.models import Person, Right, RightKind, Student
from archive.records.requests import deeds, link_deeds, views
from archive.records.requests.link_deeds import MAX_FAILURES, LinkRefusedError
from archive.records.requests.models import AccessRequest, ParentLink, Wish
from archive.records.requests.record_of_access import record_of_access
from archive.records.requests.rules import due
from tests.archive.page_fixtures import Arrive, make_user, signed_in
from tests.archive.pages import check
from tests.archive.records.factories import (
    grant_student,
    make_bar,
    make_filing,
    make_meeting,
    make_person,
    make_request,
    make_right,
    make_student,
)
from tests.support.archives import Archive


@pytest.mark.parametrize(
    ("meetings", "hearing", "on", "why"),
    [
        ([], None, date(2026, 12, 17), "45 days"),
        ([date(2026, 11, 20)], None, date(2026, 11, 20), "next IEP meeting"),
        ([date(2026, 10, 1), date(2027, 5, 1)], None, date(2026, 12, 17), "45 days"),
        ([date(2026, 11, 20)], date(2026, 11, 10), date(2026, 11, 10), "hearing"),
        ([], date(2026, 10, 1), date(2026, 12, 17), "45 days"),
    ],
)
def test_a_request_is_due_at_the_earliest_of_meeting_hearing_and_45_days(
    meetings: list[date], hearing: date | None, on: date, why: str
) -> None:
    found = due(date(2026, 11, 2), meetings, hearing)
    assert (found.on, found.why) == (on, why)
    assert not found.late(on)
    assert found.late(on + timedelta(days=1))


@pytest.mark.parametrize(
    ("days", "told"), [(None, "Say by when"), (-1, "has passed"), (46, "no letter moves that"), (45, "")]
)
def test_more_time_is_never_beyond_the_day_on_which_it_is_due(
    archive: Archive, family: tuple[Student, Person], days: int | None, told: str
) -> None:
    """34 CFR 99.10(b), 300.613(a): in no case more than 45 days."""
    approve_text(Template.objects.get(kind="extension", language="en").pk, by=make_user("director", Deed.TEMPLATES))
    today = timezone.localdate()
    case = make_request(*family, received_on=today)
    on = "" if days is None else (today + timedelta(days=days)).isoformat()
    typed = {"kind": "extension", "text": "the officer is ill", "answer_by": on, "once": "a" * 32}
    client = signed_in(archive, "reader", role="custodian")
    answer = client.post(f"/requests/{case.pk}/letter/", typed, follow=True)
    page = check(answer.content.decode()).text
    assert told in page
    assert ("We need more time, and will answer by" in page) is (not told)
    assert Letter.objects.count() == (not told)


def test_only_who_holds_rights_can_ask(custodian_: User, family: tuple[Student, Person]) -> None:
    student, mother = family
    stranger = make_person("Stranger")
    today = timezone.localdate()
    with pytest.raises(DeedError, match="holds no rights"):
        deeds.ask_access(student, stranger, Wish.COPY, received_on=today, by=custodian_)
    make_bar(mother, student)
    with pytest.raises(DeedError, match="holds no rights"):
        deeds.ask_access(student, mother, Wish.COPY, received_on=today, by=custodian_)
    assert AccessRequest.objects.count() == 0


def test_an_explanation_that_was_asked_for_is_given_before_the_answer(
    custodian_: User, family: tuple[Student, Person]
) -> None:
    row = make_request(*family, explanation_asked=True)
    with pytest.raises(DeedError, match="explanation"):
        deeds.close(row.pk, "listened", 0, by=custodian_)
    deeds.explain(row.pk, "Ms. Jones explained the goals", 0, by=custodian_)
    with pytest.raises(StaleError):
        deeds.explain(row.pk, "Mr. Smith explained the services", 0, by=custodian_)
    row.refresh_from_db()
    assert row.explanation == "Ms. Jones explained the goals"
    (entry,) = Entry.objects.filter(code="explained")
    assert entry.member("sha256") == hashlib.sha256(row.explanation.encode()).hexdigest()
    with pytest.raises(StaleError):
        deeds.close(row.pk, "listened", 0, by=custodian_)
    deeds.close(row.pk, "listened", 1, by=custodian_)


def test_only_the_part_about_the_own_child_is_heard(archive: Archive, sealed: Arrive) -> None:
    """34 CFR 99.12(a): the rest is silence that nobody decrypted, and the whole package is refused."""
    made = sealed(seconds=3)
    row = Recording.objects.get(pk=made.id)
    mine, other = make_student("Ana"), make_student("Ben")
    make_filing(made.id, make_meeting(mine), first_frame=row.rate, last_frame=2 * row.rate)
    make_filing(made.id, make_meeting(other), first_frame=2 * row.rate)
    user = make_user("teacher")
    grant_student(user, mine, Deed.LOOK, Deed.LISTEN, Deed.DOWNLOAD)
    client = archive.client()
    client.force_login(user)
    whole = signed_in(archive, "reader", role="custodian")
    sounds = [
        np.frombuffer(one.get(f"/recordings/{made.id}/audio.wav").getvalue()[-2 * row.frames :], np.int16)
        for one in (client, whole)
    ]
    assert not sounds[0][: row.rate].any()
    assert not sounds[0][2 * row.rate :].any()
    assert np.array_equal(sounds[0][row.rate : 2 * row.rate], sounds[1][row.rate : 2 * row.rate])
    assert sounds[1][: row.rate].any()
    assert client.get(f"/recordings/{made.id}/package.zip").status_code == 403


def test_the_page_says_where_whoever_reaches_a_part_hears_silence(archive: Archive, sealed: Arrive) -> None:
    """34 CFR 99.12(a): silence that nobody explains reads as a recording that was lost, or tampered with."""
    made = sealed(seconds=3)
    row = Recording.objects.get(pk=made.id)
    ana, ben = make_student("Ana"), make_student("Ben")
    make_filing(made.id, make_meeting(ben), last_frame=row.rate)
    make_filing(made.id, make_meeting(ana), first_frame=row.rate)
    user = make_user("rosa")
    grant_student(user, ana, Deed.OWN, Deed.LOOK, Deed.LISTEN)
    client = archive.client()
    client.force_login(user)
    page = check(client.get(f"/recordings/{made.id}/").content.decode())
    assert "From 0:00 to 0:01 you hear silence" in page.text
    (link,) = [one for one in page.all("a") if one.text.startswith("Play from 0:01")]
    assert link.get("data-seek") == "1.000"
    client.cookies["language"] = "es"
    said = check(client.get(f"/recordings/{made.id}/").content.decode(), language="es").text
    assert "De 0:00 a 0:01 usted oye silencio" in said
    assert "reunión de otro estudiante" in said
    whole = signed_in(archive, "reader", role="custodian")
    assert "you hear silence" not in whole.get(f"/recordings/{made.id}/").content.decode()


def test_the_record_of_access_is_printed_from_the_log(
    archive: Archive, family: tuple[Student, Person], sealed: Arrive
) -> None:
    made = sealed(seconds=1)
    make_filing(made.id, make_meeting(family[0]))
    client = signed_in(archive, "reader", role="custodian")
    client.get(f"/recordings/{made.id}/")
    client.get(f"/recordings/{made.id}/audio.wav")
    assert {"opened the recording's page", "listened"} <= {row.what for row in record_of_access(family[0])}
    page = check(client.get(f"/students/{family[0].pk}/record-of-access/").content.decode())
    assert "listened" in page.text
    moments = [cell.text for cell in page.one("tbody").all("th")]
    assert all(re.search(r"\d [ap]m C[SD]T$", one) for one in moments), moments
    assert "work as a school official (34 CFR 99.31(a)(1))" in page.text, (
        "an account's role names no purpose of its own"
    )
    assert record_of_access(make_student("Other")) == []


def test_the_record_of_access_names_nobody_who_reached_another_childs_part_alone(
    archive: Archive, family: tuple[Student, Person], sealed: Arrive
) -> None:
    """34 CFR 99.12(a): of a recording that was split; and nobody's purpose with another child is printed."""
    made, (ana, _) = sealed(seconds=2), family
    row, ben = Recording.objects.get(pk=made.id), make_student("Ben", "Ito")
    make_filing(made.id, make_meeting(ana), last_frame=row.rate)
    make_filing(made.id, make_meeting(ben), first_frame=row.rate)
    teachers = {}
    for student in (ana, ben):
        teachers[student.pk] = user = make_user(f"teacher.of.{student.given_name.lower()}")
        grant_student(user, student, Deed.LOOK, Deed.LISTEN)
    reader = signed_in(archive, "reader", role="custodian")
    grant_student(User.objects.get(username="reader"), ben, Deed.GRANT)
    Grant.objects.filter(scope_id=str(ben.pk)).update(purpose="works with Ben")
    Grant.objects.filter(scope_id=str(ana.pk)).update(purpose="works with Ana")
    for user in teachers.values():
        client = archive.client()
        client.force_login(user)
        assert client.get(f"/recordings/{made.id}/audio.wav").status_code == 200
    reader.get(f"/recordings/{made.id}/")
    for mine, other in (("Ana", "Ben"), ("Ben", "Ana")):
        told = record_of_access(ana if mine == "Ana" else ben)
        assert {one.who for one in told} == {f"teacher.of.{mine.lower()}", "reader"}
        assert f"works with {other}" not in {one.purpose for one in told}
    assert {(one.who, one.purpose) for one in record_of_access(ana)} == {
        ("teacher.of.ana", "works with Ana"),
        ("reader", "work as a school official (34 CFR 99.31(a)(1))"),
    }
    # until it was split, all of it was heard as Ben's: that was access to what is Ana's as well (34 CFR 99.32(a))
    Filing.objects.filter(meeting__student=ben).update(first_frame=None)
    assert "teacher.of.ben" in {one.who for one in record_of_access(ana)}


def test_of_what_was_filed_wrongly_only_its_own_time_is_in_the_record(
    archive: Archive, family: tuple[Student, Person], sealed: Arrive
) -> None:
    made, client = sealed(seconds=1), signed_in(archive, "reader", role="custodian")
    look = f"/recordings/{made.id}/"
    client.get(look)
    filing = make_filing(made.id, make_meeting(family[0]), confirmed=False)
    begin = timezone.now()
    Filing.objects.update(filed_at=begin, ended_at=begin)
    assert record_of_access(family[0]) == [], "what two people never agreed on is nobody's"
    Filing.objects.update(confirmed_at=begin, ended_at=None, end_asked_at=begin)
    assert record_of_access(family[0]) == []
    client.get(f"{look}audio.wav")
    assert [one.what for one in record_of_access(family[0])] == ["listened"]
    ended = timezone.now() + timedelta(milliseconds=1)
    Filing.objects.filter(pk=filing.pk).update(ended_at=ended)
    while wall(timezone.now()) <= wall(ended):
        pass
    client.get(f"{look}audio.wav")
    assert [one.what for one in record_of_access(family[0])] == ["listened"]


def test_who_listened_at_the_office_is_in_the_record_beside_whoever_sat_there(
    archive: Archive, family: tuple[Student, Person], sealed: Arrive
) -> None:
    made = sealed(seconds=1)
    make_filing(made.id, make_meeting(family[0]))
    case, client = make_request(*family), signed_in(archive, "reader", role="custodian")
    client.post(f"/requests/{case.pk}/listen/{made.id}/", {"once": "a" * 32})
    (row,) = [one for one in record_of_access(family[0]) if one.what == "listened at the office"]
    assert (row.who, row.purpose, row.detail) == (
        "Rosa Torres",
        "a parent's own access (34 CFR 99.10)",
        "reader sat beside",
    )


def test_link_and_code_sign_a_parent_in_once(
    archive: Archive, custodian_: User, family: tuple[Student, Person], sealed: Arrive
) -> None:
    made = sealed(seconds=1)
    make_filing(made.id, make_meeting(family[0]))
    case = make_request(*family)
    staff = signed_in(archive, "reader", role="custodian")
    page = check(staff.post(f"/requests/{case.pk}/open/", {"days": "14"}).content.decode())
    facts = [node.text for node in page.all("dd")]
    link, code = facts[0], facts[1]
    assert len(code.replace(" ", "")) == 8
    there = link[link.index("/link/") :]
    parent = archive.client()
    check(parent.get(there).content.decode())
    assert parent.post(there, {"code": "00000000"}).status_code == 422
    answer = parent.post(there, {"code": code})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/own/")
    own = check(parent.get("/own/").content.decode())
    assert "Ana Torres" in own.text
    assert parent.get(f"/recordings/{made.id}/").status_code == 200
    assert parent.get(f"/recordings/{made.id}/audio.wav").status_code in {200, 206}
    check(parent.get(f"/own/{family[0].pk}/record-of-access/").content.decode())
    for closed in ("/recordings/", "/students/", "/meetings/", "/requests/", f"/recordings/{made.id}/copies/"):
        assert parent.get(closed).status_code == 403, closed
    assert parent.get(f"/own/{make_student('Ben').pk}/record-of-access/").status_code in {403, 404}
    second = archive.client()
    assert "used already" in second.post(there, {"code": code}).content.decode()
    codes = [one.code for one in Entry.objects.about(Subject.person(family[1].pk)).order_by("n")]
    assert codes == ["parent-link", "parent-link-refused", "parent-link-used", "parent-link-refused"]


def test_five_wrong_codes_end_a_link(custodian_: User, family: tuple[Student, Person]) -> None:
    made = link_deeds.make_link(family[1], by=custodian_)
    wrong = "00000000" if made.code != "00000000" else "11111111"
    for _ in range(MAX_FAILURES):
        with pytest.raises(LinkRefusedError, match="wrong"):
            link_deeds.use_link(made.token, wrong)
    with pytest.raises(LinkRefusedError, match="too often"):
        link_deeds.use_link(made.token, made.code)


@pytest.mark.parametrize(("change", "told"), [("expires_at", "too old"), ("withdrawn_at", "withdrawn")])
def test_an_old_or_withdrawn_link_opens_nothing(
    custodian_: User, family: tuple[Student, Person], change: str, told: str
) -> None:
    made = link_deeds.make_link(family[1], by=custodian_)
    ParentLink.objects.update(**{change: timezone.now()})
    with pytest.raises(LinkRefusedError, match=told):
        link_deeds.use_link(made.token, made.code)


def test_a_link_never_opens_an_account_that_may_do_more_than_its_maker(
    archive: Archive, custodian_: User, family: tuple[Student, Person]
) -> None:
    """A mother who works for the district: whoever makes her link can use it."""
    helper = make_user("helper", Deed.REQUESTS)
    family[1].user = make_user("rosa", role="facilitator")
    family[1].save()
    with pytest.raises(DeedError, match="may do more than yours"):
        link_deeds.make_link(family[1], by=helper)
    assert not ParentLink.objects.exists()
    link_deeds.make_link(family[1], by=custodian_)


def test_what_cannot_be_opened_leaves_no_link_no_account_and_no_entry(
    archive: Archive, family: tuple[Student, Person]
) -> None:
    client = signed_in(archive, "reader", role="custodian")
    case = make_request(*family, closed_at=timezone.now(), outcome="listened")
    before = Entry.objects.count()
    answer = client.post(f"/requests/{case.pk}/open/", {"days": "14", "once": "a" * 32})
    assert answer.status_code == 422
    assert "answered already" in answer.content.decode()
    family[1].refresh_from_db()
    assert (family[1].user, ParentLink.objects.count(), Entry.objects.count()) == (None, 0, before)


def test_requests_are_listed_by_due_date_however_many_there_are(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A request that came last can be due first: a meeting comes before its 45 days."""
    monkeypatch.setattr(views, "SHOWN", 3)
    today, client = timezone.localdate(), signed_in(archive, "reader", role="custodian")
    for number in range(5):
        make_request(make_student(f"Early{number}"), make_person(), received_on=today - timedelta(days=9))
    urgent = make_student("Urgent")
    make_request(urgent, make_person(), received_on=today)
    make_meeting(urgent, starts=timezone.now() + timedelta(days=2))
    with CaptureQueriesContext(connection) as counted:
        text = client.get("/requests/").content.decode()
    assert text.index("Urgent") < text.index("Early"), "whichever of the others are shown"
    assert len([one for one in counted if "meetings_meeting" in one["sql"]]) == 1


def test_a_newer_link_ends_an_older_one(custodian_: User, family: tuple[Student, Person]) -> None:
    first = link_deeds.make_link(family[1], by=custodian_)
    link_deeds.make_link(family[1], by=custodian_)
    with pytest.raises(LinkRefusedError, match="withdrawn"):
        link_deeds.use_link(first.token, first.code)


def test_a_barred_parent_reaches_nothing_from_that_moment_on(
    archive: Archive, custodian_: User, family: tuple[Student, Person], sealed: Arrive
) -> None:
    made = sealed(seconds=1)
    make_filing(made.id, make_meeting(family[0]))
    case = make_request(*family)
    link_deeds.make_link(family[1], by=custodian_, request=case)
    deeds.open_for(case.pk, 14, by=custodian_)
    family[1].refresh_from_db()
    assert family[1].user is not None
    assert may(family[1].user, Deed.LISTEN, Subject.recording(made.id)).allowed
    make_bar(family[1], family[0])
    assert may(family[1].user, Deed.LISTEN, Subject.recording(made.id)).reason == "barred"
    parent = archive.client()
    parent.force_login(family[1].user)
    assert "Ana" not in parent.get("/own/").content.decode()


def open_to(student: Student, person: Person, by: User, days: int = 14) -> User:
    """Let a rights-holder reach the student's recordings; return the account."""
    case = make_request(student, person)
    link_deeds.make_link(person, by=by, request=case)
    deeds.open_for(case.pk, days, by=by)
    person.refresh_from_db()
    assert person.user is not None
    return person.user


def test_access_ends_with_the_rights_and_not_later(custodian_: User, family: tuple[Student, Person]) -> None:
    """34 CFR 99.5: at 18, for example, the parents' rights are ended by a person; nothing is open to them then."""
    student, mother = family
    account, today = open_to(student, mother, custodian_, days=60), timezone.localdate()
    right = Right.objects.get(person=mother)
    end_right(right.pk, today + timedelta(days=5), shown=None, by=custodian_)
    ends = set(Grant.objects.filter(user=account).at(timezone.now()).values_list("valid_until", flat=True))
    assert [timezone.localtime(one).date() for one in ends] == [today + timedelta(days=6)]
    assert may(account, Deed.OWN, Subject.student(student.pk)).allowed
    end_right(right.pk, today - timedelta(days=1), shown=today + timedelta(days=5), by=custodian_)
    assert may(account, Deed.OWN, Subject.student(student.pk)).reason == "no-grant"


def test_access_is_opened_no_longer_than_rights_hold(custodian_: User) -> None:
    student, foster, today = make_student(), make_person("Kim", "Ito"), timezone.localdate()
    make_right(foster, student, RightKind.FOSTER, valid_to=today + timedelta(days=3))
    account = open_to(student, foster, custodian_)
    ends = {timezone.localtime(one.valid_until).date() for one in Grant.objects.filter(user=account) if one.valid_until}
    assert ends == {today + timedelta(days=4)}


def test_an_agent_reaches_nothing_once_the_parent_is_barred_who_named_them(
    custodian_: User, family: tuple[Student, Person]
) -> None:
    student, mother = family
    aunt = make_person("Carla", "Ruiz")
    make_right(aunt, student, RightKind.AGENT, named_by=mother)
    account = open_to(student, aunt, custodian_)
    assert may(account, Deed.OWN, Subject.student(student.pk)).allowed
    bar = make_bar(mother, student)
    assert may(account, Deed.OWN, Subject.student(student.pk)).reason == "barred"
    with pytest.raises(DeedError, match="holds no rights"):
        deeds.ask_access(student, aunt, Wish.LISTEN, received_on=timezone.localdate(), by=custodian_)
    father = make_person("Luis", "Torres")
    make_right(father, student)
    make_right(aunt, student, RightKind.AGENT, named_by=father)
    assert may(account, Deed.OWN, Subject.student(student.pk)).allowed
    bar.delete()
    Right.objects.filter(named_by=father).delete()
    end_right(Right.objects.get(person=mother).pk, timezone.localdate() - timedelta(days=1), shown=None, by=custodian_)
    assert may(account, Deed.OWN, Subject.student(student.pk)).reason == "no-grant"


@pytest.mark.parametrize("kind", [RightKind.ADULT_STUDENT, RightKind.AGENT, RightKind.SURROGATE])
def test_no_page_calls_the_student_the_child_of_whoever_reads_it(
    archive: Archive, custodian_: User, sealed: Arrive, kind: RightKind
) -> None:
    student, reader, mother = make_student("Jo", "Lee"), make_person("Jo", "Lee"), make_person("Kim", "Lee")
    make_right(mother, student)
    make_right(reader, student, kind, named_by=mother if kind == RightKind.AGENT else None)
    recording = sealed(seconds=1).id
    make_filing(recording, make_meeting(student))
    client = archive.client()
    client.force_login(open_to(student, reader, custodian_))
    link = link_deeds.make_link(reader, by=custodian_).token
    for language in ("en", "es"):
        client.post("/language/", {"language": language, "next": "/own/"})
        own = check(client.get("/own/").content.decode(), language=language)
        assert own.all("h1")[0].text in {link.text for link in own.all("a")}, "the menu calls it as the page does"
        for address in (
            "/own/",
            f"/own/{student.pk}/record-of-access/",
            f"/recordings/{recording}/",
            f"/recordings/{recording}/slip/",
            f"/link/{link}/",
        ):
            answer = client.get(address)
            assert answer.status_code == 200, address
            said = check(answer.content.decode(), language=language).text
            assert not re.search(r"\b(child|hij[oa])\b", said), (address, language)


def test_the_pages_of_a_request_and_an_amendment(
    archive: Archive, custodian_: User, family: tuple[Student, Person], sealed: Arrive
) -> None:
    for text in Template.objects.all():
        approve_text(text.pk, by=custodian_)
    made = sealed(seconds=1)
    make_filing(made.id, make_meeting(family[0]))
    client = signed_in(archive, "reader", role="custodian")
    today = timezone.localdate().isoformat()
    typed: dict[str, Any] = {"student": "S-17", "person": "Rosa Torres", "received_on": today, "wish": "copy"}
    answer = client.post("/requests/new/", {**typed, "once": "a" * 32})
    place = answer.headers["Location"]
    assert "due on" in client.get(place).content.decode()
    check(client.get("/requests/").content.decode())
    form = {"kind": "access-granted", "text": "at the office", "once": "b" * 32}
    letter = client.post(f"{place}letter/", form, follow=True)
    assert "Your access to recordings" in letter.content.decode()
    student = check(client.get(f"/students/{family[0].pk}/").content.decode())
    addresses = [one.get("href") for one in student.all("a")]
    assert {place, f"/recordings/{made.id}/", f"/students/{family[0].pk}/record-of-access/"} <= set(addresses)
    assert client.post("/requests/new/", {**typed, "person": "Nobody", "once": "c" * 32}).status_code == 422
    amend = {"student": "S-17", "person": "Rosa Torres", "received_on": today, "recording": made.id, "text": "wrong"}
    there = client.post("/amendments/new/", {**amend, "once": "d" * 32}).headers["Location"]
    step = {"state": "refused", "words": "it is right", "hearing_days": "30", "version": "0", "once": "e" * 32}
    told = check(client.post(f"{there}step/", step, follow=True).content.decode()).text
    assert "hearing" in told
    assert Letter.objects.count() == 2
    check(client.get(there).content.decode())
    wrong = client.post("/amendments/new/", {**amend, "recording": "0" * 32, "once": "f" * 32})
    assert wrong.status_code == 422
    assert "No recording of this student" in wrong.content.decode()
