"""Redacted copies in words: their states' signs, their passages, and what goes along with what is handed out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from archive.recordings.silences import place
from archive.records.holds.reach import why_held
from archive.ui.signs import SignCode
from archive.ui.words import in_both

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
    "restricted": gettext_noop("restricted after this copy was made"),
    "other-student": gettext_noop("filed under no meeting of this student (34 CFR 99.12(a))"),
}
"""Why more of a copy is silent when it leaves than its passages, by the codes of reach.of_the_archive."""


def notice_of(row: Redaction, since: Sequence[tuple[Span, str]] = ()) -> str:
    """Return what goes along with every copy that is handed out: that and where it is redacted, and on what basis.

    In English and Spanish. The reasons stay here: in them may stand what was left out. `since`: what is silent beside
    the copy's passages.
    """
    return in_both(lambda: _notice(row, since))


def _notice(row: Redaction, since: Sequence[tuple[Span, str]]) -> str:
    rate = row.recording.rate
    passage, besides = _("{begin} to {end}: {how}; {basis}"), _("{begin} to {end}: silence; {why}")
    told = [
        passage.format(begin=one.begin, end=one.end, how=one.row.get_how_display(), basis=one.basis)
        for one in lines_of(row)
    ]
    more = [
        besides.format(begin=place(one.first, rate), end=place(one.last, rate), why=_(SINCE[code]))
        for one, code in since
    ]
    digest = _("Redacted copy {copy}, digest (SHA-256) as kept by the archive {sha256}")
    compared = _(
        "The copy that the archive keeps was compared with the original:\n"
        "of {outside} samples outside of its passages 0 were changed,\n"
        "of {inside} inside 0 are the original's."
    )
    return "\n".join(
        [
            _("THIS IS A REDACTED COPY. It is not the recording as it was made: the passages below are left out."),
            _("Outside of them every sample is the original's. The original is kept, unchanged."),
            "",
            *told,
            "",
            *([_("Besides, these were made silent when this copy was handed out:"), *more, ""] if more else []),
            digest.format(copy=row.pk, sha256=row.sha256),
            compared.format(outside=row.outside, inside=row.inside),
            _("Somebody else than who made it listened to it and signed it off."),
            "",
        ]
    )
