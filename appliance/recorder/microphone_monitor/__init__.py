"""Monitors a microphone: its levels, its noise floor in a quiet room, and whether it is at fault. Pure.

No level leaves the box: the verdict is a few codes and one bit (promise 7).
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
