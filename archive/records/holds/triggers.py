"""Triggers that keep a hold also from whoever goes around the pages: a shell, a script, an administrator's own SQL.

No held recording is deleted, no hold is deleted or given to something else, and none is released without its entry in
the custody log. They stop mistakes and the application's own user, not root on the database's host:
docs/threat-model.md.
"""

from __future__ import annotations

from typing import Any, Final

from archive.core import triggers
from archive.core.triggers import Refusal

MESSAGE: Final = "it is on hold"
_ALTERED: Final = "a hold is ended by its deed alone"


def held(recording: str) -> str:
    """Return the SQL condition that a recording is held; filings that were ended count, so that none is a way out."""
    return f"""EXISTS (SELECT 1 FROM holds_held h JOIN holds_matter m ON m.id = h.matter_id
        WHERE h.released_at IS NULL AND m.released_at IS NULL AND (h.recording_id = {recording} OR h.student_id IN (
            SELECT g.student_id FROM meetings_filing f JOIN meetings_meeting g ON g.id = f.meeting_id
            WHERE f.recording_id = {recording})
        OR h.outside_id = {recording} OR h.student_id IN (
            SELECT g.student_id FROM outside_recordings_outsidefiling f JOIN meetings_meeting g ON g.id = f.meeting_id
            WHERE f.outside_id = {recording})))"""  # noqa: S608 - our own names


def _kept(table: str, recording: str) -> str:
    """Return the SQL condition that a recording was not destroyed: of one that was, the filings go with the rest."""
    return f"NOT EXISTS (SELECT 1 FROM {table} r WHERE r.id = {recording} AND r.destroyed_at IS NOT NULL)"  # noqa: S608 - our own names


def _without_entry(code: str, member: str) -> str:
    """Return the SQL condition that no entry of this kind names the row."""
    pattern = f"'%\"{member}\":\"' || replace(CAST(NEW.id AS text), '-', '') || '\"%'"
    return f"""NEW.released_at IS NOT NULL AND OLD.released_at IS NULL AND NOT EXISTS (
        SELECT 1 FROM custody_entry e WHERE e.code = '{code}' AND e.detail LIKE {pattern})"""  # noqa: S608 - the same


_CHANGED: Final = (
    "(NEW.recording_id IS DISTINCT FROM OLD.recording_id OR NEW.student_id IS DISTINCT FROM OLD.student_id "
    "OR NEW.outside_id IS DISTINCT FROM OLD.outside_id OR NEW.matter_id IS DISTINCT FROM OLD.matter_id)"
)
REFUSALS: Final = (
    Refusal("holds_keep_recording", "DELETE", "recordings_recording", held("OLD.id"), MESSAGE),
    Refusal(
        "holds_keep_filing",
        "DELETE",
        "meetings_filing",
        f"{held('OLD.recording_id')} AND {_kept('recordings_recording', 'OLD.recording_id')}",
        MESSAGE,
    ),
    Refusal(
        "holds_keep_outside_filing",
        "DELETE",
        "outside_recordings_outsidefiling",
        f"{held('OLD.outside_id')} AND {_kept('outside_recordings_outsiderecording', 'OLD.outside_id')}",
        MESSAGE,
    ),
    Refusal("holds_keep_held", "DELETE", "holds_held", "OLD.released_at IS NULL", _ALTERED),
    Refusal("holds_keep_matter", "DELETE", "holds_matter", "OLD.id IS NOT NULL", _ALTERED),
    Refusal("holds_same_held", "UPDATE", "holds_held", _CHANGED, _ALTERED),
    Refusal("holds_entered_held", "UPDATE", "holds_held", _without_entry("hold-released", "held"), _ALTERED),
    Refusal("holds_entered_matter", "UPDATE", "holds_matter", _without_entry("matter-released", "matter"), _ALTERED),
)


def create(apps: Any, schema_editor: Any) -> None:  # noqa: ARG001 - Django calls it so
    """Make the triggers."""
    triggers.install(schema_editor, REFUSALS)
