"""When a meeting needs an incident record, and which causes there are. Pure.

When a parent records, the district does too, and keeps its copy (docs/policy.md, guideline 5). Where it has none, or
one with gaps, it says why, and tells the parent. No day that passes makes that needless.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Final

from appliance.contract.amber_codes import TABLE

CAUSES: Final[dict[str, str]] = {
    "no-press": "Nobody pressed the button, or it was pressed too late.",
    "no-notice": "Nobody knew that a parent would record, and none was started when it was said.",
    "no-box": "There was no box where the meeting was.",
    "not-ready": "The box was not ready, and there was no time to mend it.",
    "power": "The power or the box's cable failed.",
    "ended": "The recording was ended by mistake, or went on too late.",
    "lost": "The recording was made, and was lost or damaged afterwards.",
    "other": "Another cause.",
}
"""What people say. The boxes' own amber codes are offered besides."""


def is_cause(code: str) -> bool:
    """Tell whether there is such a cause."""
    return code in CAUSES or any(one.code == code for one in TABLE)


@dataclass(frozen=True)
class LetterState:
    """What is known of the letter to one rights-holder."""

    person: str
    made: bool
    delivered_on: date | None


def unwritten(letters: Iterable[LetterState]) -> list[str]:
    """Return to whom no letter was written yet."""
    return [one.person for one in letters if not one.made]
