"""Triggers: no version of a transcript is changed or removed, but with the recording that was destroyed."""

from __future__ import annotations

from typing import Any, Final

from archive.core import triggers
from archive.core.triggers import Refusal
from archive.custody.triggers import becomes, no_entry, taken_back

_KEPT: Final = (
    *("recording_id", "version", "package_sha256", "source", "language", "maker", "file_sha256", "sha256", "cues"),
    "encrypted",
)
_CHANGED: Final = " OR ".join(f"NEW.{name} IS DISTINCT FROM OLD.{name}" for name in _KEPT)
_TAKEN_BACK: Final = "OLD.answered_at IS NOT NULL AND NEW.answered_name IS DISTINCT FROM OLD.answered_name"
_STANDS: Final = """NOT EXISTS (SELECT 1 FROM recordings_recording r
    WHERE r.id = OLD.recording_id AND r.destroyed_at IS NOT NULL)"""
_MESSAGE: Final = "a version of a transcript stays as it is"
_BY_DEED: Final = "somebody answers for a transcript, or sets it aside, by that deed alone"
_ANSWERED: Final = no_entry("transcript-answered", "NEW.recording_id", transcript="NEW.id", sha256="NEW.sha256")
_SET_ASIDE: Final = no_entry("transcript-set-aside", "NEW.recording_id", transcript="NEW.id")
REFUSALS: Final = (
    Refusal("transcripts_same", "UPDATE", "transcripts_transcript", f"({_CHANGED})", _MESSAGE),
    Refusal("transcripts_answered", "UPDATE", "transcripts_transcript", _TAKEN_BACK, _MESSAGE),
    Refusal("transcripts_stay", "DELETE", "transcripts_transcript", _STANDS, _MESSAGE),
    Refusal(
        "transcripts_entered", "UPDATE", "transcripts_transcript", f"{becomes('answered_at')} AND {_ANSWERED}", _BY_DEED
    ),
    Refusal(
        "transcripts_aside", "UPDATE", "transcripts_transcript", f"{becomes('set_aside_at')} AND {_SET_ASIDE}", _BY_DEED
    ),
    Refusal("transcripts_back", "UPDATE", "transcripts_transcript", taken_back("set_aside_at"), _BY_DEED),
)


def create(apps: Any, schema_editor: Any) -> None:  # noqa: ARG001 - Django calls it so
    """Make the triggers."""
    triggers.install(schema_editor, REFUSALS)
