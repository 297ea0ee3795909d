"""Custody entries about notices, meetings, the opening and filing. Times are told, names are not."""

from __future__ import annotations

from collections.abc import Iterator

from appliance.contract.times import wall
from archive.custody.check import compare_with_log
from archive.custody.kinds import register
from archive.custody.models import Entry

from .models import Notice

NOTICE = register("notice", "a notice was logged", "notice", "received", "meeting_at")
NOTICE_CORRECTED = register(
    "notice-corrected",
    "a notice was corrected",
    "notice",
    "fields",
    "received_before",
    "received",
    "meeting_at_before",
    "meeting_at",
)
MEETING = register("meeting", "a meeting was planned", "starts", "ends", "room", "source")
MEETING_CHANGED = register("meeting-changed", "a meeting was changed", "fields", "starts", "ends", "room")
MEETING_CANCELLED = register("meeting-cancelled", "a meeting was cancelled")
PARENT_RECORDS = register("parent-records", "it was entered whether a parent records", "answer")
MEETING_JOINED = register(
    "meeting-joined", "a calendar brought a meeting that was here already", "source", "fields", "starts", "ends"
)
CALENDAR = register(
    "calendar",
    "a calendar was taken in",
    *("source", "sha256", "added", "changed", "kept", "missing", "refused", "joined", "asked"),
)
FILED = register("filed", "was filed under a meeting", "meeting", "filing", "first_frame", "last_frame")
FILING_CONFIRMED = register("filing-confirmed", "its filing was confirmed by a second person", "meeting", "filing")
FILING_DOUBTED = register("filing-doubted", "its filing was called wrong; access through it ended", "meeting", "filing")
FILING_KEPT = register("filing-kept", "its filing was called right after all", "meeting", "filing")
FILING_ENDED = register("filing-ended", "its filing was ended by a second person", "meeting", "filing")
OPENING = register(
    "opening-event", "something was noted at a meeting", "what", "event", "recording", "frame", "noted_by"
)
PLACED = register("opening-placed", "a note's place in the recording was found", "event", "recording", "frame")


@compare_with_log
def notices_that_differ() -> Iterator[str]:
    """Yield notices whose times are not what was logged or corrected last; one that got another identifier is new."""
    codes = [NOTICE.code, NOTICE_CORRECTED.code]
    last = {
        str(entry.member("notice")): (entry.member("received"), entry.member("meeting_at"))
        for entry in Entry.objects.filter(code__in=codes).order_by("n").iterator()
    }
    for pk, received_at, meeting_at in Notice.objects.order_by("pk").values_list("pk", "received_at", "meeting_at"):
        if last.get(str(pk), there := (wall(received_at), wall(meeting_at))) != there:
            yield f"the notice {pk} does not say what was entered of it last"
