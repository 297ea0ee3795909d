"""Triggers that keep redacted copies also from whoever goes around the pages: a shell, a script, SQL.

None is made, signed off, withdrawn or opened again without its custody entry, or signed off by somebody who made it,
none is changed after that, and none is deleted before
its recording was destroyed, so none of a recording that is on hold. They stop mistakes and the application's own user,
not root on the database's host: docs/threat-model.md.
"""

from __future__ import annotations

from typing import Any, Final

from archive.core import triggers
from archive.core.triggers import Refusal
from archive.custody.triggers import becomes, no_entry, taken_back

_ABOUT: Final = {"subject": "NEW.recording_id", "redaction": "NEW.id"}
_BECOMES_SIGNED: Final = becomes("signed_at")
_NO_ENTRY: Final = no_entry("redaction-signed-off", **_ABOUT, sha256="NEW.sha256")
_BY_A_MAKER: Final = """(NEW.signed_by_id = NEW.begun_by_id OR EXISTS (
    SELECT 1 FROM redactions_passage p WHERE p.redaction_id = NEW.id AND p.entered_by_id = NEW.signed_by_id))"""
_CHANGED: Final = """OLD.signed_at IS NOT NULL AND (NEW.signed_at IS DISTINCT FROM OLD.signed_at
    OR NEW.sha256 IS DISTINCT FROM OLD.sha256 OR NEW.object IS DISTINCT FROM OLD.object
    OR NEW.manifest_sha256 IS DISTINCT FROM OLD.manifest_sha256 OR NEW.recording_id IS DISTINCT FROM OLD.recording_id
    OR NEW.student_id IS DISTINCT FROM OLD.student_id)"""
_MADE_BY_NOBODY: Final = f"""NEW.state = 'made' AND OLD.state <> 'made'
    AND {no_entry("redaction-made", **_ABOUT, sha256="NEW.sha256")}"""
_WITHDRAWN_BY_NOBODY: Final = f"""(({becomes("withdrawn_at")})
    OR (NEW.state = 'withdrawn' AND OLD.state <> 'withdrawn'))
    AND {no_entry("redaction-withdrawn", **_ABOUT)}"""
_BACK: Final = f"({taken_back('withdrawn_at')}) OR (OLD.state = 'withdrawn' AND NEW.state <> 'withdrawn')"
_LIFTED_BY_NOBODY: Final = f"{becomes('lifted_at')} AND {no_entry('redaction-lifted', **_ABOUT)}"
_DROPPED_BY_NOBODY: Final = f"""OLD.state = 'withdrawn' AND OLD.object <> '' AND NEW.object <> OLD.object
    AND {no_entry("redaction-dropped", **_ABOUT, sha256="NEW.sha256")}"""
_STANDS: Final = """EXISTS (SELECT 1 FROM recordings_recording c WHERE c.id = {recording} AND c.destroyed_at IS NULL)"""
_FIXED: Final = """EXISTS (SELECT 1 FROM redactions_redaction r JOIN recordings_recording c ON c.id = r.recording_id
    WHERE r.id = {redaction} AND r.state <> 'draft' AND c.destroyed_at IS NULL)"""
_SIGNED_OFF: Final = "a second listener signs a redacted copy off by its deed alone"
_BY_DEED: Final = "a redacted copy is made and withdrawn by its deeds alone"
_HEARD_AGAIN: Final = "a second person lets parents hear again what a copy left out, by that deed alone"
_KEPT: Final = "a redacted copy goes with its recording alone"
_MADE: Final = "passages are changed before the copy is made"
REFUSALS: Final = (
    Refusal("redactions_entered", "UPDATE", "redactions_redaction", f"{_BECOMES_SIGNED} AND {_NO_ENTRY}", _SIGNED_OFF),
    Refusal("redactions_second", "UPDATE", "redactions_redaction", f"{_BECOMES_SIGNED} AND {_BY_A_MAKER}", _SIGNED_OFF),
    Refusal("redactions_born_unsigned", "INSERT", "redactions_redaction", "NEW.signed_at IS NOT NULL", _SIGNED_OFF),
    Refusal("redactions_made", "UPDATE", "redactions_redaction", _MADE_BY_NOBODY, _BY_DEED),
    Refusal("redactions_withdrawn", "UPDATE", "redactions_redaction", _WITHDRAWN_BY_NOBODY, _BY_DEED),
    Refusal("redactions_withdrawn_for_good", "UPDATE", "redactions_redaction", _BACK, _BY_DEED),
    Refusal("redactions_dropped", "UPDATE", "redactions_redaction", _DROPPED_BY_NOBODY, _BY_DEED),
    Refusal("redactions_lifted", "UPDATE", "redactions_redaction", _LIFTED_BY_NOBODY, _HEARD_AGAIN),
    Refusal("redactions_born_unlifted", "INSERT", "redactions_redaction", "NEW.lifted_at IS NOT NULL", _HEARD_AGAIN),
    Refusal(
        *("redactions_same", "UPDATE", "redactions_redaction", _CHANGED),
        "a redacted copy that was signed off stays what it is",
    ),
    Refusal("redactions_kept", "DELETE", "redactions_redaction", _STANDS.format(recording="OLD.recording_id"), _KEPT),
    Refusal("redactions_add", "INSERT", "redactions_passage", _FIXED.format(redaction="NEW.redaction_id"), _MADE),
    Refusal("redactions_drop", "DELETE", "redactions_passage", _FIXED.format(redaction="OLD.redaction_id"), _MADE),
    Refusal(
        *("redactions_move", "UPDATE", "redactions_passage"),
        "NEW.first_frame <> OLD.first_frame OR NEW.last_frame <> OLD.last_frame OR NEW.how <> OLD.how "
        "OR NEW.redaction_id <> OLD.redaction_id",
        _MADE,
    ),
)


def create(apps: Any, schema_editor: Any) -> None:  # noqa: ARG001 - Django calls it so
    """Make the triggers."""
    triggers.install(schema_editor, REFUSALS)
