"""Triggers that keep what was brought, and what was said about it, from whoever goes around the deeds.

They stop mistakes and the application's own user, not root on the database's host: docs/threat-model.md.
"""

from __future__ import annotations

from typing import Any, Final

from archive.core import triggers
from archive.core.triggers import Refusal
from archive.custody.triggers import becomes, no_entry, taken_back

_TABLE: Final = "outside_recordings_outsiderecording"
_SAID: Final = ("origin", "made_on", "made_at", "place", "made_by", "made_with", "since", "brought_by", "brought_on")
_SEALED: Final = ("state", "size", "media_type", "sha256", "package_size", "package_sha256", "sealed_at")
_SEAL: Final = no_entry("outside-sealed", "NEW.id", sha256="NEW.sha256", package_sha256="NEW.package_sha256")
_RESTRICTION: Final = "outside_recordings_outsiderestriction"
_LIFTED: Final = no_entry("outside-restriction-lifted", "NEW.outside_id", restriction="NEW.id")
_CONFIRMED: Final = no_entry("filing-confirmed", "NEW.outside_id", filing="NEW.id")
_OPENED: Final = "a second person lifts a restriction by that deed alone"
_BY_DEED: Final = "it is sealed, given up and filed by its deeds alone"


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
    Refusal("outside_sealed", "UPDATE", _TABLE, f"{becomes('sealed_at')} AND {_SEAL}", _BY_DEED),
    Refusal(
        *("outside_given_up", "UPDATE", _TABLE),
        f"{becomes('given_up_at')} AND {no_entry('outside-given-up', 'NEW.id')}",
        _BY_DEED,
    ),
    Refusal("outside_opened", "UPDATE", _RESTRICTION, f"{becomes('lifted_at')} AND {_LIFTED}", _OPENED),
    Refusal("outside_opened_again", "UPDATE", _RESTRICTION, taken_back("lifted_at"), _OPENED),
    Refusal(
        *("outside_confirmed", "UPDATE", "outside_recordings_outsidefiling"),
        f"{becomes('confirmed_at')} AND {_CONFIRMED}",
        _BY_DEED,
    ),
)


def create(apps: Any, schema_editor: Any) -> None:  # noqa: ARG001 - Django calls it so
    """Make the triggers."""
    triggers.install(schema_editor, REFUSALS)
