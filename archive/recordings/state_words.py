"""The states of a recording for people: a sign, a word for lists, and for its page what is wrong and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from archive.ui import words
from archive.ui.signs import SignCode

from .models import Recording
from .recording_state import Mark, RecordingState, marks_of

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

    Words = str | _StrPromise


@dataclass(frozen=True)
class StateWords:
    """What is said of one state."""

    sign: SignCode
    """One of archive.ui.signs."""
    word: Words
    """A few words, for lists."""
    what: Words
    """What that means, as sentences; `{problem}` is what the archive wrote down. Empty where nothing is wrong."""
    remedy: Words
    """What to do, as a sentence; `{contact}` is whom to ask."""


STATE_WORDS: Final[dict[RecordingState, StateWords]] = {
    RecordingState.ARRIVING: StateWords(
        "working", _("Arriving"),
        _("The meeting is still running, or its box has not sent everything yet."),
        _("You can listen once everything has arrived and is sealed, which takes seconds."),
    ),
    RecordingState.BOX_RETIRED: StateWords(
        "attention", _("Stopped: box retired"),
        _("The box was retired before everything arrived, so nothing more of this recording is taken from it."),
        _(
            "Ask {contact} to make the box known again (add-box; no new claim), "
            "or to seal the recording as it is (seal --incomplete)."
        ),
    ),
    RecordingState.REFUSED: StateWords(
        "attention", _("Refused"),
        _("The archive takes nothing more of this recording."),
        _("Ask {contact} why it was refused."),
    ),
    RecordingState.TAIL_AWAITED: StateWords(
        "working", _("Waiting for the rest"),
        _("A crash or a power cut ended the recording, and its box still has pieces to send that belong to it."),
        _("You can listen once they have arrived."),
    ),
    RecordingState.BEING_SEALED: StateWords(
        "working", _("Being sealed"),
        _("Everything has arrived and is being sealed, which takes seconds."),
        _("Load this page again to listen."),
    ),
    RecordingState.SEALING_FAILS: StateWords(
        "at-fault", _("Sealing fails"),
        _("Everything is kept, but sealing fails, so nobody can listen yet: {problem}."),
        _("Tell {contact}."),
    ),
    RecordingState.SEALED: StateWords("ready", _("Sealed"), "", ""),
    RecordingState.KEY_GONE: StateWords(
        "at-fault", _("Key missing"),
        _("Nobody can listen: the key of this recording is not in the key store. The sealed package is here."),
        _("Ask {contact} to restore the key from its backup."),
    ),
    RecordingState.KEY_UNUSABLE: StateWords(
        "at-fault", _("Key unusable"),
        _("Nobody can listen: the key that the box sent does not open this recording. The sealed package is here."),
        _("Ask {contact} to look at the archive's opening keys, or at the escrow's."),
    ),
    RecordingState.PACKAGE_GONE: StateWords(
        "at-fault", _("Package missing"),
        _("The sealed package is not in the archive's store, so nobody can listen to it, check it or copy it."),
        _("Ask {contact} to restore the package from its copy."),
    ),
    RecordingState.DAMAGED: StateWords(
        "at-fault", _("Damaged"),
        _("The sealed package is damaged: {problem}."),
        _("Ask {contact} to restore the package from its copy."),
    ),
    RecordingState.DESTROYED: StateWords(
        "unknown", _("Destroyed"),
        _("This recording was destroyed for good: its key and its sealed package are gone."),
        _("Ask {contact} for the certificate."),
    ),
}  # fmt: skip


def explain(state: RecordingState, *, problem: str, contact: str) -> str:
    """Return what is wrong and what to do, or an empty text."""
    told = STATE_WORDS[state]
    return f"{told.what} {told.remedy}".strip().format(problem=problem.rstrip("."), contact=contact)


def marks(recording: Recording) -> list[str]:
    """Return what is not normal about a recording, in few words: how it ended, and what of it is lost."""
    damaged = recording.damaged_segments
    told = {
        Mark.ENDED_BY_FAULT: gettext("ended by {reason}").format(reason=words.reason(recording.end_reason)),
        Mark.INTERRUPTED: gettext("interrupted by a crash or a power cut"),
        Mark.INCOMPLETE: gettext("incomplete: its box never closed it"),
        Mark.WITH_LOSSES: gettext("{length} lost").format(length=words.spoken(recording.lost_frames / recording.rate)),
        Mark.DAMAGED_SEGMENTS: ngettext("{count} damaged second", "{count} damaged seconds", damaged).format(
            count=damaged
        ),
        Mark.UNVERIFIED_TAIL: gettext("with an unverified tail"),
        # the list and the heading say it beside the date itself
        Mark.NOT_DATED: "",
    }
    return [told[mark] for mark in marks_of(recording) if told[mark]]
