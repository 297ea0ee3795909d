"""Destruction: views parse and show, deeds change."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from archive.access.decisions import may, reach_of
from archive.access.deeds import Deed
from archive.access.requests import user_of
from archive.accounts.models import User
from archive.records.errors import DeedError, UnknownRecordError
from archive.records.form_page import form_page, posted
from archive.records.outside_recordings.either import (
    about_either,
    called_either,
    check_either_kept,
    find_named,
    page_of,
)
from archive.records.pdf import tagged_pdf
from archive.records.people.models import Person, Student
from archive.records.people.search import reached as reached_in
from archive.records.retention.describe import kept_words
from archive.records.retention.reach import kept_of
from archive.records.second_person import why_not_second
from archive.ui import words
from archive.ui.breadcrumbs import Crumb
from archive.ui.qr_code import qr_image

from . import deeds
from .describe import OBSTACLES, answered
from .forms import CarryOutForm, ProposeForm, ReplyForm, TellForm, WithdrawForm
from .models import Basis, Destruction, Reply, State, Told
from .reach import standing_of, to_tell, were_told
from .rules import REST, against_approval, against_deed

_SENT = require_http_methods(["GET", "HEAD", "POST"])
SHOWN = 200
_OPEN = (State.PROPOSED, State.APPROVED, State.CLOSING)


@require_safe
def destructions(request: HttpRequest) -> HttpResponseBase:
    """Show what waits, and what was destroyed."""
    user = user_of(request)
    near = about_either(reach_of(user, Deed.DESTROY))
    found = Destruction.objects.filter(near).select_related("recording", "outside", "proposed_by")
    context = {
        "place": "destructions",
        "open": found.filter(state__in=_OPEN)[: SHOWN * 2],
        "done": found.exclude(state__in=_OPEN)[:SHOWN],
    }
    return render(request, "destruction/destructions.html", context)


@_SENT
def destruction_new(request: HttpRequest, **address: str) -> HttpResponseBase:
    """Propose that a recording be destroyed, a box's or one that was brought."""
    row, user = find_named(**address), user_of(request)
    check_either_kept(row)
    form = ProposeForm(posted(request))
    people = {str(person.pk): person for _student, person in _to_tell(row.pk, user)}
    field = form.fields["asked_by"]
    assert isinstance(field, forms.ChoiceField)  # noqa: S101 - told to the type checker
    field.choices = [("", _("nobody")), *((pk, str(person)) for pk, person in people.items())]

    def act() -> str:
        typed = form.cleaned_data
        made = deeds.propose(
            row.pk, Basis(typed["basis"]), typed["reason"], by=user, asked_by=people.get(typed["asked_by"])
        )
        messages.success(request, _("Its destruction was proposed. Tell the parents now."))
        return reverse("pages:destruction", args=[made.pk])

    frame = _frame(_("Propose a destruction"), page_of(row)) | {"submit": _("Propose it")}
    intro = f"{called_either(row)}. {kept_words(kept_of(row))}"
    return form_page(request, form, act, context=frame | {"intro": intro})


@require_safe
def destruction(request: HttpRequest, destruction: UUID) -> HttpResponseBase:
    """Show a destruction: where it stands, who was told, what stands against it."""
    row, user = _destruction(destruction), user_of(request)
    open_ = row.state in {State.PROPOSED, State.APPROVED}
    standing = standing_of(row) if open_ else None
    against = against_approval(standing) if standing and row.state == State.PROPOSED else []
    against = against_deed(standing) if standing and row.state == State.APPROVED else against
    letters = row.told.select_related("letter").prefetch_related("earlier")
    told = {(one.student_id, one.person_id): one for one in letters}
    people = _to_tell(row.about_pk, user) if open_ else []
    context = {
        "place": "destructions",
        "breadcrumbs": [_crumb()],
        "row": row,
        "open": open_,
        "against": [OBSTACLES[one] for one in against],
        "not_second": why_not_second([row.proposed_by_id], user, _("A second person must approve it.")),
        "rest_until": row.approved_at + REST if row.approved_at else None,
        "people": [(student, person, told.get((student.pk, person.pk))) for student, person in people],
        "recording_page": may(user, Deed.LOOK, row.subject).allowed,
        "letters": may(user, Deed.LETTERS).allowed,
    }
    return render(request, "destruction/destruction.html", context)


@_SENT
def tell(request: HttpRequest, destruction: UUID, student: UUID, person: UUID) -> HttpResponseBase:
    """Write the letter to a rights-holder."""
    row, user = _destruction(destruction), user_of(request)
    around = {(pupil.pk, holder.pk): (pupil, holder) for pupil, holder in _to_tell(row.about_pk, user)}
    if (student, person) not in around:
        raise UnknownRecordError("there is no such person here")
    pupil, holder = around[student, person]
    form = TellForm(posted(request), initial={"language": holder.language})

    def act() -> str:
        made = deeds.tell(destruction, pupil, holder, form.cleaned_data["language"], by=user)
        messages.success(request, _("The letter was made. Print it, deliver it, and note how."))
        return reverse("pages:letter", args=[made.letter_id])

    intro = _("To {person}, about {student}.").format(person=holder, student=pupil)
    context = _below(_("Tell a parent"), row) | {"intro": intro, "submit": _("Make the letter")}
    return form_page(request, form, act, context=context)


@_SENT
def reply(request: HttpRequest, destruction: UUID, told: UUID) -> HttpResponseBase:
    """Enter what a rights-holder answered."""
    row, user = _destruction(destruction), user_of(request)
    # who reaches the recording by one student need not reach the other one of its meetings
    near = reached_in(reach_of(user, Deed.DESTROY), "student")
    one = Told.objects.filter(near, pk=told, destruction=destruction).first()
    if one is None:
        raise UnknownRecordError("there is no such letter here")
    form = ReplyForm(posted(request))

    def act() -> str:
        typed = form.cleaned_data
        deeds.enter_reply(destruction, told, Reply(typed["reply"]), typed["replied_on"], typed["remark"], by=user)
        messages.success(request, _("The answer was entered."))
        if row.state == State.APPROVED:
            messages.success(request, _("The approval ended with it: a second person must approve again."))
        return reverse("pages:destruction", args=[destruction])

    before = _("Entered so far: {answer}. That stays on the page.").format(answer=answered(one)) if one.reply else ""
    ends = _("It is approved already. An answer that came since ends the approval.")
    intro = f"{before} {ends if row.state == State.APPROVED else ''}".strip()
    return form_page(request, form, act, context=_below(_("Enter an answer"), row) | {"intro": intro})


@_SENT
def approve(request: HttpRequest, destruction: UUID) -> HttpResponseBase:
    """Approve a destruction, as a second person."""
    row, form = _destruction(destruction), forms.Form(posted(request))

    def act() -> str:
        deeds.approve(destruction, by=user_of(request))
        messages.success(request, _("It was approved. It can be carried out in a day."))
        return reverse("pages:destruction", args=[destruction])

    context = _below(_("Approve a destruction"), row) | {
        "submit": _("Yes, I approve it"),
        "question": _("{recording}. Did you look at it, and at what the parents answered?").format(
            recording=row.called
        ),
        "consequences": [_("A day later it can be destroyed for good."), _("Until then it can be withdrawn.")],
    }
    return form_page(request, form, act, "ui/confirm.html", context)


@_SENT
def withdraw(request: HttpRequest, destruction: UUID) -> HttpResponseBase:
    """Withdraw a destruction."""
    row, form = _destruction(destruction), WithdrawForm(posted(request))

    def act() -> str:
        deeds.withdraw(destruction, form.cleaned_data["reason"], by=user_of(request))
        messages.success(request, _("It was withdrawn. The recording is kept."))
        return reverse("pages:destructions")

    return form_page(
        request, form, act, context=_below(_("Withdraw a destruction"), row) | {"submit": _("Withdraw it")}
    )


@_SENT
def carry_out(request: HttpRequest, destruction: UUID) -> HttpResponseBase:
    """Destroy the recording."""
    row, form = _destruction(destruction), CarryOutForm(posted(request))

    def act() -> str:
        deeds.carry_out(destruction, by=user_of(request))
        messages.success(request, _("It was destroyed. Here is the certificate."))
        return reverse("pages:destruction", args=[destruction])

    context = _below(_("Destroy a recording"), row) | {
        "submit": _("Destroy it for good"),
        "question": _("{recording}, {length} long.").format(recording=row.called, length=_length(row)),
        "consequences": [
            _("Its key and its sealed package are removed. Nobody can hear it afterwards, nobody can bring it back."),
            _("Names beside it are removed. A certificate stays."),
        ],
    }
    return form_page(request, form, act, "ui/confirm.html", context)


@require_safe
def certificate(_request: HttpRequest, destruction: UUID) -> HttpResponseBase:
    """Hand out the certificate as a tagged PDF file."""
    row = _destruction(destruction)
    if row.state != State.DONE:
        raise DeedError("There is a certificate once it was carried out.")
    keep = timedelta(days=settings.ARCHIVE.backup.keep_days)
    link = f"{settings.ARCHIVE.site.url}{row.page}#{row.about.package_sha256}"
    context = {
        "link": link,
        "code": qr_image(link),
        "row": row,
        "district": settings.ARCHIVE.records.district,
        "contact": words.contact(settings.ARCHIVE.site.contact),
        "replies": [answered(one) or _("no answer was entered") for one in were_told(row)],
        "forgotten_by": row.finished_at + keep if row.finished_at else None,
    }
    answer = HttpResponse(tagged_pdf("destruction/certificate.html", context), content_type="application/pdf")
    answer["Content-Disposition"] = f'inline; filename="destruction-{str(row.pk)[:8]}.pdf"'
    return answer


def _length(row: Destruction) -> str:
    seconds = row.about.seconds
    return words.spoken(seconds) if seconds is not None else _("nobody knows how")


def _to_tell(recording: str, user: User) -> list[tuple[Student, Person]]:
    """Return who must be told, as far as `user` reaches their students: filings that nobody confirmed count here."""
    found = to_tell(recording, timezone.localdate())
    mine = Student.objects.filter(reached_in(reach_of(user, Deed.DESTROY)), pk__in=[student.pk for student, _ in found])
    reached_students = set(mine.values_list("pk", flat=True))
    return [one for one in found if one[0].pk in reached_students]


def _destruction(pk: UUID) -> Destruction:
    rows = Destruction.objects.select_related(
        "recording__room", "outside", "proposed_by", "approved_by", "closed_by", "withdrawn_by"
    )
    row = rows.filter(pk=pk).first()
    if row is None:
        raise UnknownRecordError("there is no such destruction here")
    return row


def _crumb() -> Crumb:
    return Crumb(_("Destruction"), reverse("pages:destructions"))


def _frame(heading: str, cancel: str) -> dict[str, Any]:
    return {
        "place": "destructions",
        "heading": heading,
        "submit": _("Save"),
        "cancel": cancel,
        "breadcrumbs": [_crumb()],
    }


def _below(heading: str, row: Destruction) -> dict[str, Any]:
    there = reverse("pages:destruction", args=[row.pk])
    crumbs = [_crumb(), Crumb(row.called, there)]
    return _frame(heading, there) | {"breadcrumbs": crumbs}
