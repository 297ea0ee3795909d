"""A trigger that keeps incident records from whoever goes around the deeds: they go with their recording alone.

It stops mistakes and the application's own user, not root on the database's host: docs/threat-model.md.
"""

from __future__ import annotations

from typing import Any, Final

from archive.core import triggers
from archive.core.triggers import Refusal

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


def create(apps: Any, schema_editor: Any) -> None:  # noqa: ARG001 - Django calls it so
    """Make the trigger."""
    triggers.install(schema_editor, REFUSALS)
