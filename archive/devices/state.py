"""What a room's box is doing, as far as the archive can honestly say. Pure: a function of what was heard, and of now.

Only what arrives live counts. A message that the broker had kept may be old, and after a crash of the broker older than
one that was already seen; it fills in details, and never says that a room records or is ready.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from appliance.contract.status import MAX_SILENCE_S, RecorderStatus, SilentStatus

HEARTBEAT = timedelta(seconds=MAX_SILENCE_S)
"""Without a live message for longer than this, nothing is known."""
Kind = Literal["recording", "ready", "at-fault", "silent"]


@dataclass(frozen=True)
class Report:
    """What was heard of one box."""

    online: bool = False
    """What `online` said for the greatest session number."""
    heard_at: datetime | None = None
    """Arrival of the last live message about the recorder."""
    recorder: RecorderStatus | SilentStatus | None = None
    """The last word about the recorder."""
    live: bool = False
    """Whether that word arrived live."""
    faults: tuple[str, ...] = ()
    """Amber codes from the fault topics."""


@dataclass(frozen=True)
class BoxState:
    """What may be shown."""

    kind: Kind
    """The one word."""
    reason: str = ""
    """Why, as a short code: `unheard`, `offline`, `stale`, `recorder-silent`, or the recorder's state."""
    faults: tuple[str, ...] = ()
    """Amber codes."""
    status: RecorderStatus | None = None
    """The recorder's own words, where they are fresh."""
    since: datetime | None = None
    """When the box was last heard."""
    attention: bool = field(default=False)
    """Whether somebody should look although the kind alone does not say so."""


def state_of_box(report: Report, now: datetime) -> BoxState:
    """Return what `report` proves at the moment `now`."""
    if report.heard_at is None or report.recorder is None or not report.live:
        return BoxState("silent", "unheard", faults=report.faults, since=report.heard_at)
    if not report.online:
        return BoxState("silent", "offline", faults=report.faults, since=report.heard_at)
    # what was heard later than now was heard before the clock was put back, and may be of any age
    if abs(now - report.heard_at) > HEARTBEAT:
        return BoxState("silent", "stale", faults=report.faults, since=report.heard_at)
    if isinstance(report.recorder, SilentStatus):
        return BoxState("silent", "recorder-silent", faults=report.faults, since=report.heard_at)
    return _of_recorder(report.recorder, report)


def _of_recorder(status: RecorderStatus, report: Report) -> BoxState:
    faults = tuple(sorted({*status.faults, *report.faults}))
    kind: Kind = "at-fault"
    if status.state in {"arming", "recording", "paused", "ending"}:
        kind = "recording"
    elif status.state == "idle" and status.ready:
        kind = "ready"
    attention = kind == "at-fault" or bool(faults) or status.lights.amber != "off"
    return BoxState(kind, status.state, faults, status, report.heard_at, attention)
