"""The states of a recording for people: a sign, a word for lists, and for its page what is wrong and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from archive.ui import words
from archive.ui.signs import SignCode

from .models import Recording
from .recording_state import Mark, RecordingState, marks_of


@dataclass(frozen=True)
class StateWords:
    """What is said of one state."""

    sign: SignCode
    """One of archive.ui.signs."""
    word: str
    """A few words, for lists."""
    what: str
    """What that means, as sentences; `{problem}` is what the archive wrote down. Empty where nothing is wrong."""
    remedy: str
    """What to do, as a sentence; `{contact}` is whom to ask."""


STATE_WORDS: Final[dict[RecordingState, StateWords]] = {
    RecordingState.ARRIVING: StateWords(
        "working", "Arriving",
        "The meeting is still running, or its box has not sent everything yet.",
        "You can listen once everything has arrived and is sealed, which takes seconds.",
    ),
    RecordingState.BOX_RETIRED: StateWords(
        "attention", "Stopped: box retired",
        "The box was retired before everything arrived, so nothing more of this recording is taken from it.",
        "Ask {contact} to enroll the box again, or to close the recording as incomplete, so that it can be heard.",
    ),
    RecordingState.REFUSED: StateWords(
        "attention", "Refused",
        "The archive takes nothing more of this recording.",
        "Ask {contact} why it was refused.",
    ),
    RecordingState.TAIL_AWAITED: StateWords(
        "working", "Waiting for the rest",
        "A crash or a power cut ended the recording, and its box still has pieces to send that belong to it.",
        "You can listen once they have arrived.",
    ),
    RecordingState.BEING_SEALED: StateWords(
        "working", "Being sealed",
        "Everything has arrived and is being sealed, which takes seconds.",
        "Load this page again to listen.",
    ),
    RecordingState.SEALING_FAILS: StateWords(
        "at-fault", "Sealing fails",
        "Everything is kept, but sealing fails, so nobody can listen yet: {problem}.",
        "Tell {contact}.",
    ),
    RecordingState.SEALED: StateWords("ready", "Sealed", "", ""),
    RecordingState.KEY_GONE: StateWords(
        "at-fault", "Key missing",
        "Nobody can listen: the key of this recording is not in the key store. The sealed package is here.",
        "Ask {contact} to restore the key from its backup.",
    ),
    RecordingState.KEY_UNUSABLE: StateWords(
        "at-fault", "Key unusable",
        "Nobody can listen: the key that the box sent does not open this recording. The sealed package is here.",
        "Ask {contact} to look at the archive's opening keys, or at the escrow's.",
    ),
    RecordingState.PACKAGE_GONE: StateWords(
        "at-fault", "Package missing",
        "The sealed package is not in the archive's store, so nobody can listen to it, check it or copy it.",
        "Ask {contact} to restore the package from its copy.",
    ),
    RecordingState.DAMAGED: StateWords(
        "at-fault", "Damaged",
        "The sealed package is damaged: {problem}.",
        "Ask {contact} to restore the package from its copy.",
    ),
}  # fmt: skip


def explain(state: RecordingState, *, problem: str, contact: str) -> str:
    """Return what is wrong and what to do, or an empty text."""
    told = STATE_WORDS[state]
    return f"{told.what} {told.remedy}".strip().format(problem=problem.rstrip("."), contact=contact)


def marks(recording: Recording) -> list[str]:
    """Return what is not normal about a recording, in few words: how it ended, and what of it is lost."""
    told = {
        Mark.ENDED_BY_FAULT: f"ended by {words.REASONS.get(recording.end_reason, '')}",
        Mark.INTERRUPTED: "interrupted by a crash or a power cut",
        Mark.INCOMPLETE: "incomplete: its box never closed it",
        Mark.WITH_LOSSES: f"{words.spoken(recording.lost_frames / recording.rate)} lost",
        Mark.DAMAGED_SEGMENTS: words.count(recording.damaged_segments, "damaged second", "damaged seconds"),
        Mark.UNVERIFIED_TAIL: "with an unverified tail",
        # the list and the heading say it beside the date itself
        Mark.NOT_DATED: "",
    }
    return [told[mark] for mark in marks_of(recording) if told[mark]]
