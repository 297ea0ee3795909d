"""Letters and their texts: views parse and show, deeds change."""

from __future__ import annotations

from datetime import datetime, time
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.text import capfirst
from django.views.decorators.http import require_http_methods, require_safe

from archive.access.decisions import may, reach_of
from archive.access.deeds import Deed
from archive.access.requests import user_of
from archive.access.scopes import Reach
from archive.accounts.models import User
from archive.records.errors import DeedError, UnknownRecordError
from archive.records.form_page import form_page, posted
from archive.records.people.models import Language
from archive.records.people.search import is_uuid, reached
from archive.ui.breadcrumbs import Crumb

from . import deeds
from .forms import DeliveryForm, TextForm
from .models import Letter, LetterKind, Template
from .pdf import letter_pdf, paragraphs
from .reach import withheld

_SENT = require_http_methods(["GET", "HEAD", "POST"])
SHOWN = 100


class WithheldError(DeedError):
    """A letter must not be handed out: a court order bars its person, or what it says was corrected since."""

    code = "withheld"


def letters_of(user: User) -> QuerySet[Letter]:
    """Return the letters that `user` reaches."""
    return letters_in(reach_of(user, Deed.LETTERS))


def letters_in(reach: Reach) -> QuerySet[Letter]:
    """Return the letters in `reach`."""
    rows = Letter.objects.select_related("student", "person", "template", "made_by")
    return rows.filter(reached(reach, "student"))


@require_safe
def letters(request: HttpRequest) -> HttpResponseBase:
    """Show the last letters, those that were not delivered first."""
    user = user_of(request)
    rows = letters_of(user)
    waiting = rows.filter(delivered_at=None, overtaken_at=None)[:SHOWN]
    context = {
        "place": "letters",
        "waiting": waiting,
        "withheld": withheld(waiting),
        "overtaken": rows.filter(delivered_at=None, overtaken_at__isnull=False)[:SHOWN],
        "delivered": rows.exclude(delivered_at=None)[:SHOWN],
        "can_write": may(user, Deed.TEMPLATES).allowed,
    }
    return render(request, "letters/letters.html", context)


@require_safe
def letter(request: HttpRequest, letter: UUID) -> HttpResponseBase:
    """Show a letter."""
    row = letter_of(letter)
    context = {
        "place": "letters",
        "breadcrumbs": [Crumb("Letters", reverse("pages:letters"))],
        "letter": row,
        "withheld": bool(withheld([row])),
        "paragraphs": paragraphs(row.body),
    }
    return render(request, "letters/letter.html", context)


@require_safe
def letter_file(_request: HttpRequest, letter: UUID) -> HttpResponseBase:
    """Hand a letter out as a tagged PDF file. Raises WithheldError."""
    row = letter_of(letter)
    if withheld([row]):
        raise WithheldError(f"A court order bars {row.person} from this student's records, so it is not printed.")
    if row.overtaken_at and not row.delivered_at:
        raise WithheldError("Something that it says was corrected after it was made: make a new one.")
    with translation.override(row.template.language):
        data = letter_pdf(row)
    answer = HttpResponse(data, content_type="application/pdf")
    answer["Content-Disposition"] = f'inline; filename="letter-{str(row.pk)[:8]}.pdf"'
    return answer


@_SENT
def delivery(request: HttpRequest, letter: UUID) -> HttpResponseBase:
    """Note how a letter was delivered."""
    row, form = letter_of(letter), DeliveryForm(posted(request))
    back = reverse("pages:letter", args=[letter])

    def act() -> str:
        day = form.cleaned_data["day"]
        at = timezone.now() if day == timezone.localdate() else timezone.make_aware(datetime.combine(day, time(12)))
        deeds.note_delivery(letter, form.cleaned_data["how"], at, by=user_of(request))
        messages.success(request, "The delivery was noted.")
        return back

    crumbs = [Crumb("Letters", reverse("pages:letters")), Crumb(row.subject, back)]
    context = _frame("How was it delivered?", back) | {"submit": "Note the delivery", "breadcrumbs": crumbs}
    return form_page(request, form, act, context=context)


@require_safe
def texts(request: HttpRequest) -> HttpResponseBase:
    """Show the texts: of each kind and language the one in use, and what waits for approval."""
    rows: dict[tuple[str, str], dict[str, Any]] = {
        (kind.value, language.value): {"kind": kind.label, "language": language.label, "used": None, "drafts": []}
        for kind in LetterKind
        for language in Language
    }
    for one in Template.objects.all():
        row = rows[one.kind, one.language]
        if one.approved_at is not None:
            row["used"], row["drafts"] = one, []
        else:
            row["drafts"].append(one)
    crumbs = [Crumb("Letters", reverse("pages:letters"))]
    context = {"place": "letters", "breadcrumbs": crumbs, "rows": list(rows.values())}
    return render(request, "letters/texts.html", context)


@_SENT
def text_new(request: HttpRequest) -> HttpResponseBase:
    """Write a new version of a text, beginning with the last one."""
    source = request.GET.get("from", "")
    last = Template.objects.filter(pk=source).first() if is_uuid(source) else None
    initial = {"kind": last.kind, "language": last.language, "subject": last.subject, "body": last.body} if last else {}
    form = TextForm(posted(request), initial=initial)

    def act() -> str:
        typed = form.cleaned_data
        made = deeds.write_text(
            LetterKind(typed["kind"]), Language(typed["language"]), typed["subject"], typed["body"], by=user_of(request)
        )
        messages.success(request, "The new version was saved. Letters are made of it once it was approved.")
        return reverse("pages:text", args=[made.pk])

    return form_page(request, form, act, context=_frame("Write a text", reverse("pages:texts")))


@_SENT
def text(request: HttpRequest, template: UUID) -> HttpResponseBase:
    """Show a text, and approve it."""
    from django.forms import Form  # noqa: PLC0415 - an empty form, for its token alone

    row = Template.objects.select_related("approved_by").filter(pk=template).first()
    if row is None:
        raise UnknownRecordError("there is no such text here")
    form = Form(posted(request))

    def act() -> str:
        deeds.approve_text(template, by=user_of(request))
        messages.success(request, "The text was approved. Letters are made of it from now on.")
        return reverse("pages:text", args=[template])

    context = {
        **_frame(f"{capfirst(row.get_kind_display())}, {row.get_language_display()}, version {row.version}", ""),
        "text": row,
        "paragraphs": paragraphs(row.body),
    }
    return form_page(request, form, act, "letters/text.html", context)


def letter_of(pk: UUID) -> Letter:
    """Return the letter; raise UnknownRecordError."""
    rows = Letter.objects.select_related("student", "person", "template", "made_by")
    row = rows.filter(pk=pk).first()
    if row is None:
        raise UnknownRecordError("there is no such letter here")
    return row


def _frame(heading: str, cancel: str) -> dict[str, Any]:
    crumbs = [Crumb("Letters", reverse("pages:letters")), Crumb("Texts", reverse("pages:texts"))]
    return {"place": "letters", "heading": heading, "submit": "Save", "cancel": cancel, "breadcrumbs": crumbs}
