"""Transcripts beside the player: views parse and show, deeds change and enter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from archive.access.decisions import may, may_each
from archive.access.deeds import Deed
from archive.access.requests import user_of
from archive.accounts.models import User
from archive.custody.actors import Subject
from archive.recordings.find import check_not_destroyed, find
from archive.recordings.heading import heading
from archive.recordings.ledger_entries import read_ledger
from archive.recordings.models import Recording
from archive.recordings.parts import audible
from archive.recordings.player import player_of
from archive.records.errors import UnknownRecordError
from archive.records.form_page import form_page, posted
from archive.ui import words
from archive.ui.breadcrumbs import Crumb

from . import deeds, machine_deeds
from .forms import AnswerForm, BringForm, SearchForm, SetAsideForm
from .models import Transcript
from .notices import made, notice, standing
from .reach import cues_of, file_of, in_use
from .rules import PART, best, found_in, parted, pieces, readable
from .webvtt import Cue

_SENT = require_http_methods(["GET", "HEAD", "POST"])


@dataclass(frozen=True)
class Line:
    """One cue as the page shows it."""

    offset: str
    """Seconds from the start of the audio."""
    until: str
    """Where it ends, in seconds."""
    at: str
    """Where it begins, as m:ss."""
    pieces: list[tuple[str, bool]]
    """Its text, what was looked for marked."""


@_SENT
def transcript(request: HttpRequest, recording: str, version: int | None = None) -> HttpResponseBase:
    """Show a transcript beside the player, or what was looked for in it; an entry stands before a word is shown.

    What is looked for is sent in the body, so that no name stands in an address.
    """
    row, user = find(recording), user_of(request)
    check_not_destroyed(row)
    versions = _shown_to(user, row)
    found = _chosen(versions, version)
    form = SearchForm(request.POST or None)
    wanted = form.wanted()
    shown = readable(cues_of(found), audible(user, Deed.LISTEN, recording), row.rate)
    deeds.enter_read(found, by=user, searched=bool(wanted))
    parts = parted(shown.cues)
    part = _part_of(request, len(parts))
    matching = [one for one in shown.cues if found_in(one.text, wanted)] if wanted else []
    lines = [_line(one, wanted) for one in (matching[:PART] if wanted else parts[part])]
    ledger = read_ledger(row)
    called = heading(row, ledger.entries)
    context = {
        "place": "recordings",
        "breadcrumbs": _crumbs(row, str(called)),
        "heading": called,
        "recording": row,
        "transcript": found,
        "draft": found.answered_at is None,
        "notice": notice(),
        "made": made(found),
        "standing": standing(found),
        "form": form,
        "wanted": wanted,
        "lines": lines,
        "matching": len(matching),
        "parts": _parts(parts, part) if len(parts) > 1 else [],
        "left_out": shown.left_out,
        "others": [one for one in versions if one.pk != found.pk],
        "may": {str(deed): yes for deed, yes in _may(user, row).items()},
        "player": player_of(user, row, ledger.entries),
        "length": words.clock_time(row.seconds),
        "length_words": words.spoken(row.seconds),
    }
    return render(request, "transcripts/transcript.html", context)


def _part_of(request: HttpRequest, count: int) -> int:
    """Return which part of a long transcript is asked for, from 0; the first one where that is no number of one."""
    asked = request.GET.get("part", "")[:6]
    return int(asked) if asked.isdecimal() and int(asked) < count else 0


def _parts(parts: Sequence[Sequence[Cue]], shown: int) -> list[tuple[int, str, bool]]:
    """Return of each part its number, where it begins, and whether it is shown."""
    return [
        (number, words.clock_time(one[0].start_ms / 1000) if one else "", number == shown)
        for number, one in enumerate(parts)
    ]


@require_safe
def file(request: HttpRequest, recording: str, version: int) -> HttpResponseBase:
    """Hand out a version as a WebVTT file, with its notice, as far as its reader may hear."""
    row, user = find(recording), user_of(request)
    check_not_destroyed(row)
    found = _chosen(_shown_to(user, row), version)
    data = file_of(found, audible(user, Deed.DOWNLOAD, recording), row.rate)
    if request.method == "GET":
        deeds.enter_taken(found, data, by=user)
    answer = HttpResponse(data, content_type="text/vtt; charset=utf-8")
    name = f"{row.pk}-transcript-{found.version}.vtt"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


@_SENT
def bring(request: HttpRequest, recording: str) -> HttpResponseBase:
    """Add a transcript."""
    row = find(recording)
    check_not_destroyed(row)
    form = BringForm(posted(request), request.FILES if request.method == "POST" else None)
    recipient = deeds.recipient_of(recording) if request.method == "POST" else None

    def act() -> str:
        typed = form.cleaned_data
        made = deeds.bring(recording, typed["file"], typed["shift"], form.facts(), recipient, by=user_of(request))
        messages.success(
            request, f"The transcript was added as version {made.version}, with {made.cues} cues: a draft."
        )
        return reverse("pages:recording", args=[recording])

    intro = (
        "It is kept beside the recording as a draft until somebody answers for it, and never becomes part of the "
        "recording, of the IEP or of its documents. Versions are never overwritten."
    )
    return form_page(request, form, act, context=_frame("Add a transcript", row) | {"intro": intro, "submit": "Add it"})


@_SENT
def answer(request: HttpRequest, recording: str, version: int) -> HttpResponseBase:
    """Answer for a version by name."""
    row, found, form = find(recording), _any(recording, version), AnswerForm(posted(request))

    def act() -> str:
        deeds.answer(recording, version, form.cleaned_data["name"], by=user_of(request))
        messages.success(request, "You answer for this transcript. It goes along with copies from now on.")
        return reverse("pages:recording", args=[recording])

    intro = (
        f"{made(found)} It stays a transcript and becomes no evidence; your name and position stand on it, and it goes "
        "along with every copy of the recording from now on. To correct it, download it, change it, and add it anew."
    )
    context = _frame(f"Answer for version {version}", row) | {"intro": intro, "submit": "I answer for it"}
    return form_page(request, form, act, context=context)


@_SENT
def set_aside(request: HttpRequest, recording: str, version: int) -> HttpResponseBase:
    """Set a version aside that is not of this recording."""
    row, found, form = find(recording), _any(recording, version), SetAsideForm(posted(request))

    def act() -> str:
        deeds.set_aside(recording, version, form.cleaned_data["reason"], by=user_of(request))
        messages.success(request, "The version was set aside.")
        return reverse("pages:recording", args=[recording])

    intro = f"{made(found)} Nobody who only listens sees it from now on, and no copy holds it. It is not deleted."
    context = _frame(f"Set version {version} aside", row) | {"intro": intro, "submit": "Set it aside"}
    return form_page(request, form, act, context=context)


@_SENT
def ask(request: HttpRequest, recording: str) -> HttpResponseBase:
    """Ask the computer for a draft."""
    row, form = find(recording), forms.Form(posted(request))
    check_not_destroyed(row)

    def act() -> str:
        machine_deeds.ask(recording, by=user_of(request))
        messages.success(request, "The computer was asked for a draft. That takes about as long as the meeting was.")
        return reverse("pages:recording", args=[recording])

    context = _frame("Let the computer draft a transcript", row) | {
        "submit": "Draft it",
        "question": "This archive's own computer writes down what it understands. Nothing leaves this machine.",
        "consequences": ["It mishears. The draft says so until somebody has compared it and answers for it."],
    }
    return form_page(request, form, act, "ui/confirm.html", context)


def _shown_to(user: User, row: Recording) -> list[Transcript]:
    """Return the versions that somebody may read; those who bring them also see what was set aside."""
    if may(user, Deed.TRANSCRIBE, Subject.recording(row.pk)).allowed:
        return list(row.transcripts.all())
    return in_use(row)


def _chosen(versions: list[Transcript], version: int | None) -> Transcript:
    if version is None:
        found = best([one for one in versions if one.set_aside_at is None], get_language() or "en")
    else:
        found = next((one for one in versions if one.version == version), None)
    if found is None:
        raise UnknownRecordError(_("there is no such transcript here"))
    return found


def _any(recording: str, version: int) -> Transcript:
    found = Transcript.objects.filter(recording=recording, version=version).defer("encrypted").first()
    if found is None:
        raise UnknownRecordError("there is no such version of a transcript here")
    return found


def _line(cue: Cue, wanted: str) -> Line:
    spans = found_in(cue.text, wanted) if wanted else []
    seconds = cue.start_ms / 1000
    return Line(f"{seconds:.3f}", f"{cue.end_ms / 1000:.3f}", words.clock_time(seconds), pieces(cue.text, spans))


def _may(user: User, row: Recording) -> dict[Deed, bool]:
    return may_each(user, [Deed.DOWNLOAD, Deed.LOOK], Subject.recording(row.pk))


def _crumbs(row: Recording, called: str) -> list[Crumb]:
    return [Crumb(called, reverse("pages:recording", args=[row.pk]))]


def _frame(title: str, row: Recording) -> dict[str, Any]:
    back = reverse("pages:recording", args=[row.pk])
    called = str(heading(row, read_ledger(row).entries))
    return {"place": "recordings", "heading": title, "cancel": back, "breadcrumbs": [Crumb(called, back)]}
