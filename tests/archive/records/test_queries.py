"""A page of the records asks the database about as often for many rows as for a few."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from archive.access.deeds import ROLES, Deed
from archive.access.routes import ROUTES
from archive.accounts.models import User
from archive.custody.actors import Actor, Subject
from archive.custody.log import record
from archive.recordings.custody_kinds import LOOK
from archive.recordings.models import Recording
from archive.records.destruction.models import Destruction
from archive.records.disclosures.models import Consent, Disclosure, Recorded
from archive.records.holds.models import Matter
from archive.records.incidents.models import Incident
from archive.records.meetings.models import Meeting, OpeningEvent
from archive.records.outside_recordings.models import OutsideFiling, OutsideRecording
from archive.records.people.models import Person, Student
from archive.records.redactions.models import Passage, Redaction
from archive.records.requests.models import AccessRequest
from archive.records.restrictions.models import Restriction
from archive.records.retention.models import Answer, Series
from archive.records.transcripts.deeds import Facts, bring, recipient_of
from archive.records.transcripts.models import Language, Source, Transcript
from archive.transfers.models import Upload
from tests.archive.access.table import addresses
from tests.archive.page_fixtures import Arrive, make_user
from tests.archive.records.factories import (
    grant_student,
    make_account,
    make_filing,
    make_hold,
    make_letter,
    make_matter,
    make_meeting,
    make_person,
    make_request,
    make_right,
    make_room,
    make_school,
    make_student,
)
from tests.archive.records.outside_recordings.files import SAID
from tests.support.archives import Archive, without_triggers

MOST = {
    "/": 39,
    "/today/": 36,
    "/my-rooms/": 22,
    "/readiness/": 14,
    "/rooms/": 14,
    "/students/": 10,
    "/students/{student}/": 30,
    "/students/{student}/record-of-access/": 16,
    "/people/": 12,
    "/people/{person}/": 16,
    "/meetings/": 16,
    "/meetings/rooms/{room}/": 12,
    "/meetings/{meeting}/": 38,
    "/requests/": 16,
    "/redactions/": 14,
    "/recordings/{recording}/redactions/{redaction}/": 24,
    "/recordings/{recording}/redactions/{redaction}/exemptions/": 26,
    "/requests/asked/": 16,
    "/requests/{case}/": 20,
    "/letters/": 14,
    "/letters/texts/": 10,
    "/access/": 16,
    "/access/review/": 14,
    "/tray/": 14,
    "/outside-recordings/": 14,
    "/outside-recordings/{outside}/": 35,
    "/outside-recordings/{outside}/evidence/": 30,
    "/transfers/": 14,
    "/meetings/{meeting}/incident/": 24,
    "/recordings/": 17,
    "/recordings/{recording}/": 59,
    "/recordings/{recording}/evidence/": 40,
    "/package-checks/": 20,
    "/recordings/{recording}/custody/": 24,
    "/holds/": 14,
    "/holds/{matter}/": 18,
    "/retention/": 12,
    "/retention/ahead/": 20,
    "/retention/{series}/": 12,
    "/disclosures/": 12,
    "/disclosures/{disclosure}/": 30,
    "/destructions/": 12,
    "/destructions/{destruction}/": 40,
    "/accounts/": 18,
    "/lists/": 30,
    "/lists/{what}/": 14,
    "/boxes/": 14,
}
"""Address of a page: the most queries that it may take, with sign-in and access."""
OWN = {"/own/": 24, "/own/{student}/record-of-access/": 21}
"""The same of a parent's pages."""
OF_ONE = {
    *(
        "wall",
        "rooms-json",
        "account",
        "verification",
        "verification-json",
        "export",
        "checks",
        "retention-question",
        "amendment",
        "letter",
    ),
    *("slip", "listening"),
}
"""Pages that show no rows, or those of another page that is here: the board's, a letter's."""
FILES = {
    *("audio", "package", "flac", "receipt", "letter-file", "transcript-file", "outside-audio", "outside-download"),
    *("redaction-audio", "redaction-log-pdf", "list-csv", "list-pdf", "evidence-file", "evidence-file-outside"),
    *("listening-audio", "disclosure-copy", "disclosure-receipt", "destruction-certificate"),
}
"""What is no page."""


def test_every_list_has_its_bound() -> None:
    bound = {address.replace("{recording}", "ID") for address in MOST | OWN}
    bound = {re.sub(r"{(\w+)}", lambda found: found[1].upper(), address) for address in bound}
    lists = {
        address
        for address, name in addresses()
        if isinstance(ROUTES[name].needs, Deed)
        and set(ROUTES[name].methods) == {"GET", "HEAD"}
        and name.partition(":")[2] not in OF_ONE | FILES
    }
    assert lists - bound == set()


def old_copy(made: str) -> str:
    """A copy of a sealed recording's row, three years old: one more that is listed, kept, and due to be decided on."""
    row, number = Recording.objects.get(pk=made), Recording.objects.count()
    row.pk, before = f"{number:032x}", timezone.now() - timedelta(days=3 * 365, minutes=number)
    row.created_at = row.arrived_at = row.listed_at = before
    row.save(force_insert=True)
    return row.pk


def add(recordings: list[str], parent: Person, staff: User) -> None:
    """One more of each thing, and of those that a page about one shows several of, one more of the first student's."""
    now, first = timezone.now(), Student.objects.order_by("local_id").first()
    student = make_student(school=make_school())
    person = make_person()
    make_right(person, student)
    make_request(student, person, logged_by=User.objects.get(username="m.jones"))
    make_letter(student)
    grant_student(staff, student, Deed.LIST, Deed.LOOK)
    meeting = make_meeting(student, now, facilitator=staff)
    make_hold(make_matter(), student=student)
    grant_student(parent.user or staff, student, Deed.OWN, Deed.LOOK)
    outside = OutsideRecording.objects.create(
        begun_at=now, state="sealed", sealed_at=now, media_type="audio/flac", size=9, **vars(SAID)
    )
    OutsideFiling.objects.create(outside=outside, meeting=meeting, filed_at=now, confirmed_at=now)
    before = now - timedelta(days=3 * 365)
    aged = OutsideRecording.objects.create(
        begun_at=before, arrived_at=before, state="sealed", sealed_at=before, media_type="audio/flac", size=9,
        **vars(SAID) | {"made_on": before.date(), "brought_on": before.date()},
    )  # fmt: skip
    OutsideFiling.objects.create(outside=aged, meeting=make_meeting(student, before), filed_at=now, confirmed_at=now)
    Destruction.objects.create(outside=aged, basis="period", reason="x", proposed_at=now)
    first_outside = OutsideRecording.objects.order_by("begun_at").first()
    said = {"outside": first_outside, "party": "Dr. Lee", "purpose": "an evaluation"}
    Disclosure.objects.create(**said, what="file", basis="consent", prepared_at=now)
    make_hold(make_matter(), outside=first_outside)
    Upload.objects.create(district="Springfield", key_ring="{}", came_by="x", begun_at=now, begun_by=staff)
    for recording in recordings:
        make_filing(recording, meeting, confirmed=student.pk.int % 2 == 0)
    old = old_copy(recordings[0])
    make_filing(old, make_meeting(student, now - timedelta(days=3 * 365)))
    add_deeds(recordings[0], old, student, person, meeting)
    if first is not None:
        make_right(person, first)
        make_request(first, parent)
        make_hold(Matter.objects.get(title="First"), recording_id=old)
        again = make_meeting(first, now + timedelta(minutes=Meeting.objects.count()))
        for recording in recordings:
            make_filing(recording, again)


def add_deeds(recording: str, old: str, student: Student, person: Person, meeting: Meeting) -> None:
    """One more of what was done with one recording."""
    now = timezone.now()
    redaction = {"recording_id": recording, "student": student, "begun_at": now}
    Redaction.objects.create(**redaction, purpose="another")
    redacted = Redaction.objects.get_or_create(purpose="first", recording_id=recording, defaults=redaction)[0]
    Passage.objects.create(
        redaction=redacted,
        first_frame=redacted.passages.count(),
        last_frame=8000,
        how="mute",
        basis="other",
        reason="x",
        entered_at=now,
        entered_by=User.objects.latest("created_at"),
    )
    facts = {"recording_id": recording, "purpose": "an evaluation", "party": "Dr. Lee"}
    Disclosure.objects.create(**facts, what="audio", basis="consent", prepared_at=now)
    consent = {"records": "all", "signed_on": now.date(), "how": "paper", "proof": "in the file", "entered_at": now}
    Consent.objects.create(**facts, **consent, student=student, person=person)
    Recorded.objects.create(recording_id=recording, name=f"Guest {Recorded.objects.count()}")
    Transcript.objects.create(
        recording_id=recording,
        version=Transcript.objects.count() + 1,
        package_sha256=Recording.objects.get(pk=recording).package_sha256,
        source="cart",
        language="en",
        maker="a captioner",
        sha256="0" * 64,
        cues=1,
        encrypted=b"x",
        brought_at=now,
    )
    Restriction.objects.create(recording_id=recording, first_frame=0, last_frame=8, reason="x", made_at=now)
    OpeningEvent.objects.create(meeting=meeting, kind="note", at=now, received_at=now, recording_id=recording, frame=8)
    Destruction.objects.create(recording_id=old, basis="period", reason="x", proposed_at=now)
    make_user(f"colleague{User.objects.count()}", role="facilitator")
    someone = Actor.user(User.objects.latest("created_at").pk)
    record(LOOK, actor=someone, subject=Subject.recording(recording), page="recording")
    series = Series.objects.create(code=f"S {now:%f}", title="x", kinds=["iep"], entered_at=now)
    decided = {"citation": "x", "decided_by": "x", "decided_on": now.date(), "advice": "x", "entry": 1}
    with without_triggers():
        Answer.objects.create(
            series=series, number=1, permanent=False, years=1, counts_from="meeting", entered_at=now, **decided
        )


def counts(client: Any, pages: dict[str, int], names: dict[str, str]) -> dict[str, int]:
    found = {}
    for address in pages:
        there = address.format(**names)
        client.get(there)
        with CaptureQueriesContext(connection) as asked:
            assert client.get(there, follow=True).status_code == 200, there
        found[address] = len(asked)
    return found


def test_the_pages_of_a_recording_ask_as_often_for_many_cues_as_for_a_few(archive: Archive, sealed: Arrive) -> None:
    client, by, counted = archive.client(), make_user("carol", *ROLES["custodian"]), []
    client.force_login(by)
    for cues in (2, 500):
        made = sealed(seconds=2)
        lines = [f"00:00.{place:03d} --> 00:01.{place:03d}\nword {place}\n" for place in range(cues)]
        data = "\n".join(["WEBVTT\n", *lines]).encode()
        bring(made.id, data, 0, Facts(Source.CART, Language.EN, "a captioner"), recipient_of(made.id), by=by)
        pages = {"/recordings/{recording}/": 80, "/recordings/{recording}/transcript/": 30}
        counted.append((counts(client, pages, {"recording": made.id}), pages))
    (few, most), (many, _) = counted
    assert few == many
    assert {page: many[page] for page in most if many[page] > most[page]} == {}


def test_no_page_asks_once_a_row(archive: Archive, sealed: Arrive) -> None:
    """One query a row would be 30 more; ten more are what a page of several lists may differ by."""
    recordings = [sealed(seconds=1).id for _ in range(2)]
    parent, staff = make_person("Pia"), make_user("p.smith", *ROLES["facilitator"])
    make_account(parent)
    custodian = make_user("m.jones", *ROLES["custodian"])
    add(recordings, parent, staff)
    student = Student.objects.get()
    make_right(parent, student)
    Incident.objects.create(
        meeting=Meeting.objects.filter(facilitator=staff)[0],
        missing="all",
        cause="other",
        explanation="x",
        told="x",
        done="x",
        entered_at=timezone.now(),
    )
    names = {
        "student": str(student.pk),
        "person": str(parent.pk),
        "meeting": str(Meeting.objects.filter(facilitator=staff)[0].pk),
        "room": str(make_room().pk),
        "what": "people",
        "recording": recordings[0],
        "case": str(AccessRequest.objects.all()[0].pk),
        "matter": str(make_matter("First").pk),
        "series": str(Series.objects.all()[0].pk),
        "disclosure": str(Disclosure.objects.all()[0].pk),
        "redaction": str(Redaction.objects.get(purpose="first").pk),
        "destruction": str(Destruction.objects.all()[0].pk),
        "outside": OutsideRecording.objects.all()[0].pk,
    }
    clients = {"custodian": archive.client(), "parent": archive.client()}
    clients["custodian"].force_login(custodian)
    assert parent.user is not None
    clients["parent"].force_login(parent.user)
    for client in clients.values():
        for recording in recordings:
            client.get(f"/recordings/{recording}/")
    few = counts(clients["custodian"], MOST, names) | counts(clients["parent"], OWN, names)
    for _ in range(30):
        add(recordings, parent, staff)
    many = counts(clients["custodian"], MOST, names) | counts(clients["parent"], OWN, names)
    grown = {page: (few[page], many[page]) for page in few if many[page] > few[page] + 10}
    assert grown == {}
    assert {page: many[page] for page, most in (MOST | OWN).items() if many[page] > most} == {}
