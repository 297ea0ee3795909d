"""Who has access to whose recordings: given, ended, listed, reviewed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from archive.access.decisions import reach_of
from archive.access.deeds import OF_ONE_RECORDING, ROLES, Deed
from archive.access.models import Grant
from archive.access.requests import user_of
from archive.access.scopes import ScopeType, recordings_in
from archive.accounts.models import User
from archive.recordings.models import Recording
from archive.records.errors import UnknownRecordError
from archive.records.form_page import form_page, posted
from archive.records.meetings.forms import bound_student
from archive.records.people.choices import shown
from archive.records.people.models import School, Student
from archive.records.people.search import reached
from archive.ui import words
from archive.ui.breadcrumbs import Crumb

from . import deeds
from .ended import ended_between, why_ended
from .forms import AccessForm, ReviewForm
from .models import Review
from .rules import SOON, ends_soon, quarter, review_due

_SENT = require_http_methods(["GET", "HEAD", "POST"])


@dataclass(frozen=True)
class Row:
    """All that one person may do in one scope."""

    user: User
    reach: str
    """The district, a school, a student: in words."""
    student: UUID | None
    """The student, where it reaches one."""
    deeds: list[str]
    """What the person may do, in words; whatever a role gives is told by the role's name."""
    purpose: str
    position: str
    trained_on: date | None
    until: datetime | None
    soon: bool
    with_account: bool
    """Whether it ends before its own time, with its account."""
    why: str = ""
    """By what it ended, where it has."""


def rows(grants: QuerySet[Grant], reader: User, *, ended: bool = False) -> list[Row]:
    """Return grants as people read them, one line for each person and scope, as far as `reader` reaches the scope.

    Of those that have `ended`, each line says by what.
    """
    now, reach = timezone.now(), reach_of(reader, Deed.GRANT)
    found: dict[tuple[Any, ...], list[Grant]] = {}
    held = list(grants.select_related("user").order_by("user__username", "scope_type", "scope_id", "deed"))
    whys = why_ended(held) if ended else {}
    for one in held:
        key = (one.user_id, one.scope_type, one.scope_id, _minute(one.ends_at), whys.get(one.pk, ""))
        found.setdefault(key, []).append(one)
    ids: dict[str, list[str]] = {}
    for _, scope_type, scope_id, *_ in found:
        ids.setdefault(scope_type, []).append(scope_id)
    students = Student.objects.filter(reached(reach), pk__in=ids.get(ScopeType.STUDENT, []))
    recordings = Recording.objects.filter(recordings_in(reach), pk__in=ids.get(ScopeType.RECORDING, []))
    schools = School.objects.filter(pk__in=ids.get(ScopeType.SCHOOL, []))
    names = {"": str(ScopeType.DISTRICT.label)}
    names |= {str(one.pk): str(one) for one in (*students, *schools)}
    names |= {pk: pk for pk in recordings.values_list("pk", flat=True)}
    return [
        Row(
            user=group[0].user,
            reach=names[group[0].scope_id],
            student=UUID(group[0].scope_id) if group[0].scope_type == ScopeType.STUDENT else None,
            deeds=_deed_words(frozenset(Deed(one.deed) for one in group)),
            purpose=group[0].purpose,
            position=group[0].position,
            trained_on=group[0].trained_on,
            until=group[0].ends_at,
            soon=ends_soon(group[0].ends_at, now),
            with_account=group[0].ends_with_account,
            why=whys.get(group[0].pk, ""),
        )
        for group in found.values()
        if group[0].scope_id in names
    ]


def _minute(moment: datetime | None) -> datetime | None:
    # one button takes several rights away, one after the other
    return moment.replace(second=0, microsecond=0) if moment else None


def _deed_words(deeds: frozenset[Deed]) -> list[str]:
    role = next((name for name, given in ROLES.items() if given == deeds), None)
    return [f"all that a {role} may"] if role else [str(deed.label) for deed in Deed if deed in deeds]


@require_safe
def grants(request: HttpRequest) -> HttpResponseBase:
    """Show who may do what with recordings, and until when."""
    now, shown_deeds = timezone.now(), [*OF_ONE_RECORDING, Deed.LIST]
    held = Grant.objects.at(now).filter(deed__in=shown_deeds)
    over = ended_between(now - SOON, now).filter(deed__in=shown_deeds)
    due = review_due(Review.objects.values_list("quarter", flat=True), timezone.localdate())
    context = {
        "place": "grants",
        "rows": rows(held, user_of(request)),
        "ended": rows(over, user_of(request), ended=True),
        "review": due,
        "reviews": Review.objects.select_related("by")[:8],
    }
    return render(request, "grants/grants.html", context)


@_SENT
def grant_new(request: HttpRequest) -> HttpResponseBase:
    """Give access to a student's recordings."""
    user = user_of(request)
    reach = reach_of(user, Deed.GRANT)
    student = shown(Student.objects.filter(reached(reach)), request.GET.get("student", ""))
    form = AccessForm(posted(request), initial={"student": student})
    bound_student(form, reach)

    def act() -> str:
        facts = form.facts()
        deeds.give_access(facts, by=user)
        messages.success(request, f"{facts.user} has access until {words.day(facts.until)}; it ends by itself.")
        return reverse("pages:grants")

    return form_page(request, form, act, context=_frame("Give access") | {"submit": "Give access"})


@_SENT
def grant_end(request: HttpRequest, student: UUID, account: UUID) -> HttpResponseBase:
    """End a person's access to a student's recordings."""
    user, row = User.objects.filter(pk=account).first(), Student.objects.filter(pk=student).first()
    if user is None or row is None:
        raise UnknownRecordError("there is no such access here")
    form = forms.Form(posted(request))

    def act() -> str:
        deeds.end_access(account, student, by=user_of(request))
        messages.success(request, "The access has ended.")
        return reverse("pages:grants")

    context = _frame("End access") | {
        "submit": "End it now",
        "question": f"{user} may then no longer reach the recordings of {row}.",
        "consequences": ["Pages that are open are refused from now on.", "What was done so far stays in the log."],
    }
    return form_page(request, form, act, "ui/confirm.html", context)


@_SENT
def review(request: HttpRequest) -> HttpResponseBase:
    """Go through all grants of the quarter."""
    form, today = ReviewForm(posted(request)), timezone.localdate()
    now = quarter(today)
    last, at = Review.objects.first(), timezone.now()
    over = ended_between(last.reviewed_at if last else None, at)

    def act() -> str:
        deeds.enter_review(now, form.cleaned_data["remarks"], ended=over.count(), by=user_of(request))
        messages.success(request, "The review was entered.")
        return reverse("pages:grants")

    context = _frame(f"Review of access, {now}") | {"submit": "Enter the review"}
    context["rows"] = rows(Grant.objects.at(at), user_of(request))
    context["ended"] = rows(over, user_of(request), ended=True)
    return form_page(request, form, act, "grants/review.html", context)


def _frame(heading: str) -> dict[str, Any]:
    address = reverse("pages:grants")
    return {"place": "grants", "heading": heading, "cancel": address, "breadcrumbs": [Crumb("Access", address)]}
