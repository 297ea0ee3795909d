"""Where a copy is silent or something is missing in it, in words: each copy carries that with it.

What was left out for whoever takes the copy is told by its place, never why. What was lost or paused is told as the
timeline tells it: the original has no sound there either.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from django.utils.translation import gettext as _

from appliance.contract.errors import FormatError
from appliance.contract.ledger import Entry, Gap, Pause
from archive.ui.words import in_both

from .companions import Companion
from .models import Recording
from .parts import Parts, silent
from .stored_ledger import sealed_facts
from .timeline import timeline

SILENT: Final = "SILENT.txt"
"""Name of the paper."""
MOST: Final = 500
"""Lines of the ledger that a paper tells; more say nothing more to a reader, and take memory while a copy is sent."""


@dataclass(frozen=True)
class Silences:
    """What is silent or missing in a copy of a sealed recording."""

    left_out: tuple[tuple[int, int], ...]
    """What whoever takes the copy does not get: first frame, and first one behind it."""
    lost: tuple[Entry, ...]
    """The ledger's lines about lost sound and pauses, of what is in the copy; the first MOST of them."""
    more: bool
    """Whether there are more of them."""
    unreadable: bool
    """Whether the ledger is damaged, so that nobody can say what was lost."""
    rate: int

    def __bool__(self) -> bool:
        """Tell whether there is anything to say."""
        return bool(self.left_out or self.lost or self.unreadable)

    def lost_alone(self) -> Silences:
        """Return the same without what was left out: of a redacted copy another paper tells that."""
        return replace(self, left_out=())


def silences_of(recording: Recording, parts: Parts | None) -> Silences:
    """Return what is silent or missing in a copy of these parts of a sealed recording; None means all of it."""
    left_out = tuple(silent(parts, recording.frames))
    lost: list[Entry] = []
    more = False
    try:
        for one in sealed_facts(recording, ("gap", "pause")):
            if any(first <= _frame(one) < last for first, last in left_out):
                continue
            more = len(lost) == MOST
            lost += [] if more else [one]
    except FormatError:
        return Silences(left_out, (), more=False, unreadable=True, rate=recording.rate)
    return Silences(left_out, tuple(lost), more=more, unreadable=False, rate=recording.rate)


def paper(silences: Silences) -> str:
    """Return the paper in English and Spanish; an empty text where there is nothing to say."""
    return in_both(lambda: "\n".join(_lines(silences))) + "\n" if silences else ""


def papers(silences: Silences) -> list[Companion]:
    """Return the same as what goes along with a copy in a ZIP file."""
    return [Companion(SILENT, paper(silences))] if silences else []


def places(silences: Silences) -> list[str]:
    """Return what was left out, and what was lost or paused, a line each, in the language that is active."""
    return [*_left_out(silences), *_lost(silences)]


def place(frame: int, rate: int) -> str:
    """Return a place as h:mm:ss.mmm, cut off to the millisecond."""
    thousandths = frame * 1000 // rate
    seconds = thousandths // 1000
    return f"{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.{thousandths % 1000:03d}"


def _lines(silences: Silences) -> Iterator[str]:
    yield _("PARTS OF THIS COPY ARE SILENT OR MISSING. It is not all that was said; the places are below.")
    if silences.left_out:
        yield ""
        yield _("These parts were left out of this copy, and are silent in it. The original is kept, unchanged,")
        yield _("and outside of them every sample is the original's:")
        yield from _left_out(silences)
    if silences.lost or silences.unreadable:
        yield ""
        yield _("This was lost or paused while it was recorded. The original has no sound there either:")
        yield from _lost(silences)


def _left_out(silences: Silences) -> Iterator[str]:
    for first, last in silences.left_out:
        told = {"begin": place(first, silences.rate), "end": place(last, silences.rate)}
        yield _("{begin} to {end}").format(**told)


def _lost(silences: Silences) -> Iterator[str]:
    if silences.unreadable:
        yield _("nobody can say: the list that its box signed (ledger) is damaged")
    yield from (f"{one.at}: {one.text}" for one in timeline(silences.lost, silences.rate))
    if silences.more:
        yield _("and more; the ledger in the sealed package has all of it")


def _frame(entry: Entry) -> int:
    fact = entry.fact
    if isinstance(fact, Gap):
        return fact.first_frame
    return fact.frame if isinstance(fact, Pause) else 0
