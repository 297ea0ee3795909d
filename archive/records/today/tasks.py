"""What is due today, for each deed that somebody may do; a person sees the lists of what they may do."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Final

from django.db.models import Case, Q, When
from django.urls import reverse
from django.utils import timezone

from archive.access.deeds import OF_ONE_RECORDING, Deed
from archive.access.models import Grant
from archive.access.scopes import recordings_in
from archive.accounts.models import User
from archive.recordings.fixity import damaged
from archive.recordings.models import Recording, State
from archive.records.destruction.models import Destruction
from archive.records.destruction.models import State as DestructionState
from archive.records.grants.models import Review
from archive.records.grants.rules import SOON, review_due
from archive.records.holds.reach import matters_in
from archive.records.incidents.models import Incident
from archive.records.incidents.reach import without_record
from archive.records.letters.reach import withheld
from archive.records.letters.views import letters_in
from archive.records.meetings.describe import meeting_words
from archive.records.meetings.models import Meeting
from archive.records.meetings.search import meetings_in
from archive.records.outside_recordings.check_deeds import damaged_ones
from archive.records.outside_recordings.describe import called
from archive.records.outside_recordings.either import about_either
from archive.records.outside_recordings.reach import outside_in
from archive.records.people.models import Student
from archive.records.people.rules import TOLD_AHEAD, majority_tasks
from archive.records.people.search import reached
from archive.records.requests import deeds as request_deeds
from archive.records.requests.models import AccessRequest, Amendment, AmendmentState
from archive.records.requests.reach import unheard_of, with_holders
from archive.records.requests.rules import OPEN
from archive.records.retention.reach import unanswered
from archive.ui import words
from archive.ui.tasks import Task

from .day import MOST, Day
from .rooms_today import RoomOfMeeting, day_of, readiness_now, rooms_of
from .tray_tasks import tray

AHEAD: Final = timedelta(days=14)
"""How far ahead requests are told."""


def meetings_today(day: Day, deed: Deed) -> list[Meeting]:
    """Return today's meetings that the user leads and may do `deed` to; all of those, if the user leads none.

    A director leads none and looks after all.
    """
    first, last = day_of(day.now)
    rows = meetings_in(day.reaches[deed]).filter(cancelled_at=None, starts_at__gte=first, starts_at__lt=last)
    led_first = rows.order_by(Case(When(facilitator=day.user, then=0), default=1), "starts_at", "pk")
    found = list(led_first[:MOST])
    return [row for row in found if row.facilitator_id == day.user.pk] or found


def own_meetings(day: Day) -> list[Task]:
    """Return a facilitator's meetings of today, and all before them whose incident record is missing."""
    now = day.now
    first, _ = day_of(now)
    today = meetings_today(day, Deed.MEETINGS)
    standing = {one.meeting.pk: one for one in rooms_of(today, day.cards, now)} if day.may(Deed.READY) else {}
    tasks = [_meeting(row, now, standing.get(row.pk)) for row in today]
    past = meetings_in(day.reaches[Deed.MEETINGS]).filter(starts_at__lt=first)
    for row in without_record(past, now).order_by("-starts_at", "pk")[:MOST]:
        title = f"Enter the incident record: {row.student}, {words.day(timezone.localtime(row.starts_at))}"
        state = "the district's recording has gaps" if row.filings.all() else "a parent recorded, no box did"
        tasks.append(Task(title, reverse("pages:incident-new", args=[row.pk]), sign="at-fault", state=state))
    return tasks


def _meeting(row: Meeting, now: datetime, room: RoomOfMeeting | None) -> Task:
    said = meeting_words(row, now)
    detail = said.duty_words or "No notice was given."
    if room is not None and row.room_id is not None and not room.ready and row.ends_at > now:
        detail += " The room is not ready: look at My rooms."
    return Task(
        title=f"{said.times}: {row.student}, {said.where}",
        address=reverse("pages:meeting", args=[row.pk]),
        detail=detail,
        sign=said.sign,
        state="a parent records" if said.sign else "",
    )


def requests_due(day: Day) -> list[Task]:
    """Return access requests by due date, what others logged at once, and amendments that wait for a step."""
    now, near = day.now, reached(day.reaches[Deed.REQUESTS], "student")
    tasks = [
        Task(
            f"Answer the request of {row.person} about {row.student}",
            reverse("pages:request", args=[row.pk]),
            due=f"due {words.day(due.on)} ({due.why})",
            detail=f"Logged by {row.logged_by}." if row.logged_by not in (None, day.user) else "",
            sign="attention" if due.late(now.date()) else None,
            state="late" if due.late(now.date()) else "",
        )
        for row, due in request_deeds.with_due(AccessRequest.objects.filter(near, closed_at=None))
        if due.on <= now.date() + AHEAD or row.logged_by not in (None, day.user)
    ]
    return [*tasks, *_amendments(near, now.date())][:MOST]


def _amendments(near: Q, today: date) -> list[Task]:
    """Return what an amendment waits for. After a refusal it is the parent's turn, until the time given has passed."""
    tasks = []
    for row, known in unheard_of(with_holders(Amendment.objects.filter(near, state__in=OPEN))):
        about, due, address = row.student, "", reverse("pages:amendment", args=[row.pk])
        if row.state == AmendmentState.HEARING:
            due = f"hearing on {words.day(row.hearing_on)}" if row.hearing_on else ""
            tasks.append(Task(f"Enter the outcome of the hearing about {about}", address, due=due))
        elif row.state == AmendmentState.ASKED:
            due = f"received {words.day(row.received_on)}"
            tasks.append(Task(f"Decide on a request to amend about {about}", address, due=due))
        elif not known.holds_rights or (known.until is not None and known.until < today):
            if known.until is not None:
                due = f"the district waited until {words.day(known.until)}"
            tasks.append(Task(f"Enter whether a hearing was asked for about {about}", address, due=due))
    return tasks


def at_18(day: Day) -> list[Task]:
    """Return students for whom somebody must decide what follows from the 18th birthday."""
    now = day.now
    born = now.date() + TOLD_AHEAD - timedelta(days=int(18 * 365.2))
    near = Student.objects.filter(reached(day.reaches[Deed.PEOPLE]), birth_date__lte=born)
    found = majority_tasks(near.filter(rights_decided_on=None, left_on=None).order_by("birth_date"), now.date())
    return [
        Task(
            f"Decide what follows at 18: {one.student}",
            reverse("pages:majority", args=[one.student.pk]),
            due=f"{'turned 18 on' if one.late else 'turns 18 on'} {words.day(one.on)}",
            sign="attention" if one.late else None,
            state="late" if one.late else "",
        )
        for one in found[:MOST]
    ]


def access_due(day: Day) -> list[Task]:
    """Return the review of the quarter, and access that ends soon."""
    tasks, now = [], day.now
    due = review_due(Review.objects.values_list("quarter", flat=True), now.date())
    if due is not None:
        tasks.append(
            Task(
                f"Review who has access, {due.quarter}",
                reverse("pages:grant-review"),
                due=f"due {words.day(due.due)}",
                sign="attention" if due.late else None,
                state="late" if due.late else "",
            )
        )
    ends = Q(valid_until__lte=now + SOON) | Q(user__active_until__lte=now + SOON)
    ending = Grant.objects.at(now).filter(ends, deed__in=OF_ONE_RECORDING)
    people = ending.values("user", "scope_id").distinct().count()
    if people:
        tasks.append(Task(f"Access that ends within a month: {people}", reverse("pages:grants")))
    return tasks


def letters_due(day: Day) -> list[Task]:
    """Return letters about incidents that nobody wrote, and letters that were made and not delivered."""
    near = reached(day.reaches[Deed.LETTERS], "meeting__student")
    unwritten = Incident.objects.filter(near, letters=None).select_related("meeting__student")
    tasks = [
        Task(
            f"Write to the parent about the recording that is missing or has gaps: {row.meeting.student}",
            reverse("pages:incident", args=[row.meeting_id]),
        )
        for row in unwritten[:MOST]
    ]
    rows = letters_in(day.reaches[Deed.LETTERS]).filter(delivered_at=None, overtaken_at=None)[:MOST]
    held_back = withheld(rows)
    return tasks + [
        Task(
            f"Deliver: {row.subject}",
            reverse("pages:letter", args=[row.pk]),
            detail=f"To {row.person or 'whom it names'}.",
        )
        for row in rows
        if row.pk not in held_back
    ]


def holds_due(day: Day) -> list[Task]:
    """Return matters that were to be looked at again; their holds go on."""
    near = matters_in(day.reaches[Deed.HOLD], day.user)
    rows = near.filter(released_at=None, valid_until__lte=day.now.date())[:MOST]
    return [
        Task(
            f"Look at a hold again: {row.title}",
            reverse("pages:matter", args=[row.pk]),
            due=f"was planned for {words.day(row.valid_until)}" if row.valid_until else "",
            detail="It goes on until somebody ends it.",
        )
        for row in rows
    ]


def retention_due(_day: Day) -> list[Task]:
    """Return what counsel must be asked: nothing is destroyed before."""
    return [
        Task(
            f"Ask counsel how long recordings of this kind are kept: {kind.label}",
            reverse("pages:series", args=[series.pk]) if series else reverse("pages:retention"),
            detail="Until the answer is entered, everything is kept.",
        )
        for kind, series in unanswered()
    ]


def destructions_due(day: Day) -> list[Task]:
    """Return destructions that wait for a second person or for the deed, first those that are not complete."""
    near = about_either(day.reaches[Deed.DESTROY])
    stuck = Q(state=DestructionState.CLOSING)
    waiting = Q(state__in=[DestructionState.PROPOSED, DestructionState.APPROVED])
    rows = Destruction.objects.filter(near, stuck | waiting).select_related("recording", "outside")
    ordered = rows.order_by(Case(When(stuck, then=0), default=1), "-proposed_at", "pk")
    return [_destruction(row) for row in ordered[:MOST]]


def _destruction(row: Destruction) -> Task:
    address = reverse("pages:destruction", args=[row.pk])
    if row.state != DestructionState.CLOSING:
        return Task(f"Destruction: {row.called}", address, detail=row.get_state_display())
    return Task(
        f"Destruction not complete: {row.called}",
        address,
        detail="It was decided, and key or package could not be removed yet. The archive goes on trying.",
        sign="attention",
        state="needs help",
    )


def failing(day: Day) -> list[Task]:
    """Return recordings that cannot be sealed."""
    near = recordings_in(day.reaches[Deed.LOOK])
    rows = Recording.objects.filter(near, state=State.CLOSED).exclude(problem="").defer("header", "receipt")[:MOST]
    return [
        Task(
            f"Cannot be sealed: recording of {words.when(timezone.localtime(row.listed_at))}",
            reverse("pages:recording", args=[row.pk]),
            sign="attention",
            state="needs help",
        )
        for row in rows
    ]


def damaged_packages(day: Day) -> list[Task]:
    """Return recordings whose last check did not find what was sealed."""
    rows = damaged().filter(recordings_in(day.reaches[Deed.VERIFY])).defer("header", "receipt")[:MOST]
    return [
        Task(
            f"Damaged: recording of {words.when(timezone.localtime(row.listed_at))}",
            reverse("pages:verification", args=[row.pk]),
            detail="Its copy must be restored.",
            sign="at-fault",
            state="damaged",
        )
        for row in rows
    ] + [
        Task(
            f"Damaged: {called(row)}",
            reverse("pages:outside", args=[row.pk]),
            detail="Its copy must be restored.",
            sign="at-fault",
            state="damaged",
        )
        for row in damaged_ones().filter(outside_in(day.reaches[Deed.VERIFY]))[:MOST]
    ]


def rooms_due(day: Day) -> list[Task]:
    """Return rooms that are not ready, those with a meeting today first."""
    return [
        Task(
            f"{one.room.room}: {one.room.said}",
            reverse("pages:rooms"),
            due=f"meeting at {words.time_of_day(one.booked, seconds=False)}" if one.booked else "",
            detail=one.to_do,
            sign=one.room.sign,
            state="not ready",
        )
        for one in readiness_now(day.now, day.cards)
        if not one.ready
    ][:MOST]


LISTS: Final[tuple[tuple[Deed, str, Callable[[Day], list[Task]], str], ...]] = (
    (Deed.BOARD, "Rooms that are not ready", rooms_due, "Every room is ready."),
    (Deed.MEETINGS, "Meetings today", own_meetings, "No meeting is planned for today."),
    (Deed.REQUESTS, "Requests of parents", requests_due, "No request is due within two weeks."),
    (Deed.FILE, "Tray", tray, "Nothing waits to be filed."),
    (Deed.CORRECT, "Students who turn 18", at_18, "No decision about a student who turns 18 is open."),
    (Deed.GRANT, "Access", access_due, "No access ends within a month, and the quarter's review was made."),
    (Deed.LETTERS, "Letters to deliver", letters_due, "Every letter was delivered."),
    (Deed.HOLD, "Holds", holds_due, "No hold needs another look."),
    (Deed.RETENTION, "Retention", retention_due, "How long each kind of recording is kept was decided."),
    (Deed.DESTROY, "Destruction", destructions_due, "No destruction is under way."),
    (Deed.LOOK, "Recordings that fail", failing, "Every recording could be sealed."),
    (Deed.VERIFY, "Damaged packages", damaged_packages, "The last checks found no damaged package."),
)
"""Deed, heading, what is due, and what is said where nothing is; in the order of the page."""


def lists_for(user: User, now: datetime) -> list[tuple[str, list[Task], str]]:
    """Return the lists of what `user` may do."""
    day = Day.of(user, now)
    return [(heading, due(day), none) for deed, heading, due, none in LISTS if day.may(deed)]
