"""One recording: facts, player, timeline, custody."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from archive.access.decisions import may
from archive.access.deeds import Deed
from archive.access.requests import user_of
from archive.accounts.models import User
from archive.custody import wording
from archive.custody.actors import Actor, Subject
from archive.custody.log import record
from archive.custody.models import Entry
from archive.recordings.custody_kinds import LOOK
from archive.recordings.facts import facts
from archive.recordings.find import find
from archive.recordings.ledger_entries import read_ledger
from archive.recordings.listens import open_page
from archive.recordings.models import Recording, State
from archive.recordings.timeline import timeline
from archive.ui import words

SHOWN = 100
"""Custody entries on the recording's own page; the whole list has a page of its own."""


@require_safe
def recording(request: HttpRequest, recording: str) -> HttpResponseBase:
    """Show the page, after its custody entry."""
    row, user, subject = find(recording), user_of(request), Subject.recording(recording)
    record(LOOK, actor=Actor.user(user.pk), subject=subject, page="recording")
    ledger = read_ledger(row)
    entries = Entry.objects.about(subject).order_by("-n")
    readable = may(user, Deed.CUSTODY, subject).allowed
    following = Recording.objects.filter(continues=row.pk, box=row.box_id).values_list("pk", flat=True).first()
    context = {
        "place": "recording",
        "recording": row,
        "sealed": row.state == State.SEALED,
        "simulated": row.panel == "simulated",
        "facts": facts(row, ledger.entries),
        "continues": row.continues,
        "continued_by": following,
        "length_words": words.spoken(row.seconds),
        "audio_url": _audio_url(user, row),
        "why_not": "Nobody can listen before the recording is sealed; that follows the end of a meeting by seconds.",
        "moments": timeline(ledger.entries, row.rate),
        "ledger_problem": ledger.problem,
        "custody": wording.rows(entries[:SHOWN]) if readable else [],
        "custody_more": max(entries.count() - SHOWN, 0),
        "zone": settings.TIME_ZONE,
    }
    return render(request, "ui/recording.html", context)


def _audio_url(user: User, row: Recording) -> str:
    if row.state != State.SEALED or not may(user, Deed.LISTEN, Subject.recording(row.pk)).allowed:
        return ""
    return f"{reverse('pages:audio', args=[row.pk])}?view={open_page(user, row)}"


@require_safe
def custody(request: HttpRequest, recording: str) -> HttpResponseBase:
    """Show all custody entries of a recording, after one for this look."""
    row, subject = find(recording), Subject.recording(recording)
    record(LOOK, actor=Actor.user(user_of(request).pk), subject=subject, page="custody")
    entries = Entry.objects.about(subject).order_by("-n")
    context = {
        "place": "recording",
        "recording": row,
        "custody": wording.rows(entries.iterator(chunk_size=1000)),
        "zone": settings.TIME_ZONE,
    }
    return render(request, "ui/custody.html", context)
