"""The key ring that this archive vouches for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from appliance.contract.keys import KeyRing
from archive.keystore.current import keystore

from .models import BoxKey

Provider = Callable[[str], KeyRing | None]
_providers: Final[list[Provider]] = []


def register_provider(provider: Provider) -> None:
    """Have `provider` tell with which keys a recording is checked that another archive sealed; None for all others."""
    _providers.append(provider)


def key_ring() -> KeyRing:
    """Return the keys of all boxes, retired and revoked ones included, since they signed what is kept; and our own."""
    boxes: dict[str, list[str]] = {}
    for box, key in (
        BoxKey.objects.filter(use=BoxKey.Use.RECORDER).order_by("box", "pk").values_list("box", "public_key")
    ):
        boxes.setdefault(box, []).append(key)
    return KeyRing.model_validate({"boxes": boxes, "archives": [keystore().public]})


def key_ring_of(recording: str) -> KeyRing:
    """Return the keys that one recording is checked with: the other archive's and its box's where one sealed it.

    They are believed for that recording alone, and ours are not: so neither archive can pass for the other.
    """
    found = (provider(recording) for provider in _providers)
    return next((one for one in found if one is not None), None) or key_ring()
