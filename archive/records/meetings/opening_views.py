"""The opening page: the script, the answers, notes with their time. It goes on working without a network.

The page keeps what was noted in the browser until the archive says that it has it (opening.js), and works by plain
forms where there are no scripts. Nothing on it can start, pause or end a recording.
"""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Final, Self
from uuid import UUID, uuid4

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, model_validator

from archive.access.requests import user_of
from archive.accounts.models import User
from archive.records.errors import DeedError
from archive.records.text import FIRST_YEAR, LAST_YEAR, line, lines
from archive.ui import words
from archive.ui.breadcrumbs import Crumb

from . import opening_deeds
from .describe import title
from .models import Meeting, Mode, OpeningEvent, OpeningEventKind
from .opening_deeds import EventFacts
from .rules import clock_error
from .views import meeting_of

MAX_DEVICE: Final = 200
"""Longest text about what a parent records with (Meeting.parent_device), in characters."""
MAX_BODY: Final = 256 << 10
"""Longest request with notes, in bytes."""


def _in_reach(moment: datetime) -> datetime:
    """Refuse a time from which no other can be computed."""
    if not FIRST_YEAR <= moment.year <= LAST_YEAR:
        raise ValueError(f"it is not between {FIRST_YEAR} and {LAST_YEAR}; look at the tablet's clock")
    return moment


Moment = Annotated[AwareDatetime, AfterValidator(_in_reach)]
Line = Annotated[str, Field(max_length=200), AfterValidator(line)]


class SentEvent(BaseModel):
    """One event as the page sends it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: UUID
    kind: OpeningEventKind
    at: Moment
    """By the tablet's clock."""
    who: Line = ""
    mode: Mode | None = None
    interpreter: Annotated[str, Field(max_length=120), AfterValidator(line)] = ""
    answer: Annotated[str, Field(pattern="^(yes|no|)$")] = ""
    text: Annotated[str, Field(max_length=4000), AfterValidator(lines)] = ""

    @model_validator(mode="after")
    def _names_a_device_in_one_line(self) -> Self:
        if self.kind == OpeningEventKind.PARENT_RECORDS and len(self.text) > MAX_DEVICE:
            raise ValueError(f"what the parent records with has at most {MAX_DEVICE} characters; the rest is a note")
        return self


class SentEvents(BaseModel):
    """What the page sends at once."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    account: UUID
    """Who was signed in when the page was made. It may be kept by a tablet that several people share."""
    handed_in: bool = False
    """Whether somebody else hands them in, for an account that has ended: both names are entered."""
    sent_at: Moment
    """The tablet's clock as it sends: what it is off is taken off each event."""
    events: Annotated[list[SentEvent], Field(max_length=opening_deeds.MAX_EVENTS)]


class FormWithoutScriptsError(DeedError):
    """A form of the opening page that makes no sense."""

    code = "bad-note"
    status = 422


class AnotherAccountError(DeedError):
    """The notes were made by somebody else than who is signed in now."""

    code = "another-account"
    status = 403


@require_http_methods(["GET", "HEAD", "POST"])
def opening(request: HttpRequest, meeting: UUID) -> HttpResponseBase:
    """Show the opening page; take one note that a form without scripts sent."""
    row = meeting_of(meeting)
    problem = ""
    if request.method == "POST":
        try:
            opening_deeds.note(meeting, [_from_form(request)], by=user_of(request))
        except DeedError as error:
            problem = error.message
        else:
            messages.success(request, "It was noted.")
            return HttpResponseRedirect(reverse("pages:opening", args=[meeting]))
    context = {
        "place": "meetings",
        "breadcrumbs": [
            Crumb("Meetings", reverse("pages:meetings")),
            Crumb(str(row.student), reverse("pages:meeting", args=[meeting])),
        ],
        "meeting": row,
        "account": user_of(request).pk,
        "own_name": str(user_of(request)),
        "title": title(row),
        "problem": problem,
        "typed": request.POST if problem else {},
        "events": [_shown(one) for one in row.events.select_related("recording", "by", "noted_by")],
        "modes": Mode.choices,
        "ids": {kind.name.lower(): str(uuid4()) for kind in OpeningEventKind},
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK
    return render(request, "meetings/opening.html", context, status=status)


@require_POST
def opening_events(request: HttpRequest, meeting: UUID) -> HttpResponseBase:
    """Take what the page noted, and answer which of it is here; the page forgets that, and sends the rest again."""
    if len(request.body) > MAX_BODY:
        raise FormWithoutScriptsError("too much was sent at once; the page sends less the next time")
    try:
        sent = SentEvents.model_validate_json(request.body)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        answer = {"error": {"code": "bad-note", "message": f"{where}: {first['msg']}", "field": where}}
        return JsonResponse(answer, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    user = user_of(request)
    noted_by = User.objects.filter(pk=sent.account).first() if sent.handed_in and sent.account != user.pk else None
    if sent.account != user.pk and noted_by is None:
        told = AnotherAccountError("somebody else made these notes; that person signs in, and the page sends them")
        return JsonResponse(told.as_json(), status=told.status)
    off = clock_error(sent.sent_at, timezone.now())
    facts = [
        EventFacts(one.id, one.kind, one.at + off, one.who, one.mode, one.interpreter, one.answer, one.text)
        for one in sent.events
    ]
    try:
        taken = opening_deeds.note(meeting, facts, by=user, noted_by=noted_by)
    except DeedError as error:
        return JsonResponse(error.as_json(), status=error.status)
    row = Meeting.objects.get(pk=meeting)
    here = [_shown(one) for one in row.events.select_related("recording", "by", "noted_by")]
    return JsonResponse({"taken": [str(pk) for pk in taken], "events": here})


def _from_form(request: HttpRequest) -> EventFacts:
    fields = {name: request.POST.get(name, "") for name in ("id", "kind", "who", "interpreter", "answer", "text")}
    try:
        one = SentEvent.model_validate(
            {**fields, "at": timezone.now(), "mode": request.POST.get("mode") or None}, strict=False
        )
    except ValidationError as error:
        first = error.errors()[0]
        raise FormWithoutScriptsError(f"{first['loc'][-1]}: {first['msg']}") from error
    return EventFacts(one.id, one.kind, one.at, one.who, one.mode, one.interpreter, one.answer, one.text)


def _shown(event: OpeningEvent) -> dict[str, str]:
    """Return what the list of notes says of one."""
    place = ""
    if event.recording is not None and event.frame is not None:
        place = words.clock_time(event.frame / event.recording.rate)
    said = {"yes": "yes", "no": "no"}.get(event.answer, "")
    parts = [event.who, event.get_mode_display() if event.mode else "", event.interpreter, said, event.text]
    if event.noted_by is not None:
        parts.append(f"noted by {event.noted_by}, handed in by {event.by}")
    return {
        "id": str(event.pk),
        "at": words.time_of_day(timezone.localtime(event.at)),
        "place": place,
        "kind": str(OpeningEventKind(event.kind).label),
        "text": ", ".join(part for part in parts if part),
    }
