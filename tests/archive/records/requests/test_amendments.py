"""Amendments: 34 CFR 99.20 to 99.22, 300.618 to 300.621."""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import pytest
from django.db import IntegrityError
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from archive.access.deeds import Deed
from archive.accounts.models import User
from archive.custody.models import Entry
from archive.custody.wording import rows
from archive.recordings.companions import companions_of
from archive.recordings.models import Recording
from archive.records.errors import DeedError, StaleError
from archive.records.letters.deeds import approve_text, note_delivery
from archive.records.letters.models import Letter, LetterKind, Template
from archive.records.people.models import Person, Student
from archive.records.requests import amendment_deeds as deeds
from archive.records.requests.models import Amendment, AmendmentState, NoHearing, Statement
from archive.records.requests.reach import asked_about, open_cases
from archive.records.requests.rules import (
    NEXT,
    OPEN,
    STATEMENT_IN,
    Unheard,
    check_no_hearing,
    may_follow,
)
from archive.ui import words
from tests.archive.page_fixtures import Arrive, entries, make_user, signed_in
from tests.archive.pages import check
from tests.archive.records.factories import (
    grant_student,
    make_bar,
    make_filing,
    make_letter,
    make_meeting,
    make_student,
)
from tests.support.archives import Archive

A = AmendmentState
WAY = {
    A.ASKED: {A.AMENDED, A.REFUSED},
    A.REFUSED: {A.HEARING, A.NO_HEARING},
    A.NO_HEARING: {A.HEARING},
    A.HEARING: {A.HEARING, A.HEARING_AMENDED, A.HEARING_REFUSED, A.NO_HEARING},
    A.AMENDED: set(),
    A.HEARING_AMENDED: set(),
    A.HEARING_REFUSED: set(),
}
"""The whole way of the law, written down once more: the rules are held against it."""
TODAY = date(2026, 11, 24)
REFUSED = Unheard(A.REFUSED, date(2026, 10, 1), told_on=date(2026, 10, 5), days=30, holds_rights=True)
"""Refused on October 1, told on the 5th; the district waits until November 4."""


def of(family: tuple[Student, Person], recording: str, **facts: Any) -> Amendment:
    """An amendment that stands there, whatever came before."""
    facts = {"received_on": date(2026, 1, 5), "text": "I never said that", **facts}
    if facts.get("state") == A.NO_HEARING:
        facts |= {"no_hearing": "said", "no_hearing_on": date(2026, 1, 9), "no_hearing_how": "on the phone"}
    return Amendment.objects.create(student=family[0], person=family[1], recording_id=recording, **facts)


@pytest.mark.parametrize("first", A)
@pytest.mark.parametrize("then", A)
def test_an_amendment_goes_only_the_way_of_the_law(
    custodian_: User, family: tuple[Student, Person], sealed: Arrive, first: AmendmentState, then: AmendmentState
) -> None:
    """Each pair of states by the deed that leads there: what is on the way is done, and nothing else."""
    assert may_follow(first, then) is (then in WAY[first])
    row = of(family, sealed(seconds=1).id, state=first)
    if first == A.REFUSED:
        deliver(row)

    def act() -> Amendment:
        if then == A.NO_HEARING:
            return deeds.end_unheard(row.pk, NoHearing.SAID, timezone.localdate(), "x", 0, by=custodian_)
        return deeds.decide(row.pk, then, "x", 0, by=custodian_, hearing_days=30, hearing_on=TODAY, officer="Dr. Lee")

    if then in WAY[first]:
        assert act().state == then
        return
    with pytest.raises(DeedError, match="does not follow"):
        act()
    row.refresh_from_db()
    assert row.state == first


def test_no_step_says_that_no_hearing_was_asked_for(
    custodian_: User, family: tuple[Student, Person], sealed: Arrive
) -> None:
    """That has a reason, a day and its source, which a step does not ask for."""
    row = of(family, sealed(seconds=1).id, state=A.REFUSED)
    with pytest.raises(DeedError, match="does not follow"):
        deeds.decide(row.pk, A.NO_HEARING, "x", 0, by=custodian_)


def test_whatever_is_over_without_a_hearing_still_gets_one() -> None:
    """34 CFR 99.21(a): a hearing is given on request, and no section says until when."""
    assert set(A) - OPEN == {A.AMENDED, A.NO_HEARING, A.HEARING_AMENDED, A.HEARING_REFUSED}
    for state in set(A) - OPEN:
        assert (NEXT[state] == {A.HEARING}) is (state == A.NO_HEARING)
    assert all(NEXT[state] for state in OPEN), "what is open can go on"
    assert {A.HEARING_REFUSED, A.NO_HEARING} == STATEMENT_IN
    assert not STATEMENT_IN & OPEN


@given(st.lists(st.sampled_from(A), min_size=1, max_size=12))
def test_on_each_way_a_refusal_comes_before_a_hearing_and_nothing_follows_an_amendment(
    way: list[AmendmentState],
) -> None:
    way = [A.ASKED, *way]
    if not all(may_follow(now, then) for now, then in pairwise(way)):
        return
    for at, state in enumerate(way):
        assert state != A.HEARING or A.REFUSED in way[:at]
        assert state not in {A.AMENDED, A.HEARING_AMENDED, A.HEARING_REFUSED} or at == len(way) - 1


@pytest.mark.parametrize(
    ("change", "why", "on", "told"),
    [
        ({}, NoHearing.TIME, date(2026, 11, 5), ""),
        ({}, NoHearing.TIME, date(2026, 11, 4), "waits for the parent until"),
        ({}, NoHearing.SAID, date(2026, 10, 5), ""),
        ({}, NoHearing.SAID, date(2026, 10, 4), "told of the right to a hearing only on"),
        ({}, NoHearing.SAID, date(2026, 9, 30), "refused only on"),
        ({}, NoHearing.SAID, date(2026, 11, 25), "still to come"),
        ({}, NoHearing.NO_RIGHTS, TODAY, "holds rights"),
        ({"holds_rights": False}, NoHearing.NO_RIGHTS, TODAY, ""),
        ({"holds_rights": False, "told_on": None}, NoHearing.NO_RIGHTS, TODAY, ""),
        ({"told_on": None}, NoHearing.SAID, TODAY, "was not told"),
        ({"told_on": None}, NoHearing.TIME, TODAY, "was not told"),
        ({"told_on": date(2026, 11, 10)}, NoHearing.TIME, TODAY, "waits for the parent until"),
        ({"days": None}, NoHearing.TIME, TODAY, "waits for the parent"),
        ({"state": A.HEARING}, NoHearing.SAID, TODAY, ""),
        ({"state": A.HEARING}, NoHearing.TIME, TODAY, "does not follow"),
        ({"state": A.ASKED}, NoHearing.SAID, TODAY, "does not follow"),
        ({"state": A.HEARING_REFUSED}, NoHearing.SAID, TODAY, "does not follow"),
    ],
)
def test_nobody_lets_a_right_pass_of_which_they_were_not_told(
    change: dict[str, Any], why: NoHearing, on: date, told: str
) -> None:
    """34 CFR 99.20(c): the district informs of the refusal and of the right to a hearing."""
    if not told:
        check_no_hearing(replace(REFUSED, **change), why, on, TODAY)
        return
    with pytest.raises(DeedError, match=told):
        check_no_hearing(replace(REFUSED, **change), why, on, TODAY)


def deliver(row: Amendment) -> None:
    """The letter of the refusal was handed over."""
    about = {"about_type": "case", "about_id": str(row.pk)}
    make_letter(row.student, LetterKind.REFUSAL_TO_AMEND, delivered_at=timezone.now(), **about)


def test_a_refusal_about_which_no_hearing_is_asked_for_keeps_the_recording_no_longer(
    archive: Archive, custodian_: User, family: tuple[Student, Person], sealed: Arrive
) -> None:
    """From the refusal to the end by the pages, and to the hearing that the parent asks for later."""
    for text in Template.objects.all():
        approve_text(text.pk, by=custodian_)
    made = sealed(seconds=1)
    client = signed_in(archive, "reader", role="custodian")
    there, today = f"/amendments/{of(family, made.id).pk}/", timezone.localdate()
    step = {"state": "refused", "words": "it is right", "version": "0", "once": "a" * 32}
    assert "how many days" in client.post(f"{there}step/", step).content.decode()
    letter = client.post(f"{there}step/", {**step, "hearing_days": "30"}, follow=True)
    assert "We wait for you for 30 days" in check(letter.content.decode()).text
    row = Amendment.objects.get()
    ended = {"why": "time", "on": today.isoformat(), "how": "the letter", "version": "1", "once": "b" * 32}
    assert "was not told" in client.post(f"{there}no-hearing/", ended).content.decode()
    # days of the calendar: by the clock, one of them has 25 hours
    at = timezone.localtime() - timedelta(days=31)
    Letter.objects.update(made_at=at)
    note_delivery(Letter.objects.get().pk, "by mail", at, by=custodian_)
    Amendment.objects.update(decided_at=timezone.localtime() - timedelta(days=32))
    assert open_cases(made.id) == [row]
    assert Recording.objects.filter(asked_about()).exists()
    assert "the district waits until" in check(client.get(there).content.decode()).text
    after = check(client.post(f"{there}no-hearing/", ended, follow=True).content.decode()).text
    assert "the time that the district gave has passed: the letter" in after
    assert (open_cases(made.id), Recording.objects.filter(asked_about()).exists()) == ([], False)
    with pytest.raises(StaleError):
        deeds.end_unheard(row.pk, NoHearing.SAID, today, "x", 1, by=custodian_)
    (told,) = rows(Entry.objects.filter(code="amendment-no-hearing"))
    assert (told.what, told.detail) == (
        "an amendment ended, since no hearing was asked for",
        f"as of {today.isoformat()}; time",
    )
    # it is found again, and goes on
    assert there in client.get("/requests/").content.decode()
    assert there in client.get(f"/students/{family[0].pk}/").content.decode()
    client.post(f"{there}statement/", {"text": "I never said that.", "once": "c" * 32})
    asked = {
        "state": "hearing",
        "hearing_on": today.isoformat(),
        "officer": "Dr. Lee",
        "version": "2",
        "once": "d" * 32,
    }
    page = check(client.post(f"{there}step/", asked, follow=True).content.decode()).text
    assert "I never said that." in page
    assert "a hearing is held" in page
    assert open_cases(made.id) == [Amendment.objects.get()]


def test_whoever_holds_no_rights_any_more_keeps_no_recording_for_good(
    archive: Archive, custodian_: User, family: tuple[Student, Person], sealed: Arrive
) -> None:
    """A court order bars the parent: no letter goes there, so none can be delivered."""
    made = sealed(seconds=1)
    row = of(family, made.id, state=A.REFUSED, decided_at=timezone.now(), hearing_days=30)
    make_bar(family[1], family[0])
    ended = {"on": timezone.localdate().isoformat(), "how": "order of May 2", "version": "0", "once": "b" * 32}
    client = signed_in(archive, "reader", role="custodian")
    assert "Enter whether a hearing was asked for" in client.get("/today/").content.decode()
    client.post(f"/amendments/{row.pk}/no-hearing/", {**ended, "why": "no-rights"})
    row.refresh_from_db()
    assert (row.state, open_cases(made.id)) == ("no-hearing", [])


def test_no_row_is_over_without_a_reason(family: tuple[Student, Person], sealed: Arrive) -> None:
    row = of(family, sealed(seconds=1).id, state=A.REFUSED)
    with pytest.raises(IntegrityError):
        Amendment.objects.filter(pk=row.pk).update(state="no-hearing")


def amended(family: tuple[Student, Person], recording: str, by: User) -> Amendment:
    """An amendment that a hearing refused, with the statement placed."""
    student, mother = family
    row = deeds.ask_amendment(
        student,
        mother,
        Recording.objects.get(pk=recording),
        text="I never said that",
        received_on=timezone.localdate(),
        by=by,
    )
    deeds.decide(row.pk, AmendmentState.REFUSED, "it is what was said", 0, by=by, hearing_days=30)
    with pytest.raises(DeedError, match="after a hearing"):
        deeds.place_statement(row.pk, "early", by=by)
    with pytest.raises(DeedError, match="officer"):
        deeds.decide(row.pk, AmendmentState.HEARING, "", 1, by=by)
    today = timezone.localdate()
    deeds.decide(row.pk, AmendmentState.HEARING, "", 1, by=by, hearing_on=today, officer="Dr. Lee")
    deeds.decide(row.pk, AmendmentState.HEARING_REFUSED, "not amended", 2, by=by)
    deeds.place_statement(row.pk, "What I meant was another thing.", by=by)
    return row


def test_the_statement_travels_with_every_later_copy(
    archive: Archive, custodian_: User, family: tuple[Student, Person], sealed: Arrive
) -> None:
    made = sealed(seconds=2)
    make_filing(made.id, make_meeting(family[0]))
    client = signed_in(archive, "reader", role="custodian")
    plain = client.get(f"/recordings/{made.id}/audio.flac").getvalue()
    assert plain[:4] == b"fLaC"
    amended(family, made.id, custodian_)
    for name, begin in (("audio.flac", b"fLaC"), ("package.zip", b"PK")):
        answer = client.get(f"/recordings/{made.id}/{name}")
        assert answer.headers["Content-Type"] == "application/zip"
        with zipfile.ZipFile(io.BytesIO(answer.getvalue())) as copy:
            assert copy.testzip() is None
            held = {one: copy.read(one) for one in copy.namelist()}
        assert b"What I meant was another thing." in held["statement-1.txt"]
        assert b"written consent" in held["NOTICE.txt"]
        (whole,) = [data for one, data in held.items() if one.startswith(made.id)]
        assert whole[:4] == plain[:4] if name == "audio.flac" else whole[:2] == begin
    assert [one.member("documents") for one in entries(made.id) if one.code.startswith("download-")] == [
        None,
        1,
        1,
    ]


def test_a_hearing_is_moved_and_its_earlier_day_stays_told(
    archive: Archive, custodian_: User, family: tuple[Student, Person], sealed: Arrive
) -> None:
    """34 CFR 99.22(b): the parent gets notice of date and place; a wrong day is corrected."""
    today = timezone.localdate()
    row = of(family, sealed(seconds=1).id, state=A.REFUSED, decided_at=timezone.now(), hearing_days=30)
    client, there = signed_in(archive, "reader", role="custodian"), f"/amendments/{row.pk}/"
    typed = {"state": "hearing", "officer": "Dr. Lee"}
    days = [today + timedelta(days=400), today]
    for version, on in enumerate(days):
        sent = {**typed, "hearing_on": on.isoformat(), "version": str(version), "once": str(version) * 32}
        assert client.post(f"{there}step/", sent).status_code == 302
    page = check(client.get(there).content.decode()).text
    assert f"(before: {words.day(days[0])})" in page
    same = client.post(f"{there}step/", {**sent, "version": "2", "once": "c" * 32})
    assert "that day and that officer already" in same.content.decode()
    told = [one.member("hearing_on") for one in Entry.objects.filter(code="amendment-step").order_by("n")]
    assert told == [one.isoformat() for one in days]
    assert deeds.decide(row.pk, A.HEARING_AMENDED, "x", 2, by=custodian_).state == A.HEARING_AMENDED


@pytest.mark.parametrize("then", [A.HEARING_AMENDED, A.HEARING_REFUSED])
def test_a_hearing_has_no_outcome_before_its_day(
    custodian_: User, family: tuple[Student, Person], sealed: Arrive, then: AmendmentState
) -> None:
    """34 CFR 99.22(f): the decision is based on the evidence that was presented there."""
    tomorrow = timezone.localdate() + timedelta(days=1)
    row = of(family, sealed(seconds=1).id, state=A.HEARING, hearing_on=tomorrow, hearing_officer="Dr. Lee")
    with pytest.raises(DeedError, match="no outcome before"):
        deeds.decide(row.pk, then, "x", 0, by=custodian_)
    Amendment.objects.update(hearing_on=timezone.localdate())
    assert deeds.decide(row.pk, then, "x", 0, by=custodian_).state == then


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        (("hearing-amended", "en"), "After it, we decided to amend the record"),
        (("hearing-amended", "es"), "Después de ella, decidimos enmendar el expediente"),
        (("hearing-refused", "en"), "You have the right to place a statement with the record"),
        (("hearing-refused", "es"), "Usted tiene derecho a agregar una declaración al expediente"),
    ],
)
def test_the_outcome_of_a_hearing_is_told_in_writing(
    archive: Archive, family: tuple[Student, Person], sealed: Arrive, outcome: tuple[str, str], words: str
) -> None:
    """34 CFR 99.21(b)(1)(ii) and (2), 300.620: of the amendment, or of the right to a statement."""
    state, language = outcome
    family[1].language = language
    family[1].save()
    row = of(family, sealed(seconds=1).id, state=A.HEARING, hearing_on=date(2026, 11, 20), hearing_officer="Dr. Lee")
    client, there = signed_in(archive, "reader", role="custodian"), f"/amendments/{row.pk}/"
    typed = {"state": state, "words": "Two witnesses said so.", "version": "0", "once": "a" * 32}
    refused = client.post(f"{there}step/", typed)
    assert (refused.status_code, "Nobody approved a text" in refused.content.decode()) == (422, True)
    row.refresh_from_db()
    assert row.state == "hearing", "nothing is decided of which the parent could not be told"
    director = make_user("director", role="custodian")
    for text in Template.objects.all():
        approve_text(text.pk, by=director)
    page = client.post(f"{there}step/", {**typed, "once": "b" * 32}, follow=True)
    assert "Deliver its letter" in check(page.content.decode()).text
    letter = Letter.objects.get()
    assert (letter.person, letter.about_id) == (family[1], str(row.pk))
    assert words in letter.body
    assert "Two witnesses said so." in letter.body
    assert ("was held on Nov. 20" if language == "en" else "se celebró el 20 de noviembre") in letter.body
    assert letter.subject in check(client.get(there).content.decode()).text


def test_an_amendment_of_somebody_who_is_barred_is_refused_without_a_letter(
    archive: Archive, family: tuple[Student, Person], sealed: Arrive
) -> None:
    case = Amendment.objects.create(
        student=family[0], person=family[1], recording_id=sealed(seconds=1).id, received_on=date(2026, 1, 5), text="x"
    )
    make_bar(family[1], family[0])
    typed = {"state": "refused", "words": "it is right", "hearing_days": "30", "version": "0", "once": "a" * 32}
    there = f"/amendments/{case.pk}/step/"
    answer = signed_in(archive, "reader", role="custodian").post(there, typed, follow=True)
    assert "No letter goes to Rosa Torres" in check(answer.content.decode()).text
    case.refresh_from_db()
    assert (case.state, Letter.objects.count()) == ("refused", 0)


def held_in(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as copy:
        return {one: copy.read(one) for one in copy.namelist()}


def test_a_statement_goes_with_the_part_that_it_relates_to_and_to_no_other_family(
    archive: Archive, custodian_: User, family: tuple[Student, Person], sealed: Arrive
) -> None:
    """34 CFR 99.21(c)(2), 99.12(a): what Ana's mother wrote is not for whoever hears Ben's part alone."""
    made, ben = sealed(seconds=2), make_student("Ben", "Ito")
    rate = Recording.objects.get(pk=made.id).rate
    make_filing(made.id, make_meeting(family[0]), last_frame=rate)
    make_filing(made.id, make_meeting(ben), first_frame=rate)
    amended(family, made.id, custodian_)
    said = "What I meant was another thing."
    seen, copied = {}, {}
    for student in (family[0], ben):
        user = make_user(f"teacher.{student.given_name}")
        grant_student(user, student, Deed.LOOK, Deed.LISTEN, Deed.DOWNLOAD)
        client = archive.client()
        client.force_login(user)
        seen[student.given_name] = said in check(client.get(f"/recordings/{made.id}/").content.decode()).text
        data = client.get(f"/recordings/{made.id}/audio.flac").getvalue()
        copied[student.given_name] = data[:2] == b"PK" and said.encode() in held_in(data)["statement-1.txt"]
    assert seen == {"Ana": True, "Ben": False}
    assert copied == {"Ana": True, "Ben": False}
    assert "statement-1.txt" in held_in(
        signed_in(archive, "reader", role="custodian").get(f"/recordings/{made.id}/package.zip").getvalue()
    ), "with all of it each statement goes along"


def test_the_day_on_a_statement_is_the_sites(
    archive: Archive, custodian_: User, family: tuple[Student, Person], sealed: Arrive
) -> None:
    made = sealed(seconds=1)
    amended(family, made.id, custodian_)
    row = Recording.objects.get(pk=made.id)
    evening = timezone.localtime().replace(hour=22, minute=30)
    Statement.objects.update(placed_at=evening)
    (statement,) = companions_of(row, None)
    assert f"placed {evening:%Y-%m-%d}" in str(statement.text)
