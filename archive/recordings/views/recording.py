"""One recording: facts, player, timeline, custody."""

from __future__ import annotations

from typing import Final

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
from archive.recordings.heading import heading
from archive.recordings.ledger_entries import Ledger, read_ledger
from archive.recordings.listens import open_page
from archive.recordings.models import Recording, State
from archive.recordings.recording_state import RecordingState, recording_state
from archive.recordings.state_words import STATE_WORDS, explain, marks
from archive.recordings.timeline import timeline
from archive.recordings.wall_clock import wall_clock
from archive.ui import words
from archive.ui.templatetags.plain import contact

SHOWN = 100
"""Custody entries on the recording's own page; the whole list has a page of its own."""
CHECKABLE: Final = {
    RecordingState.SEALED,
    RecordingState.KEY_GONE,
    RecordingState.KEY_UNUSABLE,
    RecordingState.DAMAGED,
}
"""States in which there is a package to verify and to copy."""


@require_safe
def recording(request: HttpRequest, recording: str) -> HttpResponseBase:
    """Show the page, after its custody entry."""
    row, user, subject = find(recording), user_of(request), Subject.recording(recording)
    record(LOOK, actor=Actor.user(user.pk), subject=subject, page="recording")
    state = recording_state(row)
    ledger = Ledger([], "") if state == RecordingState.PACKAGE_GONE else read_ledger(row)
    if ledger.problem and row.state == State.SEALED:
        state = RecordingState.DAMAGED
    clock, called = wall_clock(row.signed_header, ledger.entries), heading(row, ledger.entries)
    entries = Entry.objects.about(subject).order_by("-n")
    shown = list(entries[:SHOWN]) if may(user, Deed.CUSTODY, subject).allowed else []
    following = Recording.objects.filter(continues=row.pk, box=row.box_id).values_list("pk", flat=True).first()
    context = {
        "place": "recordings",
        "recording": row,
        "heading": called,
        "state": STATE_WORDS[state],
        "wrong": explain(
            state,
            problem=ledger.problem or row.problem or "it is not as it was sealed; verify it to see where",
            contact=contact(),
        ),
        "marks": marks(row),
        "unverified": row.lamp == "unverified",
        "simulated": row.panel == "simulated",
        "checkable": state in CHECKABLE,
        "facts": facts(row, ledger.entries),
        "continues": row.continues,
        "continued_by": following,
        "length_words": words.spoken(row.seconds),
        "length": words.clock_time(row.seconds),
        "audio_url": _audio_url(user, row) if state == RecordingState.SEALED else "",
        "playable": state == RecordingState.SEALED,
        "moments": [
            (moment, clock.moment(moment.at_ns) if called.known else None)
            for moment in timeline(ledger.entries, row.rate)
        ],
        "custody": wording.rows(entry for entry in shown if entry.code != LOOK.code),
        "looks": wording.rows(entry for entry in shown if entry.code == LOOK.code),
        "custody_shown": len(shown),
        "custody_more": max(entries.count() - SHOWN, 0),
        "zone_name": settings.TIME_ZONE,
    }
    return render(request, "ui/recording.html", context)


def _audio_url(user: User, row: Recording) -> str:
    if not may(user, Deed.LISTEN, Subject.recording(row.pk)).allowed:
        return ""
    return f"{reverse('pages:audio', args=[row.pk])}?view={open_page(user, row)}"


@require_safe
def custody(request: HttpRequest, recording: str) -> HttpResponseBase:
    """Show all custody entries of a recording, after one for this look."""
    row, subject = find(recording), Subject.recording(recording)
    record(LOOK, actor=Actor.user(user_of(request).pk), subject=subject, page="custody")
    entries = Entry.objects.about(subject).order_by("-n")
    context = {
        "place": "recordings",
        "recording": row,
        "custody": wording.rows(entries.iterator(chunk_size=1000)),
    }
    return render(request, "ui/custody.html", context)
