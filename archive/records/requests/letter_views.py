"""Letters about an access request: how somebody who asked can listen, or that more time is needed."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from archive.access.requests import user_of
from archive.custody.actors import Subject
from archive.records.form_page import form_page, posted
from archive.records.letters.deeds import make_letter
from archive.records.letters.letter_facts import common, written_day
from archive.records.letters.models import LetterKind

from . import deeds
from .forms import RequestLetterForm
from .pages import below, request_of


@require_http_methods(["GET", "HEAD", "POST"])
def request_letter(request: HttpRequest, case: UUID) -> HttpResponseBase:
    """Write how the rights-holder can listen, or that more time is needed, in the rights-holder's language."""
    row, user = request_of(case), user_of(request)
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

    return form_page(request, form, act, context=below("Write a letter", row) | {"submit": "Make the letter"})
