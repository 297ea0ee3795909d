"""When somebody must look at a hold again. Pure.

A hold is no retention period: it ends when a person ends it, and no day that passes does. Spoliation of evidence is
what it keeps from; 34 CFR 99.10(e) asks the same while a request to inspect is open.
"""

from __future__ import annotations

from datetime import date


def must_be_looked_at(valid_until: date | None, today: date) -> bool:
    """Tell whether the day that was planned for its end has come; the hold itself goes on."""
    return valid_until is not None and valid_until <= today
