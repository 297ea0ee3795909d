"""Access requests, amendments and the record of access, for staff: views parse and show, deeds change."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from archive.access.decisions import may, reach_of
from archive.access.deeds import Deed
from archive.access.requests import user_of
from archive.core.deeds import one_deed
from archive.custody.actors import Subject
from archive.recordings.find import find
from archive.recordings.models import Recording
from archive.records.errors import DeedError, UnknownRecordError
from archive.records.form_page import form_page, posted
from archive.records.letters.deeds import make_letter
from archive.records.letters.letter_facts import common, written_day
from archive.records.letters.models import Letter, LetterKind
from archive.records.meetings.forms import bound_student
from archive.records.meetings.reach import in_force
from archive.records.outside_recordings.describe import called
from archive.records.outside_recordings.models import OutsideRecording
from archive.records.outside_recordings.reach import in_force as outside_in_force
from archive.records.people.choices import shown
from archive.records.people.models import Student
from archive.records.people.reach import is_kept_away
from archive.records.people.search import reached
from archive.records.people.views import student_of
from archive.ui import words
from archive.ui.breadcrumbs import Crumb

from . import deeds, link_deeds
from .forms import (
    AmendmentForm,
    CloseForm,
    ExplanationForm,
    OpenForm,
    RequestForm,
    RequestLetterForm,
    StatementForm,
    StepForm,
)
from .models import AccessRequest, Amendment, AmendmentState, ParentLink, Wish
from .record_of_access import record_of_access
from .rules import NEXT, STATEMENT_IN

_SENT = require_http_methods(["GET", "HEAD", "POST"])
SHOWN = 200
REQUESTS: Final = ("requests", "Requests")
ASKED: Final = ("asked", "My requests")
"""The place above a form, and its word: for whoever handles requests, and for whoever may only log one."""


def recordings_of(student: Student) -> list[Recording]:
    """Return the recordings that are filed under the student's meetings."""
    held = in_force().filter(meeting__student=student).values("recording")
    return list(Recording.objects.filter(pk__in=held).select_related("room").defer("header", "receipt"))


def brought_of(student: Student) -> list[tuple[OutsideRecording, str]]:
    """Return the recordings that no box made and that are filed under them, each as a person calls it."""
    filed = outside_in_force().filter(meeting__student=student).values("outside")
    rows = OutsideRecording.objects.filter(pk__in=filed).defer("index", "statement", "receipt")
    return [(row, called(row)) for row in rows]


@require_safe
def requests(request: HttpRequest) -> HttpResponseBase:
    """Show open requests and amendments, the earliest due first."""
    within, today = reached(reach_of(user_of(request), Deed.REQUESTS), "student"), timezone.localdate()
    waiting = deeds.with_due(AccessRequest.objects.filter(within, closed_at=None))[:SHOWN]
    amendments = Amendment.objects.filter(within).select_related("student", "person")
    context = {
        "place": "requests",
        "waiting": [(one, due, due.late(today)) for one, due in waiting],
        "amendments": amendments.filter(state__in=[state for state, then in NEXT.items() if then])[:SHOWN],
        "done": AccessRequest.objects.filter(within).exclude(closed_at=None).select_related("student", "person")[:20],
    }
    return render(request, "requests/requests.html", context)


@_SENT
def request_new(request: HttpRequest) -> HttpResponseBase:
    """Enter an access request: whoever handles them, or a facilitator to whom a parent said it."""
    user = user_of(request)
    reach = reach_of(user, Deed.ASK)
    student = shown(Student.objects.filter(reached(reach)), request.GET.get("student", ""))
    form = RequestForm(posted(request), initial={"wish": Wish.LISTEN, "student": student})
    bound_student(form, reach)

    def act() -> str:
        typed = dict(form.cleaned_data)
        typed["wish"] = Wish(typed["wish"])
        made = deeds.ask_access(typed.pop("student"), typed.pop("person"), typed.pop("wish"), by=user, **typed)
        due = deeds.due_of(made)
        answered = f"It is due on {words.day(due.on)} ({due.why})."
        if may(user, Deed.REQUESTS, Subject.case(made.pk)).allowed:
            messages.success(request, f"The request was entered. {answered}")
            return reverse("pages:request", args=[made.pk])
        messages.success(request, f"The request was logged; whoever handles requests sees it now. {answered}")
        return reverse("pages:asked")

    handles = may(user, Deed.REQUESTS).allowed
    heading = "Enter an access request" if handles else "Log that a parent asks for access"
    return form_page(request, form, act, context=_frame(heading) if handles else _frame(heading, ASKED))


@require_safe
def asked(request: HttpRequest) -> HttpResponseBase:
    """Show the access requests that this user logged, and where each stands; how it was answered is not told."""
    user, today = user_of(request), timezone.localdate()
    mine = AccessRequest.objects.filter(reached(reach_of(user, Deed.ASK), "student"), logged_by=user)
    waiting = deeds.with_due(mine.filter(closed_at=None))[:SHOWN]
    context = {
        "place": "asked",
        "waiting": [(one, due, due.late(today)) for one, due in waiting],
        "done": mine.exclude(closed_at=None).select_related("student", "person").order_by("-closed_at")[:20],
    }
    return render(request, "requests/asked.html", context)


@require_safe
def access_request(request: HttpRequest, case: UUID) -> HttpResponseBase:
    """Show an access request."""
    row = _request(case)
    context = {
        "place": "requests",
        "breadcrumbs": [Crumb("Requests", reverse("pages:requests"))],
        "case": row,
        "due": deeds.due_of(row),
        "late": row.closed_at is None and deeds.due_of(row).late(timezone.localdate()),
        "kept_away": is_kept_away(row.student_id, row.person_id),
        "recordings": recordings_of(row.student),
        "brought": brought_of(row.student),
        "links": row.links.all(),
        "listenings": row.listenings.select_related("recording", "by"),
        "letters": Letter.objects.filter(about_type="case", about_id=str(case)),
        "now": timezone.now(),
    }
    return render(request, "requests/request.html", context)


@_SENT
def explain(request: HttpRequest, case: UUID) -> HttpResponseBase:
    """Enter an explanation."""
    row = _request(case)
    form = ExplanationForm(posted(request), initial={"explanation": row.explanation, "version": row.version})

    def act() -> str:
        typed = form.cleaned_data
        deeds.explain(case, typed["explanation"], typed["version"], by=user_of(request))
        messages.success(request, "The explanation was entered.")
        return reverse("pages:request", args=[case])

    return form_page(request, form, act, context=_below("Enter an explanation", row))


@_SENT
def request_close(request: HttpRequest, case: UUID) -> HttpResponseBase:
    """Enter how a request was answered."""
    row = _request(case)
    form = CloseForm(posted(request), initial={"version": row.version})

    def act() -> str:
        deeds.close(case, form.cleaned_data["outcome"], form.cleaned_data["version"], by=user_of(request))
        messages.success(request, "The request was answered.")
        return reverse("pages:request", args=[case])

    return form_page(request, form, act, context=_below("How was it answered?", row))


@_SENT
def request_link(request: HttpRequest, case: UUID) -> HttpResponseBase:
    """Open the recordings to the rights-holder, and make the one-time link with its code, shown once."""
    row, form = _request(case), OpenForm(posted(request))
    user = user_of(request)
    if request.method == "POST" and form.is_valid():
        try:
            with one_deed():
                made = link_deeds.make_link(row.person, by=user, request=row, kiosk="kiosk" in request.POST)
                deeds.open_for(case, form.cleaned_data["days"], by=user)
        except DeedError as error:
            form.add_error(None, error.message)
        else:
            address = request.build_absolute_uri(reverse("pages:parent-link", args=[made.token]))
            code = f"{made.code[:4]} {made.code[4:]}"
            context = _below("One-time link", row) | {"address": address, "code": code, "made": made.row, "case": row}
            return render(request, "requests/link.html", context)
    context = _below("Let the rights-holder listen", row) | {"form": form}
    return render(request, "requests/open.html", context, status=422 if form.is_bound else 200)


@_SENT
def link_withdraw(request: HttpRequest, case: UUID, link: UUID) -> HttpResponseBase:
    """Withdraw a link."""
    from django.forms import Form  # noqa: PLC0415 - an empty form, for its token alone

    row = _request(case)
    if not ParentLink.objects.filter(pk=link, request=row).exists():
        raise UnknownRecordError("there is no such link here")
    form = Form(posted(request))

    def act() -> str:
        link_deeds.withdraw_link(link, by=user_of(request))
        messages.success(request, "The link opens nothing any more.")
        return reverse("pages:request", args=[case])

    context = _below("Withdraw a link", row) | {"submit": "Withdraw it", "question": "The link opens nothing then."}
    return form_page(request, form, act, "ui/confirm.html", context)


@_SENT
def supervised(request: HttpRequest, case: UUID, recording: str) -> HttpResponseBase:
    """Begin a supervised listening, and go to the recording's page."""
    from django.forms import Form  # noqa: PLC0415 - an empty form, for its token alone

    row, found = _request(case), find(recording)
    if found.pk not in {one.pk for one in recordings_of(row.student)}:
        raise UnknownRecordError("this recording is not filed under a meeting of the student")
    form = Form(posted(request))

    def act() -> str:
        deeds.begin_supervised(case, found, by=user_of(request))
        return reverse("pages:recording", args=[recording])

    question = f"{row.person} listens at the office while you sit beside. Both names go into the record of access."
    context = _below("Supervised listening", row) | {"submit": "Begin", "question": question}
    return form_page(request, form, act, "ui/confirm.html", context)


@_SENT
def request_letter(request: HttpRequest, case: UUID) -> HttpResponseBase:
    """Write how the rights-holder can listen, or that more time is needed, in the rights-holder's language."""
    row, user = _request(case), user_of(request)
    due = deeds.due_of(row)
    form = RequestLetterForm(due, posted(request))
    form.fields["text"].help_text = f"In {row.person.get_language_display()}, the language of the letter."

    def act() -> str:
        typed, person, language = form.cleaned_data, row.person, row.person.language
        kind = LetterKind(typed["kind"])
        more_time = kind == LetterKind.EXTENSION
        values = common(row.student, person, language) | {
            "received": written_day(row.received_on, language),
            "due": written_day(typed["answer_by"] if more_time else due.on, language),
            "reason" if more_time else "how": typed["text"],
        }
        letter = make_letter(
            kind,
            values,
            by=user,
            student=row.student,
            person=person,
            language=language,
            about=Subject.case(case),
        )
        return reverse("pages:letter", args=[letter.pk])

    return form_page(request, form, act, context=_below("Write a letter", row) | {"submit": "Make the letter"})


@require_safe
def access_record(request: HttpRequest, student: UUID) -> HttpResponseBase:
    """Show the record of access of a student's recordings, to be printed for the parent (34 CFR 99.32, 300.614)."""
    row = student_of(student)
    context = {
        "place": "requests",
        "breadcrumbs": [Crumb("Requests", reverse("pages:requests"))],
        "student": row,
        "rows": record_of_access(row),
        "requests": row.access_requests.select_related("person"),
    }
    return render(request, "requests/record.html", context)


@_SENT
def amendment_new(request: HttpRequest) -> HttpResponseBase:
    """Enter a request to amend."""
    user = user_of(request)
    form = AmendmentForm(posted(request), initial={"recording": request.GET.get("recording", "")[:32]})
    bound_student(form, reach_of(user, Deed.REQUESTS))

    def act() -> str:
        typed = form.cleaned_data
        found = {one.pk: one for one in recordings_of(typed["student"])}
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

    return form_page(request, form, act, context=_frame("Enter a request to amend"))


@require_safe
def amendment(request: HttpRequest, case: UUID) -> HttpResponseBase:
    """Show an amendment."""
    row = _amendment(case)
    state = AmendmentState(row.state)
    context = {
        "place": "requests",
        "breadcrumbs": [Crumb("Requests", reverse("pages:requests"))],
        "case": row,
        "state": state.label,
        "can_go_on": bool(NEXT[state]),
        "can_place": state in STATEMENT_IN,
        "statements": row.statements.all(),
        "letters": Letter.objects.filter(about_type="case", about_id=str(case)),
    }
    return render(request, "requests/amendment.html", context)


@_SENT
def amendment_step(request: HttpRequest, case: UUID) -> HttpResponseBase:
    """Decide, set a hearing, or decide after it; a refusal writes its letter, which tells of the hearing."""
    row, user = _amendment(case), user_of(request)
    form = StepForm(NEXT[AmendmentState(row.state)], posted(request), initial={"version": row.version})

    def act() -> str:
        typed = form.cleaned_data
        then = AmendmentState(typed["state"])
        deeds.decide(
            case,
            then,
            typed["words"],
            typed["version"],
            by=user,
            hearing_on=typed["hearing_on"],
            officer=typed["officer"],
        )
        if then == AmendmentState.REFUSED:
            values = common(row.student, row.person, row.person.language)
            received = written_day(row.received_on, row.person.language)
            values |= {"received": received, "reason": typed["words"]}
            letter = make_letter(
                LetterKind.REFUSAL_TO_AMEND,
                values,
                by=user,
                student=row.student,
                person=row.person,
                language=row.person.language,
                about=Subject.case(case),
            )
            messages.success(
                request, "The refusal was entered. Deliver its letter: it tells of the right to a hearing."
            )
            return reverse("pages:letter", args=[letter.pk])
        messages.success(request, "The step was entered.")
        return reverse("pages:amendment", args=[case])

    return form_page(request, form, act, context=_below_amendment("What was decided?", row))


@_SENT
def statement(request: HttpRequest, case: UUID) -> HttpResponseBase:
    """Place the rights-holder's statement."""
    row, form = _amendment(case), StatementForm(posted(request))

    def act() -> str:
        deeds.place_statement(case, form.cleaned_data["text"], by=user_of(request))
        messages.success(request, "The statement was placed. It goes along with every copy from now on.")
        return reverse("pages:amendment", args=[case])

    return form_page(request, form, act, context=_below_amendment("Place a statement", row))


def _request(case: UUID) -> AccessRequest:
    row = AccessRequest.objects.select_related("student", "person").filter(pk=case).first()
    if row is None:
        raise UnknownRecordError("there is no such request here")
    return row


def _amendment(case: UUID) -> Amendment:
    row = Amendment.objects.select_related("student", "person", "recording").filter(pk=case).first()
    if row is None:
        raise UnknownRecordError("there is no such amendment here")
    return row


def _frame(heading: str, above: tuple[str, str] = REQUESTS) -> dict[str, Any]:
    place, label = above
    address = reverse(f"pages:{place}")
    return {
        "place": place,
        "heading": heading,
        "submit": "Save",
        "cancel": address,
        "breadcrumbs": [Crumb(label, address)],
    }


def _below(heading: str, row: AccessRequest) -> dict[str, Any]:
    back = reverse("pages:request", args=[row.pk])
    intro = f"{row.person} about {row.student}, received {words.day(row.received_on)}."
    crumbs = [Crumb("Requests", reverse("pages:requests")), Crumb(str(row.student), back)]
    return _frame(heading) | {"cancel": back, "breadcrumbs": crumbs, "intro": intro}


def _below_amendment(heading: str, row: Amendment) -> dict[str, Any]:
    back = reverse("pages:amendment", args=[row.pk])
    crumbs = [Crumb("Requests", reverse("pages:requests")), Crumb(str(row.student), back)]
    return _frame(heading) | {"cancel": back, "breadcrumbs": crumbs, "intro": row.text}
