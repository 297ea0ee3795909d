"""Logging notices, and correcting one that was logged wrongly: views parse and show, deeds change."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from archive.access.decisions import reach_of
from archive.access.deeds import Deed
from archive.access.requests import user_of
from archive.records.errors import UnknownRecordError
from archive.records.form_page import form_page, posted
from archive.records.letters.letter_facts import notices_to
from archive.records.people.search import is_uuid, reached
from archive.ui.words import when

from . import deeds, notice_deeds
from .describe import notice_words
from .forms import NoticeCorrectionForm, NoticeForm, bound_student, notice_initial
from .models import Meeting, Notice
from .views import below, frame, meeting_of

_SENT = require_http_methods(["GET", "HEAD", "POST"])


@_SENT
def notice_new(request: HttpRequest) -> HttpResponseBase:
    """Log a notice."""
    user = user_of(request)
    reach, about = reach_of(user, Deed.PLAN), request.GET.get("meeting", "")
    planned = Meeting.objects.filter(reached(reach, "student"), pk=about).first() if is_uuid(about) else None
    form = NoticeForm(posted(request), initial=notice_initial(planned) if planned else None)
    bound_student(form, reach)

    def act() -> str:
        made = deeds.log_notice(form.facts(), by=user)
        said = notice_words(made)
        flag = " It is marked as late; that changes nothing for the parent." if said.late else ""
        messages.success(request, f"The notice was logged, {said.by_time}.{flag}")
        return reverse("pages:meeting", args=[made.meeting_id])

    intro = (
        "A parent tells the district that they will record a meeting. Student, date and time are enough. The district "
        f"asks parents to tell {notices_to('en')}."
    )
    return form_page(request, form, act, context={**frame("Log a notice"), "submit": "Log the notice", "intro": intro})


@_SENT
def notice_correct(request: HttpRequest, meeting: UUID, notice: UUID) -> HttpResponseBase:
    """Correct a notice that was logged wrongly."""
    row, user = meeting_of(meeting), user_of(request)
    found = Notice.objects.select_related("student", "given_by", "meeting__room").filter(pk=notice, meeting=row).first()
    if found is None and row.notices_corrected.exclude(notice__meeting=row).exists():
        # a second sending, or a page from before: the meeting's page says where it went, as far as the reader may know
        messages.info(request, "This notice is no longer here. It was corrected, and is about another meeting.")
        return HttpResponseRedirect(reverse("pages:meeting", args=[meeting]))
    if found is None:
        raise UnknownRecordError("this meeting has no such notice")
    form = NoticeCorrectionForm(found, posted(request))
    bound_student(form, reach_of(user, Deed.PLAN))

    def act() -> str:
        typed = form.cleaned_data
        made = notice_deeds.correct_notice(notice, form.facts(), typed["why"], typed["version"], by=user)
        said = notice_words(made)
        flag = " It is marked as late; that changes nothing for the parent." if said.late else ""
        left = ""
        if made.meeting_id != row.pk:
            left = " The meeting at which it stood stays planned: cancel it if no such meeting is held."
        elif made.meeting_at != row.starts_at:
            begins = when(timezone.localtime(row.starts_at))
            left = f" The meeting itself stays planned for {begins}: move it if that is wrong as well."
        messages.success(request, f"The notice was corrected, {said.by_time}.{flag}{left}")
        return reverse("pages:meeting", args=[made.meeting_id])

    context = {**below("Correct a notice", row), "submit": "Correct the notice"}
    context["intro"] = (
        "What was logged before stays beside the notice, and in the custody log. A letter that was made of it before "
        "is marked; its text stays."
    )
    return form_page(request, form, act, context=context)
