"""Triggers: what was decided is never changed or taken away, so that periods go only forwards."""

from __future__ import annotations

from typing import Any, Final

from archive.core import triggers
from archive.core.triggers import Refusal

MESSAGE: Final = "a decision about retention is never changed; enter a new one"
_COLUMNS: Final = {
    "retention_answer": ("series_id", "number", "permanent", "years", "counts_from", "on_request", "entry"),
    "retention_series": ("kinds", "entered_at"),
}
REFUSALS: Final = tuple(
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
)


def create(apps: Any, schema_editor: Any) -> None:  # noqa: ARG001 - Django calls it so
    """Make the triggers."""
    triggers.install(schema_editor, REFUSALS)
