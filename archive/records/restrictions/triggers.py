"""Triggers: a passage is opened again by its deed alone, and stays where it is until then."""

from __future__ import annotations

from typing import Any, Final

from archive.core import triggers
from archive.core.triggers import Refusal
from archive.custody.triggers import becomes, no_entry, taken_back

_TABLE: Final = "restrictions_restriction"
_NO_ENTRY: Final = no_entry("restriction-lifted", "NEW.recording_id", restriction="NEW.id")
_CHANGED: Final = " OR ".join(
    f"NEW.{one} IS DISTINCT FROM OLD.{one}" for one in ("id", "recording_id", "first_frame", "last_frame")
)
_STANDS: Final = """NOT EXISTS (SELECT 1 FROM recordings_recording r
    WHERE r.id = OLD.recording_id AND r.destroyed_at IS NOT NULL)"""
_OPENED: Final = "a second person opens a passage again by that deed alone"
_STAYS: Final = "a restricted passage stays where it is, and goes with its recording alone"
REFUSALS: Final = (
    Refusal("restrictions_lifted", "UPDATE", _TABLE, f"{becomes('lifted_at')} AND {_NO_ENTRY}", _OPENED),
    Refusal("restrictions_again", "UPDATE", _TABLE, taken_back("lifted_at"), _OPENED),
    Refusal("restrictions_same", "UPDATE", _TABLE, _CHANGED, _STAYS),
    Refusal("restrictions_kept", "DELETE", _TABLE, _STANDS, _STAYS),
)


def create(apps: Any, schema_editor: Any) -> None:  # noqa: ARG001 - Django calls it so
    """Make the triggers."""
    triggers.install(schema_editor, REFUSALS)
