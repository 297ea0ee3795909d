"""An archive in which every page of the records has something to show, in each of its states."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import F, Model
from django.utils import timezone

from appliance.contract.outside_package import PIECE
from appliance.contract.stop_signal import StopSignal
from archive.access.deeds import Deed
from archive.accounts.models import User
from archive.custody.actors import Actor, Subject
from archive.custody.log import record
from archive.recordings.models import Recording
from archive.records.destruction.finish_deeds import finish
from archive.records.destruction.models import Destruction, Told
from archive.records.disclosures.models import Consent, Disclosure, Recorded
from archive.records.holds.models import Matter
from archive.records.incidents.models import Incident, IncidentLetter
from archive.records.letters.deeds import approve_text
from archive.records.letters.models import LetterKind, Template
from archive.records.meetings import calendar_deeds
from archive.records.meetings.models import Meeting, Notice, OpeningEvent, OpeningEventKind, ParentRecords
from archive.records.outside_recordings import take_in_deeds
from archive.records.outside_recordings.models import OutsideFiling, OutsideRestriction
from archive.records.people.import_deeds import look_at, take_in
from archive.records.people.models import Person, PersonKind, Student
from archive.records.public_lists.deeds import enter_holding, enter_position, enter_training, publish
from archive.records.public_lists.rules import ListKind
from archive.records.redactions import deeds as redaction_deeds
from archive.records.redactions.custody_kinds import SIGNED
from archive.records.redactions.make_deeds import make_asked
from archive.records.redactions.models import Basis, Passage, Redaction
from archive.records.redactions.sound import How
from archive.records.requests.link_deeds import make_link
from archive.records.requests.models import AccessRequest, Amendment, AmendmentState, Statement
from archive.records.restrictions.models import Restriction
from archive.records.retention.models import Answer, Series
from archive.records.transcripts.deeds import Facts, answer, bring, recipient_of, set_aside
from archive.records.transcripts.models import Language, MachineDraft, Source
from tests.archive.page_fixtures import make_user
from tests.archive.records.factories import (
    grant_student,
    make_bar,
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
from tests.archive.records.outside_recordings.files import SAID, brought, sound

EMPTY = {
    "students": "/students/",
    "students-not-found": "/students/?q=Zz",
    "persons": "/people/",
    "roster": "/rosters/",
    "calendar": "/meetings/",
    "tray": "/tray/",
    "letters": "/letters/",
    "texts": "/letters/texts/",
    "requests": "/requests/",
    "asked": "/requests/asked/",
    "my-rooms": "/my-rooms/",
    "lists": "/lists/",
    "list-records": "/lists/records/",
    "list-notice": "/lists/annual-notice/",
    "access": "/access/",
    "access-review": "/access/review/",
    "holds": "/holds/",
    "retention": "/retention/",
    "retention-ahead": "/retention/ahead/",
    "destructions": "/destructions/",
    "disclosures": "/disclosures/",
    "outside-recordings": "/outside-recordings/",
    "redactions": "/redactions/",
    "today": "/",
    "readiness": "/readiness/",
}
"""Pages that are there before anything is."""
WRONG = {
    "student-new": "/students/new/",
    "person-new": "/people/new/",
    "roster": "/rosters/",
    "notice-new": "/notices/new/",
    "meeting-new": "/meetings/new/",
    "calendar-import": "/calendars/",
    "request-new": "/requests/new/",
    "amendment-new": "/amendments/new/",
    "grant-new": "/access/new/",
    "text-new": "/letters/texts/new/",
    "matter-new": "/holds/new/",
    "series-new": "/retention/new/",
    "outside-new": "/outside-recordings/new/",
    "record-type-new": "/lists/types/new/",
    "public-records-answer": "/lists/answers/new/",
}
"""Forms that are wrong when they are sent as they come."""
STALE: dict[str, type[Model]] = {
    "student-edit": Student,
    "person-edit": Person,
    "meeting-edit": Meeting,
    "incident-edit": Incident,
    "matter-edit": Matter,
    "request-close": AccessRequest,
}
"""Forms whose row somebody else may change meanwhile."""
MANY = {
    "students": "/students/",
    "persons": "/people/",
    "calendar": "/meetings/",
    "requests": "/requests/",
    "asked": "/requests/asked/",
    "my-rooms": "/my-rooms/",
    "access": "/access/",
    "today": "/",
}
"""Lists that may be long."""
PARENTS = ("own", "own-record", "own-recording", "own-outside", "own-slip", "own-transcript", "own-refused")
"""Pages that parents see once they are signed in."""
TRANSCRIPT = """WEBVTT

00:00.100 --> 00:01.000
<v Ms. Lee>Good morning, everyone. Thank you for coming.

00:01.000 --> 00:01.900
שלום לכולם.

00:01.900 --> 00:03.000
A_word_of_which_nobody_knows_where_it_breaks_on_a_narrow_screen, because it has no space.
"""
LONG_NAME = "Maximiliana Guadalupe"
ROSTER = (
    "student_id,given_name,family_name,birth_date,school,parent_id,parent_given_name,parent_family_name,relation\n"
    "9001,{given},Ash,2014-03-02,Lincoln Elementary,p1,Bo,Ash,parent\n"
    "9002,Cy,Birch,2013-07-30,Lincoln Elementary,p2,Di,Birch,guardian\n"
)
CALENDAR = (
    "meeting_id,student_id,date,from,to,room,kind\n"
    "m-1,9001,2026-12-01,13:00,14:00,Room 12,IEP\n"
    "m-2,no-such-student,2026-12-01,13:00,14:00,Room 12,IEP\n"
)


def someone_else_saves(model: type[Model]) -> None:
    """Let every row of `model` have been changed meanwhile."""
    model._default_manager.update(version=F("version") + 1)


def make_redactions(row: Recording, student: Student, maker: User, viewer: User) -> dict[str, str]:
    """Make a redacted copy in each state; return the address of each of their pages."""
    now = timezone.now()
    passage = redaction_deeds.PassageFacts(8000, 16000, How.TONE, Basis.OTHER_STUDENT, "Another child is named.")
    base, pages = f"/recordings/{row.pk}/redactions/", {}
    begun = {}
    for name in ("draft", "empty", "failed", "made", "asked", "withdrawn", "signed"):
        begun[name] = redaction_deeds.begin(row.pk, f"Copy that is {name}", student, by=maker)
        if name == "empty":
            continue
        redaction_deeds.enter_passage(row.pk, begun[name].pk, passage, by=maker)
        if name in {"made", "signed"}:
            redaction_deeds.ask(row.pk, begun[name].pk, by=maker)
    make_asked(StopSignal())
    redaction_deeds.ask(row.pk, begun["asked"].pk, by=maker)
    redaction_deeds.withdraw(row.pk, begun["withdrawn"].pk, "A name is left in it.", by=maker)
    Redaction.objects.filter(pk=begun["failed"].pk).update(state="failed", problem="The package is damaged.")
    signed = Redaction.objects.get(pk=begun["signed"].pk)
    record(
        SIGNED,
        actor=Actor.user(viewer.pk),
        subject=Subject.recording(row.pk),
        redaction=signed.pk.hex,
        sha256=signed.sha256,
        heard_s=3,
        took_s=4,
    )
    Redaction.objects.filter(pk=signed.pk).update(state="signed", signed_at=now, signed_by=viewer, heard_s=3, took_s=4)
    for name, one in begun.items():
        pages[f"redaction-{name}"] = f"{base}{one.pk}/"
    draft, made = (f"{base}{begun[name].pk}/" for name in ("draft", "made"))
    entered = Passage.objects.get(redaction=begun["draft"])
    return pages | {
        "redactions": "/redactions/",
        "redaction-new": f"{base}new/",
        "redaction-passage": f"{draft}passages/new/",
        "redaction-passage-remove": f"{draft}passages/{entered.pk}/remove/",
        "redaction-make": f"{draft}make/",
        "redaction-sign-off": f"{made}sign-off/",
        "redaction-reopen": f"{made}reopen/",
        "redaction-withdraw": f"{made}withdraw/",
        "redaction-log": f"{base}{signed.pk}/exemptions/",
        "disclosure-redacted": f"/recordings/{row.pk}/disclose/?redaction={signed.pk}",
    }


def make_many() -> None:
    """Make as many of each thing as a list shows at once, and more."""
    today = timezone.now().replace(hour=20, minute=0, second=0, microsecond=0)
    for number in range(60):
        student = make_student(f"Student {number:02d}", "Many")
        person = make_person(f"Parent {number:02d}", "Many")
        if number < 12:
            make_right(person, student)
            make_meeting(student, today + timedelta(minutes=number), facilitator=None)
            make_request(student, person)
            grant_student(User.objects.get(username="p.smith"), student, Deed.LIST, Deed.LOOK)


def fill_records(recordings: list[str], viewer: User) -> dict[str, str]:
    """Make one of each thing around three sealed `recordings`; return each page's address by its name."""
    first, second = (Recording.objects.get(pk=pk) for pk in recordings[:2])
    third = recordings[2]
    now = timezone.now().replace(minute=0, second=0, microsecond=0)
    room, colleague = make_room(), make_user("p.smith", role="facilitator")
    student = make_student(school=make_school(), given=LONG_NAME, family="Hernández-Villanueva")
    adult = make_student("Jo", "Lee", birth_date=now.date() - timedelta(days=365 * 18 + 10))
    parent = make_person(email="rosa.torres@example.org", phone="555 0100", address="1 Main St\nRolla, MO")
    make_right(parent, student)
    make_bar(make_person("Luis"), student)
    make_person("Kim", "Vo", kind=PersonKind.STAFF, position="Special education teacher")

    meeting = make_meeting(student, now - timedelta(hours=1), room=room, facilitator=colleague)
    meeting.parent_records, meeting.parent_device = ParentRecords.YES, "a phone on the table"
    meeting.save()
    for ahead in (timedelta(days=3), timedelta(hours=2)):
        Notice.objects.create(
            student=student,
            meeting=meeting,
            received_at=meeting.starts_at - ahead,
            meeting_at=meeting.starts_at,
            given_by=parent,
            device="a phone",
            reason="To hear it again at home.",
        )
    OpeningEvent.objects.create(
        meeting=meeting, kind=OpeningEventKind.OPENED, at=meeting.starts_at, received_at=now, by=colleague
    )
    OpeningEvent.objects.create(
        meeting=meeting,
        kind=OpeningEventKind.TOLD,
        at=meeting.starts_at + timedelta(minutes=1),
        received_at=now,
        who="Rosa Torres, mother",
        mode="phone",
        interpreter="Spanish, on the phone",
    )
    doubtful = make_meeting(adult, now - timedelta(hours=2), room=room, parent_records=ParentRecords.YES)
    unmet = make_meeting(adult, now - timedelta(hours=26), room=room, parent_records=ParentRecords.YES)
    cancelled = make_meeting(student, now + timedelta(hours=3), room=None, place="remote", cancelled_at=now)
    make_meeting(student, now + timedelta(days=1), moved_from=now + timedelta(days=2))
    filing = make_filing(first.pk, meeting)
    unconfirmed = make_filing(third, cancelled, confirmed=False)
    doubted = make_filing(second.pk, doubtful, end_asked_at=now, end_asked_by=colleague, end_reason="x")

    case = make_request(student, parent, text="The last two meetings.", explanation_asked=True, logged_by=viewer)
    late = make_request(adult, make_person("Mo", "Lee"), received_on=now.date() - timedelta(days=60))
    link = make_link(parent, by=colleague, request=case)
    parent.refresh_from_db()
    assert parent.user is not None
    grant_student(parent.user, student, Deed.OWN, Deed.LOOK, Deed.LISTEN, Deed.DOWNLOAD)
    amendment = Amendment.objects.create(
        student=student, person=parent, recording=first, received_on=now.date(), text="The date that was said is wrong."
    )
    heard = Amendment.objects.create(
        student=student,
        person=parent,
        recording=first,
        received_on=now.date(),
        text="A name was misheard.",
        state=AmendmentState.HEARING_REFUSED,
        decided_at=now,
        decision="It is what was said.",
        hearing_on=now.date(),
        hearing_officer="A. Ruiz",
        hearing_outcome="The record stays.",
    )
    Statement.objects.create(amendment=heard, recording=first, text="I said March, not May.", placed_at=now)
    letter = make_letter(student)
    letter.person = parent
    letter.save(update_fields=["person"])
    delivered = make_letter(student)
    delivered.delivered_at, delivered.delivered_how = now, "by mail"
    delivered.save(update_fields=["delivered_at", "delivered_how"])
    text = Template.objects.filter(kind=LetterKind.ACKNOWLEDGMENT, language="es").get()

    taken, _ = look_at(ROSTER.format(given="Ann").encode(), by=viewer)
    take_in(taken.pk, by=viewer)
    Student.objects.filter(source_id="9002").update(given_name="Cyrus", corrected=["given_name"])
    differs = ROSTER.format(given="Anna") + "9003,,,\n"
    looked_at, _ = look_at(differs.encode(), by=viewer)
    calendar, _ = calendar_deeds.look_at(CALENDAR.encode(), by=viewer)
    right, bar = student.rights.get(), student.bars.get()
    matter, over = make_matter(), make_matter("A complaint", released_at=now, release_reason="It was settled.")
    held = make_hold(matter, student=adult)
    make_hold(matter, recording=second)
    series = Series.objects.create(code="SPED 4", title="Meetings of teams", kinds=["iep"], entered_at=now)
    Answer.objects.create(
        series=series,
        number=1,
        permanent=False,
        years=7,
        counts_from="left",
        citation="Schedule of the state, item 4",
        decided_by="the board",
        decided_on=now.date(),
        advice="Counsel Lee, in writing",
        entry=1,
        entered_at=now,
    )

    proposed = Destruction.objects.create(
        recording=first, basis="period", reason="The years are over.", proposed_at=now, proposed_by=colleague
    )
    told = Told.objects.create(
        destruction=proposed, person=parent, student=student, letter=delivered, reply="objects", replied_on=now.date()
    )
    done = Destruction.objects.create(
        recording=second,
        state="done",
        basis="period",
        proposed_at=now,
        proposed_by=colleague,
        approved_at=now,
        approved_by=viewer,
        closed_at=now,
        closed_by=viewer,
        finished_at=now,
    )
    disclosed = Disclosure.objects.create(
        recording=first,
        what="audio",
        party="Dr. Lee, evaluator",
        purpose="an evaluation",
        basis="compelled",
        explanation="Circuit Court, no. 17",
        prepared_at=now,
        prepared_by=colleague,
    )
    handed = Disclosure.objects.create(
        recording=first,
        what="audio",
        party="Rosa Torres",
        purpose="her own",
        basis="own",
        prepared_at=now,
        handed_at=now,
        handed_by=viewer,
        sha256="0" * 64,
    )
    consent = Consent.objects.create(
        recording=first,
        student=student,
        person=parent,
        records="the recording",
        purpose="an evaluation",
        party="Dr. Lee, evaluator",
        signed_on=now.date(),
        how="paper",
        proof="in the file",
        entered_at=now,
    )
    Recorded.objects.create(recording=first, name="Lee Park", consented_on=now.date(), proof="in the file")
    Recorded.objects.create(recording=first, name="Marta Ruiz, interpreter")

    enter_holding("", "Server room, 1 Main St", "Records custodian", by=viewer)
    papers = enter_holding("Papers of meetings", "Office, Lincoln Elementary", "Secretary", by=viewer)
    enter_position(colleague.pk, "Special education teacher", by=viewer)
    enter_training(colleague.pk, now.date(), "FERPA and IDEA, by counsel", by=viewer)
    publish(ListKind.RECORDS, by=viewer)
    annual = Template.objects.filter(kind=LetterKind.ANNUAL_NOTICE, language="es").get()
    approve_text(annual.pk, by=viewer)

    passage = Restriction.objects.create(
        recording=first, first_frame=8000, reason="Staff talked on.", made_at=now, made_by=colleague
    )

    facts = Facts(Source.CART, Language.EN, "Heartland Captions, " + "a name that is long " * 5)
    bring(first.pk, TRANSCRIPT.encode(), 0, facts, recipient_of(first.pk), by=viewer)
    answer(first.pk, 1, "A. Ruiz, director of special education", by=viewer)
    bring(first.pk, TRANSCRIPT.replace("morning", "evening").encode(), 0, facts, recipient_of(first.pk), by=viewer)
    bring(first.pk, TRANSCRIPT.replace("Good", "Bad").encode(), 0, facts, recipient_of(first.pk), by=viewer)
    set_aside(first.pk, 3, "It is of another meeting.", by=viewer)
    bring(
        second.pk,
        TRANSCRIPT.encode(),
        0,
        Facts(Source.VENDOR, Language.SEVERAL, "a service"),
        recipient_of(second.pk),
        by=viewer,
    )
    MachineDraft.objects.create(recording=first, asked_at=now, finished_at=now, problem="another-model")
    said = {"cause": "no-press", "explanation": "Nobody pressed.", "told": "Rosa Torres, at once", "done": "A sign."}
    Incident.objects.create(meeting=meeting, missing="part", recording=first, found="0:15 lost", entered_at=now, **said)
    told_meeting = make_meeting(student, now - timedelta(hours=30), room=room, parent_records=ParentRecords.YES)
    about_it = Incident.objects.create(meeting=told_meeting, missing="all", entered_at=now, entered_by=viewer, **said)
    IncidentLetter.objects.create(incident=about_it, person=parent, letter=delivered)
    unfiled = brought(viewer, sound("FLAC"), made_with="A spare recorder of the office, with a long name in the book")
    filed, again = (brought(viewer, sound("WAV")) for _ in range(2))
    half = take_in_deeds.begin(SAID, by=viewer)
    take_in_deeds.add_piece(half.pk, 0, 2 * PIECE, sound("WAV", 80)[:PIECE])
    outside_filing = OutsideFiling.objects.create(
        outside=filed, meeting=meeting, filed_at=now, filed_by=colleague, confirmed_at=now, confirmed_by=viewer
    )
    to_confirm = OutsideFiling.objects.create(outside=again, meeting=doubtful, filed_at=now, filed_by=colleague)
    silent = OutsideRestriction.objects.create(outside=again, reason="Staff talked on.", made_at=now, made_by=colleague)
    make_hold(matter, outside=again)
    proposed_outside = Destruction.objects.create(
        outside=filed, basis="period", reason="The years are over.", proposed_at=now, proposed_by=colleague
    )
    gone = brought(viewer, sound("FLAC"))
    closing = Destruction.objects.create(
        outside=gone,
        state="closing",
        basis="period",
        proposed_at=now,
        proposed_by=colleague,
        approved_at=now,
        approved_by=viewer,
        closed_at=now,
        closed_by=viewer,
    )
    gone.destroyed_at = now
    gone.save(update_fields=["destroyed_at"])
    finish(closing.pk)
    disclosed_outside = Disclosure.objects.create(
        outside=filed,
        what="file",
        party="Dr. Lee, evaluator",
        purpose="an evaluation",
        basis="consent",
        prepared_at=now,
        prepared_by=colleague,
    )
    silent_outside = Disclosure.objects.create(
        outside=again, what="file", party="Rosa Torres", purpose="her own", basis="own", prepared_at=now
    )
    consent_outside = Consent.objects.create(
        outside=filed,
        student=student,
        person=parent,
        records="the recording",
        purpose="an evaluation",
        party="Dr. Lee, evaluator",
        signed_on=now.date(),
        how="paper",
        proof="in the file",
        entered_at=now,
    )
    Recorded.objects.create(outside=filed, name="Marta Ruiz, interpreter")

    redactions = make_redactions(first, student, colleague, viewer)

    return {
        **redactions,
        "transcript": f"/recordings/{first.pk}/transcript/",
        "transcript-draft": f"/recordings/{second.pk}/transcript/",
        "transcript-aside": f"/recordings/{first.pk}/transcripts/3/",
        "transcript-new": f"/recordings/{first.pk}/transcripts/new/",
        "transcript-ask": f"/recordings/{third}/transcripts/draft/",
        "transcript-answer": f"/recordings/{first.pk}/transcripts/2/answer/",
        "transcript-set-aside": f"/recordings/{first.pk}/transcripts/2/set-aside/",
        "outside-recordings": "/outside-recordings/",
        "outside": f"/outside-recordings/{unfiled.pk}/",
        "outside-filed-twice": f"/outside-recordings/{filed.pk}/",
        "outside-restricted": f"/outside-recordings/{again.pk}/",
        "outside-half": f"/outside-recordings/{half.pk}/",
        "outside-take-in": f"/outside-recordings/{half.pk}/file/",
        "outside-give-up": f"/outside-recordings/{half.pk}/give-up/",
        "outside-file": f"/outside-recordings/{unfiled.pk}/meeting/",
        "outside-confirm": f"/outside-recordings/{again.pk}/filings/{to_confirm.pk}/confirm/",
        "outside-wrong": f"/outside-recordings/{filed.pk}/filings/{outside_filing.pk}/wrong/",
        "outside-restrict": f"/outside-recordings/{filed.pk}/restrict/",
        "outside-lift": f"/outside-recordings/{again.pk}/restrictions/{silent.pk}/lift/",
        "hold-outside": f"/outside-recordings/{filed.pk}/hold/",
        "outside-destroyed": f"/outside-recordings/{gone.pk}/",
        "destruction-new-outside": f"/outside-recordings/{unfiled.pk}/destroy/",
        "destruction-outside": f"/destructions/{proposed_outside.pk}/",
        "destruction-outside-done": f"/destructions/{closing.pk}/",
        "destruction-outside-carry-out": f"/destructions/{proposed_outside.pk}/carry-out/",
        "disclosure-new-outside": f"/outside-recordings/{filed.pk}/disclose/",
        "disclosure-outside": f"/disclosures/{disclosed_outside.pk}/",
        "disclosure-outside-silent": f"/disclosures/{silent_outside.pk}/",
        "consent-new-outside": f"/outside-recordings/{filed.pk}/consents/new/",
        "consent-withdraw-outside": f"/outside-recordings/{filed.pk}/consents/{consent_outside.pk}/withdraw/",
        "recorded-outside": f"/outside-recordings/{filed.pk}/recorded/",
        "own-outside": f"/outside-recordings/{filed.pk}/",
        "slip": f"/recordings/{first.pk}/slip/",
        "own-slip": f"/recordings/{first.pk}/slip/",
        "evidence": f"/recordings/{first.pk}/evidence/",
        "restrict": f"/recordings/{first.pk}/restrict/",
        "restriction-lift": f"/recordings/{first.pk}/restrictions/{passage.pk}/lift/",
        "today": "/",
        "destructions": "/destructions/",
        "destruction-new": f"/recordings/{third}/destroy/",
        "destruction": f"/destructions/{proposed.pk}/",
        "destruction-done": f"/destructions/{done.pk}/",
        "destruction-tell": f"/destructions/{proposed.pk}/students/{student.pk}/people/{parent.pk}/tell/",
        "destruction-reply": f"/destructions/{proposed.pk}/letters/{told.pk}/reply/",
        "destruction-approve": f"/destructions/{proposed.pk}/approve/",
        "destruction-withdraw": f"/destructions/{proposed.pk}/withdraw/",
        "destruction-carry-out": f"/destructions/{proposed.pk}/carry-out/",
        "disclosures": "/disclosures/",
        "disclosure-new": f"/recordings/{first.pk}/disclose/",
        "disclosure": f"/disclosures/{disclosed.pk}/",
        "disclosure-handed": f"/disclosures/{handed.pk}/",
        "disclosure-notice": f"/disclosures/{disclosed.pk}/notice/",
        "disclosure-letter": f"/disclosures/{disclosed.pk}/letter/",
        "disclosure-withdraw": f"/disclosures/{disclosed.pk}/withdraw/",
        "consent-new": f"/recordings/{first.pk}/consents/new/",
        "consent-withdraw": f"/recordings/{first.pk}/consents/{consent.pk}/withdraw/",
        "recorded": f"/recordings/{first.pk}/recorded/",
        "students": "/students/",
        "students-found": "/students/?q=Her",
        "student": f"/students/{student.pk}/",
        "student-18": f"/students/{adult.pk}/",
        "student-edit": f"/students/{student.pk}/edit/",
        "right-new": f"/students/{student.pk}/rights/new/",
        "right-end": f"/students/{student.pk}/rights/{right.pk}/end/",
        "bar-new": f"/students/{student.pk}/bars/new/",
        "bar-end": f"/students/{student.pk}/bars/{bar.pk}/end/",
        "majority": f"/students/{adult.pk}/at-18/",
        "persons": "/people/",
        "person": f"/people/{parent.pk}/",
        "person-edit": f"/people/{parent.pk}/edit/",
        "roster-many": "/rosters/",
        "roster-difference": f"/rosters/{looked_at.pk}/",
        "roster-taken": f"/rosters/{taken.pk}/",
        "calendar": "/meetings/",
        "day-sheet": f"/meetings/rooms/{room.pk}/?day={timezone.localtime(meeting.starts_at).date():%Y-%m-%d}",
        "day-sheet-none": f"/meetings/rooms/{room.pk}/?day=2025-01-01",
        "meeting": f"/meetings/{meeting.pk}/",
        "meeting-unmet": f"/meetings/{unmet.pk}/",
        "meeting-cancelled": f"/meetings/{cancelled.pk}/",
        "meeting-edit": f"/meetings/{meeting.pk}/edit/",
        "meeting-cancel": f"/meetings/{meeting.pk}/cancel/",
        "parent-records": f"/meetings/{meeting.pk}/parent-records/",
        "incident-new": f"/meetings/{unmet.pk}/incident/new/",
        "incident-new-gaps": f"/meetings/{doubtful.pk}/incident/new/",
        "incident": f"/meetings/{meeting.pk}/incident/",
        "incident-told": f"/meetings/{told_meeting.pk}/incident/",
        "incident-edit": f"/meetings/{meeting.pk}/incident/edit/",
        "incident-letter": f"/meetings/{meeting.pk}/incident/letter/",
        "meeting-explained": f"/meetings/{told_meeting.pk}/",
        "opening": f"/meetings/{meeting.pk}/opening/",
        "meeting-letter": f"/meetings/{meeting.pk}/letter/",
        "calendar-difference": f"/calendars/{calendar.pk}/",
        "tray": "/tray/",
        "file": f"/recordings/{first.pk}/file/",
        "filing-confirm": f"/recordings/{third}/filings/{unconfirmed.pk}/confirm/",
        "filing-wrong": f"/recordings/{first.pk}/filings/{filing.pk}/wrong/",
        "filing-end": f"/recordings/{second.pk}/filings/{doubted.pk}/end/",
        "filing-keep": f"/recordings/{second.pk}/filings/{doubted.pk}/keep/",
        "letters": "/letters/",
        "texts": "/letters/texts/",
        "readiness": "/readiness/",
        "my-rooms": "/my-rooms/",
        "asked": "/requests/asked/",
        "lists": "/lists/",
        **{f"list-{what}": f"/lists/{what}/" for what in ("records", "people", "training", "annual-notice")},
        "list-publish": "/lists/records/publish/",
        "record-type-new": "/lists/types/new/",
        "record-type-end": f"/lists/types/{papers.pk}/end/",
        "position": f"/lists/people/{colleague.pk}/position/",
        "training": f"/lists/people/{colleague.pk}/training/",
        "public-records-answer": "/lists/answers/new/",
        "letter": f"/letters/{letter.pk}/",
        "letter-delivered": f"/letters/{delivered.pk}/",
        "delivery": f"/letters/{letter.pk}/delivery/",
        "text": f"/letters/texts/{text.pk}/",
        "requests": "/requests/",
        "request": f"/requests/{case.pk}/",
        "request-late": f"/requests/{late.pk}/",
        "request-explain": f"/requests/{case.pk}/explain/",
        "request-close": f"/requests/{case.pk}/answer/",
        "request-open": f"/requests/{case.pk}/open/",
        "request-letter": f"/requests/{case.pk}/letter/",
        "link-withdraw": f"/requests/{case.pk}/links/{link.row.pk}/withdraw/",
        "supervised": f"/requests/{case.pk}/listen/{first.pk}/",
        "access-record": f"/students/{student.pk}/record-of-access/",
        "amendment": f"/amendments/{amendment.pk}/",
        "amendment-heard": f"/amendments/{heard.pk}/",
        "amendment-step": f"/amendments/{amendment.pk}/step/",
        "statement": f"/amendments/{heard.pk}/statement/",
        "access": "/access/",
        "access-review": "/access/review/",
        "access-end": f"/access/students/{student.pk}/accounts/{parent.user.pk}/end/",
        "recording": f"/recordings/{first.pk}/",
        "holds": "/holds/",
        "matter": f"/holds/{matter.pk}/",
        "matter-ended": f"/holds/{over.pk}/",
        "matter-edit": f"/holds/{matter.pk}/edit/",
        "matter-add": f"/holds/{matter.pk}/add/",
        "matter-end": f"/holds/{matter.pk}/end/",
        "hold-release": f"/holds/{matter.pk}/items/{held.pk}/release/",
        "hold-recording": f"/recordings/{first.pk}/hold/",
        "retention": "/retention/",
        "retention-ahead": "/retention/ahead/",
        "retention-question": "/retention/question/",
        "series": f"/retention/{series.pk}/",
        "answer-new": f"/retention/{series.pk}/answer/",
        "custody": f"/recordings/{first.pk}/custody/",
        "kiosk": "/kiosk/",
        "kiosk-start": "/kiosk/start/",
        "own": "/own/",
        "own-record": f"/own/{student.pk}/record-of-access/",
        "own-recording": f"/recordings/{first.pk}/",
        "own-transcript": f"/recordings/{first.pk}/transcript/",
        "own-refused": "/students/",
    }
