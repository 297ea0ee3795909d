"""One recording: facts, player, timeline, custody."""

from __future__ import annotations

from typing import Final

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from archive.access.decisions import may_each
from archive.access.deeds import OF_ONE_RECORDING, Deed
from archive.access.requests import user_of
from archive.access.views import asks_for_a_family
from archive.accounts.models import User
from archive.custody import wording
from archive.custody.actors import Actor, Subject
from archive.custody.log import record
from archive.custody.models import Entry as CustodyEntry
from archive.recordings import listens
from archive.recordings.contributions import Reader, contributed
from archive.recordings.custody_kinds import LOOK
from archive.recordings.facts import facts
from archive.recordings.find import find
from archive.recordings.heading import heading
from archive.recordings.ledger_entries import Ledger, read_ledger
from archive.recordings.models import Recording, State
from archive.recordings.picture import picture
from archive.recordings.player import player_of
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
_TOLD: Final = {RecordingState.SEALING_FAILS, RecordingState.DAMAGED}
"""States whose words say what the archive wrote down."""
WITHOUT_PACKAGE: Final = {RecordingState.PACKAGE_GONE, RecordingState.DESTROYED}
"""States in which there is none, so no ledger either."""


@require_safe
def recording(request: HttpRequest, recording: str) -> HttpResponseBase:
    """Show the page, after its custody entry."""
    user, subject = user_of(request), Subject.recording(find(recording).pk)
    listens.settle_recordings([recording])
    record(LOOK, actor=Actor.user(user.pk), subject=subject, page="recording")
    # the entry waits for a seal, which puts what had arrived into the package
    row = find(recording)
    state = recording_state(row)
    ledger = Ledger([], "") if state in WITHOUT_PACKAGE else read_ledger(row)
    if ledger.problem and state not in WITHOUT_PACKAGE and row.state == State.SEALED:
        state = RecordingState.DAMAGED
    clock, called = wall_clock(row.signed_header, ledger.entries), heading(row, ledger.entries)
    reader = Reader.of(user, Subject.recording(row.pk))
    can, added = {str(deed): reader.may(deed) for deed in OF_ONE_RECORDING}, contributed(row, reader)
    drawn = picture(ledger.entries, row.rate)
    playable = state == RecordingState.SEALED
    context = {
        "place": "recordings",
        "recording": row,
        "can": can,
        "heading": f"{added.title}, {called.times}, {called.room}" if added.title else called,
        "clock_note": called.clock_note,
        "state": STATE_WORDS[state],
        "wrong": explain(
            state,
            problem=_problem(request, state, ledger.problem or row.problem),
            contact=contact(),
        ),
        "marks": marks(row),
        "unverified": row.lamp == "unverified",
        "simulated": row.panel == "simulated",
        "checkable": state in CHECKABLE,
        "facts": facts(row, ledger.entries),
        "continues": row.continues,
        "continued_by": _continued_by(row),
        "length_words": words.spoken(row.seconds),
        "length": words.clock_time(row.seconds),
        "player": player_of(user, row, ledger.entries, added.notes) if playable and can[Deed.LISTEN] else None,
        "playable": playable,
        "picture": drawn,
        "drawn_from_to": [clock.moment(at) for at in (drawn.begin_ns, drawn.end_ns)] if drawn and called.known else [],
        "moments": [
            (moment, clock.moment(moment.at_ns) if called.known else None)
            for moment in timeline(
                *(ledger.entries, row.rate, [(note.offset, note.text) for note in added.notes]),
                sensed=row.lamp == "verified",
                over=row.state == State.SEALED,
            )
        ],
        "beside_player": added.beside_player,
        "sections": added.sections,
        "actions": added.actions,
        **(_custody(subject) if can[Deed.CUSTODY] else {}),
    }
    return render(request, "ui/recording.html", context)


def _problem(request: HttpRequest, state: RecordingState, written: str) -> str:
    """Return what the archive wrote down; a family has no use for names of files and commands of the host."""
    if state not in _TOLD or not asks_for_a_family(request):
        return written or _("it is not as it was sealed; verify it to see where")
    if state == RecordingState.SEALING_FAILS:
        return _("the archive wrote the reason down")
    return _("it is not as it was sealed")


def _continued_by(row: Recording) -> str | None:
    # the box is compared here: in the database it would lead through all recordings of a box, in order of time
    following = Recording.objects.filter(continues=row.pk).order_by("pk").values_list("pk", "box")
    return next((pk for pk, box in following if box == row.box_id), None)


def deeds_of(user: User, row: Recording) -> dict[str, bool]:
    """Return which deeds `user` may do to this recording, so that its pages offer nothing that is refused."""
    found = may_each(user, sorted(OF_ONE_RECORDING), Subject.recording(row.pk))
    return {str(deed): allowed for deed, allowed in found.items()}


def _custody(subject: Subject) -> dict[str, object]:
    entries = CustodyEntry.objects.about(subject).order_by("-n")
    shown = wording.rows(entries[:SHOWN])
    return {
        "custody": [row for row in shown if row.code != LOOK.code],
        "looks": [row for row in shown if row.code == LOOK.code],
        "custody_shown": len(shown),
        "custody_more": entries.count() - SHOWN if len(shown) == SHOWN else 0,
    }


@require_safe
def custody(request: HttpRequest, recording: str) -> HttpResponseBase:
    """Show all custody entries of a recording, after one for this look."""
    row, subject = find(recording), Subject.recording(recording)
    listens.settle_recordings([recording])
    record(LOOK, actor=Actor.user(user_of(request).pk), subject=subject, page="custody")
    entries = CustodyEntry.objects.about(subject).order_by("-n")
    context = {
        "place": "recordings",
        "recording": row,
        "can": deeds_of(user_of(request), row),
        "custody": wording.rows(entries.iterator(chunk_size=1000)),
    }
    return render(request, "ui/custody.html", context)
