"""Incident records: views parse and show, deeds change."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from archive.access.decisions import may
from archive.access.deeds import Deed
from archive.access.requests import user_of
from archive.custody.actors import Subject
from archive.records.errors import UnknownRecordError
from archive.records.form_page import form_page, posted
from archive.records.meetings.describe import title
from archive.records.meetings.models import Meeting
from archive.records.meetings.views import meeting_of
from archive.records.people.models import Person
from archive.ui.breadcrumbs import Crumb
from archive.ui.templatetags.plain import when

from . import deeds
from .describe import cause_words, facts_of
from .forms import IncidentForm, IncidentLetterForm
from .models import Incident, Missing
from .reach import codes_of, filed_under, found_of, to_tell
from .rules import LetterState, unwritten

_SENT = require_http_methods(["GET", "HEAD", "POST"])


@require_safe
def incident(request: HttpRequest, meeting: UUID) -> HttpResponseBase:
    """Show a meeting's incident record, and the letters about it."""
    row, about, user = _incident(meeting), meeting_of(meeting), user_of(request)
    letters = list(row.letters.select_related("person", "letter"))
    written = {one.person_id: one.letter for one in letters}
    states = [LetterState(str(one), one.pk in written, None) for one in to_tell(about)]
    now = "\n".join(found_of(row.recording)) if row.recording and row.recording.destroyed_at is None else row.found
    subject = Subject.meeting(meeting)
    context = {
        "place": "meetings",
        "breadcrumbs": _crumbs(about),
        "row": row,
        "called": title(about),
        "facts": facts_of(row),
        "changed": now if now != row.found else "",
        "letters": letters,
        "missing": unwritten(states),
        "can_plan": may(user, Deed.PLAN, subject).allowed,
        "can_write": may(user, Deed.LETTERS, subject).allowed,
    }
    return render(request, "incidents/incident.html", context)


@_SENT
def incident_new(request: HttpRequest, meeting: UUID) -> HttpResponseBase:
    """Enter an incident record."""
    row = meeting_of(meeting)
    if request.method != "POST" and Incident.objects.filter(meeting=row).exists():
        return HttpResponseRedirect(reverse("pages:incident", args=[meeting]))
    filed = filed_under(row)
    initial = {"missing": Missing.PART if filed else Missing.ALL, "recording": filed[0].pk if filed else ""}
    form = IncidentForm(filed, codes_of(filed), posted(request), initial=initial)
    known = _known(form)

    def act() -> str:
        deeds.enter(meeting, form.facts(), by=user_of(request), found=known)
        messages.success(request, "The incident record was entered. Write to the parent now.")
        return reverse("pages:incident", args=[meeting])

    return _edit(request, row, form, act, "Enter an incident record")


def _known(form: IncidentForm) -> list[str] | None:
    """Return what the archive knows of the recording that was chosen: read before the deed, which waits for no disk."""
    return found_of(form.facts().recording) if form.is_valid() else None


@_SENT
def incident_edit(request: HttpRequest, meeting: UUID) -> HttpResponseBase:
    """Correct an incident record."""
    found, row = _incident(meeting), meeting_of(meeting)
    filed = filed_under(row)
    names = ("missing", "cause", "explanation", "told", "done", "version")
    initial = {name: getattr(found, name) for name in names} | {"recording": found.recording_id or ""}
    form = IncidentForm(filed, codes_of(filed), posted(request), initial=initial)
    known = _known(form)

    def act() -> str:
        deeds.correct(meeting, form.facts(), form.cleaned_data["version"], by=user_of(request), found=known)
        messages.success(request, "The incident record was corrected.")
        return reverse("pages:incident", args=[meeting])

    return _edit(request, row, form, act, "Correct an incident record")


def _edit(request: HttpRequest, row: Meeting, form: IncidentForm, act: Any, heading: str) -> HttpResponseBase:
    known = [(f"Recording of {when(one.listed_at)}", found_of(one)) for one in filed_under(row)]
    back = reverse("pages:meeting", args=[row.pk])
    context = _frame(heading, row) | {"known": known, "cancel": back, "submit": "Save"}
    return form_page(request, form, act, "incidents/edit.html", context)


@_SENT
def incident_letter(request: HttpRequest, meeting: UUID) -> HttpResponseBase:
    """Write the letter to somebody who holds rights over the student's records today."""
    found, row = _incident(meeting), meeting_of(meeting)
    written = set(found.letters.values_list("person", flat=True))
    people = [one.pk for one in to_tell(row) if one.pk not in written]
    form = IncidentLetterForm(posted(request), initial={"reason": cause_words(found.cause)})
    field = form.fields["person"]
    assert isinstance(field, forms.ModelChoiceField)  # noqa: S101 - told to the type checker
    field.queryset = Person.objects.filter(pk__in=people)

    def act() -> str:
        typed = form.cleaned_data
        person: Person = typed["person"]
        made = deeds.write_letter(
            meeting, person, typed["language"] or person.language, typed["reason"], by=user_of(request)
        )
        messages.success(request, "The letter was made. Print it, deliver it, and note how.")
        return reverse("pages:letter", args=[made.letter_id])

    there = reverse("pages:incident", args=[meeting])
    context = _frame("Write to the parent", row) | {"submit": "Make the letter", "cancel": there}
    return form_page(request, form, act, context=context)


def _incident(meeting: UUID) -> Incident:
    row = Incident.objects.select_related("entered_by", "recording").filter(meeting=meeting).first()
    if row is None:
        raise UnknownRecordError("this meeting has no incident record")
    return row


def _frame(heading: str, row: Meeting) -> dict[str, Any]:
    return {"place": "meetings", "heading": heading, "intro": title(row), "breadcrumbs": _crumbs(row)}


def _crumbs(row: Meeting) -> list[Crumb]:
    return [
        Crumb("Meetings", reverse("pages:meetings")),
        Crumb(str(row.student), reverse("pages:meeting", args=[row.pk])),
    ]
