"""Triggers: what was decided is never changed or taken away, nor what it counts for: periods go only forwards."""

from __future__ import annotations

from typing import Any, Final

from archive.core import triggers
from archive.core.triggers import Refusal
from archive.custody.triggers import no_entry

MESSAGE: Final = "a decision about retention is never changed; enter a new one"
_COLUMNS: Final = {
    "retention_answer": ("series_id", "number", "permanent", "years", "counts_from", "on_request", "entry"),
    "retention_series": ("kinds", "entered_at"),
}
_FILED: Final = """(EXISTS (SELECT 1 FROM meetings_filing f WHERE f.meeting_id = OLD.id)
    OR EXISTS (SELECT 1 FROM outside_recordings_outsidefiling o WHERE o.meeting_id = OLD.id))"""
_FORGETS: Final = """(NEW.kind <> OLD.kind AND CAST(NEW.kinds_before AS text) NOT LIKE '%"' || OLD.kind || '"%'
    OR length(CAST(NEW.kinds_before AS text)) < length(CAST(OLD.kinds_before AS text)))"""
_KINDS: Final = Refusal(
    "retention_keeps_kinds",
    "UPDATE",
    "meetings_meeting",
    f"{_FORGETS} AND {_FILED}",
    "what a meeting was while a recording was filed under it counts for how long that is kept",
)
REFUSALS: Final = (
    _KINDS,
    Refusal(
        *("retention_answer_entered", "INSERT", "retention_answer"),
        no_entry("retention-answer", answer_id="NEW.id"),
        "what was decided about retention is entered by its deed alone",
    ),
    *(
        refusal
        for table, columns in _COLUMNS.items()
        for refusal in (
            Refusal(f"{table}_kept", "DELETE", table, "OLD.id IS NOT NULL", MESSAGE),
            Refusal(
                f"{table}_same",
                "UPDATE",
                table,
                " OR ".join(f"CAST(NEW.{one} AS text) IS DISTINCT FROM CAST(OLD.{one} AS text)" for one in columns),
                MESSAGE,
            ),
        )
    ),
)


def create(apps: Any, schema_editor: Any) -> None:  # noqa: ARG001 - Django calls it so
    """Make the triggers."""
    triggers.install(schema_editor, REFUSALS)
