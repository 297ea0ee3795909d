"""What is past and settled costs a page nothing: the database does as little for it among many rows as among few.

Counting queries does not tell that: one that looks through a whole table is one query.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, timedelta
from functools import partial
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from appliance.contract.stop_signal import StopSignal
from archive.access.deeds import ROLES, Deed
from archive.recordings.models import Recording, Verification
from archive.records.incidents.look_deeds import look_again
from archive.records.meetings.models import Filing, Meeting, Notice
from archive.records.people.models import Student
from tests.archive.page_fixtures import Arrive, make_user
from tests.archive.records.factories import grant_student, make_room
from tests.support.archives import Archive

STEPS = 20
"""SQLite is asked how far it is after so many instructions of its machine."""
PAGES = {
    "custodian": ("/today/", "/meetings/", "/tray/", "/recordings/", "/students/"),
    # the list of recordings is looked through as far as the facilitator's students go
    "facilitator": ("/today/", "/meetings/", "/students/", "/my-rooms/"),
}


def work(ask: Callable[[], object]) -> int:
    """What the database did: SQLite's instructions, or the rows that PostgreSQL read where it could use an index."""
    if connection.vendor == "sqlite":
        steps = 0

        def count() -> None:
            nonlocal steps
            steps += STEPS

        connection.ensure_connection()
        connection.connection.set_progress_handler(count, STEPS)
        try:
            ask()
        finally:
            connection.connection.set_progress_handler(None, 0)
        return steps
    with CaptureQueriesContext(connection) as asked:
        ask()
    return sum(rows_read(one["sql"]) for one in asked.captured_queries if one["sql"].startswith("SELECT"))


def rows_read(sql: str) -> int:
    with transaction.atomic(), connection.cursor() as cursor:
        # so small a table is read whole by choice
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}")
        (found,) = cursor.fetchone()
    plans = found if isinstance(found, list) else json.loads(found)
    return sum(_read(one["Plan"]) for one in plans)


def _read(plan: dict[str, Any]) -> int:
    rows = plan["Actual Rows"] + plan.get("Rows Removed by Filter", 0)
    return int(rows * plan["Actual Loops"]) + sum(_read(one) for one in plan.get("Plans", []))


def settle(made: str, students: list[Student], first: int, last: int) -> None:
    """Make so many meetings of years ago that a parent recorded, each with its recording, checked and found sound."""
    row, room, now = Recording.objects.get(pk=made), make_room(), timezone.now()
    recordings, meetings, filings, checks, notices = [], [], [], [], []
    for number in range(first, last):
        at, student = now - timedelta(days=400, minutes=50 * number), students[number % len(students)]
        copy = Recording(**{field.attname: getattr(row, field.attname) for field in Recording._meta.concrete_fields})
        copy.pk, copy.room_id = f"{number:032x}", room.pk
        copy.created_at = copy.arrived_at = copy.listed_at = at
        recordings.append(copy)
        said = {"kind": "iep", "parent_records": "yes" if number % 2 else "", "room": room}
        meeting = Meeting(student=student, starts_at=at, ends_at=at + timedelta(hours=1), **said)
        meetings.append(meeting)
        filings.append(Filing(recording=copy, meeting=meeting, filed_at=at, confirmed_at=at))
        notices.append(Notice(student=student, meeting=meeting, received_at=at, meeting_at=at))
        found = {"asked_at": at, "asked_by_type": "archive", "finished_at": at, "verdict": "intact"}
        checks.append(Verification(recording=copy, package_sha256=row.package_sha256, **found))
    grown = [
        Student(given_name="Ana", family_name=f"Torres{number}", birth_date=date(2001, 5, 31), rights_decided_on=now)
        for number in range(first, last)
    ]
    Recording.objects.bulk_create(recordings)
    Meeting.objects.bulk_create(meetings)
    Filing.objects.bulk_create(filings)
    Notice.objects.bulk_create(notices)
    Verification.objects.bulk_create(checks)
    Student.objects.bulk_create(grown)
    look_again(StopSignal())
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")


@pytest.mark.both_engines
@pytest.mark.parametrize("role", ["custodian", "facilitator"])
def test_what_is_settled_costs_a_page_nothing(archive: Archive, sealed: Arrive, role: str) -> None:
    made, by = sealed(seconds=1).id, make_user("m.jones", *ROLES[role])
    students = [
        Student.objects.create(given_name="Ben", family_name="Lee", birth_date=date(2015, 5, 31)) for _ in range(9)
    ]
    if role == "facilitator":
        for student in students:
            grant_student(by, student, Deed.LIST, Deed.LOOK)
    client = archive.client()
    client.force_login(by)
    assert {page: client.get(page).status_code for page in PAGES[role]} == dict.fromkeys(PAGES[role], 200)
    costs = []
    # a list counts no further than a thousand
    for first, last in ((0, 1100), (1100, 2600)):
        settle(made, students, first, last)
        costs.append({page: work(partial(client.get, page)) for page in PAGES[role]})
    few, many = costs
    # a row that is looked at costs SQLite ten instructions and more, and PostgreSQL one row of its own
    more = 5 * 1500 if connection.vendor == "sqlite" else 500
    assert {page: (few[page], many[page]) for page in PAGES[role] if many[page] > few[page] + more} == {}


def test_a_query_that_reads_a_table_is_told_from_one_that_does_not(archive: Archive, sealed: Arrive) -> None:
    students = [Student.objects.create(given_name="Ben", family_name="Lee")]
    settle(sealed(seconds=1).id, students, 0, 300)
    rows = Meeting.objects.values_list("pk", flat=True)
    assert work(lambda: list(rows.filter(starts_at__gt=timezone.now()))) < 300
    assert work(lambda: list(rows.filter(place="nowhere"))) >= 300
