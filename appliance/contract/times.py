"""Wall-clock times and the clock's trust (docs/format.md section 1.4)."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
# [0-9], because \d matches the digits of every script
WALL_PATTERN = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z$"

FIRST_YEAR, LAST_YEAR = 1970, 2199
"""Years that a clock can show: one that lost its time begins in 1970; calendars of readers end not long after 2199."""


def wall(moment: datetime) -> str:
    """Return an aware moment in the format's form, UTC, milliseconds."""
    # strftime writes the year 1 with one digit
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def now() -> str:
    """Return the present wall-clock time in the format's form."""
    return wall(datetime.now(UTC))


def parse_wall(text: str) -> datetime:
    """Return the moment that `text` names."""
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)


def _exists(text: str) -> str:
    if not FIRST_YEAR <= parse_wall(text).year <= LAST_YEAR:
        raise ValueError(f"a moment lies in the years {FIRST_YEAR} to {LAST_YEAR}")
    return text


def boot_id() -> str:
    """Return the kernel's boot id, within which CLOCK_MONOTONIC counts."""
    return BOOT_ID.read_text(encoding="ascii").strip()


WallTime = Annotated[str, StringConstraints(pattern=WALL_PATTERN), AfterValidator(_exists)]
"""A moment in the format's form that is in the calendar."""


class Clock(BaseModel):
    """How far the box's wall clock can be trusted."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    synchronized: bool
    """Whether the kernel reports a disciplined clock (adjtimex status without STA_UNSYNC)."""
    source: Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,40}$")]
    """What disciplines it, for example `ntp`, `rtc` or `none`."""
    offset_ns: int | None
    """Last known offset in nanoseconds, or None."""
