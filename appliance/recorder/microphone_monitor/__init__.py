"""What a microphone gives, judged: how loud, how it was in a quiet room, and whether it is at fault. Pure.

Nothing here leaves the box: the judgment is a few codes and one bit, never a level (promise 7).
"""

from __future__ import annotations

from .detector import CODES, Detector, Verdict
from .levels import Levels, bands, measure
from .noise_floor import FloorError, learn

__all__ = ["CODES", "Detector", "FloorError", "Levels", "Verdict", "bands", "learn", "measure"]
