"""Custody entries about incident records, and what their rows must say if the entries are true."""

from __future__ import annotations

from collections.abc import Iterator

from archive.custody.check import compare_with_log
from archive.custody.kinds import register
from archive.custody.models import Entry
from archive.recordings.models import Recording

from .models import Incident

INCIDENT = register("incident", "an incident record was entered", "incident", "recording", "cause", "missing")
INCIDENT_CHANGED = register("incident-changed", "an incident record was corrected", "incident", "recording", "cause")


@compare_with_log
def incidents_that_differ() -> Iterator[str]:
    """Yield incident records that were entered and are gone, although their recording was not destroyed."""
    destroyed = set(Recording.objects.filter(destroyed_at__isnull=False).values_list("pk", flat=True))
    there = {str(pk) for pk in Incident.objects.values_list("pk", flat=True)}
    last = {
        str(entry.member("incident")): entry.member("recording")
        for entry in Entry.objects.filter(code__in=[INCIDENT.code, INCIDENT_CHANGED.code]).order_by("n").iterator()
    }
    for pk, recording in last.items():
        if pk not in there and recording not in destroyed:
            yield f"the incident record {pk} was entered, and is gone"
