"""What the rooms page says of one box: the judgment and the uploads, in words. Pure."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any, Final

from appliance.contract.status import RecorderStatus
from archive.devices.state import Judgment
from archive.ui import words

from .uploads import Uploads

BEHIND_S: Final = 10.0
"""Seconds of acknowledged audio that may be missing here before the page says so; uploads come in batches."""
LISTENER_LATE: Final = timedelta(seconds=10)
"""The listener says every 2 s that it is there."""
SHAPES: Final = {"recording": "●", "ready": "✓", "at-fault": "▲", "silent": "?"}
_STATES: Final = {
    "arming": "Recording: the microphone is being opened",
    "recording": "Recording",
    "paused": "Paused: not recording; the meeting can go on being recorded",
    "ending": "Recording: being ended",
    "idle": "At fault: a press would not record",
    "self-test": "Not ready: the box tests itself",
    "fault": "At fault",
}
_SILENCES: Final = {
    "unheard": "Silent: this box has not been heard since the archive began to listen",
    "offline": "Silent: the box is not connected",
    "stale": "Silent: the box has stopped reporting",
    "recorder-silent": "Silent: the box answers, but its recorder does not",
}
_ATTENTION: Final = "Ready, but needs attention"


@dataclass(frozen=True)
class Card:
    """One box on the rooms page, and in rooms.json."""

    box: str
    """Its identifier."""
    name: str
    """The room's name, or the box's identifier."""
    sign: str
    """`recording`, `ready`, `at-fault` or `silent`."""
    reason: str
    """The recorder's state, or why the box is silent."""
    faults: list[str]
    """Amber codes that hold."""
    heard_at: str | None
    """When the box was last heard, UTC."""
    since: str | None
    """Since when the state has held, UTC; None if that is not known."""
    acknowledged_s: float | None
    """Seconds of the running recording that are safe on the box, when it was last heard."""
    archived_s: float | None
    """Seconds of the running recording that are here."""
    waiting: int
    """Other recordings that have not arrived as a whole."""
    simulated: bool | None
    """Whether button and lamps are not real; None if the box is silent."""
    lamp: str | None
    """`verified` or `unverified`; None if the box is silent."""
    words: dict[str, str]
    """The same for people; an empty text is not shown."""

    def as_json(self) -> dict[str, Any]:
        """Return the card for rooms.json."""
        return asdict(self)


def card(box: str, room: str | None, judgment: Judgment, uploads: Uploads, zone: tzinfo) -> Card:
    """Return what to say of a box."""
    status = judgment.status
    running = judgment.kind == "recording" and status is not None
    since = _since(judgment)
    said = {
        "shape": "▮▮" if judgment.reason == "paused" else SHAPES[judgment.kind],
        "state": _state(judgment),
        "since": _when(judgment, since, zone),
        "kept": _kept(status, uploads) if running and status else "",
        "faults": _faults(judgment),
        "uploads": _behind(status if running else None, uploads),
        "panel": _panel(status),
    }
    return Card(
        box=box,
        name=room or box,
        sign=judgment.kind,
        reason=judgment.reason,
        faults=list(judgment.faults),
        heard_at=_utc(judgment.since),
        since=_utc(since),
        acknowledged_s=round(status.acked_frame / status.rate, 3) if running and status else None,
        archived_s=round(uploads.current_s, 3) if running else None,
        waiting=uploads.waiting,
        simulated=status.panel == "simulated" if status else None,
        lamp=status.lamp if status else None,
        words=said,
    )


def _since(judgment: Judgment) -> datetime | None:
    status = judgment.status
    if status is None or judgment.since is None:
        return None
    # the box's wall clock is not needed: its own word dates the change against the moment that word arrived here
    return judgment.since - timedelta(microseconds=max(status.monotonic_ns - status.since_ns, 0) // 1000)


def _state(judgment: Judgment) -> str:
    if judgment.kind == "silent":
        return _SILENCES.get(judgment.reason, "Silent")
    if judgment.kind == "ready":
        return _ATTENTION if judgment.attention else "Ready"
    return _STATES[judgment.reason] + (", needs attention" if _troubled(judgment) else "")


def _troubled(judgment: Judgment) -> bool:
    return judgment.kind == "recording" and judgment.attention


def _when(judgment: Judgment, since: datetime | None, zone: tzinfo) -> str:
    if since is not None and judgment.since is not None:
        return f"Since {_local(since, zone)}; last heard {_local(judgment.since, zone)}."
    if judgment.since is not None:
        return f"Last heard {_local(judgment.since, zone)}. What the room does now is not known."
    return "What the room does now is not known."


def _kept(status: RecorderStatus, uploads: Uploads) -> str:
    safe = words.clock_time(status.acked_frame / status.rate)
    here = words.clock_time(uploads.current_s)
    lost = f", {words.spoken(status.lost_frames / status.rate)} lost" if status.lost_frames else ""
    return f"Safe on the box when last heard: {safe}{lost}. Here: {here}."


def _faults(judgment: Judgment) -> str:
    if not judgment.faults:
        return ""
    told = "; ".join(f"{words.fault(code)} ({code})" for code in judgment.faults)
    return f"Attention: {told}."


def _behind(status: RecorderStatus | None, uploads: Uploads) -> str:
    told = []
    late = status.acked_frame / status.rate - uploads.current_s if status else 0.0
    if late > BEHIND_S:
        told.append(f"this recording's upload is at least {words.spoken(late)} behind")
    if uploads.waiting:
        told.append(f"{_count(uploads.waiting)} not arrived as a whole")
    if uploads.unsealed:
        told.append(f"{_count(uploads.unsealed)} arrived and not been sealed yet")
    return f"Uploads: {'; '.join(told)}." if told else ""


def _count(number: int) -> str:
    return "1 recording has" if number == 1 else f"{number} recordings have"


def _panel(status: RecorderStatus | None) -> str:
    if status is None:
        return ""
    told = ["simulated: button and lamps are not real"] if status.panel == "simulated" else []
    if status.lamp == "unverified":
        told.append("red lamp unverified: no sensor sees it")
    return f"{'; '.join(told).capitalize()}." if told else ""


def warning(alive_at: datetime | None, connected: bool, now: datetime) -> str:
    """Return what to say when the archive itself does not hear: then no room's silence is the room's fault."""
    if alive_at is None or now - alive_at > LISTENER_LATE:
        return (
            "The archive's own listener is not running, so no room is known to be anything. "
            "Tell whoever looks after the archive: 'plainsight-archive listen' must run."
        )
    if not connected:
        return (
            "The archive is not connected to the broker, so no room is known to be anything. It tries again by itself."
        )
    return ""


def _local(moment: datetime, zone: tzinfo) -> str:
    return f"{moment.astimezone(zone):%d %b, %H:%M:%S}"


def _utc(moment: datetime | None) -> str | None:
    return None if moment is None else f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S}Z"
