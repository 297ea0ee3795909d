"""The signs of every state, the same on all pages: one shape and one color each, and never without words.

Red means that a room is being recorded, and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

SignCode = Literal["recording", "paused", "ready", "attention", "at-fault", "unknown", "working"]


@dataclass(frozen=True)
class Sign:
    """One sign."""

    code: SignCode
    """Its style is `sign-CODE` in style.css, its shape `shape-CODE` in ui/shapes.html."""
    one: str
    """The shortest words for one that is so, as it is counted: "1 needs attention"."""
    many: str
    """The same for several: "2 need attention"."""
    looks: str
    """Color and shape in words, for the guides."""


SIGNS: Final[dict[SignCode, Sign]] = {
    sign.code: sign
    for sign in (
        Sign("at-fault", "at fault", "at fault", "dark red octagon"),
        Sign("unknown", "not known", "not known", "gray question mark"),
        Sign("attention", "needs attention", "need attention", "amber triangle"),
        Sign("recording", "recording", "recording", "red disc"),
        Sign("paused", "paused", "paused", "two blue bars"),
        Sign("working", "not ready yet", "not ready yet", "three gray dots"),
        Sign("ready", "ready", "ready", "green check"),
    )
}
"""In order of urgency: what somebody must look at comes first."""
