"""The record of commissioning: what an installer and the box found out about each other, signed by the box.

It stays on the box (docs/operator.md): the recorder compares the microphone and its noise with it, `plainsight doctor`
the rest. Noise levels are those of an empty, quiet room and say nothing about any meeting.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from .header import Microphone, Text
from .ids import BoxId
from .keys import PublicKey
from .signed import SignedModel
from .times import WallTime

Millibels = Annotated[int, Field(ge=-20000, le=0)]
"""A level in hundredths of a decibel below full scale (a constant 32768 is 0); -20000 stands for no signal at all."""
Part = Literal["red", "green", "amber", "button", "lamp-sensor", "rail-sense", "microphone", "speech"]
"""What an installer tried, or saw."""


class Floor(BaseModel):
    """What a microphone gives when nobody speaks: its own noise and the quiet room's."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    rms: Millibels
    """The whole signal without its constant part."""
    bands: list[Millibels] = Field(min_length=1, max_length=32)
    """The same in bands, from low to high (appliance/recorder/hearing has their edges)."""


class Commissioning(SignedModel):
    """One line (docs/format.md section 1.3)."""

    type: Literal["plainsight/commissioning/1"] = "plainsight/commissioning/1"
    box: BoxId
    box_key: PublicKey
    made_at: WallTime
    microphone: Microphone
    """The microphone that was plugged in, by its device, card and USB identity."""
    rate: Annotated[int, Field(ge=8000, le=192000)]
    """Frames in a second at which the floor was learned."""
    floor: Floor
    checked: list[Part]
    """What was tried and found right, in this order."""
    software: Text
