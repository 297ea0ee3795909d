"""A disk that has no room for the database's next write: old or new state, told in words, and the same again works.

Deeds whose own bytes go to the store are held beside them: the seal (sealing/test_seal.py), redacted copies
(redactions/test_redactions.py), what is brought in (outside_recordings/test_take_in.py), destruction
(destruction/test_destruction.py), backup and export (archive/backup), another archive's package (archive/transfers).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import OperationalError, connection, transaction

from archive.accounts.models import User
from archive.recordings.models import Recording
from archive.records.destruction import deeds as destruction_deeds
from archive.records.disclosures import deeds as disclosure_deeds
from archive.records.disclosures.models import Basis, Consent, Disclosure
from archive.records.evidence import deeds as evidence_deeds
from archive.records.outside_recordings import take_in_deeds
from archive.records.outside_recordings.models import OutsideRecording
from archive.records.transcripts import deeds as transcript_deeds
from archive.records.transcripts.models import Language, Source, Transcript
from tests.archive.core.test_uploads import PDF, TYPED
from tests.archive.page_fixtures import entries, make_user, signed_in
from tests.archive.pages import check
from tests.support.archives import Archive

from .destruction.scene import Scene
from .disclosures.test_disclosures import ann, consent, facts, row
from .outside_recordings.files import SAID, send, sound
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
