"""The key ring that this archive vouches for."""

from __future__ import annotations

from appliance.contract.keys import KeyRing
from archive.keystore.current import keystore

from .models import BoxKey


def key_ring() -> KeyRing:
    """Return the keys of all boxes, retired and revoked ones included, since they signed what is kept; and our own."""
    boxes: dict[str, list[str]] = {}
    for box, key in (
        BoxKey.objects.filter(use=BoxKey.Use.RECORDER).order_by("box", "pk").values_list("box", "public_key")
    ):
        boxes.setdefault(box, []).append(key)
    return KeyRing.model_validate({"boxes": boxes, "archives": [keystore().public]})
