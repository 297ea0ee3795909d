"""Triggers that keep incident records from whoever goes around the deeds, and note which meetings to look at again.

An incident record goes with its recording alone. That stops mistakes and the application's own user, not root on the
database's host: docs/threat-model.md. And whatever changes an answer of `reach.lacking` notes the meeting in the same
transaction, so that none that lacks its record is passed over, whichever deed, import or script made the change.
"""

from __future__ import annotations

from typing import Any, Final

from archive.core import triggers
from archive.core.triggers import Change, Note, Refusal

REFUSALS: Final = (
    Refusal(
        "incidents_are_kept",
        "DELETE",
        "incidents_incident",
        "NOT EXISTS (SELECT 1 FROM recordings_recording r "
        "WHERE r.id = OLD.recording_id AND r.destroyed_at IS NOT NULL)",
        "an incident record is corrected, never deleted",
    ),
)


def _note(name: str, change: Change, table: str, meetings: str, **told: Any) -> Note:
    """Return the trigger that notes the meetings whose identifiers are in `meetings`, as far as there are any."""
    # a destruction gives a meeting another identifier, so the old one may be nobody's
    rows = f"SELECT id FROM meetings_meeting WHERE id IN ({meetings})"  # noqa: S608 - our own names
    return Note(f"look_again_{name}", change, table, "incidents_lookagain (meeting_id)", rows, **told)


_OWN: Final = ("parent_records", "cancelled_at", "recording_destroyed")
_FILED: Final = ("recording_id", "meeting_id", "end_asked_at", "ended_at")
_PLACED: Final = ("recording_id", "meeting_id")
_FLAWS: Final = ("state", "end_reason", "outcome", "lost_frames", "damaged_segments", "tail_segments")
NOTES: Final = (
    _note("planned", "INSERT", "meetings_meeting", "NEW.id"),
    _note("meeting", "UPDATE", "meetings_meeting", "NEW.id", columns=_OWN),
    _note("noticed", "INSERT", "meetings_notice", "NEW.meeting_id"),
    _note("notice", "UPDATE", "meetings_notice", "NEW.meeting_id, OLD.meeting_id", columns=("meeting_id",)),
    _note("filed", "INSERT", "meetings_filing", "NEW.meeting_id"),
    _note("filing", "UPDATE", "meetings_filing", "NEW.meeting_id, OLD.meeting_id", columns=_FILED),
    _note("unfiled", "DELETE", "meetings_filing", "OLD.meeting_id"),
    _note("event", "UPDATE", "meetings_openingevent", "NEW.meeting_id, OLD.meeting_id", columns=_PLACED),
    _note("no_event", "DELETE", "meetings_openingevent", "OLD.meeting_id"),
    _note("incident", "UPDATE", "incidents_incident", "NEW.meeting_id, OLD.meeting_id", columns=("meeting_id",)),
    _note("no_incident", "DELETE", "incidents_incident", "OLD.meeting_id"),
    # only a seal says what a recording lacks; while one arrives, its row changes with each batch
    _note(
        "sealed",
        "UPDATE",
        "recordings_recording",
        "SELECT meeting_id FROM meetings_filing WHERE recording_id = NEW.id",
        columns=_FLAWS,
        condition="NEW.state = 'sealed'",
    ),
)
"""What can make a meeting lack its record. What can only take that away is not noted: `reach.lacking` is asked anyway.
"""


def create(apps: Any, schema_editor: Any) -> None:  # noqa: ARG001 - Django calls it so
    """Make the triggers."""
    triggers.install(schema_editor, REFUSALS)
    triggers.install_notes(schema_editor, NOTES)
