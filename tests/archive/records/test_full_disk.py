"""A disk that has no room for the database's next write: old or new state, told in words, and the same again works.

Deeds whose own bytes go to the store are held beside them: the seal (sealing/test_seal.py), redacted copies
(redactions/test_making.py), what is brought in (outside_recordings/test_take_in.py), destruction
(destruction/test_interrupted.py), backup and export (archive/backup), another archive's package (archive/transfers).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import OperationalError, connection, transaction
from django.utils import timezone

from archive.access.models import Grant
from archive.accounts.models import User
from archive.custody.models import Entry
from archive.recordings.models import Recording
from archive.records.destruction import deeds as destruction_deeds
from archive.records.destruction.models import Basis as Period
from archive.records.destruction.models import Destruction, Reply
from archive.records.disclosures import deeds as disclosure_deeds
from archive.records.disclosures import notice_deeds
from archive.records.disclosures.models import Basis, Consent, Disclosure
from archive.records.evidence import deeds as evidence_deeds
from archive.records.grants import deeds as grant_deeds
from archive.records.grants.deeds import AccessFacts
from archive.records.grants.rules import STAFF_DEEDS
from archive.records.holds import deeds as hold_deeds
from archive.records.holds.deeds import MatterFacts
from archive.records.holds.models import Matter
from archive.records.letters.deeds import note_delivery
from archive.records.letters.models import Letter, LetterKind
from archive.records.meetings import deeds as meeting_deeds
from archive.records.meetings import filing_deeds
from archive.records.meetings.deeds import MeetingFacts
from archive.records.meetings.models import MeetingKind
from archive.records.outside_recordings import take_in_deeds
from archive.records.outside_recordings.models import OutsideRecording
from archive.records.people import deeds as people_deeds
from archive.records.public_lists import deeds as list_deeds
from archive.records.redactions import deeds as redaction_deeds
from archive.records.redactions.models import Redaction
from archive.records.requests import amendment_deeds
from archive.records.requests import deeds as request_deeds
from archive.records.requests.models import AccessRequest, Amendment, AmendmentState, NoHearing, Wish
from archive.records.restrictions import deeds as restriction_deeds
from archive.records.restrictions.models import Restriction
from archive.records.retention import deeds as retention_deeds
from archive.records.retention.models import Series
from archive.records.transcripts import deeds as transcript_deeds
from archive.records.transcripts.models import Language, Source, Transcript
from tests.archive.core.test_uploads import PDF, TYPED
from tests.archive.page_fixtures import entries, make_user, signed_in
from tests.archive.pages import check
from tests.archive.records.factories import make_letter
from tests.support.archives import Archive

from .destruction.scene import Scene
from .disclosures.conftest import ann, row
from .disclosures.scene import consent, facts
from .outside_recordings.files import SAID, send, sound
from .redactions.scene import passage
from .retention.test_retention import facts as answer_facts
from .test_wrong_clock import scene

__all__ = ["ann", "row", "scene"]
VTT = b"WEBVTT\n\n00:00.000 --> 00:00.500\nGood morning.\n"


class FullDisk:
    """Refuses one write of all, or each from the first on, as SQLite does."""

    def __init__(self, at: int, *, each: bool = False) -> None:
        self.at, self.each, self.seen = at, each, 0

    def __call__(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.startswith(("INSERT", "UPDATE", "DELETE")):
            self.seen += 1
            if self.seen == self.at or (self.each and self.seen > self.at):
                raise OperationalError("database or disk is full")
        return execute(sql, params, many, context)


def refuse_each_write_once(act: Callable[[], object], state: Callable[[], object]) -> None:
    """Hold that a refusal of any write leaves the old state, and that the last attempt, without one, works."""
    before, at = state(), 1
    while True:
        full = FullDisk(at)
        try:
            with connection.execute_wrapper(full):
                act()
        except OperationalError:
            assert state() == before, f"write {at}"
            at += 1
            continue
        break
    assert full.seen == at - 1, "each write was refused once"
    assert at > 1
    assert state() != before


def test_a_transcript_is_added_whole_or_not_at_all(row: Recording, ann: User) -> None:
    given = transcript_deeds.Facts(Source.VENDOR, Language.EN, "Heartland Captions")
    recipient = transcript_deeds.recipient_of(row.pk)
    refuse_each_write_once(
        lambda: transcript_deeds.bring(row.pk, VTT, 0, given, recipient, by=ann),
        lambda: (Transcript.objects.count(), len(entries(row.pk, "transcript"))),
    )


def test_an_evidence_package_that_is_not_entered_does_not_begin(row: Recording) -> None:
    taker = make_user("carol", role="custodian")
    refuse_each_write_once(lambda: evidence_deeds.begin(row.pk, by=taker), lambda: len(entries(row.pk)))
    refuse_each_write_once(lambda: evidence_deeds.note_whole(row, "0" * 64, 10, by=taker), lambda: len(entries(row.pk)))


def test_a_copy_that_is_not_entered_does_not_begin_and_has_no_receipt(row: Recording, ann: User) -> None:
    made = disclosure_deeds.prepare(row.pk, facts(basis=Basis.OWN), by=ann)
    refuse_each_write_once(lambda: disclosure_deeds.begin_copy(made.pk, by=ann), lambda: len(entries(row.pk)))
    refuse_each_write_once(
        lambda: disclosure_deeds.note_whole(made.pk, "0" * 64, 10, by=ann),
        lambda: (Disclosure.objects.get().handed_at, len(entries(row.pk))),
    )


def test_a_consent_and_its_scan_are_entered_together(row: Recording, ann: User) -> None:
    refuse_each_write_once(
        lambda: disclosure_deeds.enter_consent(row.pk, consent(row), by=ann),
        lambda: (Consent.objects.count(), len(entries(row.pk))),
    )


def test_what_was_brought_is_complete_or_still_arriving(row: Recording, ann: User) -> None:
    made = take_in_deeds.begin(SAID, by=ann)
    data = sound("WAV")
    with connection.execute_wrapper(FullDisk(1)), pytest.raises(OperationalError):
        send(made, data)
    assert OutsideRecording.objects.get().received == 0
    send(made, data)
    refuse_each_write_once(
        lambda: take_in_deeds.complete(made.pk, by=ann), lambda: OutsideRecording.objects.get().state
    )


def test_a_destruction_is_decided_or_not(scene: Scene) -> None:
    made = scene.approved()

    def decide_and_take_back() -> None:
        with transaction.atomic():
            destruction_deeds.carry_out(made.pk, by=scene.ann)
            # what follows the commit is held beside the deed
            transaction.get_connection().run_on_commit.clear()

    refuse_each_write_once(
        decide_and_take_back, lambda: (Recording.objects.get(pk=scene.row.pk).destroyed_at, len(entries(scene.row.pk)))
    )


def rows() -> dict[str, list[str]]:
    """All that the records, the grants and the custody log say."""
    told = [one for one in apps.get_models() if one.__module__.startswith("archive.records.") or one in (Entry, Grant)]
    return {one._meta.label: sorted(map(str, one._default_manager.values_list())) for one in told}


def steps_of(scene: Scene) -> Iterator[Callable[[], Any]]:
    """Yield a deed of each noun, each after the one before it was done."""
    row, today, ann, bob = scene.row, timezone.localdate(), scene.ann, scene.bob
    meeting = row.filings.get().meeting
    yield lambda: restriction_deeds.restrict(row.pk, 0, 10, "staff talked on", by=ann)
    yield lambda: restriction_deeds.lift(row.pk, Restriction.objects.get().pk, "nothing private", by=bob)
    yield lambda: redaction_deeds.begin(row.pk, "for counsel", None, by=ann)
    copy = Redaction.objects.get()
    yield lambda: redaction_deeds.enter_passage(row.pk, copy.pk, passage(0, 10), by=ann)
    yield lambda: redaction_deeds.ask(row.pk, copy.pk, by=ann)
    yield lambda: redaction_deeds.withdraw(row.pk, copy.pk, "not needed", by=ann)
    order = facts(basis=Basis.COMPELLED, explanation="Circuit Court, no. 17")
    yield lambda: disclosure_deeds.prepare(row.pk, order, by=ann)
    disclosure = Disclosure.objects.get()
    notice = notice_deeds.Notice(scene.student, today, today + timedelta(days=9))
    yield lambda: notice_deeds.enter_notice(disclosure.pk, notice, by=ann)
    yield lambda: disclosure_deeds.enter_recorded(row.pk, "Lee Park, therapist", today, "file 13", by=ann)
    yield lambda: disclosure_deeds.withdraw(disclosure.pk, by=ann)
    yield lambda: request_deeds.ask_access(scene.student, scene.parent, Wish.LISTEN, received_on=today, by=ann)
    case = AccessRequest.objects.get()
    yield lambda: request_deeds.explain(case.pk, "It was an IEP meeting.", case.version, by=ann)
    yield lambda: request_deeds.close(case.pk, "listened at the office", case.version + 1, by=ann)
    asked: dict[str, Any] = {"text": "It leaves out the end.", "received_on": today}
    yield lambda: amendment_deeds.ask_amendment(scene.student, scene.parent, row, **asked, by=ann)
    amendment = Amendment.objects.get()
    yield lambda: amendment_deeds.decide(amendment.pk, AmendmentState.REFUSED, "it is whole", 0, by=ann, hearing_days=9)
    about = {"about_type": "case", "about_id": str(amendment.pk)}
    make_letter(scene.student, LetterKind.REFUSAL_TO_AMEND, delivered_at=timezone.now(), **about)
    yield lambda: amendment_deeds.end_unheard(amendment.pk, NoHearing.SAID, today, "on the phone", 1, by=ann)
    yield lambda: amendment_deeds.place_statement(amendment.pk, "The end is missing.", by=ann)
    yield lambda: filing_deeds.call_wrong(row.filings.get().pk, "another meeting", by=ann)
    yield lambda: filing_deeds.keep(row.filings.get().pk, by=bob)
    moved = MeetingFacts(MeetingKind.IEP, scene.student, meeting.starts_at, meeting.ends_at, None, "the library", None)
    yield lambda: meeting_deeds.change_meeting(meeting.pk, moved, meeting.version, by=ann)
    matter = MatterFacts("Torres v. District", "a lawsuit", "Counsel Lee", today, None)
    yield lambda: hold_deeds.open_matter(matter, by=ann)
    held = Matter.objects.get()
    yield lambda: hold_deeds.hold(held.pk, row, by=ann)
    yield lambda: hold_deeds.end_matter(held.pk, "settled", by=ann)
    yield lambda: retention_deeds.enter_series("S 2", "Section 504", [MeetingKind.SECTION_504], by=ann)
    series = Series.objects.get(code="S 2")
    yield lambda: retention_deeds.enter_answer(series.pk, answer_facts(3), by=ann)
    yield lambda: destruction_deeds.propose(row.pk, Period.PERIOD, "its years are over", by=ann)
    destruction = Destruction.objects.get()
    yield lambda: destruction_deeds.tell(destruction.pk, scene.student, scene.parent, "en", by=ann)
    yield lambda: note_delivery(Letter.objects.get(delivered_at=None).pk, "by mail", timezone.now(), by=ann)
    told = destruction.told.get()
    yield lambda: destruction_deeds.enter_reply(destruction.pk, told.pk, Reply.AGREES, today, "by phone", by=ann)
    yield lambda: destruction_deeds.approve(destruction.pk, by=bob)
    yield lambda: destruction_deeds.withdraw(destruction.pk, "kept after all", by=ann)
    access: dict[str, Any] = {
        "what": next(iter(STAFF_DEEDS)),
        "purpose": "leads the meeting",
        "position": "case manager",
    }
    given = AccessFacts(scene.student, bob, **access, trained_on=today, until=today)
    yield lambda: grant_deeds.give_access(given, by=ann)
    yield lambda: grant_deeds.end_access(bob.pk, scene.student.pk, by=ann)
    barred: dict[str, Any] = {"basis": "order no. 3", "valid_from": today, "valid_to": None}
    yield lambda: people_deeds.enter_bar(scene.student.pk, scene.parent, **barred, by=ann)
    yield lambda: list_deeds.enter_holding("recordings", "the archive", "the director", by=ann)


def test_each_deed_of_the_records_is_done_or_not(scene: Scene) -> None:
    for step in steps_of(scene):
        refuse_each_write_once(step, rows)


def test_pages_tell_that_the_disk_does_not_answer_and_the_form_works_again(archive: Archive, row: Recording) -> None:
    client = signed_in(archive, "carol", role="custodian")
    there, before = f"/recordings/{row.pk}/", len(entries(row.pk))
    student = row.filings.get().meeting.student_id

    def enter() -> Any:
        scan = SimpleUploadedFile("paper.pdf", PDF, "application/pdf")
        return client.post(f"{there}consents/new/", {**TYPED, "student": student, "scan": scan, "once": "a" * 32})

    with connection.execute_wrapper(FullDisk(1, each=True)):
        refused = [client.get(f"{there}evidence.zip"), enter()]
    for answer in refused:
        assert answer.status_code == 503
        assert "disk is not answering" in check(answer.content.decode()).text
    assert TYPED["purpose"] in refused[1].content.decode(), "nothing that was typed is lost"
    assert "ask for the file again" in refused[1].content.decode()
    assert (len(entries(row.pk)), Consent.objects.count()) == (before, 0)
    assert enter().status_code == 302
    assert Consent.objects.count() == 1
    assert client.get(f"{there}evidence.zip").status_code == 200
