"""A recording as the commands print it."""

from __future__ import annotations

from appliance.contract.times import wall

from .models import Recording
from .recording_state import marks_of, recording_state


def describe(row: Recording) -> dict[str, str | int | float | list[str] | None]:
    """Return what a script may want to know about a recording; no name of a room is among it."""
    return {
        "recording": row.id,
        "box": row.box_id,
        "state": row.state,
        "standing": recording_state(row).value,
        "marks": [mark.value for mark in marks_of(row)],
        "outcome": row.outcome or None,
        "created_at": wall(row.created_at),
        "dated": row.dated,
        "listed_at": wall(row.listed_at),
        "sealed_at": wall(row.sealed_at) if row.sealed_at else None,
        "seconds": round(row.seconds, 3),
        "frames": row.frames,
        "lost_frames": row.lost_frames,
        "lines": row.next_line,
        "panel": row.panel,
        "package": row.package or None,
        "package_size": row.package_size or None,
        "package_sha256": row.package_sha256 or None,
        "problem": row.problem or None,
    }
