"""The simulated box's record of commissioning: its microphone in the simulated room, while nobody speaks."""

from __future__ import annotations

from typing import Final

import numpy as np

from appliance.contract import times
from appliance.contract.commissioning import Commissioning
from appliance.contract.header import Microphone
from appliance.contract.keys import SigningKey
from appliance.recorder.microphone_monitor import learn, measure
from appliance.simulator.microphone.device import CARD, DEVICE, IDENTITY, RATE
from appliance.simulator.speech import room

SECONDS: Final = 12


def commission(box: str, key: SigningKey) -> bytes:
    """Return the signed line; its floor is learned from the noise that the spoken meeting has in its pauses."""
    noise = np.rint(room(SECONDS * RATE)).astype(np.int16)
    return Commissioning(
        box=box,
        box_key=key.public,
        made_at=times.now(),
        microphone=Microphone(device=DEVICE, card=CARD, identity=IDENTITY),
        rate=RATE,
        floor=learn([measure(second, RATE) for second in noise.reshape(SECONDS, RATE)]),
        checked=["red", "green", "amber", "button", "lamp-sensor", "rail-sense", "microphone"],
        software="plainsight simulator",
    ).sign(key)
