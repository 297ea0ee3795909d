"""Which keys of a box are in force, and for which boxes it speaks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.db.models import Q

from .models import Box, BoxKey


@dataclass(frozen=True)
class KeysInForce:
    """A box's public keys that nobody has taken away, as they were when they were asked for."""

    courier: frozenset[str]
    """They sign requests. A retired box's stay: it may ask what became of its recordings."""
    recorder: Mapping[str, str]
    """Key: whose it is. What they sign is taken as that box's word; none where the box is retired or unknown."""
    boxes: frozenset[str]
    """Whose recordings it hands in: its own, and those of boxes whose place it has taken."""


def keys_in_force(box: str) -> KeysInForce:
    """Return the keys of the box with this identifier, in one query."""
    speaks_for = Box.objects.filter(Q(pk=box) | Q(successor=box))
    rows = list(
        BoxKey.objects.filter(box__in=speaks_for, revoked_at=None).values_list(
            "use", "public_key", "box_id", "box__retired_at"
        )
    )
    is_retired = any(retired is not None for _, _, owner, retired in rows if owner == box)
    return KeysInForce(
        courier=frozenset(key for use, key, owner, _ in rows if owner == box and use == BoxKey.Use.COURIER),
        recorder={key: owner for use, key, owner, _ in rows if use == BoxKey.Use.RECORDER and not is_retired},
        boxes=frozenset({box, *(owner for _, _, owner, _ in rows)}),
    )
