"""Which keys of a box are in force."""

from __future__ import annotations

from dataclasses import dataclass

from .models import BoxKey


@dataclass(frozen=True)
class KeysInForce:
    """A box's public keys that nobody has taken away, as they were when they were asked for."""

    courier: frozenset[str]
    """They sign requests. A retired box's stay: it may ask what became of its recordings."""
    recorder: frozenset[str]
    """What they sign is taken as the box's word; none of a box that is retired or unknown."""


def keys_in_force(box: str) -> KeysInForce:
    """Return the keys of the box with this identifier, in one query."""
    rows = BoxKey.objects.filter(box_id=box, revoked_at=None).values_list("use", "public_key", "box__retired_at")
    keys = list(rows)
    return KeysInForce(
        courier=frozenset(key for use, key, _ in keys if use == BoxKey.Use.COURIER),
        recorder=frozenset(key for use, key, retired in keys if use == BoxKey.Use.RECORDER and retired is None),
    )
