"""What the player shows to somebody who may listen, wherever it stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings
from django.urls import reverse

from appliance.contract.ledger import Entry
from archive.access.deeds import Deed
from archive.accounts.models import User

from .contributions import Note
from .listens import open_page
from .models import Recording
from .parts import Parts, audible, only_peaks
from .picture import Stretches, audio_marks, audio_stretch, bars
from .waveform import waveform_of


@dataclass(frozen=True)
class Player:
    """What the player shows: only to somebody who may listen."""

    source: str
    """Address of the audio."""
    bars: str
    """The waveform as a path; empty as long as it was not made."""
    gaps: Stretches
    """Sound that was lost, on the axis of the audio."""
    pauses: Stretches
    """Pauses, on the same axis."""
    notes: Stretches
    """Notes, on the same axis."""
    zone: str
    """Name of the zone in which the time of day is shown."""


def player_of(user: User, row: Recording, entries: Sequence[Entry], notes: Sequence[Note] = ()) -> Player:
    """Return the player of a page that `user` opened; `entries` are the ledger's."""
    address = reverse("pages:audio", args=[row.pk])
    parts = audible(user, Deed.LISTEN, row.pk)
    return bounded_player(user, row, entries, notes, address=address, parts=parts)


def bounded_player(
    user: User,
    row: Recording,
    entries: Sequence[Entry],
    notes: Sequence[Note] = (),
    *,
    address: str,
    parts: Parts | None,
) -> Player:
    """Return the player of a page that `user` opened, which plays these parts of what `address` answers."""
    gaps, pauses = audio_marks(entries, row.rate, row.seconds)
    return Player(
        source=f"{address}?view={open_page(user, row)}",
        bars=bars(only_peaks(waveform_of(row), parts, row.frames)),
        gaps=gaps,
        pauses=pauses,
        notes=tuple(audio_stretch(note.offset, 0.0, row.seconds) for note in notes),
        zone=settings.TIME_ZONE,
    )
