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
from archive.records.errors import DeedError
from archive.records.form_page import form_page, posted
from archive.records.letters.deeds import make_letter
from archive.records.letters.letter_facts import common
from archive.records.letters.models import LetterKind
from archive.records.people.models import Language, Person
from archive.records.people.reach import holders_now
from archive.ui import words
from archive.ui.breadcrumbs import Crumb

from .describe import title
from .models import Meeting, Notice
from .views import meeting_of


class _NoticeField(forms.ModelChoiceField):  # type: ignore[type-arg] # takes none when it runs
    """Which notice."""

    def label_from_instance(self, obj: Notice) -> str:
        """Return what a notice is called: when it came, and from whom."""
        return f"{words.when(timezone.localtime(obj.received_at))}, {obj.given_by or 'nobody is named'}"


class MeetingLetterForm(forms.Form):
    """Which notice is acknowledged, to whom the letter goes, and in which language."""

    notice = _NoticeField(Notice.objects.none(), label="Notice", empty_label=None)
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
    field, notices = form.fields["person"], form.fields["notice"]
    assert isinstance(field, forms.ModelChoiceField)  # noqa: S101 - told to the type checker
    assert isinstance(notices, forms.ModelChoiceField)  # noqa: S101 - the same
    known = list(row.notices.all())
    # nobody is told that we received what they did not give
    givers = None if any(one.given_by_id is None for one in known) else {one.given_by_id for one in known}
    field.queryset = Person.objects.filter(pk__in=[pk for pk in people if givers is None or pk in givers])
    notices.queryset = row.notices.all()
    if len(known) <= 1:
        # the one notice is not asked for, and of none the deed says so
        notices.required, notices.widget = False, forms.HiddenInput()
    back = reverse("pages:meeting", args=[meeting])

    def act() -> str:
        typed = form.cleaned_data
        person: Person = typed["person"]
        notice: Notice | None = typed["notice"] or next(iter(known), None)
        if notice is None:
            raise DeedError("No notice is logged for this meeting; there is nothing to acknowledge. Log it first.")
        if notice.given_by_id is not None and notice.given_by_id != person.pk:
            raise DeedError("Somebody else gave this notice; its acknowledgment goes to them.", field="person")
        language = typed["language"] or person.language
        letter = make_letter(
            LetterKind.ACKNOWLEDGMENT,
            common(student, person, language) | _values(row, notice, language),
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


def _values(row: Meeting, notice: Notice, language: str) -> dict[str, str]:
    with translation.override(language):
        received = words.when(timezone.localtime(notice.received_at))
        called = title(row)
    unsaid = {"en": "not said", "es": "no se dijo"}[language]
    return {
        "meeting": called,
        "received": received,
        "device": row.parent_device or notice.device or unsaid,
        "district": settings.ARCHIVE.records.district,
    }
