"""The lists: views parse and show, deeds change. Files are made of what was published, and of nothing else."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from archive.access.requests import user_of
from archive.custody.actors import NOTHING
from archive.records.errors import UnknownRecordError
from archive.records.form_page import form_page, posted
from archive.records.letters.deeds import make_letter
from archive.records.letters.letter_facts import common_to_all, written_day
from archive.records.letters.models import LetterKind
from archive.records.letters.pdf import paragraphs
from archive.records.pdf import tagged_pdf
from archive.records.people.models import Language
from archive.ui import words
from archive.ui.breadcrumbs import Crumb

from . import deeds
from .forms import AnswerForm, HoldingForm, PositionForm, TrainingForm
from .models import Holding, Publication
from .rules import PURPOSES, ListKind, Table, as_csv, read_table
from .tables import holdings, members, table_of

_SENT = require_http_methods(["GET", "HEAD", "POST"])


@require_safe
def lists(request: HttpRequest) -> HttpResponseBase:
    """Show each list: what it is for, what is missing, and when it was published."""
    rows = []
    for kind, purpose in PURPOSES.items():
        table, last = table_of(kind), last_published(kind)
        rows.append((kind, purpose, table, last, last is not None and last.content != table.canonical()))
    return render(request, "public_lists/lists.html", {"place": "lists", "rows": rows})


@require_safe
def one_list(request: HttpRequest, what: str) -> HttpResponseBase:
    """Show a list as it stands now."""
    kind = _kind(what)
    table, last = table_of(kind), last_published(kind)
    context = {
        **_context(kind, table),
        "place": "lists",
        "breadcrumbs": [_crumb()],
        "last": last,
        "changed": last is not None and last.content != table.canonical(),
        "rows": [
            (row[0], list(zip(table.columns[1:], row[1:], strict=True)), link)
            for row, link in zip(table.rows, _links(kind, len(table.rows)), strict=True)
        ],
    }
    return render(request, "public_lists/list.html", context)


def _links(kind: ListKind, count: int) -> list[tuple[str, str] | None]:
    """Return for each row where what it says is entered, and the words of that link."""
    match kind:
        case ListKind.PEOPLE:
            return [(reverse("pages:position", args=[one.user.pk]), f"position of {one.user}") for one in members()]
        case ListKind.TRAINING:
            return [(reverse("pages:training", args=[one.user.pk]), f"training of {one.user}") for one in members()]
        case ListKind.RECORDS:
            typed = [(reverse("pages:record-type-end", args=[one.pk]), f"take off {one.what}") for one in holdings()[1]]
            return [None] * (count - len(typed)) + typed
        case _:
            return [None] * count


@_SENT
def publish(request: HttpRequest, what: str) -> HttpResponseBase:
    """Publish a list."""
    kind, form = _kind(what), forms.Form(posted(request))
    there = reverse("pages:list", args=[what])

    def act() -> str:
        deeds.publish(kind, by=user_of(request))
        messages.success(request, "The list was published. Its files are what it said at this moment.")
        return there

    context = _frame(f"Publish: {PURPOSES[kind].heading}", there) | {
        "submit": "Publish it",
        "question": "The district answers for what the list says now.",
        "consequences": [
            "Files are made of it until it is published again.",
            "The log says who published it, and when.",
        ],
    }
    return form_page(request, form, act, "ui/confirm.html", context)


@require_safe
def as_csv_file(request: HttpRequest, what: str) -> HttpResponseBase:
    """Hand the published list out as CSV."""
    return _file(request, what, "csv")


@require_safe
def as_pdf_file(request: HttpRequest, what: str) -> HttpResponseBase:
    """Hand the published list out as a tagged PDF file."""
    return _file(request, what, "pdf")


def _file(request: HttpRequest, what: str, file_type: str) -> HttpResponseBase:
    kind = _kind(what)
    last = last_published(kind)
    if last is None:
        messages.error(request, "There are files once the list was published.")
        return HttpResponseRedirect(reverse("pages:list", args=[what]))
    table = read_table(last.content)
    if file_type == "csv":
        data, content_type = as_csv(table).encode("utf-8-sig"), "text/csv; charset=utf-8"
    else:
        context = _context(kind, table) | {"last": last, "contact": words.contact(settings.ARCHIVE.site.contact)}
        data, content_type = tagged_pdf("public_lists/print.html", context), "application/pdf"
    deeds.take_file(last, file_type, by=user_of(request))
    answer = HttpResponse(data, content_type=content_type)
    answer["Content-Disposition"] = f'attachment; filename="{kind.value}.{file_type}"'
    return answer


@_SENT
def holding_new(request: HttpRequest) -> HttpResponseBase:
    """Enter a type of records, or where this archive's own are."""
    own, there = holdings()[0], reverse("pages:list", args=[ListKind.RECORDS])
    initial = {"location": own.location, "keeper": own.keeper} if own and "own" in request.GET else {}
    form = HoldingForm(posted(request), initial=initial)

    def act() -> str:
        deeds.enter_holding(**form.cleaned_data, by=user_of(request))
        messages.success(request, "It was entered. Publish the list when all is right.")
        return there

    intro = "A new place of a type that is listed already takes the place of the one before."
    return form_page(request, form, act, context=_frame("Enter a type of records", there) | {"intro": intro})


@_SENT
def holding_end(request: HttpRequest, holding: UUID) -> HttpResponseBase:
    """Take a type of records off the list."""
    row = Holding.objects.filter(pk=holding, own=False).first()
    if row is None:
        raise UnknownRecordError("there is no such type of records here")
    form, there = forms.Form(posted(request)), reverse("pages:list", args=[ListKind.RECORDS])

    def act() -> str:
        deeds.end_holding(holding, by=user_of(request))
        messages.success(request, "It was taken off the list.")
        return there

    context = _frame("Take off the list", there) | {"submit": "Take it off", "question": f"{row.what}, {row.location}"}
    return form_page(request, form, act, "ui/confirm.html", context)


@_SENT
def position(request: HttpRequest, member: UUID) -> HttpResponseBase:
    """Enter somebody's position."""
    user, there = deeds.member_of(member), reverse("pages:list", args=[ListKind.PEOPLE])
    known = next((one.position for one in members() if one.user == user), "")
    form = PositionForm(posted(request), initial={"position": known})

    def act() -> str:
        deeds.enter_position(member, form.cleaned_data["position"], by=user_of(request))
        messages.success(request, "The position was entered.")
        return there

    return form_page(request, form, act, context=_frame(f"Position of {user}", there))


@_SENT
def training(request: HttpRequest, member: UUID) -> HttpResponseBase:
    """Enter somebody's training."""
    user, there = deeds.member_of(member), reverse("pages:list", args=[ListKind.TRAINING])
    form = TrainingForm(posted(request))

    def act() -> str:
        deeds.enter_training(member, form.cleaned_data["held_on"], form.cleaned_data["what"], by=user_of(request))
        messages.success(request, "The training was entered.")
        return there

    return form_page(request, form, act, context=_frame(f"Training of {user}", there))


@_SENT
def answer(request: HttpRequest) -> HttpResponseBase:
    """Answer a request for public records: student records are closed (RSMo 610.021(6))."""
    form = AnswerForm(posted(request))

    def act() -> str:
        typed = form.cleaned_data
        language = typed["language"]
        values = common_to_all(typed["recipient"], language) | {
            "received": written_day(typed["received_on"], language),
            "asked": typed["asked"],
        }
        letter = make_letter(
            LetterKind.PUBLIC_RECORDS,
            values,
            by=user_of(request),
            student=None,
            person=None,
            language=language,
            about=NOTHING,
        )
        messages.success(request, "The letter was made. Print it, deliver it, and note how.")
        return reverse("pages:letter", args=[letter.pk])

    back = reverse("pages:letters")
    context = {
        "place": "letters",
        "heading": "Answer a request for public records",
        "intro": "Records about a student are closed records (RSMo 610.021(6)). The letter says so and cites it, of "
        "everybody alike: whether there is any record is not told.",
        "submit": "Make the letter",
        "cancel": back,
        "breadcrumbs": [Crumb("Letters", back)],
    }
    return form_page(request, form, act, context=context)


def last_published(kind: ListKind) -> Publication | None:
    """Return a list as it was published last."""
    return Publication.objects.filter(kind=kind).select_related("published_by").first()


def _kind(what: str) -> ListKind:
    if what not in set(ListKind):
        raise UnknownRecordError("there is no such list here")
    return ListKind(what)


def _context(kind: ListKind, table: Table) -> dict[str, Any]:
    return {
        "kind": kind.value,
        "purpose": PURPOSES[kind],
        "district": settings.ARCHIVE.records.district,
        "table": table,
        "texts": [(code, Language(code).label, heading, paragraphs(text)) for code, heading, text in table.rows]
        if kind is ListKind.NOTICE
        else [],
    }


def _crumb() -> Crumb:
    return Crumb("Lists", reverse("pages:lists"))


def _frame(heading: str, back: str) -> dict[str, Any]:
    return {"place": "lists", "heading": heading, "submit": "Save", "cancel": back, "breadcrumbs": [_crumb()]}
