"""The calendar, day sheets and meetings: views parse and show, deeds change."""

from __future__ import annotations

from datetime import date, time, timedelta
from typing import Any, Final
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from archive.access.decisions import may, reach_of, reached_recordings
from archive.access.deeds import Deed
from archive.access.requests import user_of
from archive.custody.actors import Subject
from archive.recordings.models import Recording
from archive.records.errors import UnknownRecordError
from archive.records.form_page import form_page, posted
from archive.records.letters.reach import overtaken_about
from archive.records.people.models import ImportRun
from archive.rooms.models import Room
from archive.ui.breadcrumbs import Crumb
from archive.ui.words import count
from archive.ui.words import day as day_words

from . import calendar_deeds, deeds
from .calendar_file import read_calendar
from .describe import MeetingWords, meeting_words, notice_words, times, title
from .forms import (
    CalendarForm,
    CancelForm,
    JoinsForm,
    MeetingForm,
    ParentRecordsForm,
    bound_student,
    meeting_initial,
    moment,
)
from .models import Meeting, MeetingKind, ParentRecords
from .notice_history import corrections_of
from .rules import LONGEST
from .search import FILINGS, meetings_of
from .sections import SECTIONS

_SENT = require_http_methods(["GET", "HEAD", "POST"])
SHOWN = 50


def meeting_of(pk: UUID) -> Meeting:
    """Return the meeting; raise UnknownRecordError."""
    rows = Meeting.objects.select_related("student", "room", "facilitator", "incident")
    meeting = (
        rows.prefetch_related("notices", FILINGS, "events", "student__rights__person", "student__bars")
        .filter(pk=pk)
        .first()
    )
    if meeting is None:
        raise UnknownRecordError("there is no such meeting here")
    return meeting


@require_safe
def calendar(request: HttpRequest) -> HttpResponseBase:
    """Show a week of meetings, day by day; days run in the site's zone."""
    day = _day(request.GET.get("day", ""))
    monday = day - timedelta(days=day.weekday())
    first, last = moment(monday, _MIDNIGHT), moment(monday + timedelta(days=7), _MIDNIGHT)
    rows = meetings_of(user_of(request)).filter(starts_at__gte=first, starts_at__lt=last)
    now = timezone.now()
    week: dict[date, list[Any]] = {monday + timedelta(days=number): [] for number in range(7)}
    for row in rows:
        week[timezone.localtime(row.starts_at).date()].append(meeting_words(row, now))
    context = {
        "place": "meetings",
        "days": [
            (one, day_words(moment(one, _MIDNIGHT)), found, one == timezone.localdate())
            for one, found in week.items()
            if found or one.weekday() < _SATURDAY
        ],
        "empty": not any(week.values()),
        "before": monday - timedelta(days=7),
        "after": monday + timedelta(days=7),
        "monday": monday,
        "rooms": Room.objects.all(),
        "today": timezone.localdate(),
    }
    return render(request, "meetings/calendar.html", context)


@require_safe
def day_sheet(request: HttpRequest, room: UUID) -> HttpResponseBase:
    """Show a room's meetings of a day, to be printed and put beside the box; no student's name is on it."""
    found = Room.objects.filter(pk=room).first()
    if found is None:
        raise UnknownRecordError("there is no such room here")
    day = _day(request.GET.get("day", ""))
    first, last = moment(day, _MIDNIGHT), moment(day + timedelta(days=1), _MIDNIGHT)
    rows = meetings_of(user_of(request)).filter(room=found, starts_at__gte=first, starts_at__lt=last, cancelled_at=None)
    shown = [meeting_words(row) for row in rows]
    overlaps = {one.meeting.pk for one in shown for other in shown if one is not other and _overlap(one, other)}
    context = {
        "place": "meetings",
        "breadcrumbs": [Crumb("Meetings", reverse("pages:meetings"))],
        "room": found,
        "day": day,
        "day_words": day_words(first),
        "rows": [(one, one.meeting.pk in overlaps) for one in shown],
        "before": day - timedelta(days=1),
        "after": day + timedelta(days=1),
    }
    return render(request, "meetings/day_sheet.html", context)


@require_safe
def meeting(request: HttpRequest, meeting: UUID) -> HttpResponseBase:
    """Show a meeting: who, when, notices, what was said, and its recordings."""
    row, user = meeting_of(meeting), user_of(request)
    subject = Subject.meeting(meeting)
    notices = row.notices.select_related("given_by", "logged_by")
    filings = list(row.filings.filter(ended_at=None).select_related("recording"))
    held = Recording.objects.filter(reached_recordings(user, Deed.LOOK), pk__in=[one.recording_id for one in filings])
    opened = set(held.values_list("pk", flat=True))
    context = {
        "place": "meetings",
        "breadcrumbs": [Crumb("Meetings", reverse("pages:meetings"))],
        "meeting": row,
        "words": meeting_words(row),
        "clash": "; ".join(times(one) for one in _at_the_same_time(row)),
        "notices": [notice_words(one) for one in notices],
        "corrections": corrections_of(row, user),
        "overtaken": overtaken_about(subject),
        "events": list(row.events.select_related("by", "noted_by")),
        "filings": [(one, one.recording_id in opened) for one in filings],
        "sections": SECTIONS.of(row, user),
        "can_plan": may(user, Deed.PLAN, subject).allowed,
        "can_conduct": may(user, Deed.CONDUCT, subject).allowed,
        "can_see_people": may(user, Deed.PEOPLE, Subject.student(row.student_id)).allowed,
    }
    return render(request, "meetings/meeting.html", context)


@_SENT
def meeting_new(request: HttpRequest) -> HttpResponseBase:
    """Plan a meeting."""
    user = user_of(request)
    form = MeetingForm(posted(request), initial={"facilitator": user, "kind": MeetingKind.IEP})
    bound_student(form, reach_of(user, Deed.PLAN))

    def act() -> str:
        made = deeds.plan_meeting(form.facts(), by=user)
        messages.success(request, "The meeting was planned.")
        return reverse("pages:meeting", args=[made.pk])

    return form_page(request, form, act, context=frame("Plan a meeting"))


@_SENT
def meeting_edit(request: HttpRequest, meeting: UUID) -> HttpResponseBase:
    """Move or correct a meeting."""
    row, user = meeting_of(meeting), user_of(request)
    form = MeetingForm(posted(request), initial=meeting_initial(row), planned=row)
    bound_student(form, reach_of(user, Deed.PLAN))
    back = reverse("pages:meeting", args=[meeting])

    def act() -> str:
        deeds.change_meeting(meeting, form.facts(), form.cleaned_data["version"], by=user)
        messages.success(request, "The changes were saved.")
        return back

    return form_page(request, form, act, context=below("Move or correct a meeting", row))


@_SENT
def meeting_cancel(request: HttpRequest, meeting: UUID) -> HttpResponseBase:
    """Cancel a meeting."""
    row = meeting_of(meeting)
    form = CancelForm(posted(request))

    def act() -> str:
        deeds.cancel_meeting(meeting, by=user_of(request))
        messages.success(request, "The meeting was canceled. It stays in the calendar, marked as canceled.")
        return reverse("pages:meeting", args=[meeting])

    context = {**below("Cancel a meeting", row), "question": title(row), "submit": "Cancel this meeting"}
    context["consequences"] = ["Its notices and recordings stay.", "The calendar goes on showing it, as canceled."]
    return form_page(request, form, act, "ui/confirm.html", context)


@_SENT
def parent_records(request: HttpRequest, meeting: UUID) -> HttpResponseBase:
    """Enter whether a parent records."""
    row = meeting_of(meeting)
    initial = {"answer": row.parent_records or None, "device": row.parent_device, "version": row.version}
    form = ParentRecordsForm(posted(request), initial=initial)

    def act() -> str:
        typed = form.cleaned_data
        answer = ParentRecords(typed["answer"])
        deeds.enter_parent_records(meeting, answer, typed["device"], typed["version"], by=user_of(request))
        messages.success(request, "The answer was entered.")
        return reverse("pages:meeting", args=[meeting])

    return form_page(request, form, act, context=below("Does a parent record?", row))


@_SENT
def calendar_import(request: HttpRequest) -> HttpResponseBase:
    """Look at a calendar: nothing is changed before its difference was shown."""
    form = CalendarForm(posted(request), request.FILES if request.method == "POST" else None)

    def act() -> str:
        run, _ = calendar_deeds.look_at(form.cleaned_data["file"].read(), by=user_of(request))
        return reverse("pages:calendar-run", args=[run.pk])

    context = {**frame("Import a calendar"), "submit": "Show what would change"}
    context["intro"] = "An event names its student by number. Meetings are moved and canceled, never deleted."
    return form_page(request, form, act, context=context)


@_SENT
def calendar_run(request: HttpRequest, calendar: UUID) -> HttpResponseBase:
    """Show what a calendar would change, and take it in; afterwards show what it changed."""
    found = ImportRun.objects.select_related("by").filter(pk=calendar, source__startswith="calendar-").first()
    if found is None:
        raise UnknownRecordError("there is no such import here")
    difference = None
    if found.data is not None:
        difference = calendar_deeds.compare(read_calendar(bytes(found.data), calendar_deeds.surroundings()))
    form = JoinsForm(posted(request), difference.asked[:SHOWN] if difference else [])
    here = reverse("pages:calendar-run", args=[calendar])

    def act() -> str:
        run = calendar_deeds.take_in(calendar, form.answers(), by=user_of(request))
        messages.success(request, "The calendar was taken in.")
        if run.asked:
            left = count(run.asked, "event was", "events were")
            messages.warning(request, f"{left} left out, since nobody said which meeting it is. Import it again.")
        return here

    heading = "What the calendar would change" if found.taken_at is None else "A calendar"
    context = {
        **frame(heading),
        "run": found,
        "difference": difference,
        "added": list(difference.meetings.added.values())[:SHOWN] if difference else [],
        "shown": SHOWN,
        "breadcrumbs": [
            Crumb("Meetings", reverse("pages:meetings")),
            Crumb("Import a calendar", reverse("pages:calendar-import")),
        ],
    }
    return form_page(request, form, act, "meetings/calendar_run.html", context)


_MIDNIGHT: Final = time()
_SATURDAY: Final = 5


def _at_the_same_time(row: Meeting) -> list[Meeting]:
    """Return the other meetings that are planned in the same room while this one is."""
    if row.room_id is None or row.cancelled_at is not None:
        return []
    others = Meeting.objects.filter(room=row.room_id, cancelled_at=None).exclude(pk=row.pk)
    # without a first moment, all meetings of the room's past would be looked through
    near = others.filter(starts_at__gt=row.starts_at - LONGEST, starts_at__lt=row.ends_at, ends_at__gt=row.starts_at)
    return list(near[:SHOWN])


def _overlap(one: MeetingWords, other: MeetingWords) -> bool:
    return one.meeting.starts_at < other.meeting.ends_at and other.meeting.starts_at < one.meeting.ends_at


def _day(text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return timezone.localdate()
    return day if date(2000, 1, 10) < day < date(2200, 1, 1) else timezone.localdate()


def frame(heading: str) -> dict[str, Any]:
    """Return what a form's page shows that stands below the calendar."""
    address = reverse("pages:meetings")
    return {
        "place": "meetings",
        "heading": heading,
        "submit": "Save",
        "cancel": address,
        "breadcrumbs": [Crumb("Meetings", address)],
    }


def below(heading: str, row: Meeting) -> dict[str, Any]:
    """Return what a form's page shows that stands below a meeting's."""
    back = reverse("pages:meeting", args=[row.pk])
    return {
        "place": "meetings",
        "heading": heading,
        "intro": title(row),
        "submit": "Save",
        "cancel": back,
        "breadcrumbs": [Crumb("Meetings", reverse("pages:meetings")), Crumb(str(row.student), back)],
    }
