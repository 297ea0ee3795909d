"""The key ring that this archive vouches for."""

from __future__ import annotations

from appliance.contract.keys import KeyRing
from archive.keystore.current import keystore

from .models import Box


def key_ring() -> KeyRing:
    """Return the keys of all boxes, retired ones included, since they signed what is kept, and the archive's."""
    boxes = {box.id: list(box.public_keys) for box in Box.objects.order_by("id")}
    return KeyRing.model_validate({"boxes": boxes, "archives": [keystore().public]})
