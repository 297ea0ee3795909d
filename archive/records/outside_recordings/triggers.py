"""Triggers that keep what was brought, and what was said about it, from whoever goes around the deeds.

They stop mistakes and the application's own user, not root on the database's host: docs/threat-model.md.
"""

from __future__ import annotations

from typing import Any, Final

from archive.core import triggers
from archive.core.triggers import Refusal

_TABLE: Final = "outside_recordings_outsiderecording"
_SAID: Final = ("origin", "made_on", "made_at", "place", "made_by", "made_with", "since", "brought_by", "brought_on")
_SEALED: Final = ("state", "size", "media_type", "sha256", "package_size", "package_sha256", "sealed_at")


def _changed(names: tuple[str, ...]) -> str:
    return "(" + " OR ".join(f"NEW.{name} IS DISTINCT FROM OLD.{name}" for name in names) + ")"


REFUSALS: Final = (
    Refusal("outside_is_kept", "DELETE", _TABLE, "OLD.id IS NOT NULL", "it is given up or destroyed, never deleted"),
    Refusal(
        "outside_was_said",
        "UPDATE",
        _TABLE,
        f"NEW.state <> 'given-up' AND NEW.destroyed_at IS NULL AND {_changed(_SAID)}",
        "what was said about it is never changed",
    ),
    Refusal(
        "outside_is_sealed",
        "UPDATE",
        _TABLE,
        f"OLD.sealed_at IS NOT NULL AND {_changed(_SEALED)}",
        "it is sealed",
    ),
)


def create(apps: Any, schema_editor: Any) -> None:  # noqa: ARG001 - Django calls it so
    """Make the triggers."""
    triggers.install(schema_editor, REFUSALS)
