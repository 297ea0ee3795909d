"""What the facilitator notes at a meeting. The page may send late and twice: each event is entered once.

Nothing here reaches a box: no press can be made, and no recording begun, paused or ended (promise 1).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from appliance.contract.stop_signal import StopSignal
from archive.accounts.models import User
from archive.core.deeds import one_deed
from archive.custody.actors import ARCHIVE, Actor, Subject
from archive.custody.log import record
from archive.recordings.models import Recording
from archive.records.errors import DeedError, UnknownRecordError
from archive.ui import words

from . import deeds
from .custody_kinds import OPENING, PLACED
from .models import Meeting, Mode, OpeningEvent, OpeningEventKind, ParentRecords
from .offsets import LONGEST, place_at

MAX_EVENTS: Final = 500
"""Most events in one request; a meeting has some dozens."""
PLACED_WITHIN: Final = timedelta(hours=12)
"""How long a note without a place is looked at again in any case: no recording is longer."""
ARRIVES_WITHIN: Final = timedelta(days=30)
"""How long a note is looked at when a recording of its room arrives: a box keeps what it cannot send."""
ARRIVED: Final = timedelta(days=1)
"""How long a recording counts as one that arrives, after its last bytes came."""
PLACE_S: Final = 5.0
"""How often the worker looks, in seconds."""
MAX_LATE: Final = timedelta(days=3)
"""How late an event may arrive; a tablet that was off for a weekend still sends."""
MAX_HANDED_IN: Final = timedelta(days=400)
"""How late one may arrive that somebody hands in for an account that has ended: it may wait on a tablet in a drawer."""
AHEAD: Final = timedelta(minutes=5)
"""How far ahead of the archive's clock a tablet's event may be."""


@dataclass(frozen=True)
class EventFacts:
    """One event, as the page made it."""

    id: UUID
    """Made by the page: the same event sent again has the same one."""
    kind: OpeningEventKind
    at: datetime
    """When, corrected to the archive's clock."""
    who: str = ""
    mode: Mode | None = None
    interpreter: str = ""
    answer: str = ""
    """`yes`, `no`, or empty."""
    text: str = ""


def note(meeting_pk: UUID, events: Sequence[EventFacts], *, by: User, noted_by: User | None = None) -> list[UUID]:
    """Enter the events that are not here yet, and return the identifiers of all of them: the page forgets these.

    `noted_by`: whose notes they are by the tablet's word, where `by` hands them in for an account that has ended.
    Raises DeedError while that account works: nobody's notes are sent under another name.
    """
    if noted_by is not None and noted_by.is_active:
        raise DeedError(f"{noted_by} can sign in. That person opens this page on this tablet, and it sends the notes.")
    if len(events) > MAX_EVENTS:
        raise DeedError(f"At most {MAX_EVENTS} notes are taken at once; send the rest afterwards.", field="events")
    with one_deed():
        meeting = Meeting.objects.select_for_update().filter(pk=meeting_pk).first()
        if meeting is None:
            raise UnknownRecordError("there is no such meeting here")
        known = dict(OpeningEvent.objects.filter(pk__in=[one.id for one in events]).values_list("pk", "meeting"))
        for one in sorted(events, key=lambda event: event.at):
            if one.id in known:
                if known[one.id] != meeting_pk:
                    raise DeedError("This note belongs to another meeting.", field="events")
                continue
            known[one.id] = meeting_pk
            _enter(meeting, one, by, noted_by)
    return [one.id for one in events]


def place_notes(stop: StopSignal) -> int:
    """Give notes their place that were written before anything of the recording was here; return how many."""
    placed = 0
    # the newest first: what never gets a place, as of a meeting elsewhere, keeps nothing waiting
    for event in _without_place(timezone.now()).order_by("-received_at").select_related("meeting")[:MAX_EVENTS]:
        if stop.is_set():
            break
        place = place_at(event.meeting, event.at)
        if place is None:
            continue
        with one_deed():
            if not OpeningEvent.objects.filter(pk=event.pk, recording=None).exists():
                continue
            subject = Subject.meeting(event.meeting_id)
            record(
                PLACED,
                actor=ARCHIVE,
                subject=subject,
                event=str(event.pk),
                recording=place.recording,
                frame=place.frame,
            )
            event.recording_id, event.frame = place.recording, place.frame
            event.save(update_fields=["recording", "frame"])
        placed += 1
    return placed


def _without_place(now: datetime) -> QuerySet[OpeningEvent]:
    """Return the notes that may have a place now."""
    arrives = Recording.objects.filter(
        room=OuterRef("meeting__room"),
        created_at__lte=OuterRef("at"),
        created_at__gt=OuterRef("at") - LONGEST,
        last_arrival_at__gte=now - ARRIVED,
    )
    in_a_room = OpeningEvent.objects.filter(
        recording=None, meeting__room__isnull=False, received_at__gte=now - ARRIVES_WITHIN
    )
    return in_a_room.filter(Q(received_at__gte=now - PLACED_WITHIN) | Exists(arrives))


def _enter(meeting: Meeting, facts: EventFacts, by: User, noted_by: User | None) -> None:
    now = timezone.now()
    late = MAX_HANDED_IN if noted_by else MAX_LATE
    if not now - late <= facts.at <= now + AHEAD:
        made = words.when(timezone.localtime(facts.at))
        raise DeedError(f"A note says that it was made {made}; look at the tablet's clock.", field="at")
    place = place_at(meeting, facts.at)
    record(
        OPENING,
        actor=Actor.user(by.pk),
        subject=Subject.meeting(meeting.pk),
        what=facts.kind.value,
        noted_by=str(noted_by.pk) if noted_by else None,
        event=str(facts.id),
        recording=place.recording if place else None,
        frame=place.frame if place else None,
    )
    OpeningEvent.objects.create(
        id=facts.id,
        meeting=meeting,
        kind=facts.kind,
        at=facts.at,
        received_at=now,
        noted_by=noted_by,
        by=by,
        who=facts.who,
        mode=facts.mode or "",
        interpreter=facts.interpreter,
        answer=facts.answer,
        text=facts.text,
        recording_id=place.recording if place else None,
        frame=place.frame if place else None,
    )
    if facts.kind == OpeningEventKind.PARENT_RECORDS and facts.answer and not _was_asked_again(meeting, facts.at):
        deeds.enter_parent_records(meeting.pk, ParentRecords(facts.answer), facts.text, by=by, said_at=facts.at)


def _was_asked_again(meeting: Meeting, at: datetime) -> bool:
    return meeting.events.filter(kind=OpeningEventKind.PARENT_RECORDS, at__gt=at).exclude(answer="").exists()
