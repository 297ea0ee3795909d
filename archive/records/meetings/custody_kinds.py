"""Custody entries about notices, meetings, the opening and filing. Times are told, names are not."""

from __future__ import annotations

from archive.custody.kinds import register

NOTICE = register("notice", "a notice was logged", "notice", "received", "meeting_at")
MEETING = register("meeting", "a meeting was planned", "starts", "ends", "room", "source")
MEETING_CHANGED = register("meeting-changed", "a meeting was changed", "fields", "starts", "ends", "room")
MEETING_CANCELLED = register("meeting-cancelled", "a meeting was cancelled")
PARENT_RECORDS = register("parent-records", "it was entered whether a parent records", "answer")
CALENDAR = register(
    "calendar", "a calendar was taken in", "source", "sha256", "added", "changed", "kept", "missing", "refused"
)
FILED = register("filed", "was filed under a meeting", "meeting", "filing", "first_frame", "last_frame")
FILING_CONFIRMED = register("filing-confirmed", "its filing was confirmed by a second person", "meeting", "filing")
FILING_DOUBTED = register("filing-doubted", "its filing was called wrong; access through it ended", "meeting", "filing")
FILING_KEPT = register("filing-kept", "its filing was called right after all", "meeting", "filing")
FILING_ENDED = register("filing-ended", "its filing was ended by a second person", "meeting", "filing")
OPENING = register("opening-event", "something was noted at a meeting", "what", "event", "recording", "frame")
PLACED = register("opening-placed", "a note's place in the recording was found", "event", "recording", "frame")
