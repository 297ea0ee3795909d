"""What a microphone gives, judged: how loud, how it was in a quiet room, and whether it is at fault. Pure.

Nothing here leaves the box: the judgement is a few codes and one bit, never a level (promise 7).
"""

from __future__ import annotations

from .floor import FloorError, learn
from .judge import CODES, Judge, Verdict
from .levels import Levels, bands, measure

__all__ = ["CODES", "FloorError", "Judge", "Levels", "Verdict", "bands", "learn", "measure"]
