"""What the rooms page says of one box: its state and its uploads, in words. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from appliance.contract.health import Finding, HealthReport
from appliance.contract.status import RecorderStatus
from archive.devices.state import BoxState
from archive.ui import words
from archive.ui.signs import SIGNS, SignCode

from .uploads import Uploads

BEHIND_S: Final = 10.0
"""Seconds of acknowledged audio that may be missing here before the page says so; uploads come in batches."""
_STATES: Final[dict[str, tuple[SignCode, str]]] = {
    "arming": ("recording", "Recording: the microphone is being opened"),
    "recording": ("recording", "Recording"),
    "paused": ("paused", "Paused: nothing is recorded"),
    "ending": ("recording", "Recording: about to end"),
    "idle": ("at-fault", "At fault: a press would not record"),
    "self-test": ("working", "Not ready yet: the box is testing itself"),
    "fault": ("at-fault", "At fault: a press would not record"),
}
_SILENCES: Final = {
    "unheard": "Not known: the archive has not heard this box since it began to listen",
    "offline": "Not known: the box is not connected",
    "stale": "Not known: the box has stopped reporting",
    "recorder-silent": "Not known: the box answers, but its recorder does not",
    "deaf": "Not known: the archive does not hear its boxes",
}
_ORDER: Final = {code: place for place, code in enumerate(SIGNS)}
_URGENT: Final = ("at-fault", "unknown", "attention")


@dataclass(frozen=True)
class Trouble:
    """One amber code of a box."""

    code: str
    """The code."""
    cause: str
    """What is wrong, as a sentence."""
    remedy: str
    """What to do, as a sentence."""


@dataclass(frozen=True)
class Card:
    """One box on the rooms page, and in rooms.json."""

    box: str
    """Its identifier."""
    name: str
    """The room's name, or the box's identifier."""
    room: str | None
    """Identifier of the room; None for a box without one."""
    sign: SignCode
    """One of archive.ui.signs."""
    reason: str
    """Why, as a short code."""
    troubles: list[Trouble]
    """What is wrong with the box, and what to do about it."""
    heard_at: str | None
    """When the box was last heard, UTC."""
    since: str | None
    """Since when the state has held, UTC; None if that is not known."""
    recording: str | None
    """Identifier of the running recording."""
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
    address: str = ""
    """Page of the running recording, if part of it is here and the reader may open it; else empty."""

    @property
    def urgency(self) -> tuple[int, bool, str, str]:
        """Where the card stands among others: what somebody must look at comes first, then by name."""
        return _ORDER[self.sign], not self.troubles, self.name, self.box

    def as_json(self) -> dict[str, Any]:
        """Return the card for rooms.json."""
        return asdict(self)


def card(
    box: str,
    name: str | None,
    box_state: BoxState,
    uploads: Uploads,
    now: datetime,
    *,
    room: str | None = None,
    health: Iterable[HealthReport] = (),
) -> Card:
    """Return what to say of a box at the moment `now`, whose zone is that of the words."""
    status = box_state.status
    running = status if box_state.kind == "recording" else None
    since = _since(box_state)
    sign, state = _state(box_state)
    return Card(
        box=box,
        name=name or box,
        room=room,
        sign=sign,
        reason=box_state.reason,
        troubles=[
            *(Trouble(code, words.fault(code), words.remedy(code)) for code in box_state.faults),
            *(_found(report, finding) for report in health for finding in report.findings),
        ],
        heard_at=_utc(box_state.since),
        since=_utc(since),
        recording=running.recording if running else None,
        acknowledged_s=round(running.acked_frame / running.rate, 3) if running else None,
        archived_s=round(uploads.current_s, 3) if running else None,
        waiting=uploads.waiting,
        simulated=status.panel == "simulated" if status else None,
        lamp=status.lamp if status else None,
        words={
            "state": state,
            "since": _when(box_state, since, now),
            "kept": _kept(running, uploads) if running else "",
            "uploads": _behind(running, uploads),
            "panel": _panel(status),
        },
    )


def _found(report: HealthReport, finding: Finding) -> Trouble:
    who = "Commissioning" if report.source == "commissioning" else "The box's own daily check"
    day = report.made_at.partition("T")[0]
    what = "is wrong" if finding.verdict == "wrong" else "needs a look"
    return Trouble(report.source, f"{who} ({day}): {finding.check} {what}.", finding.remedy)


def deaf(box_state: BoxState) -> BoxState:
    """Return what is known of a box while the archive hears none: nothing but when it was last heard."""
    return BoxState("silent", "deaf", since=box_state.since)


def summary(cards: Iterable[Card]) -> str:
    """Return how many rooms are in each state, the urgent ones first: `1 at fault, 4 ready`."""
    counted = Counter(card.sign for card in cards)
    return ", ".join(words.count(counted[code], sign.one, sign.many) for code, sign in SIGNS.items() if counted[code])


def title(cards: Iterable[Card]) -> str:
    """Return the page's title, which tells in the browser's tab what somebody must look at."""
    urgent = summary(card for card in cards if card.sign in _URGENT)
    return f"{urgent} - Rooms" if urgent else "Rooms"


def _since(box_state: BoxState) -> datetime | None:
    status = box_state.status
    if status is None or box_state.since is None:
        return None
    # the box's wall clock is not needed: its own word dates the change against the moment that word arrived here
    return box_state.since - timedelta(microseconds=max(status.monotonic_ns - status.since_ns, 0) // 1000)


def _state(box_state: BoxState) -> tuple[SignCode, str]:
    if box_state.kind == "silent":
        return "unknown", _SILENCES.get(box_state.reason, "Not known")
    if box_state.kind == "ready":
        return ("attention", "Ready, but needs attention") if box_state.attention else ("ready", "Ready")
    sign, state = _STATES[box_state.reason]
    troubled = box_state.kind == "recording" and box_state.attention
    return sign, state + (", needs attention" if troubled else "")


def _when(box_state: BoxState, since: datetime | None, now: datetime) -> str:
    told = [f"Since {_moment(since, now)}, {_ago(since, now)}."] if since is not None else []
    if box_state.since is not None:
        told.append(f"Last heard {_moment(box_state.since, now)}, {_ago(box_state.since, now)}.")
    if box_state.status is None:
        told.append("What the room does now is not known; the red lamp in the room tells.")
    return " ".join(told)


def _kept(status: RecorderStatus, uploads: Uploads) -> str:
    # nothing is sent before it is safe on the box, so what is here is safe there as well
    safe = words.clock_time(max(status.acked_frame / status.rate, uploads.current_s))
    lost = f", {words.spoken(status.lost_frames / status.rate)} lost" if status.lost_frames else ""
    return f"Safe on the box: at least {safe}{lost}. In the archive: {words.clock_time(uploads.current_s)}."


def _behind(status: RecorderStatus | None, uploads: Uploads) -> str:
    told = []
    late = status.acked_frame / status.rate - uploads.current_s if status else 0.0
    if late > BEHIND_S:
        told.append(f"The upload of this recording is at least {words.spoken(late)} behind.")
    if uploads.waiting:
        told.append(f"{_count(uploads.waiting)} not arrived completely.")
    if uploads.unsealed:
        told.append(f"{_count(uploads.unsealed)} arrived and not been sealed yet.")
    return " ".join(told)


def _count(number: int) -> str:
    return "1 recording has" if number == 1 else f"{number} recordings have"


def _panel(status: RecorderStatus | None) -> str:
    if status is None:
        return ""
    told = ["Simulated: the button and the lights are not real."] if status.panel == "simulated" else []
    if status.lamp == "unverified":
        told.append("Red lamp unverified: no sensor sees it.")
    return " ".join(told)


def warning(*, listens: bool, lost: int = 0, brokers: int = 1, contact: str = "your administrator") -> str:
    """Return what to say when the archive itself does not hear: then no room's silence is the room's fault.

    It has `brokers`, and has lost its connection to `lost` of them.
    """
    if not listens:
        return (
            "The archive is not listening to its boxes, so it does not know what any room is doing. "
            f"Tell {contact}: the service 'plainsight-archive listen' must run."
        )
    if lost:
        which, what = "the broker", "what any room is doing"
        if lost < brokers:
            which, what = f"{lost} of {brokers} brokers", "what the rooms of that group are doing"
        return (
            f"The archive has lost its connection to {which}, so it does not know {what}. It keeps trying to connect."
        )
    return ""


def _moment(moment: datetime, now: datetime) -> str:
    local = moment.astimezone(now.tzinfo)
    if local.date() == now.date():
        return words.time_and_zone(local)
    return words.when(local)


def _ago(moment: datetime, now: datetime) -> str:
    return words.ago((now - moment).total_seconds())


def _utc(moment: datetime | None) -> str | None:
    return None if moment is None else f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S}Z"
