"""Redacted copies: views parse and show, deeds change."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any, Final
from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib import messages
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from archive.access.decisions import reached_recordings
from archive.access.deeds import Deed
from archive.access.requests import user_of
from archive.recordings import listens
from archive.recordings.find import check_not_destroyed, find
from archive.recordings.models import Recording
from archive.recordings.partial import answer
from archive.recordings.parts import audible, only
from archive.recordings.ranges import Span as Bytes
from archive.recordings.silences import place
from archive.recordings.wav import HEADER_SIZE, WavFile
from archive.records.errors import UnknownRecordError
from archive.records.form_page import form_page, posted
from archive.records.outside_recordings.either import students_of
from archive.records.pdf import tagged_pdf
from archive.ui import words
from archive.ui.breadcrumbs import Crumb
from archive.ui.templatetags.plain import when

from . import deeds, hear_deeds
from .describe import SIGN, SILENT_STILL, lines_of, silent_still, still_kept
from .forms import BeginForm, PassageForm, ReasonForm, SignOffForm
from .models import Redaction, State
from .reach import bounding, opened

_SENT = require_http_methods(["GET", "HEAD", "POST"])
SHOWN: Final = 200
PART_S: Final = 20
"""Most sound in one partial answer, in seconds: a player asks again for what follows, as it plays."""


@require_safe
def redactions(request: HttpRequest) -> HttpResponseBase:
    """Show the copies that are worked on, that wait for a second listener, and that are signed off."""
    reached = Recording.objects.filter(reached_recordings(user_of(request), Deed.REDACT), destroyed_at=None)
    rows = Redaction.objects.filter(recording__in=reached).select_related("recording", "signed_by")
    open_rows = rows.exclude(state__in=[State.SIGNED, State.WITHDRAWN])[:SHOWN]
    context = {
        "place": "redactions",
        "open": [(one, SIGN[State(one.state)]) for one in open_rows],
        "done": rows.filter(state=State.SIGNED)[:SHOWN],
        "silent": bounding(Q(state=State.WITHDRAWN, recording__in=reached))[:SHOWN],
    }
    return render(request, "redactions/redactions.html", context)


@_SENT
def redaction_new(request: HttpRequest, recording: str) -> HttpResponseBase:
    """Begin a redacted copy."""
    row, form = find(recording), BeginForm(posted(request))
    check_not_destroyed(row)
    field = form.fields["student"]
    assert isinstance(field, forms.ModelChoiceField)  # noqa: S101 - told to the type checker
    field.queryset = students_of(recording)

    def act() -> str:
        made = deeds.begin(recording, form.cleaned_data["purpose"], form.cleaned_data["student"], by=user_of(request))
        messages.success(request, "It was begun. Enter now the passages that it leaves out.")
        return _page(made)

    back = reverse("pages:recording", args=[recording])
    context = _frame("Make a redacted copy", back, Crumb(when(row.listed_at), back)) | {
        "submit": "Begin it",
        "intro": "A copy in which passages are silent or toned. The recording itself is never touched.",
    }
    return form_page(request, form, act, context=context)


@require_safe
def redaction(request: HttpRequest, recording: str, redaction: UUID) -> HttpResponseBase:
    """Show a copy: its passages, how far it is, its player, and what has not been listened to."""
    row, user = _redaction(recording, redaction), user_of(request)
    rate, state = row.recording.rate, State(row.state)
    heard = state in {State.MADE, State.SIGNED}
    left = deeds.not_heard_yet(row, user) if state == State.MADE else ()
    source = reverse("pages:redaction-audio", args=[recording, row.pk])
    context = {
        "place": "redactions",
        "breadcrumbs": _crumbs(row)[:-1],
        "row": row,
        "sign": SIGN[state],
        "passages": lines_of(row),
        "at": f"{100 * row.done // row.of} %" if state == State.ASKED and row.of else "",
        "source": f"{source}?view={listens.open_page(user, row.recording)}" if heard else "",
        "length": words.spoken(row.recording.seconds),
        "left": [(place(one.first, rate), place(one.last, rate)) for one in left[:SHOWN]],
        "why_not": deeds.why_not_signed_off_by(row, user) if state == State.MADE else "",
        "still_kept": still_kept(row),
        "silent_still": silent_still(row),
        "can_reopen": state in {State.ASKED, State.FAILED, State.MADE},
    }
    return render(request, "redactions/redaction.html", context)


@_SENT
def passage_new(request: HttpRequest, recording: str, redaction: UUID) -> HttpResponseBase:
    """Enter a passage."""
    row, form = _redaction(recording, redaction), PassageForm(posted(request))

    def act() -> str:
        deeds.enter_passage(recording, redaction, form.facts(row.recording.rate), by=user_of(request))
        messages.success(request, "The passage was entered.")
        return _page(row)

    return form_page(request, form, act, context=_below("Leave a passage out", row) | {"submit": "Leave it out"})


@_SENT
def passage_remove(request: HttpRequest, recording: str, redaction: UUID, passage: UUID) -> HttpResponseBase:
    """Take a passage out of the list."""
    row, form = _redaction(recording, redaction), forms.Form(posted(request))
    found = next((one for one in lines_of(row) if one.row.pk == passage), None)
    if found is None:
        raise UnknownRecordError("there is no such passage here, or it was taken out")

    def act() -> str:
        deeds.remove_passage(recording, redaction, passage, by=user_of(request))
        messages.success(request, "The copy will hold that passage.")
        return _page(row)

    context = _below("Keep a passage", row) | {
        "submit": "Keep it in the copy",
        "question": f"The copy will hold {found.begin} to {found.end}: {found.row.reason}",
    }
    return form_page(request, form, act, "ui/confirm.html", context)


@_SENT
def make(request: HttpRequest, recording: str, redaction: UUID) -> HttpResponseBase:
    """Have the copy made."""
    row, form = _redaction(recording, redaction), forms.Form(posted(request))

    def act() -> str:
        deeds.ask(recording, redaction, by=user_of(request))
        messages.success(request, "The archive makes it now, and compares it with the original. Load this page again.")
        return _page(row)

    context = _below("Make the copy", row) | {
        "submit": "Make it",
        "question": f"The copy leaves out {words.count(row.passages.count(), 'passage', 'passages')}.",
        "consequences": [
            "What is restricted now is left out as well.",
            "A colleague who had no part in it must then listen to all of it and sign it off.",
        ],
    }
    return form_page(request, form, act, "ui/confirm.html", context)


@require_safe
def audio(request: HttpRequest, recording: str, redaction: UUID) -> HttpResponseBase:
    """Answer with the bytes asked for of a copy, for whoever makes such copies; what is sent is counted."""
    row, user = _redaction(recording, redaction), user_of(request)
    source_row = row.recording
    wav = WavFile(source_row.frames, source_row.rate)
    parts = audible(user, Deed.REDACT, recording)

    def body(span: Bytes) -> Iterator[bytes]:
        stack = ExitStack()
        try:
            reader = stack.enter_context(opened(row))
            first = wav.frame_at(span.start)
            # what cannot be opened is not entered as listened to
            reader.read(first, 1)
            second = first // wav.rate
            view = listens.enter(user, source_row, request.GET.get("view", ""), second, redaction=row.pk.hex)
        except BaseException:
            stack.close()
            raise
        read = only(reader.read, parts, source_row.frames)
        pieces = hear_deeds.counted(row, user, wav.read(span, read), span, wav.frame_at)
        return listens.Sent(view, _closing(stack, pieces), span, frame_at=wav.frame_at, parts=parts)

    silent = "".join(f"-{one.first}.{one.last}" for one in parts or ())
    most = HEADER_SIZE + PART_S * 2 * source_row.rate
    etag = f'"{row.sha256}-wav{silent}"'
    return answer(request, size=wav.size, etag=etag, content_type="audio/wav", body=body, most=most)


def _closing(stack: ExitStack, pieces: Iterator[bytes]) -> Iterator[bytes]:
    with stack:
        yield from pieces


@_SENT
def sign_off(request: HttpRequest, recording: str, redaction: UUID) -> HttpResponseBase:
    """Sign a copy off, as a second listener."""
    row, form = _redaction(recording, redaction), SignOffForm(posted(request))

    def act() -> str:
        deeds.sign_off(recording, redaction, by=user_of(request))
        messages.success(request, "It is signed off, and may be handed out now.")
        return _page(row)

    return form_page(request, form, act, context=_below("Sign it off", row) | {"submit": "Sign it off"})


@_SENT
def reopen(request: HttpRequest, recording: str, redaction: UUID) -> HttpResponseBase:
    """Go back to the passages."""
    row, form = _redaction(recording, redaction), forms.Form(posted(request))

    def act() -> str:
        deeds.reopen(recording, redaction, by=user_of(request))
        messages.success(request, "The passages can be changed now.")
        return _page(row)

    context = _below("Change the passages", row) | {
        "submit": "Change them",
        "question": "What was made of it is dropped. It is made, compared and listened to anew.",
    }
    return form_page(request, form, act, "ui/confirm.html", context)


@_SENT
def withdraw(request: HttpRequest, recording: str, redaction: UUID) -> HttpResponseBase:
    """Withdraw a copy."""
    row, form = _redaction(recording, redaction), ReasonForm(posted(request))

    def act() -> str:
        gone = deeds.withdraw(recording, redaction, form.cleaned_data["reason"], by=user_of(request))
        messages.success(request, f"It was withdrawn. Nothing of it leaves any more. {still_kept(gone)}".rstrip())
        return _page(row)

    intro = "Nothing of it leaves any more. What was handed out before is out of reach."
    if row.state == State.SIGNED and row.student_id is not None:
        intro += f" {SILENT_STILL}"
    context = _below("Withdraw a redacted copy", row) | {"submit": "Withdraw it", "intro": intro}
    return form_page(request, form, act, context=context)


@_SENT
def lift(request: HttpRequest, recording: str, redaction: UUID) -> HttpResponseBase:
    """Let parents hear again what a withdrawn copy left out, as a second person."""
    row, form = _redaction(recording, redaction), forms.Form(posted(request))

    def act() -> str:
        deeds.lift(recording, redaction, by=user_of(request))
        messages.success(request, "The student's parents hear those passages again.")
        return _page(row)

    context = _below("Let the parents hear it again", row) | {
        "submit": "Let them hear it",
        "question": f"The parents of {row.student} hear again what this withdrawn copy left out.",
        "consequences": ["What is about another child must stay silent (34 CFR 99.12): listen to it first."],
    }
    return form_page(request, form, act, "ui/confirm.html", context)


@require_safe
def exemptions(request: HttpRequest, recording: str, redaction: UUID) -> HttpResponseBase:
    """Show the exemption log, after its custody entry."""
    row = _redaction(recording, redaction)
    deeds.enter_log_opened(row, "screen", by=user_of(request))
    context = _log(row) | {"place": "redactions", "breadcrumbs": _crumbs(row)}
    return render(request, "redactions/exemptions.html", context)


@require_safe
def exemptions_pdf(request: HttpRequest, recording: str, redaction: UUID) -> HttpResponseBase:
    """Hand out the exemption log as a tagged PDF file, after its custody entry."""
    row = _redaction(recording, redaction)
    if request.method == "HEAD":
        return HttpResponse(content_type="application/pdf")
    deeds.enter_log_opened(row, "print", by=user_of(request))
    sent = HttpResponse(tagged_pdf("redactions/exemptions_print.html", _log(row)), content_type="application/pdf")
    sent["Content-Disposition"] = f'inline; filename="exemption-log-{str(row.pk)[:8]}.pdf"'
    return sent


def _log(row: Redaction) -> dict[str, Any]:
    return {
        "row": row,
        "lines": lines_of(row),
        "district": settings.ARCHIVE.records.district,
        "contact": words.contact(settings.ARCHIVE.site.contact),
        "notice": words.notice(),
    }


def _redaction(recording: str, pk: UUID) -> Redaction:
    rows = Redaction.objects.select_related(
        "recording__room", "student", "asked_by", "begun_by", "signed_by", "lifted_by"
    )
    row = rows.filter(pk=pk, recording=recording).first()
    if row is None:
        raise UnknownRecordError("there is no such redacted copy here")
    check_not_destroyed(row.recording)
    return row


def _page(row: Redaction) -> str:
    return reverse("pages:redaction", args=[row.recording_id, row.pk])


def _crumbs(row: Redaction) -> list[Crumb]:
    back = reverse("pages:recording", args=[row.recording_id])
    return [
        Crumb("Redacted copies", reverse("pages:redactions")),
        Crumb(when(row.recording.listed_at), back),
        Crumb(row.purpose, _page(row)),
    ]


def _frame(heading: str, cancel: str, *crumbs: Crumb) -> dict[str, Any]:
    first = Crumb("Redacted copies", reverse("pages:redactions"))
    return {"place": "redactions", "heading": heading, "cancel": cancel, "breadcrumbs": [first, *crumbs]}


def _below(heading: str, row: Redaction) -> dict[str, Any]:
    return _frame(heading, _page(row)) | {"breadcrumbs": _crumbs(row)}
