"""What is known about a recording whose destruction is proposed, and who must be told."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from django.db.models import QuerySet
from django.utils import timezone

from archive.access.scopes import Scope, scopes_of
from archive.recordings.bucket_locks import held_in_bucket, removable_from
from archive.recordings.models import Recording
from archive.recordings.removal import was_never_kept
from archive.records.disclosures.reach import open_disclosures
from archive.records.holds.reach import why_held
from archive.records.outside_recordings.either import find_either, open_filings
from archive.records.outside_recordings.reach import may_be_removed
from archive.records.people.models import Person, Student
from archive.records.people.reach import holders_now
from archive.records.requests.reach import open_cases
from archive.records.retention.reach import kept_of

from .models import Basis, Destruction, State, Told
from .rules import Letter, Standing


def scopes_of_destruction(destruction: str) -> Iterable[Scope]:
    """Return the scopes that hold the recording of a destruction."""
    for row in Destruction.objects.filter(pk=destruction):
        yield from scopes_of(row.subject)


def why_not_decided(recording: str) -> str:
    """Return why the key of a recording may not be destroyed, unless two people decided so and it was carried out."""
    if Recording.objects.filter(pk=recording, destroyed_at__isnull=False).exists():
        return ""
    if may_be_removed(recording) or was_never_kept(recording):
        return ""
    return f"nobody decided to destroy recording {recording}; two people do so on its page"


def students_of(recording: str) -> list[Student]:
    """Return the students of a recording's meetings, whether a second person confirmed its filing or not."""
    filings = open_filings(find_either(recording))
    students = Student.objects.filter(pk__in=filings.values("meeting__student"))
    return list(students.prefetch_related("rights__person", "bars"))


def to_tell(recording: str, day: date) -> list[tuple[Student, Person]]:
    """Return who holds rights over the records of each student of a recording on that day."""
    return [
        (student, one.person)
        for student in students_of(recording)
        for one in holders_now(student.rights.all(), student.bars.all(), day)
    ]


def were_told(row: Destruction) -> QuerySet[Told]:
    """Return who was told: a letter that was written and not delivered told nobody."""
    return row.told.filter(letter__delivered_at__isnull=False).prefetch_related("earlier")


def standing_of(row: Destruction) -> Standing:
    """Return what is known now."""
    now, today, recording = timezone.now(), timezone.localdate(), row.about
    people = to_tell(recording.pk, today)
    told = {(one.student_id, one.person_id): one for one in row.told.select_related("letter")}
    letters = []
    for student, person in people:
        one = told.get((student.pk, person.pk))
        delivered = one.letter.delivered_at if one and one.letter else None
        asked = row.asked_by_id == person.pk
        letters.append(Letter(delivered, one.reply if one else "", str(student.pk), asked))
    # who was told and no longer holds rights may still have asked for a copy
    present = {(student.pk, person.pk) for student, person in people}
    letters += [
        Letter(one.letter.delivered_at if one.letter else None, one.reply)
        for pair, one in told.items()
        if pair not in present and one.reply
    ]
    return Standing(
        kept=kept_of(recording),
        basis=Basis(row.basis),
        held=bool(why_held(recording.pk)),
        requests_open=bool(open_cases(recording.pk)),
        disclosures_open=open_disclosures(recording.pk).exists(),
        everybody_known={student.pk for student, _ in people} >= {one.pk for one in students_of(recording.pk)},
        letters=letters,
        now=now,
        today=today,
        state=State(row.state),
        approved_at=row.approved_at,
        held_in_store=held_in_bucket(recording.pk),
        locked_until=removable_from(recording.pk, recording.sealed_at) if recording.sealed_at else None,
    )
