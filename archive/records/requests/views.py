"""Access requests and the record of access, for staff: views parse and show, deeds change."""

from __future__ import annotations

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
from archive.custody.actors import Subject
from archive.records.form_page import form_page, posted
from archive.records.letters.models import Letter
from archive.records.meetings.forms import bound_student
from archive.records.people.choices import shown
from archive.records.people.models import Student
from archive.records.people.reach import is_kept_away
from archive.records.people.search import reached
from archive.records.people.views import student_of
from archive.ui import words
from archive.ui.breadcrumbs import Crumb

from . import deeds
from .forms import CloseForm, ExplanationForm, RequestForm
from .models import AccessRequest, Amendment, Wish
from .pages import ASKED, below, frame, request_of
from .reach import brought_of, recordings_of
from .record_of_access import record_of_access
from .rules import OPEN

_SENT = require_http_methods(["GET", "HEAD", "POST"])
SHOWN = 200


@require_safe
def requests(request: HttpRequest) -> HttpResponseBase:
    """Show open requests and amendments, the earliest due first."""
    within, today = reached(reach_of(user_of(request), Deed.REQUESTS), "student"), timezone.localdate()
    waiting = deeds.with_due(AccessRequest.objects.filter(within, closed_at=None))[:SHOWN]
    amendments = Amendment.objects.filter(within).select_related("student", "person")
    context = {
        "place": "requests",
        "waiting": [(one, due, due.late(today)) for one, due in waiting],
        "amendments": amendments.filter(state__in=OPEN)[:SHOWN],
        "over": amendments.exclude(state__in=OPEN).order_by("-decided_at", "pk")[:20],
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
    return form_page(request, form, act, context=frame(heading) if handles else frame(heading, ASKED))


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
    row = request_of(case)
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
    row = request_of(case)
    form = ExplanationForm(posted(request), initial={"explanation": row.explanation, "version": row.version})

    def act() -> str:
        typed = form.cleaned_data
        deeds.explain(case, typed["explanation"], typed["version"], by=user_of(request))
        messages.success(request, "The explanation was entered.")
        return reverse("pages:request", args=[case])

    return form_page(request, form, act, context=below("Enter an explanation", row))


@_SENT
def request_close(request: HttpRequest, case: UUID) -> HttpResponseBase:
    """Enter how a request was answered."""
    row = request_of(case)
    form = CloseForm(posted(request), initial={"version": row.version})

    def act() -> str:
        deeds.close(case, form.cleaned_data["outcome"], form.cleaned_data["version"], by=user_of(request))
        messages.success(request, "The request was answered.")
        return reverse("pages:request", args=[case])

    return form_page(request, form, act, context=below("How was it answered?", row))


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
