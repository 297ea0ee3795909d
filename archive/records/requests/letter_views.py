"""The letter that says how somebody who asked can listen."""

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
from .forms import CloseForm
from .pages import below, request_of


@require_http_methods(["GET", "HEAD", "POST"])
def request_letter(request: HttpRequest, case: UUID) -> HttpResponseBase:
    """Write that access is given, in the language of the rights-holder."""
    row = request_of(case)
    form = CloseForm(posted(request), initial={"version": row.version})
    form.fields["outcome"].label = "How the person can listen"
    user = user_of(request)

    def act() -> str:
        person, language = row.person, row.person.language
        values = common(row.student, person, language) | {
            "received": written_day(row.received_on, language),
            "due": written_day(deeds.due_of(row).on, language),
            "how": form.cleaned_data["outcome"],
        }
        letter = make_letter(
            LetterKind.ACCESS_GRANTED,
            values,
            by=user,
            student=row.student,
            person=person,
            language=language,
            about=Subject.case(case),
        )
        return reverse("pages:letter", args=[letter.pk])

    return form_page(request, form, act, context=below("Write the letter", row) | {"submit": "Make the letter"})
