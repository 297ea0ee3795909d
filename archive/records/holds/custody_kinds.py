"""Custody entries about holds, and what their rows must say if the entries are true."""

from __future__ import annotations

from collections.abc import Iterator

from archive.custody.check import compare_with_log
from archive.custody.kinds import register
from archive.custody.models import Entry

from .models import Held, Matter

MATTER = register("matter", "a matter with a hold was opened", "matter", "from_day", "until_day")
MATTER_CHANGED = register("matter-changed", "a matter with a hold was changed", "matter", "until_day")
MATTER_RELEASED = register("matter-released", "a matter ended, and its holds with it", "matter")
# which matter it was stands in the row alone, which goes with a recording that is destroyed
HOLD = register("hold", "put on hold", "held")
HOLD_RELEASED = register("hold-released", "released from a hold", "held")


@compare_with_log
def holds_that_differ() -> Iterator[str]:
    """Yield holds that were entered and are not in force although nobody released them."""
    codes = (HOLD.code, HOLD_RELEASED.code, MATTER.code, MATTER_RELEASED.code)
    entered: set[tuple[str, str]] = set()
    for entry in Entry.objects.filter(code__in=codes).order_by("n").iterator():
        one = ("hold", entry.member("held")) if entry.member("held") else ("matter", entry.member("matter"))
        (entered.discard if entry.code in {HOLD_RELEASED.code, MATTER_RELEASED.code} else entered.add)(one)
    there = {("hold", one.hex) for one in Held.objects.filter(released_at=None).values_list("pk", flat=True)}
    there |= {("matter", one.hex) for one in Matter.objects.filter(released_at=None).values_list("pk", flat=True)}
    for what, pk in sorted(entered - there):
        yield f"the {what} {pk} was entered and never released, and is not in force"
