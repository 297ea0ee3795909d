"""Triggers: no recording becomes a tombstone but by a decision of two people, while nothing holds it, and for good.

And that decision is one of the custody log: each step of a destruction, and each answer to it, has its entry first.
"""

from __future__ import annotations

from typing import Any, Final

from archive.core import triggers
from archive.core.triggers import Refusal
from archive.custody.triggers import becomes, no_entry
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


_TABLE: Final = "destruction_destruction"
_SUBJECT: Final = "COALESCE(NEW.recording_id, NEW.outside_id)"
_BY_DEED: Final = "a destruction goes on by its deeds alone"
_STEPS: Final = {
    "approved": "destruction-approved",
    "closing": "destroyed",
    "done": "destruction-finished",
    "withdrawn": "destruction-withdrawn",
}
"""The entry that each state of a destruction has."""


def _step(state: str, code: str) -> Refusal:
    reached = f"NEW.state = '{state}' AND OLD.state <> '{state}'"
    entered = no_entry(code, _SUBJECT, destruction="NEW.id")
    return Refusal(f"destruction_{state}", "UPDATE", _TABLE, f"{reached} AND {entered}", _BY_DEED)


REFUSALS: Final = (
    *_refusals("destruction", "recordings_recording", "recording_id"),
    *_refusals("destruction_outside", "outside_recordings_outsiderecording", "outside_id"),
    *(_step(state, code) for state, code in _STEPS.items()),
    Refusal("destruction_born", "INSERT", _TABLE, "NEW.state NOT IN ('proposed', 'withdrawn')", _BY_DEED),
    Refusal(
        *("destruction_stays", "UPDATE", _TABLE),
        "(OLD.state = 'done' AND NEW.state <> 'done') "
        "OR (OLD.state = 'closing' AND NEW.state NOT IN ('closing', 'done'))",
        _BY_DEED,
    ),
    Refusal(
        *("destruction_forgotten", "UPDATE", _TABLE),
        f"{becomes('forgotten_at')} AND {no_entry('destruction-forgotten', _SUBJECT, destruction='NEW.id')}",
        _BY_DEED,
    ),
    Refusal(
        *("destruction_answered", "UPDATE", "destruction_told"),
        f"NEW.reply IS DISTINCT FROM OLD.reply AND {no_entry('destruction-reply', told='NEW.id', reply='NEW.reply')}",
        "what a parent answered is entered by its deed alone",
    ),
)


def create(apps: Any, schema_editor: Any) -> None:  # noqa: ARG001 - Django calls it so
    """Make the triggers."""
    triggers.install(schema_editor, REFUSALS)
