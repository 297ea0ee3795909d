"""What rights-holders see: the student's recordings, statements, the record of access, own requests; nothing else.

A rights-holder may be a parent, a surrogate, the student as an adult, or an agent: no page here says whose child it is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Final, TypeVar
from uuid import UUID

from django.conf import settings
from django.contrib.auth import login
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from archive.access.decisions import reach_of
from archive.access.deeds import Deed
from archive.access.requests import user_of
from archive.access.scopes import ScopeType
from archive.accounts.models import User
from archive.accounts.sessions import set_second_factor
from archive.recordings.find import about
from archive.records.errors import UnknownRecordError
from archive.records.form_page import posted
from archive.records.meetings.describe import title
from archive.records.meetings.models import Meeting
from archive.records.meetings.reach import in_force
from archive.records.outside_recordings.describe import called
from archive.records.outside_recordings.either import about_either
from archive.records.outside_recordings.models import OutsideRecording
from archive.records.outside_recordings.reach import in_force as outside_in_force
from archive.records.outside_recordings.reach import reached_outside
from archive.records.people.models import Language, Person, Student
from archive.records.people.views import student_of
from archive.ui import words

from . import link_deeds
from .forms import CodeForm
from .models import AccessRequest, Amendment, Statement
from .record_of_access import record_of_access

PLANNED: Final = 5
"""Meetings that are told ahead of each student."""
_OF_A_FILING: Final = ("recording", "meeting", "meeting__room")
_Found = TypeVar("_Found")
BACKEND = "django.contrib.auth.backends.ModelBackend"


def own_students(request: HttpRequest) -> list[Student]:
    """Return the students whose records this account may see as a rights-holder, and from whom nothing bars it."""
    pks = [scope.id for scope in reach_of(user_of(request), Deed.OWN).scopes if scope.type == ScopeType.STUDENT]
    return list(Student.objects.filter(pk__in=pks))


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
            return to_own_pages(request, user)
    return render(request, "requests/parent_link.html", {"form": form}, status=422 if form.is_bound else 200)


def to_own_pages(request: HttpRequest, user: User) -> HttpResponseBase:
    """Lead a rights-holder who just signed in to their pages, in the language that the district writes to them in.

    A language that was chosen on the page counts more, and so does that of a browser where letters are in English: that
    is what is entered where nobody asked.
    """
    response = HttpResponseRedirect(reverse("pages:own"))
    language = Person.objects.filter(user=user).values_list("language", flat=True).first()
    if language not in {None, Language.ENGLISH} and settings.LANGUAGE_COOKIE_NAME not in request.COOKIES:
        response.set_cookie(
            settings.LANGUAGE_COOKIE_NAME,
            str(language),
            path=settings.LANGUAGE_COOKIE_PATH,
            secure=settings.LANGUAGE_COOKIE_SECURE,
            httponly=settings.LANGUAGE_COOKIE_HTTPONLY,
            samesite="Lax",
        )
    return response


@require_safe
def own(request: HttpRequest) -> HttpResponseBase:
    """Show the first page of somebody who holds rights over students' records."""
    user, students = user_of(request), own_students(request)
    near = about(reach_of(user, Deed.LOOK))
    filings = in_force().filter(near, meeting__student__in=students)
    planned = Meeting.objects.filter(student__in=students, cancelled_at=None, starts_at__gte=timezone.now())
    placed = Statement.objects.filter(about_either(reach_of(user, Deed.LOOK)), amendment__student__in=students)
    outside = outside_in_force().filter(
        meeting__student__in=students,
        outside__in=OutsideRecording.objects.filter(reached_outside(user, Deed.LOOK), destroyed_at=None).values("pk"),
    )
    brought = _by_student((one.meeting.student_id, one) for one in outside.select_related("outside", "meeting__room"))
    recordings = _by_student((one.meeting.student_id, one) for one in filings.select_related(*_OF_A_FILING))
    meetings = _by_student(planned.values_list("student", "starts_at"))
    statements = _by_student((one.amendment.student_id, one) for one in placed.select_related("amendment"))
    asked = AccessRequest.objects.filter(student__in=students, person__user=user)
    requests = _by_student((one.student_id, one) for one in asked)
    changes = Amendment.objects.filter(student__in=students, person__user=user)
    amendments = _by_student((one.student_id, one) for one in changes)
    pupils = [
        {
            "student": student,
            "recordings": [
                (one.recording, title(one.meeting), words.spoken(one.recording.seconds))
                for one in recordings[student.pk]
            ],
            "brought": [(one.outside_id, called(one.outside), title(one.meeting)) for one in brought[student.pk]],
            "statements": statements[student.pk],
            "meetings": [words.day_and_time(timezone.localtime(at)) for at in meetings[student.pk][:PLANNED]],
            "requests": requests[student.pk],
            "amendments": amendments[student.pk],
        }
        for student in students
    ]
    return render(request, "requests/own.html", {"place": "own", "pupils": pupils})


def _by_student(pairs: Iterable[tuple[UUID, _Found]]) -> defaultdict[UUID, list[_Found]]:
    found: defaultdict[UUID, list[_Found]] = defaultdict(list)
    for student, one in pairs:
        found[student].append(one)
    return found


@require_safe
def own_record(request: HttpRequest, student: UUID) -> HttpResponseBase:
    """Show a parent the record of access."""
    row = student_of(student)
    if row.pk not in {one.pk for one in own_students(request)}:
        raise UnknownRecordError("there is no such student here")
    return render(request, "requests/record.html", {"place": "own", "student": row, "rows": record_of_access(row)})
