"""Rosters: a dry run first, the same file twice changes nothing, nothing is deleted, corrections are kept."""

from __future__ import annotations

import contextlib
import io
import re
import zipfile
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.access.deeds import Deed
from archive.accounts.models import User
from archive.custody.models import Entry
from archive.records.errors import DeedError
from archive.records.people import deeds
from archive.records.people.import_deeds import look_at, take_in
from archive.records.people.models import ImportRun, Person, Right, RightKind, School, Student
from archive.records.people.roster import MAX_BYTES, read_roster
from tests.archive.page_fixtures import make_user, signed_in
from tests.support.archives import Archive

HEAD = (
    "student_id,given_name,family_name,birth_date,school,parent_id,parent_given_name,parent_family_name,"
    "parent_email,parent_phone,parent_language,relation\n"
)
PLAIN = (
    HEAD + "1,Ana,Torres,2015-05-31,Lincoln,P1,Rosa,Torres,rosa@example.org,555-0100,es,parent\n"
    "1,Ana,Torres,2015-05-31,Lincoln,P2,Luis,Torres,,,en,guardian\n2,Ben,Ash,,,,,,,,,\n"
)


def one_roster(version: str = "1.1", **tables: str) -> bytes:
    users = "sourcedId,status,orgSourcedIds,role,givenName,familyName,identifier,email,sms,phone,agentSourcedIds\n"
    base = {
        "manifest": "propertyName,value\nmanifest.version,1.0\n",
        "orgs": "sourcedId,status,name,type\no1,active,Lincoln,school\nd1,active,District,district\n",
        "users": users
        + "s1,active,o1,student,Ana,Torres,S-17,,,,p1\n"
        + "p1,active,o1,parent,Rosa,Torres,,rosa@example.org,,555-0100,\n"
        + "t1,active,o1,teacher,Mara,Jones,,,,,\n"
        + "s9,tobedeleted,o1,student,Gone,Away,,,,,\n",
        "demographics": "sourcedId,status,birthDate\ns1,active,2015-05-31\n",
    }
    if version == "1.2":
        base["users"] = (
            "sourcedId,status,givenName,familyName,identifier,email,sms,phone,agentSourcedIds\n"
            "s1,,Ana,Torres,S-17,,,,p1\np1,,Rosa,Torres,,rosa@example.org,,555-0100,\nt1,,Mara,Jones,,,,,\n"
        )
        base["roles"] = (
            "sourcedId,status,userSourcedId,roleType,role,orgSourcedId\n"
            "r1,,s1,primary,student,o1\nr2,,p1,primary,parent,o1\nr3,,t1,primary,teacher,o1\n"
        )
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name, text in {**base, **tables}.items():
            archive.writestr(f"export/{name}.csv", text)
    return data.getvalue()


@pytest.fixture
def registrar(archive: Archive) -> User:
    return make_user("registrar", Deed.CORRECT)


def import_(data: bytes | str, by: User) -> ImportRun:
    run, _ = look_at(data.encode() if isinstance(data, str) else data, by=by)
    return take_in(run.pk, by=by)


def test_a_dry_run_changes_nothing(registrar: User) -> None:
    run, found = look_at(PLAIN.encode(), by=registrar)
    assert (run.added, run.taken_at, Student.objects.count(), len(found.students.added)) == (7, None, 0, 2)


def test_a_plain_roster_brings_students_parents_and_rights(registrar: User) -> None:
    import_(PLAIN, registrar)
    ana = Student.objects.get(source_id="1")
    assert (str(ana), str(ana.school), str(ana.birth_date)) == ("Ana Torres", "Lincoln", "2015-05-31")
    assert {(str(one.person), one.kind) for one in ana.rights.all()} == {
        ("Rosa Torres", RightKind.PARENT),
        ("Luis Torres", RightKind.GUARDIAN),
    }
    assert Person.objects.get(source_id="P1").language == "es"
    entry = Entry.objects.get(code="import")
    assert (entry.member("added"), entry.member("source")) == (7, "csv")
    assert "Torres" not in entry.detail


@pytest.mark.parametrize("data", [PLAIN.encode(), one_roster(), one_roster("1.2")], ids=["csv", "1.1", "1.2"])
def test_the_same_roster_twice_changes_nothing(registrar: User, data: bytes) -> None:
    import_(data, registrar)
    before = [list(table.objects.order_by("pk").values()) for table in (School, Student, Person, Right)]
    run = import_(data, registrar)
    assert (run.added, run.changed, run.kept, run.missing) == (0, 0, 0, 0)
    assert [list(table.objects.order_by("pk").values()) for table in (School, Student, Person, Right)] == before


@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_one_roster_brings_schools_birth_dates_agents_and_staff(registrar: User, version: str) -> None:
    import_(one_roster(version), registrar)
    (ana,) = Student.objects.all()
    assert (str(ana), ana.local_id, str(ana.school), str(ana.birth_date)) == (
        "Ana Torres",
        "S-17",
        "Lincoln",
        "2015-05-31",
    )
    assert [str(one.person) for one in ana.rights.all()] == ["Rosa Torres"]
    assert Person.objects.get(source_id="t1").position == "teacher"
    assert School.objects.count() == 1


def test_nothing_is_deleted(registrar: User) -> None:
    import_(PLAIN, registrar)
    run = import_(HEAD + "2,Ben,Ash,,,,,,,,,\n", registrar)
    assert run.missing == 4
    assert (Student.objects.count(), Person.objects.count(), Right.objects.count()) == (2, 2, 2)


def test_whom_a_roster_no_longer_names_is_shown_and_keeps_the_rights(registrar: User) -> None:
    import_(PLAIN, registrar)
    ana = Student.objects.get(source_id="1")
    without = "\n".join(line for line in PLAIN.splitlines() if "Luis" not in line) + "\n"
    _, found = look_at(without.encode(), by=registrar)
    assert [(one.student, one.person, one.ground, one.pk) for one in found.gone] == [
        ("Ana Torres", "Luis Torres", "legal guardian", ana.pk)
    ]
    assert found.persons.missing == ["Luis Torres"]
    import_(without, registrar)
    assert ana.rights.filter(valid_to=None).count() == 2
    Right.objects.filter(person__given_name="Luis").update(valid_to=Right.objects.all()[0].valid_from)
    assert look_at(without.encode(), by=registrar)[1].gone == [], "a person has ended them"


@pytest.mark.parametrize("ended", ["the right", "by majority"])
def test_a_roster_gives_back_no_right_that_a_person_ended(registrar: User, ended: str) -> None:
    """34 CFR 99.4, 99.5: whoever holds rights is decided by people, not by a roster."""
    import_(PLAIN, registrar)
    rosa = Right.objects.get(person__given_name="Rosa")
    if ended == "the right":
        Right.objects.filter(pk=rosa.pk).update(valid_to=rosa.valid_from)
    else:
        Student.objects.filter(source_id="1").update(rights_decided_on=rosa.valid_from, rights_decision="18")
    again = PLAIN.replace("es,parent", "es,guardian")
    run, found = look_at(again.encode(), by=registrar)
    assert [(one.student, one.person, one.ground) for one in found.withheld] == [
        ("Ana Torres", "Rosa Torres", "legal guardian")
    ]
    assert (found.given, run.added, run.kept) == ([], 0, 1)
    import_(again, registrar)
    assert not Right.objects.filter(person__given_name="Rosa", kind=RightKind.GUARDIAN).exists()


@pytest.mark.parametrize("name", ["given_name", "family_name", "student_id", "parent_id", "parent_phone", "school"])
def test_a_cell_that_no_table_holds_costs_its_own_row(registrar: User, name: str) -> None:
    """PostgreSQL refuses what is longer than its column, with all of the file: the dry run says so before."""
    columns = HEAD.strip().split(",")
    row = ["9", "Cy", "Ash", "", "Lincoln", "P9", "Kim", "Ash", "", "555", "en", "parent"]
    row[columns.index(name)] = "x" * 300
    _, found = look_at(f"{PLAIN}{','.join(row)}\n".encode(), by=registrar)
    (problem,) = found.roster.problems
    assert problem.words.startswith(f"{name} is longer than")
    assert set(found.students.added) == {"1", "2"}


def test_a_field_of_a_row_that_is_let_through_fits_its_column(registrar: User) -> None:
    longest = ["9" * 60, "g" * 100, "f" * 100, "", "s" * 200, "p" * 200, "G" * 100, "F" * 100, "", "5" * 40, "en", ""]
    import_(f"{HEAD}{','.join(longest)}\n", registrar)
    for row in (*Student.objects.all(), *Person.objects.all(), *School.objects.all()):
        row.clean_fields(exclude=["corrected", "rights_decision", "source", "user"])


def test_a_dry_run_names_whom_it_gives_rights(archive: Archive, registrar: User) -> None:
    run, found = look_at(PLAIN.encode(), by=registrar)
    assert {(one.student, one.person, one.ground) for one in found.given} == {
        ("Ana Torres", "Rosa Torres", "parent"),
        ("Ana Torres", "Luis Torres", "legal guardian"),
    }
    client = archive.client()
    client.force_login(registrar)
    page = client.get(f"/rosters/{run.pk}/").content.decode()
    assert "Ana Torres: Luis Torres, legal guardian" in page


def test_what_people_corrected_is_kept(registrar: User) -> None:
    import_(PLAIN, registrar)
    ana = Student.objects.get(source_id="1")
    deeds.correct_student(ana.pk, {"given_name": "Anna"}, ana.version, by=registrar)
    run = import_(PLAIN.replace("Ana", "Hannah").replace("2015-05-31", "2015-06-01"), registrar)
    ana.refresh_from_db()
    assert (ana.given_name, str(ana.birth_date), run.changed, run.kept) == ("Anna", "2015-06-01", 1, 1)


def test_a_file_is_taken_in_once(registrar: User) -> None:
    run, _ = look_at(PLAIN.encode(), by=registrar)
    take_in(run.pk, by=registrar)
    with pytest.raises(DeedError, match="already"):
        take_in(run.pk, by=registrar)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"\xff\xfe\x00", "UTF-8"),
        (b"", "student_id"),
        (b"name\nAna\n", "student_id"),
        (HEAD.encode().replace(b"school", b"skool"), "skool"),
        (b"PK\x03\x04nothing", "ZIP"),
        (one_roster(users=""), "sourcedId"),
        (b"a\0b", "text"),
        (b"x" * (MAX_BYTES + 1), "MB"),
    ],
    ids=["utf16", "empty", "column", "misspelled", "zip", "users", "binary", "large"],
)
def test_a_file_that_is_no_roster_is_refused_with_the_remedy(data: bytes, told: str) -> None:
    with pytest.raises(DeedError, match=told):
        read_roster(data)


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("3,,Ash,,,,,,,,,", "given_name"),
        (",Ann,Ash,,,,,,,,,", "student_id"),
        ("3,Ann,Ash,31.5.2015,,,,,,,,", "2010-05-31"),
        ("3,Ann,Ash,1815-05-31,,,,,,,,", "birth date"),
        ("3,An\u202en,Ash,,,,,,,,,", "U\\+202E"),
        ("3,Ann,Ash,,,P9,Pat,Ash,,,fr,", "parent_language"),
        ("3,Ann,Ash,,,P9,Pat,Ash,,,,uncle", "relation"),
        ("3,Ann,Ash,,,P9,,Ash,,,,", "parent_given_name"),
        ("3," + "A" * 501 + ",Ash,,,,,,,,,", "longer"),
        ("1,Other,Torres,,,,,,,,,", "other data"),
    ],
)
def test_a_row_that_makes_no_sense_costs_itself_alone(row: str, told: str) -> None:
    roster = read_roster((PLAIN + row + "\n").encode())
    assert len(roster.students) >= 2
    (problem,) = roster.problems
    assert problem.where == "the file, line 5"
    assert re.search(told, problem.words)


def test_a_formula_is_text_and_the_guard_of_an_earlier_export_is_taken_off() -> None:
    roster = read_roster((HEAD + "3,'=1+1,Ash,,,,,,,,,\n").encode())
    assert roster.students["3"].given_name == "=1+1"


@given(st.binary(max_size=200))
def test_no_bytes_break_the_reader(data: bytes) -> None:
    with contextlib.suppress(DeedError):
        assert read_roster(data).source in {"csv", "oneroster"}


def test_the_pages_show_the_difference_and_take_it_in(archive: Archive) -> None:
    client = signed_in(archive, "registrar", Deed.CORRECT, Deed.PEOPLE)
    file: Any = io.BytesIO(PLAIN.encode())
    file.name = "roster.csv"
    answer = client.post("/rosters/", {"file": file, "once": "a" * 32})
    assert answer.status_code == 302
    shown = client.get(answer.headers["Location"]).content.decode()
    assert "2 new" in shown
    assert Student.objects.count() == 0
    done = client.post(answer.headers["Location"], {"once": "b" * 32}, follow=True).content.decode()
    assert "The roster was taken in." in done
    assert Student.objects.count() == 2
