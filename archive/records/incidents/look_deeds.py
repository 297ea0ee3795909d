"""Looking at meetings whose facts changed, so that Today need not look at every meeting there ever was.

Each change has a row of its own, which is there as soon as the change is. Those that are read first go afterwards, if
the meeting lacks nothing then: a change that comes between has a row that was not read, and stays. So nothing is
locked, and no deed waits.
"""

from __future__ import annotations

from typing import Final

from appliance.contract.stop_signal import StopSignal
from archive.records.meetings.models import Meeting

from .models import LookAgain
from .reach import lacking

LOOK_S: Final = 60.0
"""How often the worker looks, in seconds."""
AT_ONCE: Final = 500
"""Most changes that are looked at in one query."""


def look_again(stop: StopSignal) -> None:
    """Forget changes of meetings that lack no incident record; of each other, keep the last: a job of the worker."""
    last = 0
    while not stop.is_set():
        changes = LookAgain.objects.filter(pk__gt=last).order_by("pk").values_list("pk", "meeting")
        read = list(changes[:AT_ONCE])
        if not read:
            return
        newest = {meeting: pk for pk, meeting in read}
        kept = {newest[pk] for pk in lacking(Meeting.objects.filter(pk__in=newest)).values_list("pk", flat=True)}
        done = [pk for pk, _ in read if pk not in kept]
        if done:
            LookAgain.objects.filter(pk__in=done).delete()
        last = read[-1][0]
