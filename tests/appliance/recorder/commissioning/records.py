"""Records of commissioning for tests."""

from __future__ import annotations

from typing import Any

from appliance.contract.commissioning import Commissioning, Floor
from appliance.contract.header import Microphone
from appliance.contract.keys import SigningKey
from appliance.recorder.settings import RecorderSettings


def a_record(settings: RecorderSettings, key: SigningKey, **changes: Any) -> Commissioning:
    members: dict[str, Any] = {
        "box": settings.box.id,
        "box_key": key.public,
        "made_at": "2026-01-02T03:04:05.678Z",
        "microphone": Microphone(device="test", card="Test", identity="0d8c:0014"),
        "rate": 48000,
        "floor": Floor(rms=-6000, bands=[-7000, -7500]),
        "checked": ["red", "lamp-sensor", "green", "amber", "button", "microphone"],
        "software": "plainsight 0",
        **changes,
    }
    return Commissioning(**members)
