"""Students, people, who holds rights, and rosters: views parse and show, deeds change."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.forms import Form
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from archive.access.decisions import may, reach_of
from archive.access.deeds import Deed
from archive.access.requests import user_of
from archive.access.scopes import DISTRICT, Reach
from archive.custody.actors import Subject
from archive.records.errors import UnknownRecordError
from archive.records.form_page import form_page, posted
from archive.ui import words
from archive.ui.breadcrumbs import Crumb

from . import account_deeds, deeds, import_deeds
from .forms import (
    BarForm,
    EndForm,
    MajorityForm,
    PersonForm,
    RightForm,
    RosterForm,
    SearchForm,
    StudentForm,
    WorkAccountForm,
    student_initial,
)
from .models import Bar, ImportRun, Person, Right, RightKind, Student
from .reach import holders_now
from .roster import read_roster
from .rules import majority, majority_tasks
from .search import page, reached
from .sections import SECTIONS

_SENT = require_http_methods(["GET", "HEAD", "POST"])
_CORRECTED = "The corrections were saved. A roster will not change them back."
SHOWN = 50
"""Rows of a difference that its page shows one by one; all are counted."""


def student_of(pk: UUID) -> Student:
    """Return the student; raise UnknownRecordError."""
    student = Student.objects.select_related("school").filter(pk=pk).first()
    if student is None:
        raise UnknownRecordError("there is no such student here")
    return student


def person_of(pk: UUID) -> Person:
    """Return the person; raise UnknownRecordError."""
    person = Person.objects.filter(pk=pk).first()
    if person is None:
        raise UnknownRecordError("there is no such person here")
    return person


@require_safe
def students(request: HttpRequest) -> HttpResponseBase:
    """Show the students whose name or number begins with what was typed."""
    form = SearchForm(request.GET or None)
    text = form.cleaned_data["q"] if form.is_valid() else ""
    rows = Student.objects.select_related("school").filter(reached(reach_of(user_of(request), Deed.PEOPLE)))
    found = page(rows, text, request.GET.get("after", ""), number="local_id")
    return render(request, "people/students.html", {"place": "people", "form": form, "page": found, "text": text})


@require_safe
def student(request: HttpRequest, student: UUID) -> HttpResponseBase:
    """Show a student: data, who holds rights, and what is due."""
    row, today = student_of(student), timezone.localdate()
    rights = list(row.rights.select_related("person", "named_by"))
    bars = list(row.bars.select_related("person"))
    context: dict[str, Any] = {
        "place": "people",
        "breadcrumbs": [Crumb("People", reverse("pages:students"))],
        "student": row,
        "holders": [(one.person, [kind.label for kind in one.grounds]) for one in holders_now(rights, bars, today)],
        "rights": rights,
        "bars": bars,
        "today": today,
        "majority": majority(row.birth_date) if row.birth_date and majority_tasks([row], today) else None,
        "sections": SECTIONS.of(row, user_of(request)),
        "editable": may(user_of(request), Deed.CORRECT, Subject.student(student)).allowed,
    }
    return render(request, "people/student.html", context)


@_SENT
def student_new(request: HttpRequest) -> HttpResponseBase:
    """Enter a student."""
    form = StudentForm(posted(request))

    def act() -> str:
        made = deeds.enter_student(form.cleaned_data, by=user_of(request))
        messages.success(request, "The student was entered.")
        return reverse("pages:student", args=[made.pk])

    return form_page(request, form, act, context=_frame("Enter a student", reverse("pages:students")))


@_SENT
def student_edit(request: HttpRequest, student: UUID) -> HttpResponseBase:
    """Correct a student's data."""
    row = student_of(student)

    def save(typed: dict[str, Any]) -> str:
        deeds.correct_student(student, typed, typed["version"], by=user_of(request))
        return _CORRECTED

    form = StudentForm(posted(request), initial=student_initial(row))
    return _change(request, form, save, f"Correct {row}", row)


@_SENT
def right_new(request: HttpRequest, student: UUID) -> HttpResponseBase:
    """Enter rights over a student's records."""
    row = student_of(student)

    def save(typed: dict[str, Any]) -> str:
        kind = RightKind(typed.pop("kind"))
        deeds.enter_right(student, typed.pop("person"), kind, **typed, by=user_of(request))
        return "The rights were entered."

    return _change(request, RightForm(posted(request)), save, f"Who holds rights over {row}'s records", row)


@_SENT
def bar_new(request: HttpRequest, student: UUID) -> HttpResponseBase:
    """Enter a court order that bars somebody."""
    row = student_of(student)

    def save(typed: dict[str, Any]) -> str:
        deeds.enter_bar(student, typed.pop("person"), **typed, by=user_of(request))
        since = typed["valid_from"]
        when = "now" if since <= timezone.localdate() else f"from {words.day(since)} on"
        return f"The court order was entered. Nothing of this student reaches that person {when}."

    return _change(request, BarForm(posted(request)), save, f"Court order about {row}", row)


@_SENT
def right_end(request: HttpRequest, student: UUID, right: UUID) -> HttpResponseBase:
    """End rights over a student's records."""
    found = Right.objects.select_related("person", "student").filter(pk=right, student=student).first()
    if found is None:
        raise UnknownRecordError("there is no such entry of rights here")
    intro = "After that day nothing that was opened to this person, or to an agent whom they named, is open any more."
    return _end(request, found, f"End the rights of {found.person}", deeds.end_right, intro)


@_SENT
def bar_end(request: HttpRequest, student: UUID, bar: UUID) -> HttpResponseBase:
    """End a court order's bar."""
    found = Bar.objects.select_related("person", "student").filter(pk=bar, student=student).first()
    if found is None:
        raise UnknownRecordError("there is no such court order here")
    intro = "After that day no court order keeps this person from the student's records."
    return _end(request, found, f"End the court order against {found.person}", deeds.end_bar, intro)


def _end(
    request: HttpRequest, found: Right | Bar, heading: str, end: Callable[..., object], intro: str
) -> HttpResponseBase:
    def save(typed: dict[str, Any]) -> str:
        end(found.pk, typed["valid_to"], shown=typed["shown"], by=user_of(request))
        return "The end was entered."

    form = EndForm(posted(request), initial={"shown": found.valid_to})
    return _change(request, form, save, heading, found.student, intro=intro)


@_SENT
def majority_decide(request: HttpRequest, student: UUID) -> HttpResponseBase:
    """Enter what follows from a student's 18th birthday."""
    row = student_of(student)

    def save(typed: dict[str, Any]) -> str:
        deeds.decide_majority(student, typed["decision"], typed["on"], by=user_of(request))
        return "The decision was entered. Now end or enter the rights themselves below."

    intro = (
        "Rights over the records pass to the student at 18, unless a court says otherwise (34 CFR 99.5, 300.625). "
        "This notes the decision; then end the parents' rights and enter the student's on the page before."
    )
    return _change(request, MajorityForm(posted(request)), save, f"{row} at 18", row, intro=intro)


@require_safe
def persons(request: HttpRequest) -> HttpResponseBase:
    """Show the people whose name begins with what was typed: whoever holds rights over a student in one's reach.

    Whoever reaches the whole district sees also those who hold none.
    """
    form = SearchForm(request.GET or None)
    text = form.cleaned_data["q"] if form.is_valid() else ""
    rows, reach = Person.objects.all(), reach_of(user_of(request), Deed.PEOPLE)
    if DISTRICT not in reach.scopes:
        rows = rows.filter(pk__in=Right.objects.filter(reached(reach, "student")).values("person"))
    if reach.barred:
        rows = rows.exclude(pk__in=Right.objects.filter(reached(Reach(reach.barred), "student")).values("person"))
    found = page(rows, text, request.GET.get("after", ""))
    return render(request, "people/persons.html", {"place": "people", "form": form, "page": found, "text": text})


@require_safe
def person(request: HttpRequest, person: UUID) -> HttpResponseBase:
    """Show a person: data, and over whose records rights are held."""
    row, user = person_of(person), user_of(request)
    within = reached(reach_of(user, Deed.PEOPLE), "student")
    context = {
        "place": "people",
        "breadcrumbs": [Crumb("People", reverse("pages:persons"))],
        "person": row,
        "rights": row.rights.select_related("student").filter(within),
        "bars": row.bars.select_related("student").filter(within),
        "today": timezone.localdate(),
        "editable": may(user, Deed.CORRECT, Subject.person(person)).allowed,
    }
    return render(request, "people/person.html", context)


@_SENT
def person_new(request: HttpRequest) -> HttpResponseBase:
    """Enter a person."""
    form = PersonForm(posted(request))

    def act() -> str:
        made = deeds.enter_person(form.cleaned_data, by=user_of(request))
        messages.success(request, "The person was entered.")
        return reverse("pages:person", args=[made.pk])

    return form_page(request, form, act, context=_frame("Enter a person", reverse("pages:persons")))


@_SENT
def person_edit(request: HttpRequest, person: UUID) -> HttpResponseBase:
    """Correct a person's data."""
    row = person_of(person)

    def save(typed: dict[str, Any]) -> str:
        deeds.correct_person(person, typed, typed["version"], by=user_of(request))
        return _CORRECTED

    initial = {name: getattr(row, name) for name in (*deeds.PERSON_FIELDS, "version")}
    return _change(request, PersonForm(posted(request), initial=initial), save, f"Correct {row}", row)


@_SENT
def person_account(request: HttpRequest, person: UUID) -> HttpResponseBase:
    """Enter with which account a person works here, so that a court order bars it too (34 CFR 99.4)."""
    row = person_of(person)

    def save(typed: dict[str, Any]) -> str:
        account_deeds.enter_work_account(person, typed["user"], typed["version"], by=user_of(request))
        return "It was entered. A court order that bars the person bars this account too."

    now = row.work_user
    initial = {"user": (now.username or str(now.pk)) if now else "", "version": row.version}
    intro = "For a parent who works for the district. Leave it empty for who does not."
    form = WorkAccountForm(posted(request), initial=initial)
    return _change(request, form, save, f"Account at work of {row}", row, intro=intro)


@_SENT
def roster(request: HttpRequest) -> HttpResponseBase:
    """Look at a roster: nothing is changed before its difference was shown."""
    form = RosterForm(posted(request), request.FILES if request.method == "POST" else None)

    def act() -> str:
        run, _ = import_deeds.look_at(form.cleaned_data["file"], by=user_of(request))
        return reverse("pages:roster-run", args=[run.pk])

    context = {**_frame("Import a roster", reverse("pages:students")), "submit": "Show what would change"}
    context["runs"] = ImportRun.objects.exclude(taken_at=None).select_related("by")[:10]
    return form_page(request, form, act, "people/roster.html", context)


@_SENT
def roster_run(request: HttpRequest, run: UUID) -> HttpResponseBase:
    """Show what a roster would change, and take it in; afterwards show what it changed."""
    found = ImportRun.objects.select_related("by").filter(pk=run).first()
    if found is None:
        raise UnknownRecordError("there is no such import here")
    form = Form(posted(request))
    here = reverse("pages:roster-run", args=[run])

    def act() -> str:
        import_deeds.take_in(run, by=user_of(request))
        messages.success(request, "The roster was taken in.")
        return here

    difference = None
    if request.method != "POST" and found.data is not None:
        difference = import_deeds.compare(read_roster(bytes(found.data)))
    context: dict[str, Any] = {
        **_frame(
            "What the roster would change" if found.taken_at is None else "A roster",
            reverse("pages:roster"),
            Crumb("Import a roster", reverse("pages:roster")),
        ),
        "run": found,
        "difference": difference,
        "shown": SHOWN,
        "tables": [
            ("Schools", difference.schools),
            ("Students", difference.students),
            ("People", difference.persons),
        ]
        if difference
        else [],
    }
    return form_page(request, form, act, "people/roster_run.html", context)


def _change(
    request: HttpRequest,
    form: Form,
    save: Callable[[dict[str, Any]], str],
    heading: str,
    row: Student | Person,
    *,
    intro: str = "",
) -> HttpResponseBase:
    """Show a form about a student or a person; `save` does what was typed and returns what to say of it."""
    back = reverse("pages:student" if isinstance(row, Student) else "pages:person", args=[row.pk])

    def act() -> str:
        messages.success(request, save(dict(form.cleaned_data)))
        return back

    return form_page(request, form, act, context=_frame(heading, back, Crumb(str(row), back)) | {"intro": intro})


def _frame(heading: str, back: str, *below: Crumb) -> dict[str, Any]:
    """Return the context of a form's page; `below` are the places between the list of people and this one."""
    crumbs = [Crumb("People", back if not below else reverse("pages:students")), *below]
    return {"place": "people", "heading": heading, "submit": "Save", "cancel": back, "breadcrumbs": crumbs}
