"""What a parent sees: the child's recordings, statements, the record of access, own requests; nothing else."""

from __future__ import annotations

from uuid import UUID

from django.contrib.auth import login
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone, translation
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from archive.access.decisions import may, reach_of
from archive.access.deeds import Deed
from archive.access.requests import user_of
from archive.access.scopes import ScopeType
from archive.accounts.sessions import set_second_factor
from archive.custody.actors import Subject
from archive.records.errors import UnknownRecordError
from archive.records.form_page import posted
from archive.records.meetings.describe import title
from archive.records.meetings.reach import in_force
from archive.records.people.models import Student
from archive.records.people.views import student_of
from archive.ui import words

from . import link_deeds
from .forms import CodeForm
from .models import Statement
from .record_of_access import record_of_access

BACKEND = "django.contrib.auth.backends.ModelBackend"


def own_students(request: HttpRequest) -> list[Student]:
    """Return the students whose records this account may see as a rights-holder, and from whom nothing bars it."""
    user = user_of(request)
    pks = [scope.id for scope in reach_of(user, Deed.OWN).scopes if scope.type == ScopeType.STUDENT]
    students = Student.objects.filter(pk__in=pks)
    return [one for one in students if may(user, Deed.OWN, Subject.student(one.pk)).allowed]


@sensitive_post_parameters("code")
@never_cache
@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
def parent_link(request: HttpRequest, token: str) -> HttpResponseBase:
    """Ask for the code of a one-time link, and sign the person in with both."""
    form = CodeForm(posted(request))
    if request.method == "POST" and form.is_valid():
        try:
            user = link_deeds.use_link(token, form.cleaned_data["code"])
        except link_deeds.LinkRefusedError as error:
            form.add_error(error.field, error.message)
        else:
            login(request, user, backend=BACKEND)
            # link and code came by two ways: that is what a second factor is for
            set_second_factor(request.session, proved=True)
            return HttpResponseRedirect(reverse("pages:own"))
    return render(request, "requests/parent_link.html", {"form": form}, status=422 if form.is_bound else 200)


@require_safe
def own(request: HttpRequest) -> HttpResponseBase:
    """Show a parent's own first page."""
    user = user_of(request)
    language = translation.get_language()
    children = []
    for student in own_students(request):
        filings = in_force().filter(meeting__student=student).select_related("recording", "meeting", "meeting__room")
        recordings = [
            (one.recording, title(one.meeting), words.spoken(one.recording.seconds))
            for one in filings
            if may(user, Deed.LOOK, Subject.recording(one.recording_id)).allowed
        ]
        pks = [one.pk for one, _, _ in recordings]
        children.append(
            {
                "student": student,
                "recordings": recordings,
                "statements": Statement.objects.filter(recording__in=pks, amendment__student=student),
                "meetings": [
                    words.day_and_time(timezone.localtime(at))
                    for at in student.meetings.filter(cancelled_at=None, starts_at__gte=timezone.now()).values_list(
                        "starts_at", flat=True
                    )[:5]
                ],
                "requests": student.access_requests.filter(person__user=user),
            }
        )
    return render(request, "requests/own.html", {"place": "own", "children": children, "language": language})


@require_safe
def own_record(request: HttpRequest, student: UUID) -> HttpResponseBase:
    """Show a parent the record of access."""
    row = student_of(student)
    if row.pk not in {one.pk for one in own_students(request)}:
        raise UnknownRecordError("there is no such student here")
    return render(request, "requests/record.html", {"place": "own", "student": row, "rows": record_of_access(row)})
