"""A recording of a meeting two years ago, whose period is over, and the people who may destroy it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import connection
from django.utils import timezone

from archive.access.deeds import Deed
from archive.accounts.models import User
from archive.keystore.recording_keys import recording_keys
from archive.recordings.models import Recording
from archive.recordings.playback import open_audio
from archive.records.destruction import deeds
from archive.records.destruction.models import Basis, Destruction, Reply
from archive.records.letters.deeds import approve_text, note_delivery
from archive.records.letters.models import Letter, LetterKind, Template
from archive.records.meetings.models import Meeting, MeetingKind
from archive.records.outside_recordings import filing_deeds
from archive.records.outside_recordings.models import OutsideRecording
from archive.records.people.models import Person, Student
from archive.records.retention.deeds import enter_answer, enter_series
from archive.store.current import store
from tests.archive.page_fixtures import make_user
from tests.archive.records.factories import (
    make_filing,
    make_meeting,
    make_person,
    make_right,
    make_student,
)
from tests.archive.records.outside_recordings.files import brought, sound
from tests.archive.records.retention.test_retention import age, facts


@dataclass
class Scene:
    """What a destruction needs: a recording of either kind."""

    row: Any
    ann: User
    bob: User
    student: Student
    parent: Person

    def propose(self) -> Destruction:
        return deeds.propose(self.row.pk, Basis.PERIOD, "the school years are over", by=self.ann)

    def told(self, destruction: Destruction, reply: Reply = Reply.AGREES, *, days: int = 50) -> Destruction:
        """Let the parent be told `days` ago, and answer."""
        told = deeds.tell(destruction.pk, self.student, self.parent, "en", by=self.ann)
        assert told.letter is not None
        at = timezone.now() - timedelta(days=days)
        Letter.objects.filter(pk=told.letter.pk).update(made_at=at)
        note_delivery(told.letter.pk, "by mail", at, by=self.ann)
        deeds.enter_reply(destruction.pk, told.pk, reply, timezone.localdate(), "as Rosa said", by=self.ann)
        return destruction

    def told_again(self, destruction: Destruction, reply: Reply) -> None:
        """Let the parent answer otherwise."""
        told = destruction.told.get(person=self.parent)
        deeds.enter_reply(destruction.pk, told.pk, reply, timezone.localdate(), "as Rosa said later", by=self.ann)

    def approved(self, *, hours: float = 25) -> Destruction:
        """Let all of it be done, and approved so many hours ago."""
        made = self.told(self.propose())
        deeds.approve(made.pk, by=self.bob)
        Destruction.objects.update(approved_at=timezone.now() - timedelta(hours=hours))
        return Destruction.objects.get(pk=made.pk)


def make_scene(recording: str, *, ann: User | None = None, bob: User | None = None) -> Scene:
    ann, bob = ann or make_user("ann", Deed.DESTROY), bob or make_user("bob", Deed.DESTROY)
    student, parent = make_student("Ana", "Torres", local_id="S-17"), make_person("Rosa", "Torres")
    make_right(parent, student)
    row = Recording.objects.get(pk=recording)
    make_filing(row.pk, make_meeting(student))
    age(row, 2 * 365)
    decide(ann)
    return Scene(row, ann, bob, student, parent)


def make_outside_scene() -> Scene:
    """The same of a recording that no box made."""
    ann, bob = make_user("ann", Deed.DESTROY), make_user("bob", Deed.DESTROY)
    student, parent = make_student("Ana", "Torres", local_id="S-17"), make_person("Rosa", "Torres")
    make_right(parent, student)
    before = timezone.localtime() - timedelta(days=2 * 365)
    row = brought(ann, sound("FLAC"), made_on=before.date(), brought_on=before.date())
    file_by_two(row, make_meeting(student, before), ann, bob)
    OutsideRecording.objects.update(arrived_at=before)
    decide(ann)
    return Scene(OutsideRecording.objects.get(), ann, bob, student, parent)


def file_by_two(row: OutsideRecording, meeting: Meeting, ann: User, bob: User) -> None:
    filing_deeds.confirm(row.pk, filing_deeds.file_outside(row.pk, meeting, by=ann).pk, by=bob)


def decide(ann: User) -> None:
    """Let the district have decided that recordings of such meetings are kept for a year, and have its texts."""
    series = enter_series("SPED 1", "Meetings", [MeetingKind.IEP], by=ann)
    enter_answer(series.pk, facts(1), by=ann)
    for text in Template.objects.filter(kind=LetterKind.DESTRUCTION):
        approve_text(text.pk, by=ann)


def refresh(row: Recording) -> Recording:
    return Recording.objects.get(pk=row.pk)


def execute(statement: str) -> None:
    """As somebody would who has the application's database and none of its deeds."""
    with connection.cursor() as cursor:
        cursor.execute(statement)


def gone(row: Recording) -> bool:
    return not recording_keys().exists(row.pk) and not store().exists(row.package)


def untouched(row: Recording) -> bool:
    row = refresh(row)
    return row.destroyed_at is None and len(open_audio(row).read(0, 100)) == 100
