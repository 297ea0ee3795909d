"""Entering and correcting incident records, and the letters about them, each with its custody entry."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.utils import timezone, translation

from archive.accounts.models import User
from archive.core.deeds import one_deed
from archive.custody.actors import Actor, Subject
from archive.custody.log import record
from archive.recordings.models import Recording
from archive.records.errors import DeedError, StaleError, UnknownRecordError
from archive.records.letters.deeds import make_letter
from archive.records.letters.letter_facts import common
from archive.records.letters.models import LetterKind
from archive.records.meetings.describe import title
from archive.records.meetings.models import Meeting
from archive.records.people.models import Person

from .custody_kinds import INCIDENT, INCIDENT_CHANGED
from .models import Incident, IncidentLetter, Missing
from .reach import filed_under, found_of, to_tell
from .rules import is_cause


@dataclass(frozen=True)
class IncidentFacts:
    """What somebody enters."""

    missing: Missing
    recording: Recording | None
    cause: str
    explanation: str
    told: str
    done: str


def enter(meeting: UUID, facts: IncidentFacts, *, by: User, found: list[str] | None = None) -> Incident:
    """Enter a meeting's incident record, with what the archive itself knows now. Raises DeedError for a second one.

    `found` is what `found_of` said of its recording, where the caller is in a deed already: it reads from the store.
    """
    found = found_of(facts.recording) if found is None else found
    with one_deed():
        row = Meeting.objects.select_for_update().filter(pk=meeting).first()
        if row is None:
            raise UnknownRecordError("there is no such meeting here")
        if Incident.objects.filter(meeting=row).exists():
            raise DeedError("This meeting has its incident record. Correct that one.")
        _check(row, facts)
        made = Incident(meeting=row, entered_at=timezone.now(), entered_by=by, **vars(facts))
        made.found = "\n".join(found)
        record(
            INCIDENT,
            actor=Actor.user(by.pk),
            subject=Subject.meeting(meeting),
            missing=facts.missing.value,
            **_detail(made),
        )
        made.save(force_insert=True)
    return made


def correct(meeting: UUID, facts: IncidentFacts, version: int, *, by: User, found: list[str] | None = None) -> Incident:
    """Correct it, with what the archive knows now (`found` as in `enter`). Raises StaleError."""
    found = found_of(facts.recording) if found is None else found
    with one_deed():
        row = Incident.objects.select_for_update().select_related("meeting").filter(meeting=meeting).first()
        if row is None:
            raise UnknownRecordError("this meeting has no incident record")
        if row.version != version:
            raise StaleError
        _check(row.meeting, facts)
        for name, value in vars(facts).items():
            setattr(row, name, value)
        row.found = "\n".join(found)
        row.version += 1
        record(INCIDENT_CHANGED, actor=Actor.user(by.pk), subject=Subject.meeting(meeting), **_detail(row))
        row.save()
    return row


def write_letter(meeting: UUID, person: Person, language: str, reason: str, *, by: User) -> IncidentLetter:
    """Write the letter to a rights-holder from the approved text; its delivery is noted with the letter."""
    with one_deed():
        row = Incident.objects.select_for_update().filter(meeting=meeting).first()
        if row is None:
            raise DeedError("Enter the incident record first.")
        about = Meeting.objects.select_related("student", "room").get(pk=meeting)
        if person not in to_tell(about):
            raise DeedError(
                "This person holds no rights over the records, as far as this archive knows.", field="person"
            )
        if row.letters.filter(person=person).exists():
            raise DeedError("The letter to this person was written already.", field="person")
        with translation.override(language):
            called = title(about)
        letter = make_letter(
            LetterKind.INCIDENT,
            common(about.student, person, language) | {"meeting": called, "reason": reason},
            by=by,
            student=about.student,
            person=person,
            language=language,
            about=Subject.meeting(meeting),
        )
        return IncidentLetter.objects.create(incident=row, person=person, letter=letter)


def _check(meeting: Meeting, facts: IncidentFacts) -> None:
    if not is_cause(facts.cause):
        raise DeedError("There is no such cause.", field="cause")
    if facts.missing == Missing.PART and facts.recording is None:
        raise DeedError("Say which recording has gaps.", field="recording")
    if facts.missing == Missing.ALL and facts.recording is not None:
        raise DeedError("Where no box recorded there is no recording to name.", field="recording")
    if facts.recording is not None and facts.recording not in filed_under(meeting):
        raise DeedError("This recording is not filed under the meeting.", field="recording")


def _detail(row: Incident) -> dict[str, str | None]:
    return {"incident": str(row.pk), "recording": row.recording_id, "cause": row.cause}
