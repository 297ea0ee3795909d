"""Checks whether a person who speaks as in a meeting is recorded loudly enough. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final

import numpy as np

from appliance.contract.commissioning import Floor
from appliance.contract.errors import DeviceError

from .levels import Levels
from .noise_floor import CLIPPED, Gain

LOWEST: Final = -5500
"""Speech below -55 dB of full scale has peaks of about 200 steps of 32,768: rounding becomes audible under it."""
WANTED: Final = -3500
"""The level that a suggested gain aims at, in hundredths of a decibel: peaks of speech are 15 to 20 dB above it."""
ABOVE_FLOOR: Final = 600
"""Speech less than 6 dB above the quiet room is lost in its noise, or nobody spoke."""
_PERCENTILE: Final = 80
"""Speech has pauses, so the louder seconds give its level."""


class SpeechError(DeviceError):
    """Speech was missing, too quiet or cut off."""

    code: ClassVar[str] = "no-speech"


def check_speech(seconds: Sequence[Levels], floor: Floor, gain: Gain) -> int:
    """Return the level of speech in hundredths of a decibel below full scale; raise SpeechError with what to do.

    Its field is `clipping` or, for what is too quiet, `speech`.
    """
    level = round(float(np.percentile([second.rms for second in seconds], _PERCENTILE)))
    if 2 * sum(second.clipped > CLIPPED for second in seconds) >= len(seconds):
        raise SpeechError(f"speech is cut off at the top: {gain.down}, and try again", field="clipping")
    if level - floor.rms < ABOVE_FLOOR:
        raise SpeechError(
            f"nobody was heard: the microphone gave {level / 100:.0f} dB of full scale while somebody spoke, and "
            f"{floor.rms / 100:.0f} dB in the quiet room. Speak as in a meeting; if somebody did, put the microphone "
            f"nearer, switch off what hums or blows, or choose the right channel (microphone.channel)",
            field="speech",
        )
    if level < LOWEST:
        wanted = (WANTED - level) / 100
        raise SpeechError(
            f"speech is at {level / 100:.0f} dB of full scale, below {LOWEST / 100:.0f}: {gain.up} by about "
            f"{wanted:.0f} dB, and try again",
            field="speech",
        )
    return level
