"""A recording of a meeting about Ana Torres that shall be disclosed, and what is said about that."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.utils import timezone

from archive.accounts.models import User
from archive.recordings.models import Recording
from archive.records.disclosures import deeds, notice_deeds
from archive.records.disclosures.deeds import ConsentGiven, DisclosureFacts
from archive.records.disclosures.models import (
    Basis,
    Copy,
    Disclosure,
    HowSigned,
)
from archive.records.disclosures.notice_deeds import Notice
from archive.records.disclosures.reach import not_named
from archive.records.outside_recordings.either import Either

PDF = b"%PDF-1.7 a signed paper"


def facts(**other: Any) -> DisclosureFacts:
    given: dict[str, Any] = {
        "what": Copy.AUDIO,
        "recipient": "",
        "party": "Rosa Torres" if other.get("basis") == Basis.OWN else "Dr. Lee",
        "purpose": "an evaluation",
        "basis": Basis.CONSENT,
        "explanation": "",
    }
    return DisclosureFacts(**{**given, **other})


def consent(row: Either, **other: Any) -> ConsentGiven:
    meeting = row.filings.get().meeting
    given: dict[str, Any] = {
        "student": meeting.student,
        "person": meeting.student.rights.get().person,
        "records": "the recording",
        "purpose": "an evaluation",
        "party": "Dr. Lee",
        "signed_on": timezone.localdate(),
        "how": HowSigned.PAPER,
        "proof": "file 12",
        "scan": PDF,
    }
    return ConsentGiven(**{**given, **other})


def told(made: Disclosure, by: User, *, waits_until: date | None = None) -> None:
    """Let the parents of the first student have been told today."""
    student = made.about.filings.get(meeting__student__local_id="S-17").meeting.student
    notice_deeds.enter_notice(made.pk, Notice(student, timezone.localdate(), waits_until), by=by)


def open_second(row: Recording, by: User) -> None:
    for name in not_named(row.pk):
        deeds.enter_recorded(row.pk, name, timezone.localdate(), "file 13", by=by)
