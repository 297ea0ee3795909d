"""What the player shows to somebody who may listen, wherever it stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings
from django.urls import reverse

from appliance.contract.ledger import Entry
from archive.access.deeds import Deed
from archive.accounts.models import User
from archive.ui import words

from .contributions import Note
from .listens import open_page
from .models import Recording
from .parts import Parts, audible, only_peaks, silent
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
    silent: tuple[tuple[str, str], ...]
    """What the reader does not hear, from and to, as places."""
    heard_from: float | None
    """Where the first sound is that the reader hears, in seconds, if that is not the begin."""

    @property
    def heard_at(self) -> str:
        """Return the same as a place."""
        return "" if self.heard_from is None else words.clock_time(self.heard_from)


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
    unheard = silent(parts, row.frames)
    behind = unheard[0][1] if unheard and unheard[0][0] == 0 else None
    return Player(
        source=f"{address}?view={open_page(user, row)}",
        bars=bars(only_peaks(waveform_of(row), parts, row.frames)),
        gaps=gaps,
        pauses=pauses,
        notes=tuple(audio_stretch(note.offset, 0.0, row.seconds) for note in notes),
        zone=settings.TIME_ZONE,
        silent=tuple(
            (words.clock_time(first / row.rate), words.clock_time(last / row.rate)) for first, last in unheard
        ),
        heard_from=None if behind is None or behind == row.frames else behind / row.rate,
    )
