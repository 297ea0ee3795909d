"""Public lists: made from rows, published by a person, and never more than the law asks to show."""

from __future__ import annotations

import csv
import io
import secrets
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from archive.access.deeds import Deed
from archive.access.models import Grant
from archive.accounts.models import User
from archive.custody.models import Entry
from archive.records.errors import DeedError, UnknownRecordError
from archive.records.letters.deeds import approve_text
from archive.records.letters.models import Letter, LetterKind, Template
from archive.records.people.models import PersonKind
from archive.records.public_lists import deeds
from archive.records.public_lists.custody_kinds import lists_that_differ
from archive.records.public_lists.models import Holding, Publication
from archive.records.public_lists.rules import IDENTIFYING, ListKind, Table, as_csv, read_table
from archive.records.public_lists.tables import members, table_of
from tests.archive.page_fixtures import make_user, signed_in
from tests.archive.pages import check
from tests.archive.records.factories import grant_student, make_person, make_student
from tests.support.archives import Archive


@pytest.fixture
def ann(archive: Archive) -> User:
    return make_user("ann", Deed.PUBLISH, Deed.LISTS, Deed.LETTERS)


def names() -> list[str]:
    return [str(one.user) for one in members()]


def test_who_may_see_a_name_stands_on_the_list_and_a_parent_does_not(archive: Archive) -> None:
    """34 CFR 300.623(d): employees who may have access to personally identifiable information."""
    student = make_student()
    for deed in Deed:
        make_user(f"only-{deed}", deed)
    teacher, parent = make_user("teacher"), make_user("mother")
    grant_student(teacher, student, Deed.LISTEN)
    grant_student(parent, student, Deed.OWN, Deed.LOOK, Deed.LISTEN)
    assert names() == sorted([*(f"only-{deed}" for deed in IDENTIFYING), "teacher"])
    # a parent who is also a teacher of another student is an employee all the same
    grant_student(parent, make_student("Ben"), Deed.LISTEN)
    assert "mother" in names()


def test_access_and_accounts_that_ended_leave_the_list(archive: Archive) -> None:
    make_user("left", Deed.PEOPLE)
    make_user("once", Deed.PEOPLE)
    assert names() == ["left", "once"]
    User.objects.filter(username="left").update(active_until=timezone.now())
    Grant.objects.filter(user__username="once").update(valid_until=timezone.now())
    assert names() == []


def test_a_position_comes_from_what_is_known_and_the_newest_counts(ann: User) -> None:
    teacher = make_user("teacher", Deed.PEOPLE)
    make_person("Tea", user=teacher, kind=PersonKind.STAFF, position="From the roster")

    def position() -> str:
        return next(one.position for one in members() if one.user == teacher)

    assert position() == "From the roster"
    now = timezone.now() - timedelta(hours=1)
    Grant.objects.create(user=teacher, deed=Deed.LISTEN, position="From a grant", trained_on=now.date(), valid_from=now)
    assert position() == "From a grant"
    deeds.enter_position(teacher.pk, "Special education teacher", by=ann)
    assert position() == "Special education teacher"
    (entry,) = Entry.objects.filter(code="position")
    assert "teacher" not in entry.detail


def test_training_is_what_a_grant_says_or_what_was_entered_and_the_last_counts(ann: User) -> None:
    teacher, today = make_user("teacher", Deed.PEOPLE), timezone.localdate()
    assert any("No training of teacher" in gap for gap in table_of(ListKind.TRAINING).gaps)
    deeds.enter_training(teacher.pk, today - timedelta(days=30), "FERPA", by=ann)
    with pytest.raises(DeedError, match="entered already"):
        deeds.enter_training(teacher.pk, today - timedelta(days=30), "FERPA", by=ann)
    Grant.objects.create(user=teacher, deed=Deed.LISTEN, trained_on=today)
    rows = {row[0]: row[2:] for row in table_of(ListKind.TRAINING).rows}
    assert rows["teacher"] == (today.isoformat(), "")
    with pytest.raises(UnknownRecordError):
        deeds.enter_training(make_user("nobody").pk, today, "FERPA", by=ann)


def test_nothing_is_published_while_something_is_missing_or_nothing_changed(ann: User) -> None:
    with pytest.raises(DeedError, match="where the records of this archive are"):
        deeds.publish(ListKind.RECORDS, by=ann)
    deeds.enter_holding("", "Server room", "Custodian", by=ann)
    made = deeds.publish(ListKind.RECORDS, by=ann)
    with pytest.raises(DeedError, match="Nothing has changed"):
        deeds.publish(ListKind.RECORDS, by=ann)
    deeds.enter_holding("", "Another room", "Custodian", by=ann)
    deeds.publish(ListKind.RECORDS, by=ann)
    assert Holding.objects.filter(own=True, ended_at=None).get().location == "Another room"
    made.refresh_from_db()
    assert "Server room" in made.content, "what was published stays what it was"
    assert list(lists_that_differ()) == []
    Publication.objects.filter(pk=made.pk).update(content="[]")
    assert [str(made.pk) in one for one in lists_that_differ()] == [True]


def test_a_type_of_records_is_entered_moved_and_taken_off(ann: User) -> None:
    deeds.enter_holding("Papers", "Office", "Secretary", by=ann)
    with pytest.raises(DeedError, match="says this already"):
        deeds.enter_holding("Papers", "Office", "Secretary", by=ann)
    moved = deeds.enter_holding("papers", "Cellar", "Secretary", by=ann)
    assert [row[2] for row in table_of(ListKind.RECORDS).rows if row[0] == "papers"] == ["Cellar"]
    deeds.end_holding(moved.pk, by=ann)
    with pytest.raises(DeedError, match="already"):
        deeds.end_holding(moved.pk, by=ann)
    own = deeds.enter_holding("", "Server room", "Custodian", by=ann)
    with pytest.raises(UnknownRecordError):
        deeds.end_holding(own.pk, by=ann)


def test_the_annual_notice_names_positions_and_no_person_in_both_languages(ann: User) -> None:
    teacher = make_user("t.teacher", Deed.PEOPLE)
    deeds.enter_position(teacher.pk, "Special education teacher", by=ann)
    assert len(table_of(ListKind.NOTICE).gaps) == 2
    for text in Template.objects.filter(kind=LetterKind.ANNUAL_NOTICE):
        approve_text(text.pk, by=ann)
    table = table_of(ListKind.NOTICE)
    assert (table.gaps, [row[0] for row in table.rows]) == ((), ["en", "es"])
    for _language, _heading, merged in table.rows:
        assert "Special education teacher" in merged
        assert "t.teacher" not in merged
        assert "{{" not in merged


def test_an_answer_to_the_public_cites_the_closure_and_names_nobody(archive: Archive) -> None:
    client = signed_in(archive, "director", role="custodian")
    for text in Template.objects.filter(kind=LetterKind.PUBLIC_RECORDS):
        approve_text(text.pk, by=User.objects.get(username="director"))
        assert "610.021(6)" in text.body
        assert "student }}" not in text.body
    typed = {"recipient": "The Gazette", "received_on": timezone.localdate().isoformat(), "language": "en"}
    form = {**typed, "asked": "All recordings of <b>meetings</b>", "once": secrets.token_hex(16)}
    places = {client.post("/lists/answers/new/", form).headers["Location"] for _ in range(2)}
    letter = Letter.objects.get()
    assert places == {f"/letters/{letter.pk}/"}
    assert (letter.student, letter.person) == (None, None)
    for words in ("The Gazette", "610.021(6)", "does not say whether there is any record"):
        assert words in letter.body
    page = check(client.get(f"/letters/{letter.pk}/").content.decode())
    assert "<b>meetings</b>" in page.text
    wrong = client.post("/lists/answers/new/", {**form, "received_on": "2199-01-01", "once": secrets.token_hex(16)})
    assert wrong.status_code == 422
    assert "still to come" in check(wrong.content.decode()).text


def test_files_are_what_was_published_and_each_is_in_the_log(archive: Archive, ann: User) -> None:
    client = archive.client()
    client.force_login(ann)
    for address in ("/lists/records/list.csv", "/lists/records/list.pdf"):
        assert client.get(address).headers["Location"] == "/lists/records/"
    assert not Entry.objects.filter(code="list-file").exists()
    deeds.enter_holding("", "Server room", "Custodian", by=ann)
    deeds.enter_holding("=HYPERLINK(1)", "@cell", "+1", by=ann)
    deeds.publish(ListKind.RECORDS, by=ann)
    deeds.enter_holding("", "Elsewhere", "Custodian", by=ann)
    answer = client.get("/lists/records/list.csv")
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert ["'=HYPERLINK(1)", "", "'@cell", "'+1"] in rows
    assert "Server room" in answer.content.decode()
    assert "Elsewhere" not in answer.content.decode()
    assert client.get("/lists/records/list.pdf").content.startswith(b"%PDF")
    assert Entry.objects.filter(code="list-file").count() == 2
    assert "changed since" in check(client.get("/lists/records/").content.decode()).text


@given(st.lists(st.tuples(st.text(), st.text())))
def test_no_cell_is_a_formula_and_what_is_published_reads_back(rows: list[tuple[str, str]]) -> None:
    table = Table(("a", "b"), tuple(rows))
    assert read_table(table.canonical()).rows == table.rows
    for row in csv.reader(io.StringIO(as_csv(table), newline="")):
        assert not any(one.startswith(("=", "+", "-", "@", "\t", "\r")) for one in row)


@pytest.mark.parametrize(("role", "opens", "publishes"), [("auditor", 200, 403), ("facilitator", 403, 403)])
def test_an_auditor_reads_the_lists_and_only_a_custodian_publishes(
    archive: Archive, role: str, opens: int, publishes: int
) -> None:
    client: Any = signed_in(archive, role, role=role)
    assert client.get("/lists/training/").status_code == opens
    assert client.post("/lists/records/publish/", {}).status_code == publishes


def test_an_unknown_list_is_not_there(archive: Archive, ann: User) -> None:
    client = archive.client()
    client.force_login(ann)
    assert client.get("/lists/secrets/").status_code == 404
