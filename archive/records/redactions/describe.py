"""Redacted copies in words: their states' signs, their passages, and what goes along with what is handed out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.db.models import Q

from archive.records.holds.reach import why_held
from archive.ui.signs import SignCode

from .models import Passage, Redaction, State
from .reach import bounding, passages_of
from .rules import Span

SIGN: Final[dict[State, SignCode]] = {
    State.DRAFT: "working",
    State.ASKED: "working",
    State.FAILED: "at-fault",
    State.MADE: "attention",
    State.SIGNED: "ready",
    State.WITHDRAWN: "unknown",
}


def place(frame: int, rate: int) -> str:
    """Return a place as h:mm:ss.mmm, cut off to the millisecond."""
    thousandths = frame * 1000 // rate
    seconds = thousandths // 1000
    return f"{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.{thousandths % 1000:03d}"


@dataclass(frozen=True)
class Line:
    """One passage, as lists and the exemption log show it."""

    row: Passage
    begin: str
    """Where it begins, h:mm:ss.mmm."""
    end: str
    """Where it ends."""
    long: str
    """How long it is, in seconds."""
    basis: str
    """The legal basis, in words."""
    who: str
    """Who entered it."""


def lines_of(row: Redaction) -> list[Line]:
    """Return the passages of a copy, in order."""
    rate = row.recording.rate
    return [
        Line(
            one,
            place(one.first_frame, rate),
            place(one.last_frame, rate),
            f"{(one.last_frame - one.first_frame) / rate:.3f} s",
            one.get_basis_display(),
            "the archive" if one.by_archive else str(one.entered_by or "an account that was erased"),
        )
        for one in passages_of(row)
    ]


def still_kept(row: Redaction) -> str:
    """Return why the store still has what was made of a withdrawn copy; an empty text where it has nothing of it."""
    if row.state != State.WITHDRAWN or not row.object:
        return ""
    if row.signed_at is not None:
        return "The file stays with the recording, to tell what was signed off. Nobody hears it."
    if why_held(row.recording_id):
        return "The recording is on hold, so the file stays in the store, and nobody hears it. It goes with the hold."
    return "The last hold has ended. The archive removes the file within an hour."


SILENT_STILL: Final = (
    "The student's parents go on hearing silence in its passages until another copy for them is signed off, or a "
    "second person lets them hear those again."
)


def silent_still(row: Redaction) -> str:
    """Return that a withdrawn copy still bounds parents; an empty text where it does not."""
    silent = row.state == State.WITHDRAWN and bounding(Q(pk=row.pk))
    return SILENT_STILL if silent else ""


SINCE: Final = {
    "restricted": "restricted after this copy was made",
    "other-student": "filed under no meeting of this student (34 CFR 99.12(a))",
}
"""Why more of a copy is silent when it leaves than its passages, by the codes of reach.of_the_archive."""


def notice_of(row: Redaction, since: Sequence[tuple[Span, str]] = ()) -> str:
    """Return what goes along with every copy that is handed out: that and where it is redacted, and on what basis.

    The reasons stay here: in them may stand what was left out. `since`: what is silent beside the copy's passages.
    """
    rate = row.recording.rate
    told = [f"{one.begin} to {one.end}: {one.row.get_how_display()}; {one.basis}" for one in lines_of(row)]
    more = [f"{place(one.first, rate)} to {place(one.last, rate)}: silence; {SINCE[code]}" for one, code in since]
    kept = "The copy that the archive keeps was compared with the original:"
    return "\n".join(
        [
            "THIS IS A REDACTED COPY. It is not the recording as it was made: the passages below are left out.",
            "Outside of them every sample is the original's. The original is kept, unchanged.",
            "",
            *told,
            "",
            *(["Besides, these were made silent when this copy was handed out:", *more, ""] if more else []),
            f"Redacted copy {row.pk}, digest (SHA-256) as kept by the archive {row.sha256}",
            f"{kept} of {row.outside} samples outside of its passages 0 were",
            f"changed, of {row.inside} inside 0 are the original's.",
            "Somebody else than who made it listened to it and signed it off.",
            "",
        ]
    )
