"""Recordings that no box made: their list, the page of one, its audio; filing and restricting. Deeds change."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from archive.access.decisions import may, reach_of
from archive.access.deeds import Deed
from archive.access.requests import user_of
from archive.access.views import asks_for_a_family
from archive.accounts.models import User
from archive.custody import wording
from archive.custody.actors import Subject
from archive.custody.models import Entry
from archive.recordings.companions import bundle
from archive.recordings.contributions import Reader
from archive.recordings.partial import answer
from archive.recordings.ranges import Span
from archive.records.errors import UnknownRecordError
from archive.records.form_page import form_page, posted
from archive.records.meetings.describe import title
from archive.records.people.search import reached
from archive.records.second_person import why_not_second
from archive.ui.breadcrumbs import Crumb

from . import filing_deeds, listen_deeds
from .companions import companions_of_outside
from .contributions import contributed
from .describe import SIGNS, called, facts_of, said_of
from .forms import FileUnderForm, ReasonForm
from .media import MediaType
from .models import OutsideFiling, OutsideRecording, State
from .plain_file import chunks, open_sealed
from .reach import RestrictedError, check_kept, find_outside, is_restricted, reached_outside

_SENT = require_http_methods(["GET", "HEAD", "POST"])
SHOWN = 200
_DEEDS: Final = (Deed.LISTEN, Deed.DOWNLOAD, Deed.CUSTODY, Deed.FILE, Deed.RESTRICT)
"""What its own page asks about; what apps above add asks about its own."""
MOST = 2 << 20
"""Most bytes in one partial answer; a player asks again for what follows."""


@require_safe
def outside_recordings(request: HttpRequest) -> HttpResponseBase:
    """Show what was brought, newest first, as far as the reader may look."""
    user = user_of(request)
    rows = OutsideRecording.objects.filter(reached_outside(user, Deed.LOOK)).exclude(state=State.GIVEN_UP)
    context = {
        "place": "outside",
        "rows": [(one, called(one), SIGNS[one.state]) for one in rows.defer("index", "statement")[:SHOWN]],
        "can_file": may(user, Deed.FILE).allowed,
    }
    return render(request, "outside_recordings/outside_recordings.html", context)


@require_safe
def outside(request: HttpRequest, outside: str) -> HttpResponseBase:
    """Show the page, after its custody entry."""
    row, user, subject = find_outside(outside), user_of(request), Subject.outside(outside)
    listen_deeds.enter_look(user, outside)
    reader = Reader.of(user, subject)
    can, added = {str(deed): reader.may(deed) for deed in _DEEDS}, contributed(row, reader)
    restricted = row.restrictions.filter(lifted_at=None).first()
    silent = restricted is not None and not can[Deed.RESTRICT]
    kept = row.state == State.SEALED and row.destroyed_at is None
    filing = row.filings.filter(ended_at=None).select_related("meeting__student", "meeting__room").first()
    audible = kept and can[Deed.LISTEN] and not silent
    token = listen_deeds.open_page(user, row) if audible else ""
    context = {
        "place": "outside",
        "breadcrumbs": [_crumb()] if reader.may(Deed.LIST) else [],
        "row": row,
        "called": called(row),
        "sign": SIGNS[row.state],
        "family": bool(row.damage or row.problem) and asks_for_a_family(request),
        "can": can,
        "kept": kept,
        "restricted": restricted,
        "silent": silent,
        "source": f"{reverse('pages:outside-audio', args=[outside])}?view={token}" if audible else "",
        "said": said_of(row),
        "facts": facts_of(row) if row.arrived_at else [],
        "filing": filing,
        "filed": title(filing.meeting) if filing else "",
        "not_second": _not_second(filing, user) if filing else "",
        "sees_meeting": filing is not None and may(user, Deed.MEETINGS, Subject.meeting(filing.meeting_id)).allowed,
        "same": _same_file(row, user),
        "sections": added.sections,
        "actions": added.actions if kept else (),
        "documents": companions_of_outside(row) if kept and can[Deed.DOWNLOAD] else [],
        "custody": wording.rows(Entry.objects.about(subject).order_by("-n")[:SHOWN]) if can[Deed.CUSTODY] else [],
    }
    return render(request, "outside_recordings/outside.html", context)


def _not_second(filing: OutsideFiling, user: User) -> str:
    if filing.confirmed_at is not None:
        return ""
    return why_not_second([filing.filed_by_id], user, _("You filed it: a colleague must confirm it."))


def _same_file(row: OutsideRecording, user: User) -> list[OutsideRecording]:
    """Return the other recordings here that are the same file, byte for byte, as far as the reader may look."""
    if not row.sha256:
        return []
    same = OutsideRecording.objects.filter(reached_outside(user, Deed.LOOK), sha256=row.sha256, state=State.SEALED)
    return list(same.exclude(pk=row.pk).defer("index", "statement")[:SHOWN])


@require_safe
def audio(request: HttpRequest, outside: str) -> HttpResponseBase:
    """Answer with the bytes asked for, as the kind of sound that they are; the page's token comes as `view`."""
    row, user = _audible(request, outside, Deed.LISTEN), user_of(request)

    def body(span: Span) -> Iterator[bytes]:
        file = open_sealed(row)
        file.seek(span.start)
        file.peek(1)  # what cannot be opened is not entered as listened to
        listen_deeds.enter_listen(user, row, request.GET.get("view", ""))
        return chunks(file, span.start, span.stop)

    return _bytes(request, row, body, most=MOST)


@require_safe
def download(request: HttpRequest, outside: str) -> HttpResponseBase:
    """Hand out the file as it was brought; in a ZIP file where a parent's statement goes along (34 CFR 99.21(c))."""
    row, user = _audible(request, outside, Deed.DOWNLOAD), user_of(request)
    name = f"{row.pk}-not-made-by-a-box.{MediaType(row.media_type).suffix}"
    documents = companions_of_outside(row)
    if documents and request.method == "GET":
        whole = open_sealed(row)
        whole.peek(1)
        listen_deeds.enter_download(user, row, 0, row.size, len(documents))
        data = bundle(name, chunks(whole, 0, row.size), documents, row.sealed_at or row.begun_at)
        return _named(StreamingHttpResponse(data, content_type="application/zip"), f"{row.pk}-copy.zip")

    def body(span: Span) -> Iterator[bytes]:
        file = open_sealed(row)
        file.seek(span.start)
        file.peek(1)  # what cannot be opened is no download
        listen_deeds.enter_download(user, row, span.start, span.size)
        return chunks(file, span.start, span.stop)

    return _named(_bytes(request, row, body), name)


def _named(response: HttpResponseBase, name: str) -> HttpResponseBase:
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _audible(request: HttpRequest, outside: str, deed: Deed) -> OutsideRecording:
    """Return the recording; raise RestrictedError, after its entry, where it is silent for whoever asks."""
    row, user = find_outside(outside), user_of(request)
    check_kept(row)
    open_sealed(row).close()
    if is_restricted(outside, user):
        listen_deeds.enter_refusal(user, outside, deed, "audio")
        raise RestrictedError("fewer people may hear this recording now; ask the records custodian")
    return row


def _bytes(request: HttpRequest, row: OutsideRecording, body: Any, most: int | None = None) -> HttpResponseBase:
    kind = MediaType(row.media_type).value
    response = answer(request, size=row.size, etag=f'"{row.sha256}"', content_type=kind, body=body, most=most)
    # whatever a browser takes the bytes for, nothing in them runs (it is told not to guess besides)
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response


@_SENT
def file_under(request: HttpRequest, outside: str) -> HttpResponseBase:
    """File it under its meeting."""
    row, user = find_outside(outside), user_of(request)
    form = FileUnderForm(row, reach_of(user, Deed.FILE), posted(request))

    def act() -> str:
        filing_deeds.file_outside(outside, form.cleaned_data["meeting"], by=user)
        messages.success(request, "It was filed. A second person must confirm it before anybody reaches it so.")
        return reverse("pages:outside", args=[outside])

    intro = "Listen to it first. These meetings are planned within three days of what was said."
    context = _below("Under which meeting is it filed?", row) | {"submit": "File it", "intro": intro}
    return form_page(request, form, act, context=context)


@_SENT
def confirm(request: HttpRequest, outside: str, filing: UUID) -> HttpResponseBase:
    """Confirm a filing, as a second person."""
    row, form = find_outside(outside), forms.Form(posted(request))
    found = _filing(outside, filing, user_of(request))

    def act() -> str:
        filing_deeds.confirm(outside, filing, by=user_of(request))
        messages.success(request, "The filing was confirmed.")
        return reverse("pages:outside", args=[outside])

    context = _below("Confirm a filing", row) | {
        "submit": "Yes, it is of this meeting",
        "question": f"It is filed under: {found.meeting.student}, {title(found.meeting)}.",
        "consequences": ["Everybody with access to the student's recordings reaches it from now on."],
    }
    return form_page(request, form, act, "ui/confirm.html", context)


@_SENT
def wrong(request: HttpRequest, outside: str, filing: UUID) -> HttpResponseBase:
    """Say that a filing is wrong."""
    row, form = find_outside(outside), ReasonForm(posted(request))
    found = _filing(outside, filing, user_of(request))

    def act() -> str:
        filing_deeds.end_filing(outside, filing, form.cleaned_data["reason"], by=user_of(request))
        messages.success(request, "The filing ended, and with it all access through it.")
        return reverse("pages:outside", args=[outside])

    intro = f"It is filed under: {found.meeting.student}, {title(found.meeting)}. Access through it ends at once."
    context = _below("A filing is wrong", row) | {"submit": "It is wrong", "intro": intro}
    return form_page(request, form, act, context=context)


@_SENT
def restrict(request: HttpRequest, outside: str) -> HttpResponseBase:
    """Let fewer people hear it."""
    row, form = find_outside(outside), ReasonForm(posted(request))

    def act() -> str:
        filing_deeds.restrict(outside, form.cleaned_data["reason"], by=user_of(request))
        messages.success(request, "It is restricted.")
        return reverse("pages:outside", args=[outside])

    intro = "All of it: single passages cannot be silenced in a file that is kept byte for byte."
    context = _below("Restrict a recording", row) | {"submit": "Restrict it", "intro": intro}
    return form_page(request, form, act, context=context)


@_SENT
def lift(request: HttpRequest, outside: str, restriction: UUID) -> HttpResponseBase:
    """Open it again, as a second person."""
    row, form = find_outside(outside), ReasonForm(posted(request))
    if not row.restrictions.filter(pk=restriction, lifted_at=None).exists():
        raise UnknownRecordError("there is no such restriction here, or it was lifted")

    def act() -> str:
        filing_deeds.lift(outside, restriction, form.cleaned_data["reason"], by=user_of(request))
        messages.success(request, "It is open again.")
        return reverse("pages:outside", args=[outside])

    intro = "Everybody who may hear it hears it again."
    context = _below("Open a recording again", row) | {"submit": "Open it", "intro": intro}
    return form_page(request, form, act, context=context)


def _filing(outside: str, pk: UUID, user: User) -> OutsideFiling:
    """Return the filing, if a court order does not bar `user` from its student: nobody may have confirmed it yet."""
    rows = OutsideFiling.objects.filter(reached(reach_of(user, Deed.FILE), "meeting__student"))
    row = rows.select_related("meeting__student", "meeting__room").filter(pk=pk, outside=outside, ended_at=None).first()
    if row is None:
        raise UnknownRecordError("there is no such filing here, or it was ended")
    return row


def _crumb() -> Crumb:
    return Crumb(_("Brought in"), reverse("pages:outside-recordings"))


def _below(heading: str, row: OutsideRecording) -> dict[str, Any]:
    there = reverse("pages:outside", args=[row.pk])
    crumbs = [_crumb(), Crumb(called(row), there)]
    return {"place": "outside", "heading": heading, "cancel": there, "breadcrumbs": crumbs}
