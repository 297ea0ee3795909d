"""What a microphone gives, judged: how loud, how it was in a quiet room, and whether it is at fault. Pure.

Nothing here leaves the box: the judgment is a few codes and one bit, never a level (promise 7).
"""

from __future__ import annotations

from .detector import CODES, Detector, Verdict
from .levels import Levels, bands, measure
from .noise_floor import FloorError, Gain, learn
from .speech_level import SpeechError, check_speech

__all__ = [
    "CODES",
    "Detector",
    "FloorError",
    "Gain",
    "Levels",
    "SpeechError",
    "Verdict",
    "bands",
    "check_speech",
    "learn",
    "measure",
]
