"""Letters about a meeting: the acknowledgment of a notice."""

from __future__ import annotations

from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse
from django.utils import timezone, translation
from django.views.decorators.http import require_http_methods

from archive.access.requests import user_of
from archive.custody.actors import Subject
from archive.records.form_page import form_page, posted
from archive.records.letters.deeds import make_letter
from archive.records.letters.letter_facts import common
from archive.records.letters.models import LetterKind
from archive.records.people.models import Language, Person
from archive.records.people.reach import holders_now
from archive.ui import words
from archive.ui.breadcrumbs import Crumb

from .describe import title
from .models import Meeting
from .views import meeting_of


class MeetingLetterForm(forms.Form):
    """To whom a letter goes, and in which language."""

    person = forms.ModelChoiceField(Person.objects.none(), label="To", empty_label=None)
    language = forms.ChoiceField(
        choices=[("", "the language of the person"), *Language.choices], required=False, label="Language"
    )


@require_http_methods(["GET", "HEAD", "POST"])
def meeting_letter(request: HttpRequest, meeting: UUID) -> HttpResponseBase:
    """Make a letter about a meeting, to somebody who holds rights over the student's records today."""
    row, user = meeting_of(meeting), user_of(request)
    student = row.student
    people = [one.person.pk for one in holders_now(student.rights.all(), student.bars.all(), timezone.localdate())]
    form = MeetingLetterForm(posted(request))
    field = form.fields["person"]
    assert isinstance(field, forms.ModelChoiceField)  # noqa: S101 - told to the type checker
    field.queryset = Person.objects.filter(pk__in=people)
    back = reverse("pages:meeting", args=[meeting])

    def act() -> str:
        typed = form.cleaned_data
        person: Person = typed["person"]
        language = typed["language"] or person.language
        letter = make_letter(
            LetterKind.ACKNOWLEDGMENT,
            common(student, person, language) | _values(row, language),
            by=user,
            student=student,
            person=person,
            language=language,
            about=Subject.meeting(meeting),
        )
        messages.success(request, "The letter was made. Print it, deliver it, and note how.")
        return reverse("pages:letter", args=[letter.pk])

    context = {
        "place": "meetings",
        "heading": "Acknowledge a notice",
        "intro": title(row),
        "submit": "Make the letter",
        "cancel": back,
        "breadcrumbs": [Crumb("Meetings", reverse("pages:meetings")), Crumb(str(student), back)],
    }
    return form_page(request, form, act, context=context)


def _values(row: Meeting, language: str) -> dict[str, str]:
    notice = row.notices.first()
    with translation.override(language):
        received = words.when(timezone.localtime(notice.received_at)) if notice else ""
        called = title(row)
    unsaid = {"en": "not said", "es": "no se dijo"}[language]
    return {
        "meeting": called,
        "received": received or unsaid,
        "device": row.parent_device or (notice.device if notice else "") or unsaid,
        "district": settings.ARCHIVE.records.district,
    }
