"""Holds: views parse and show, deeds change."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_safe

from archive.access.decisions import reach_of, reaches_of
from archive.access.deeds import Deed
from archive.access.requests import user_of
from archive.access.scopes import recordings_in
from archive.accounts.models import User
from archive.recordings.find import find
from archive.recordings.heading import room_name
from archive.recordings.models import Recording
from archive.records.errors import DeedError, UnknownRecordError
from archive.records.form_page import form_page, posted
from archive.records.meetings.forms import bound_student
from archive.records.outside_recordings.describe import called
from archive.records.outside_recordings.models import OutsideRecording
from archive.records.outside_recordings.reach import check_kept, find_outside, outside_in
from archive.ui.breadcrumbs import Crumb
from archive.ui.templatetags.plain import when

from . import deeds
from .forms import ChooseForm, HoldForm, MatterForm, ReleaseForm
from .models import Held, Matter
from .reach import counts_of, items_in, matters_in, matters_of, outside_of, recordings_of, too_late_for
from .rules import must_be_looked_at

_SENT = require_http_methods(["GET", "HEAD", "POST"])
SHOWN = 200


@require_safe
def holds(request: HttpRequest) -> HttpResponseBase:
    """Show the open matters, and the last ones that ended."""
    user, today = user_of(request), timezone.localdate()
    reach = reach_of(user, Deed.HOLD)
    near = matters_in(reach, user)
    shown = near.filter(released_at=None)[:SHOWN]
    counts = counts_of(shown, reach)
    context = {
        "place": "holds",
        "matters": [(one, counts[one.pk], must_be_looked_at(one.valid_until, today)) for one in shown],
        "ended": near.exclude(released_at=None)[:SHOWN],
    }
    return render(request, "holds/holds.html", context)


@_SENT
def matter_new(request: HttpRequest) -> HttpResponseBase:
    """Open a matter."""
    form = MatterForm(posted(request))

    def act() -> str:
        made = deeds.open_matter(form.facts(), by=user_of(request))
        messages.success(request, _("The matter was opened. Say now what it holds."))
        return reverse("pages:matter-add", args=[made.pk])

    return form_page(request, form, act, context=_frame(_("Open a matter"), reverse("pages:holds")))


@require_safe
def matter(request: HttpRequest, matter: UUID) -> HttpResponseBase:
    """Show a matter and what it holds."""
    user = user_of(request)
    row = _matter(matter, user)
    items = items_of(row, user).select_related("recording__room", "outside", "student", "added_by", "released_by")
    reaches = reaches_of(user, Deed.HOLD, Deed.LOOK)
    shown = recordings_of(row).filter(recordings_in(reaches[Deed.HOLD]))[:SHOWN]
    brought = outside_of(row).filter(outside_in(reaches[Deed.HOLD]))[:SHOWN]
    # a court order may bar from a single student whoever may look at all others
    near = Recording.objects.filter(recordings_in(reaches[Deed.LOOK]), pk__in=[one.pk for one in shown])
    seen = OutsideRecording.objects.filter(outside_in(reaches[Deed.LOOK]), pk__in=[one.pk for one in brought])
    opened = {*near.values_list("pk", flat=True), *seen.values_list("pk", flat=True)}
    context = {
        "place": "holds",
        "breadcrumbs": [Crumb(_("Holds"), reverse("pages:holds"))],
        "matter": row,
        "late": row.released_at is None and must_be_looked_at(row.valid_until, timezone.localdate()),
        "items": [(one, _named(one)) for one in items.filter(released_at=None)],
        "released": [(one, _named(one)) for one in items.exclude(released_at=None)],
        "recordings": [(one, room_name(one), one.pk in opened) for one in shown],
        "brought": [(one, called(one), one.pk in opened) for one in brought],
    }
    return render(request, "holds/matter.html", context)


@_SENT
def matter_edit(request: HttpRequest, matter: UUID) -> HttpResponseBase:
    """Correct what a matter says."""
    row = _matter(matter, user_of(request))
    initial = {name: getattr(row, name) for name in MatterForm.base_fields}
    form = MatterForm(posted(request), initial=initial)

    def act() -> str:
        deeds.change_matter(matter, form.facts(), form.cleaned_data["version"], by=user_of(request))
        messages.success(request, _("The matter was corrected."))
        return reverse("pages:matter", args=[matter])

    return form_page(request, form, act, context=_below(_("Correct a matter"), row))


@_SENT
def matter_add(request: HttpRequest, matter: UUID) -> HttpResponseBase:
    """Put more on hold."""
    user = user_of(request)
    row, reach = _matter(matter, user), reach_of(user, Deed.HOLD)
    form = HoldForm(posted(request), reach=reach)
    bound_student(form, reach)

    def act() -> str:
        student = form.cleaned_data["student"]
        for one in [*([student] if student else []), *form.cleaned_data["recordings"]]:
            deeds.hold(matter, one, by=user)
        messages.success(request, _("It is on hold. Nothing and nobody can destroy it until the hold ends."))
        late = too_late_for(student) if student else 0
        if late:
            messages.warning(
                request,
                ngettext(
                    "The hold comes too late for one recording: two people had decided to destroy it before, and its "
                    "key and package are being removed.",
                    "The hold comes too late for %(count)s recordings: two people had decided to destroy them before, "
                    "and their keys and packages are being removed.",
                    late,
                )
                % {"count": late},
            )
        return reverse("pages:matter", args=[matter])

    return form_page(request, form, act, context=_below(_("Put on hold"), row) | {"submit": _("Put on hold")})


@_SENT
def matter_end(request: HttpRequest, matter: UUID) -> HttpResponseBase:
    """End a matter, and its holds with it: who reaches all that it holds."""
    user = user_of(request)
    row, form = _matter(matter, user), ReleaseForm(posted(request))

    def act() -> str:
        if row.items.filter(released_at=None).exclude(pk__in=items_of(row, user).values("pk")).exists():
            raise DeedError(_("It also holds something that you do not reach. Whoever reaches all of it can end it."))
        deeds.end_matter(matter, form.cleaned_data["reason"], by=user)
        messages.success(request, _("The matter has ended."))
        return reverse("pages:matter", args=[matter])

    intro = _("All its holds end. What another matter holds stays on hold. Nothing is destroyed by that.")
    context = _below(_("End a matter"), row) | {"submit": _("End it"), "intro": intro}
    return form_page(request, form, act, context=context)


@_SENT
def release(request: HttpRequest, matter: UUID, held: UUID) -> HttpResponseBase:
    """Take one thing out of a matter."""
    user = user_of(request)
    row, form = _matter(matter, user), ReleaseForm(posted(request))
    if not items_of(row, user).filter(pk=held, released_at=None).exists():
        raise UnknownRecordError("this matter does not hold that, or it was released")

    def act() -> str:
        deeds.release(matter, held, form.cleaned_data["reason"], by=user)
        messages.success(request, _("It was released from this matter."))
        return reverse("pages:matter", args=[matter])

    return form_page(request, form, act, context=_below(_("Release from a hold"), row) | {"submit": _("Release it")})


@_SENT
def hold_recording(request: HttpRequest, recording: str) -> HttpResponseBase:
    """Choose the matter that shall hold a recording."""
    row = find(recording)
    return _choose(request, row, f"Recorded {when(row.listed_at)}.", reverse("pages:recording", args=[recording]))


@_SENT
def hold_outside(request: HttpRequest, outside: str) -> HttpResponseBase:
    """Choose the matter that shall hold a recording that no box made."""
    row = find_outside(outside)
    check_kept(row)
    return _choose(request, row, f"{called(row)}.", reverse("pages:outside", args=[outside]))


def _choose(request: HttpRequest, row: Recording | OutsideRecording, intro: str, back: str) -> HttpResponseBase:
    form, user = ChooseForm(posted(request)), user_of(request)
    near = matters_in(reach_of(user, Deed.HOLD), user).filter(released_at=None)
    field = form.fields["matter"]
    assert isinstance(field, forms.ModelChoiceField)  # noqa: S101 - told to the type checker
    field.queryset = near

    def act() -> str:
        found = form.cleaned_data["matter"]
        deeds.hold(found.pk, row, by=user)
        messages.success(request, _("It is on hold. Nothing and nobody can destroy it until the hold ends."))
        return reverse("pages:matter", args=[found.pk])

    context = _frame(_("Put a recording on hold"), back) | {
        "submit": _("Put on hold"),
        "intro": intro,
        "open": near.exists(),
        "matters": matters_of(row.pk),
    }
    return form_page(request, form, act, "holds/choose.html", context)


def _matter(pk: UUID, user: User) -> Matter:
    near = matters_in(reach_of(user, Deed.HOLD), user)
    row = near.select_related("opened_by", "released_by").filter(pk=pk).first()
    if row is None:
        raise UnknownRecordError("there is no such matter here")
    return row


def items_of(matter: Matter, user: User) -> QuerySet[Held]:
    """Return what a matter holds or held, as far as `user` reaches it."""
    return matter.items.filter(items_in(reach_of(user, Deed.HOLD)))


def _named(one: Held) -> str:
    if one.student is not None:
        return _("All recordings of {student}").format(student=one.student)
    if one.outside is not None:
        return called(one.outside)
    assert one.recording is not None  # noqa: S101 - told to the type checker
    return _("Recording of {at}").format(at=when(one.recording.listed_at))


def _frame(heading: str, cancel: str) -> dict[str, Any]:
    crumbs = [Crumb(_("Holds"), reverse("pages:holds"))]
    return {"place": "holds", "heading": heading, "submit": _("Save"), "cancel": cancel, "breadcrumbs": crumbs}


def _below(heading: str, row: Matter) -> dict[str, Any]:
    there = reverse("pages:matter", args=[row.pk])
    frame = _frame(heading, there)
    return frame | {"breadcrumbs": [*frame["breadcrumbs"], Crumb(row.title, there)]}
