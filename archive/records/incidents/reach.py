"""Which meetings need an incident record, what the archive itself knows about them, and who is told."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from appliance.contract.ledger import Entry, Fault
from archive.recordings.ledger_entries import read_ledger
from archive.recordings.models import Recording, State
from archive.recordings.recording_state import FLAWED
from archive.recordings.state_words import marks
from archive.recordings.timeline import timeline
from archive.records.meetings.models import Filing, Meeting, Notice, OpeningEvent, ParentRecords
from archive.records.meetings.rules import GRACE
from archive.records.people.models import Person
from archive.records.people.reach import holders_now

from .models import LookAgain


def without_record(rows: QuerySet[Meeting], now: datetime) -> QuerySet[Meeting]:
    """Return those of `rows` that lack their incident record now; a meeting that has just begun is given time.

    Only those are looked at that the triggers noted: of all others `lacking` was asked since their last change.
    """
    return lacking(rows.filter(pk__in=LookAgain.objects.values("meeting"), starts_at__lt=now - GRACE))


def lacking(rows: QuerySet[Meeting]) -> QuerySet[Meeting]:
    """Return those of `rows` that a parent records, as far as anybody said, and whose copy is missing or has gaps.

    No clock has a part in it. What it reads is what the triggers watch (triggers.py).
    """
    noticed = Notice.objects.filter(meeting=OuterRef("pk"))
    said = Q(parent_records=ParentRecords.YES) | Q(parent_records=ParentRecords.UNKNOWN) & Exists(noticed)
    filed = Filing.objects.filter(meeting=OuterRef("pk"), ended_at=None, end_asked_at=None)
    ran = OpeningEvent.objects.filter(meeting=OuterRef("pk"), recording__isnull=False)
    flawed = filed.filter(Exists(Recording.objects.filter(FLAWED, state=State.SEALED, pk=OuterRef("recording"))))
    open_ones = rows.filter(said, cancelled_at=None, incident=None, recording_destroyed=False)
    return open_ones.filter(~Exists(filed) & ~Exists(ran) | Exists(flawed))


def filed_under(meeting: Meeting) -> list[Recording]:
    """Return the recordings that are filed under a meeting, in order of time."""
    filed = Filing.objects.filter(meeting=meeting, ended_at=None, end_asked_at=None)
    rows = Recording.objects.filter(pk__in=filed.values("recording"), destroyed_at=None)
    return list(rows.select_related("box", "room").order_by("listed_at", "pk"))


def found_of(recording: Recording | None) -> list[str]:
    """Return what the archive itself knows of it, one a line: the ledger's gaps and faults, and how it ended."""
    if recording is None:
        return []
    moments = timeline(_entries(recording), recording.rate, sensed=recording.lamp == "verified")
    told = [f"{one.at}: {one.text}" for one in moments if one.serious or one.kind == "end"]
    return [*told, *marks(recording)]


def codes_of(recordings: Iterable[Recording]) -> list[str]:
    """Return the amber codes that came up in recordings' ledgers, each once, in their order."""
    facts = [entry.fact for one in recordings for entry in _entries(one)]
    return list(dict.fromkeys(one.code for one in facts if isinstance(one, Fault) and one.raised))


def _entries(recording: Recording) -> list[Entry]:
    return read_ledger(recording).entries if recording.state == State.SEALED else []


def to_tell(meeting: Meeting) -> list[Person]:
    """Return who holds rights over the records of the meeting's student today."""
    student = meeting.student
    found = holders_now(student.rights.select_related("person"), student.bars.all(), timezone.localdate())
    return [one.person for one in found]
