"""Triggers: no recording becomes a tombstone but by a decision of two people, while nothing holds it, and for good."""

from __future__ import annotations

from typing import Any, Final

from archive.core import triggers
from archive.core.triggers import Refusal
from archive.records.holds.triggers import MESSAGE, held

_BECOMES: Final = "OLD.destroyed_at IS NULL AND NEW.destroyed_at IS NOT NULL"
_UNDONE: Final = "OLD.destroyed_at IS NOT NULL AND NEW.destroyed_at IS DISTINCT FROM OLD.destroyed_at"


def _decided(column: str) -> str:
    """Return the SQL condition that two people decided to destroy the row; `column` of a destruction names it."""
    return f"""EXISTS (SELECT 1 FROM destruction_destruction d WHERE d.{column} = NEW.id
        AND d.state = 'closing' AND d.proposed_by_id IS NOT NULL AND d.approved_by_id IS NOT NULL
        AND d.approved_by_id <> d.proposed_by_id)"""  # noqa: S608 - our own names


def _refusals(prefix: str, table: str, column: str) -> tuple[Refusal, ...]:
    return (
        Refusal(f"{prefix}_held", "UPDATE", table, f"{_BECOMES} AND {held('NEW.id')}", MESSAGE),
        Refusal(
            f"{prefix}_by_two",
            "UPDATE",
            table,
            f"{_BECOMES} AND NOT {_decided(column)}",
            "two people decide on a destruction",
        ),
        Refusal(f"{prefix}_for_good", "UPDATE", table, _UNDONE, "what was destroyed stays destroyed"),
    )


REFUSALS: Final = (
    *_refusals("destruction", "recordings_recording", "recording_id"),
    *_refusals("destruction_outside", "outside_recordings_outsiderecording", "outside_id"),
)


def create(apps: Any, schema_editor: Any) -> None:  # noqa: ARG001 - Django calls it so
    """Make the triggers."""
    triggers.install(schema_editor, REFUSALS)
