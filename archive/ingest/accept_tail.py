"""Taking in segments that a closing record lists as unverified tail."""

from __future__ import annotations

from django.db import transaction

from appliance.contract.errors import DigestError, OrderError
from appliance.contract.signed import digest
from appliance.contract.times import now, parse_wall
from archive.recordings import arrival_log
from archive.recordings.find import check_box_is_believed, find
from archive.recordings.models import Recording, Segment
from archive.recordings.validation import judge_tail
from archive.store.base import incoming_name
from archive.store.current import store


def tail_segment(recording: Recording, number: int) -> Segment:
    """Return what the closing record says about tail segment `number`; raise OrderError if it says nothing."""
    segment = Segment.objects.filter(recording=recording, tail=True, number=number).first()
    if segment is None:
        raise OrderError(f"no closing record here lists segment {number} as unverified tail")
    return segment


def accept_tail(recording: str, number: int, sealed: bytes) -> bool:
    """Take a tail segment in; return False if it was there already."""
    row = find(recording)
    segment = tail_segment(row, number)
    if len(sealed) != segment.size or digest(sealed) != segment.sha256:
        raise DigestError(f"tail segment {number} does not have the signed size and digest", field="sha256")
    if segment.arrived_at is not None:
        return False
    check_box_is_believed(row)
    verdict, frames = judge_tail(row.signed_header, sealed)
    staged = store().stage([(incoming_name(recording, number, tail=True), sealed)])
    try:
        with transaction.atomic():
            row = find(recording, lock=True)
            segment = tail_segment(row, number)
            if segment.arrived_at is not None:
                return False
            arrived = now()
            segment.arrived_at, segment.verdict, segment.frames = parse_wall(arrived), verdict, frames
            segment.save(update_fields=["arrived_at", "verdict", "frames"])
            arrival_log.append(row, "tail", segment.sha256, at=arrived)
            staged.publish()
    finally:
        staged.discard()
    return True
