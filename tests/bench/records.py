"""What a district's records cost: a roster taken in, and each list and search among many recordings and students.

usage: ./deploy/bench --records [--students 20000] [--recordings 100000] [--hours 3] [--json]
"""

# ruff: noqa: PLC0415 - models can be imported only after Django is set up

from __future__ import annotations

import argparse
import gc
import json
import shutil
import statistics
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

from tests.bench.reading import put_into, timed
from tests.support.archives import Archive, archive_in

LOOKS = 40
"""How often each page is asked for."""
BATCH = 2000
"""Rows that are made in one transaction."""
SEEKS = 20
"""How many places of the long recording are sought."""


def roster(students: int) -> bytes:
    """A roster of so many students with a parent each, in twenty schools, with names as common as they are."""
    head = (
        "student_id,given_name,family_name,birth_date,school,parent_id,parent_given_name,parent_family_name,relation\n"
    )
    lines = [
        f"{n},Given{n % 400},Family{n % 3000},20{10 + n % 9}-03-0{1 + n % 9},School {n % 20},p{n},Pat{n % 400},"
        f"Family{n % 3000},parent\n"
        for n in range(students)
    ]
    return (head + "".join(lines)).encode()


def imported(students: int, by: Any) -> dict[str, Any]:
    """Look at a roster, take it in, and do both again."""
    from archive.records.people.import_deeds import look_at, take_in
    from archive.records.people.models import Student

    data = roster(students)
    results: dict[str, Any] = {"students": students, "roster_mb": round(len(data) / 1e6, 1)}
    began = time.perf_counter()
    run, _ = look_at(data, by=by)
    results["import_look_s"] = round(time.perf_counter() - began, 1)
    results["import_take_in_s"] = round(timed(lambda: take_in(run.pk, by=by)), 1)
    assert Student.objects.count() == students
    began = time.perf_counter()
    # one byte more: the very same file is refused as taken in already
    again, _ = look_at(data + b"\n", by=by)
    results["second_look_s"] = round(time.perf_counter() - began, 1)
    results["second_changes"] = again.added + again.changed + again.missing + again.refused
    return results


def fill(made_id: str, recordings: int) -> dict[str, str]:
    """Make so many recordings, each checked, and filed under a meeting of some student that a parent recorded.

    Return what addresses name.
    """
    from django.db import connection

    from appliance.contract.stop_signal import StopSignal
    from archive.recordings.models import Recording, Verification
    from archive.records.incidents.look_deeds import look_again
    from archive.records.meetings.models import Filing, Meeting
    from archive.records.people.models import Student
    from tests.archive.records.factories import make_room

    row, room = Recording.objects.get(pk=made_id), make_room()
    students = list(Student.objects.order_by("pk").values_list("pk", flat=True))
    before = row.created_at
    first = last = None
    for begin in range(0, recordings, BATCH):
        copies, meetings, filings, checks = [], [], [], []
        for number in range(begin, min(begin + BATCH, recordings)):
            copy = Recording(**{one.attname: getattr(row, one.attname) for one in Recording._meta.concrete_fields})
            copy.pk, copy.room_id = f"{number:032x}", room.pk
            copy.created_at = copy.arrived_at = copy.listed_at = before - timedelta(minutes=50 * number)
            starts = copy.created_at
            meeting = Meeting(
                kind="iep",
                parent_records="yes",
                student_id=students[number % len(students)],
                room=room,
                starts_at=starts,
                ends_at=starts + timedelta(hours=1),
            )
            copies.append(copy)
            meetings.append(meeting)
            filings.append(Filing(recording=copy, meeting=meeting, filed_at=starts, confirmed_at=starts))
            found = {"asked_by_type": "archive", "package_sha256": row.package_sha256, "verdict": "intact"}
            checks.append(Verification(recording=copy, asked_at=before, finished_at=before, **found))
        # each batch is a transaction of its own: on a machine that gives this process hardly any time, the server would
        # end a long one whose owner asks nothing for a minute (archive.database.IDLE_S)
        Recording.objects.bulk_create(copies)
        Meeting.objects.bulk_create(meetings)
        Filing.objects.bulk_create(filings)
        Verification.objects.bulk_create(checks)
        first, last = first or (copies[0], meetings[0]), copies[-1]
    assert first is not None
    assert last is not None
    # what the worker does each minute
    look_again(StopSignal())
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            # what the server's own vacuum does; of an archive's SQLite nothing does it
            cursor.execute("SET statement_timeout = 0")
            cursor.execute("ANALYZE")
            cursor.execute("RESET statement_timeout")
    student = Student.objects.get(pk=students[0])
    return {
        "student": str(student.pk),
        "person": str(student.rights.values_list("person", flat=True)[0]),
        "meeting": str(first[1].pk),
        "recording": first[0].pk,
        "room": str(room.pk),
        "oldest": f"{last.listed_at:%Y-%m-%dT%H:%M:%S.%fZ}_{last.pk}",
        "day": f"{before:%Y-%m-%d}",
    }


PAGES = {
    "today": "/today/",
    "the first page, which leads there": "/",
    "recordings": "/recordings/",
    "recordings, last page": "/recordings/?before={oldest}",
    "recordings of a room": "/recordings/?room={room}",
    "recordings of a day": "/recordings/?since={day}&until={day}",
    "recordings by identifier": "/recordings/?id=0000000000000000000000000000a",
    "a recording": "/recordings/{recording}/",
    "students": "/students/",
    "students by family name": "/students/?q=Family12",
    "students by given and family name": "/students/?q=Given12+Family1",
    "students by number": "/students/?q=199",
    "people": "/people/",
    "people by name": "/people/?q=Pat12",
    "a student": "/students/{student}/",
    "a person": "/people/{person}/",
    "a week": "/meetings/?day={day}",
    "a room's day": "/meetings/rooms/{room}/?day={day}",
    "a meeting": "/meetings/{meeting}/",
    "tray": "/tray/",
    "requests": "/requests/",
    "letters": "/letters/",
    "access": "/access/",
    "review of access": "/access/review/",
    "record of access": "/students/{student}/record-of-access/",
    "requests that one logged": "/requests/asked/",
    "my rooms": "/my-rooms/",
    "disclosures": "/disclosures/",
    "destructions": "/destructions/",
    "holds": "/holds/",
    "retention": "/retention/",
    "retention, a year ahead": "/retention/ahead/",
    "rooms": "/rooms/",
}
"""Each list and search of a custodian."""
FACILITATORS = ("today", "recordings", "recordings, last page", "students", "a week")
"""Pages that a facilitator with grants for 40 students is asked as well."""


def looked_at(archive: Archive, names: dict[str, str]) -> dict[str, Any]:
    """Ask for each page as a custodian, some also as a facilitator; return p95 in ms and queries of each."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from archive.access.deeds import Deed
    from archive.records.people.models import Student
    from tests.archive.page_fixtures import make_user
    from tests.archive.records.factories import grant_student

    narrow = make_user("p.smith", role="facilitator")
    for student in Student.objects.all()[:40]:
        grant_student(narrow, student, Deed.LIST, Deed.LOOK)
    clients = {"custodian": archive.client(), "facilitator": archive.client()}
    clients["custodian"].force_login(make_user("c.lee", role="custodian"))
    clients["facilitator"].force_login(narrow)
    # as the web server does (archive/asgi.py)
    gc.collect()
    gc.freeze()
    pages: dict[str, Any] = {}
    for who, client in clients.items():
        for name, address in PAGES.items():
            if who == "facilitator" and name not in FACILITATORS:
                continue
            there = address.format(**names)
            answer = client.get(there, follow=True)
            if who == "facilitator" and answer.status_code == 403:
                continue
            assert answer.status_code == 200, (who, there, answer.status_code)
            with CaptureQueriesContext(connection) as asked:
                client.get(there, follow=True)
                queries = len(asked)
            taken, used = [], []
            for _ in range(LOOKS):
                cpu, began = time.process_time(), time.perf_counter()
                client.get(there, follow=True)
                taken.append(time.perf_counter() - began)
                used.append(time.process_time() - cpu)
            pages[f"{name} ({who})"] = {
                "p95_ms": round(sorted(taken)[int(LOOKS * 0.95) - 1] * 1000),
                "cpu_ms": round(statistics.median(used) * 1000),
                "queries": queries,
            }
    return pages


def notice(archive: Archive) -> dict[str, Any]:
    """Log a notice with the fewest fields that it takes."""
    from archive.records.people.models import Student
    from tests.archive.page_fixtures import make_user
    from tests.archive.pages import check

    client = archive.client()
    client.force_login(make_user("f.fox", role="facilitator"))
    typed = {"student": str(Student.objects.all()[100].pk), "day": "2027-01-12", "at": "13:30", "kind": "iep"}

    def log() -> None:
        page = check(client.get("/notices/new/").content.decode())
        once = next(one.get("value") for one in page.all("input") if one.get("name") == "once")
        assert client.post("/notices/new/", {**typed, "once": once}).status_code == 302

    return {"notice_typed_fields": len(typed) - 1, "notice_form_and_answer_s": round(timed(log), 2)}


SEEK = """
const [target, done] = arguments;
const audio = document.querySelector("audio");
const began = performance.now();
const ready = () => {
  if (audio.readyState < 3 || audio.seeking) return;
  for (const kind of ["canplay", "seeked"]) audio.removeEventListener(kind, ready);
  done(performance.now() - began);
};
for (const kind of ["canplay", "seeked"]) audio.addEventListener(kind, ready);
audio.currentTime = target;
"""


def sought(archive: Archive, folder: Path, hours: float) -> dict[str, Any]:
    """Seek in a long recording in a real browser; return how long it takes until sound can play there."""
    from archive.recordings.models import Recording
    from tests.archive.ui.test_browser import Visit, chromium, real_user

    row = Recording.objects.get(pk=put_into(archive, folder / "spool", round(hours * 3600)).id)
    real_user()
    with archive.serving(workers=2) as address, chromium(folder / "profile") as browser:
        visit = Visit(browser, address)
        visit.sign_in(f"/recordings/{row.pk}/")
        visit.run("const a = document.querySelector('audio'); a.preload = 'auto'; a.load();")
        visit.until("document.querySelector('audio').readyState >= 1")
        taken = []
        for number in range(SEEKS):
            target = row.seconds * ((number * 7 + 3) % SEEKS) / SEEKS
            taken.append(float(browser.execute_async_script(SEEK, target)))
    ordered = sorted(taken)
    return {
        "seek_hours": round(row.seconds / 3600, 2),
        "seek_to_sound_p50_s": round(statistics.median(ordered) / 1000, 2),
        "seek_to_sound_p95_s": round(ordered[int(SEEKS * 0.95) - 1] / 1000, 2),
    }


def main() -> int:
    """Run everything and print the figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--records", action="store_true", help="this bench, as deploy/bench calls it")
    parser.add_argument("--students", type=int, default=20_000)
    parser.add_argument("--recordings", type=int, default=100_000)
    parser.add_argument("--hours", type=float, default=3.0, help="length of the recording in which is sought; 0: none")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="plainsight-records-"))
    try:
        with archive_in(folder / "archive") as archive:
            from tests.archive.page_fixtures import make_user, seal_one

            results = imported(options.students, make_user("registrar", role="custodian"))
            if options.hours:
                results |= sought(archive, folder, options.hours)
            made = seal_one(archive, folder / "one", seconds=2)
            results["recordings"] = options.recordings
            names = fill(made.id, options.recordings)
            results["pages"] = looked_at(archive, names)
            results |= notice(archive)
    finally:
        shutil.rmtree(folder)
    if options.json:
        print(json.dumps(results, indent=2))
        return 0
    for name, value in results.items():
        if isinstance(value, dict):
            print("\n".join(f"{page:<48} {told}" for page, told in value.items()))
        else:
            print(f"{name:<28} {value}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
