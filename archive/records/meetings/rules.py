"""What follows from times of notices and meetings. Pure; sections cited."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, Literal, Protocol, TypeVar
from zoneinfo import ZoneInfo

NOTICE: Final = timedelta(hours=24)
"""RSMo 162.686: at most 24 hours' notice may be asked."""
ON_THE_WAY: Final = timedelta(seconds=10)
"""A tablet's clock that seems to be behind by less than this is taken as right: so long a request may be on its way."""
Reading = Literal["time", "day"]
"""How "24 hours prior to the date" is read: before the meeting's time, or before its day begins."""


@dataclass(frozen=True)
class NoticeTiming:
    """How long before a meeting a notice came, read both ways. Late is a flag: nothing is denied (RSMo 162.686)."""

    before_time: timedelta
    """From the notice to the meeting's begin."""
    before_day: timedelta
    """From the notice to the midnight with which the meeting's day begins."""

    def late(self, reading: Reading) -> bool:
        """Tell whether it came later than 24 hours ahead, by this reading."""
        return (self.before_time if reading == "time" else self.before_day) < NOTICE


def notice_timing(received_at: datetime, meeting_at: datetime, zone: ZoneInfo) -> NoticeTiming:
    """Return how long before the meeting the notice came; hours are hours, also over a change of the clocks."""
    midnight = meeting_at.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    return NoticeTiming(_elapsed(received_at, meeting_at), _elapsed(received_at, midnight))


def _elapsed(first: datetime, last: datetime) -> timedelta:
    return timedelta(seconds=last.timestamp() - first.timestamp())


def clock_error(sent_at: datetime, arrived_at: datetime) -> timedelta:
    """Return what to add to the times of a tablet that sent them at `sent_at`, by its own clock.

    The difference holds the time on the way too. That of a slow request would put its notes behind later ones, so that
    only a clock that is plainly wrong is corrected.
    """
    off = arrived_at - sent_at
    return timedelta(0) if timedelta(0) <= off < ON_THE_WAY else off


class RecordingDuty(StrEnum):
    """Guideline 5: the district records when a parent records. Where a meeting stands with that."""

    NONE = "none"
    """No parent records it, as far as anybody said."""
    AHEAD = "ahead"
    """A parent will record it, and it did not begin yet."""
    MET = "met"
    """A parent records it, and so does a box."""
    UNMET = "unmet"
    """A parent records or recorded it, and no box does: an incident record must say why."""
    FLAWED = "flawed"
    """A parent recorded it, and the district's recording has gaps: the same."""
    EXPLAINED = "explained"
    """One of both, and the incident record is there."""


GRACE: Final = timedelta(minutes=10)
"""How long after its planned begin a meeting may be without a recording before the page says so."""


def recording_duty(
    *,
    parent_records: bool,
    starts_at: datetime,
    recorded: bool,
    flawed: bool,
    explained: bool,
    cancelled: bool,
    now: datetime,
) -> RecordingDuty:
    """Return where a meeting stands with docs/policy.md, guideline 5."""
    if not parent_records or cancelled:
        return RecordingDuty.NONE
    if recorded and not flawed:
        return RecordingDuty.MET
    if explained:
        return RecordingDuty.EXPLAINED
    if recorded:
        return RecordingDuty.FLAWED
    return RecordingDuty.AHEAD if now < starts_at + GRACE else RecordingDuty.UNMET


LONGEST: Final = timedelta(hours=12)
"""No meeting is planned longer: a day that is typed wrong, or an event that is no meeting."""


class Planned(Protocol):
    """What fitting needs of a meeting."""

    @property
    def starts_at(self) -> datetime:
        """Planned begin."""

    @property
    def ends_at(self) -> datetime:
        """Planned end."""


M = TypeVar("M", bound=Planned)
EARLY: Final = timedelta(minutes=30)
"""How long before its planned begin a meeting's recording may begin."""
OVERRUN: Final = timedelta(hours=2)
"""How long after its planned end it may go on."""


def fitting(meetings: Iterable[M], began: datetime, ended: datetime) -> list[M]:
    """Return the meetings of a room that a recording made there from `began` to `ended` may be of.

    A meeting that overlaps as planned counts before one that would only fit by beginning early or going on longer: of
    two meetings one after the other, the recording of the first does not fit the second.
    """
    meetings = list(meetings)
    core = [one for one in meetings if one.starts_at < ended and began < one.ends_at]
    return core or [one for one in meetings if one.starts_at - EARLY < ended and began < one.ends_at + OVERRUN]
