"""Amendments: what a parent wants changed, what was decided, the hearing, and the statement (34 CFR 99.20 to 99.22)."""

from __future__ import annotations

from datetime import date
from typing import Any, Final
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from archive.access.decisions import reach_of
from archive.access.deeds import Deed
from archive.access.requests import user_of
from archive.custody.actors import Subject
from archive.custody.models import Entry
from archive.records.errors import DeedError, UnknownRecordError
from archive.records.form_page import form_page, posted
from archive.records.letters.deeds import make_letter
from archive.records.letters.letter_facts import common, written_day
from archive.records.letters.models import Letter, LetterKind
from archive.records.meetings.forms import bound_student
from archive.records.outside_recordings.either import Either
from archive.records.people.reach import is_kept_away
from archive.ui import words
from archive.ui.breadcrumbs import Crumb

from . import amendment_deeds as deeds
from .custody_kinds import AMENDMENT_STEP
from .forms import AmendmentForm, NoHearingForm, StatementForm, StepForm
from .models import Amendment, AmendmentState, NoHearing
from .pages import frame
from .reach import brought_of, recordings_of, unheard
from .rules import NEXT, STATEMENT_IN, may_follow

_SENT = require_http_methods(["GET", "HEAD", "POST"])
_TOLD: Final = {
    AmendmentState.REFUSED: (LetterKind.REFUSAL_TO_AMEND, "tells of the right to a hearing"),
    AmendmentState.HEARING_AMENDED: (LetterKind.HEARING_AMENDED, "tells that the record is amended"),
    AmendmentState.HEARING_REFUSED: (LetterKind.HEARING_REFUSED, "tells of the right to place a statement"),
}
"""What a parent is told in writing (34 CFR 99.20(c), 99.21(b), 99.22(e) and (f)), and what each letter says."""


@_SENT
def amendment_new(request: HttpRequest) -> HttpResponseBase:
    """Enter a request to amend."""
    user = user_of(request)
    form = AmendmentForm(posted(request), initial={"recording": request.GET.get("recording", "")[:32]})
    bound_student(form, reach_of(user, Deed.REQUESTS))

    def act() -> str:
        typed = form.cleaned_data
        boxes, brought = recordings_of(typed["student"]), brought_of(typed["student"])
        found: dict[str, Either] = {one.pk: one for one in boxes} | {row.pk: row for row, _called in brought}
        if typed["recording"] not in found:
            raise DeedError("No recording of this student has this identifier.", field="recording")
        made = deeds.ask_amendment(
            typed["student"],
            typed["person"],
            found[typed["recording"]],
            text=typed["text"],
            received_on=typed["received_on"],
            by=user,
        )
        messages.success(request, "The request to amend was entered. Decide within a reasonable time (34 CFR 99.20).")
        return reverse("pages:amendment", args=[made.pk])

    return form_page(request, form, act, context=frame("Enter a request to amend"))


@require_safe
def amendment(request: HttpRequest, case: UUID) -> HttpResponseBase:
    """Show an amendment."""
    row = _amendment(case)
    state, known = AmendmentState(row.state), unheard(row)
    context = {
        "place": "requests",
        "breadcrumbs": [Crumb("Requests", reverse("pages:requests"))],
        "case": row,
        "state": state.label,
        "can_go_on": bool(NEXT[state] - {AmendmentState.NO_HEARING}),
        "next": "A hearing is asked for" if _hearing_is_next(state) else "Enter the next step",
        "hearings_before": _hearings_before(row) if row.hearing_on else [],
        "can_end": may_follow(state, AmendmentState.NO_HEARING),
        "known": known if state == AmendmentState.REFUSED else None,
        "can_place": state in STATEMENT_IN,
        "statements": row.statements.all(),
        "letters": Letter.objects.filter(about_type="case", about_id=str(case)),
    }
    return render(request, "requests/amendment.html", context)


@_SENT
def amendment_step(request: HttpRequest, case: UUID) -> HttpResponseBase:
    """Decide, set a hearing, or decide after it; what a parent must be told in writing writes its letter."""
    row, user = _amendment(case), user_of(request)
    initial = {"version": row.version, "hearing_on": row.hearing_on, "officer": row.hearing_officer}
    form = StepForm(NEXT[AmendmentState(row.state)], posted(request), initial=initial)

    def act() -> str:
        typed = form.cleaned_data
        then = AmendmentState(typed["state"])
        deeds.decide(
            case,
            then,
            typed["words"],
            typed["version"],
            by=user,
            hearing_days=typed.get("hearing_days"),
            hearing_on=typed.get("hearing_on"),
            officer=typed.get("officer", ""),
        )
        if then not in _TOLD:
            messages.success(request, "The step was entered.")
            return reverse("pages:amendment", args=[case])
        if is_kept_away(row.student_id, row.person_id):
            messages.success(request, f"It was entered. No letter goes to {row.person}: a court order bars them.")
            return reverse("pages:amendment", args=[case])
        kind, says = _TOLD[then]
        letter = make_letter(
            kind,
            _values(row, typed),
            by=user,
            student=row.student,
            person=row.person,
            language=row.person.language,
            about=Subject.case(case),
        )
        messages.success(request, f"It was entered. Deliver its letter: it {says}.")
        return reverse("pages:letter", args=[letter.pk])

    heading = "A hearing is asked for" if _hearing_is_next(AmendmentState(row.state)) else "What was decided?"
    return form_page(request, form, act, context=_below(heading, row))


@_SENT
def amendment_no_hearing(request: HttpRequest, case: UUID) -> HttpResponseBase:
    """Enter that no hearing is asked for; it can be asked for later all the same."""
    row = _amendment(case)
    form = NoHearingForm(unheard(row).reasons(), posted(request), initial={"version": row.version})

    def act() -> str:
        typed = form.cleaned_data
        why = NoHearing(typed["why"])
        deeds.end_unheard(case, why, typed["on"], typed["how"], typed["version"], by=user_of(request))
        messages.success(request, "It was entered. A hearing that is asked for later is held all the same.")
        return reverse("pages:amendment", args=[case])

    return form_page(request, form, act, context=_below("No hearing was asked for", row))


@_SENT
def statement(request: HttpRequest, case: UUID) -> HttpResponseBase:
    """Place the rights-holder's statement."""
    row, form = _amendment(case), StatementForm(posted(request))

    def act() -> str:
        deeds.place_statement(case, form.cleaned_data["text"], by=user_of(request))
        messages.success(request, "The statement was placed. It goes along with every copy from now on.")
        return reverse("pages:amendment", args=[case])

    return form_page(request, form, act, context=_below("Place a statement", row))


def _values(row: Amendment, typed: dict[str, Any]) -> dict[str, str]:
    """Return what the letter about a step says."""
    language = row.person.language
    values = common(row.student, row.person, language)
    values |= {"received": written_day(row.received_on, language), "reason": typed["words"]}
    if row.hearing_on is not None:
        values["hearing"] = written_day(row.hearing_on, language)
    if "hearing_days" in typed:
        values["days"] = str(typed["hearing_days"])
    return values


def _hearing_is_next(state: AmendmentState) -> bool:
    return AmendmentState.HEARING in NEXT[state] and state != AmendmentState.HEARING


def _hearings_before(row: Amendment) -> list[str]:
    """Return the days for which the hearing was set before, as the custody log has them."""
    steps = Entry.objects.about(Subject.case(row.pk)).filter(code=AMENDMENT_STEP.code).order_by("n")
    days = [one.member("hearing_on") for one in steps]
    return [words.day(date.fromisoformat(one)) for one in [day for day in days if day][:-1]]


def _amendment(case: UUID) -> Amendment:
    row = Amendment.objects.select_related("student", "person", "recording", "outside").filter(pk=case).first()
    if row is None:
        raise UnknownRecordError("there is no such amendment here")
    return row


def _below(heading: str, row: Amendment) -> dict[str, Any]:
    back = reverse("pages:amendment", args=[row.pk])
    crumbs = [Crumb("Requests", reverse("pages:requests")), Crumb(str(row.student), back)]
    return frame(heading) | {"cancel": back, "breadcrumbs": crumbs, "intro": row.text}
