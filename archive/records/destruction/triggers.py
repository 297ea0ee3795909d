"""Triggers: no recording becomes a tombstone but by a decision of two people, while nothing holds it, and for good."""

from __future__ import annotations

from typing import Any, Final

from archive.core import triggers
from archive.core.triggers import Refusal
from archive.records.holds.triggers import MESSAGE, held

_DECIDED: Final = """EXISTS (SELECT 1 FROM destruction_destruction d WHERE d.recording_id = NEW.id
    AND d.state = 'closing' AND d.proposed_by_id IS NOT NULL AND d.approved_by_id IS NOT NULL
    AND d.approved_by_id <> d.proposed_by_id)"""
_BECOMES: Final = "OLD.destroyed_at IS NULL AND NEW.destroyed_at IS NOT NULL"
REFUSALS: Final = (
    Refusal("destruction_held", "UPDATE", "recordings_recording", f"{_BECOMES} AND {held('NEW.id')}", MESSAGE),
    Refusal(
        "destruction_by_two",
        "UPDATE",
        "recordings_recording",
        f"{_BECOMES} AND NOT {_DECIDED}",
        "two people decide on a destruction",
    ),
    Refusal(
        "destruction_for_good",
        "UPDATE",
        "recordings_recording",
        "OLD.destroyed_at IS NOT NULL AND NEW.destroyed_at IS DISTINCT FROM OLD.destroyed_at",
        "what was destroyed stays destroyed",
    ),
)


def create(apps: Any, schema_editor: Any) -> None:  # noqa: ARG001 - Django calls it so
    """Make the triggers."""
    triggers.install(schema_editor, REFUSALS)
