"""What an archive tells a control page, and all that it can tell: counts, ages, ends, and words that stand here.

There is no member that could hold a name: each is a bounded number, a moment, one of a few words, or the software's
version. `tests/archive/control/test_summary.py` holds the list of members and their kinds; a new one is a decision.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from appliance.contract.times import WallTime

VERSION: Final = 1
"""Of this form; another set of members is another version."""
PATH: Final = "/control.json"
"""Where an archive answers with it."""
MOST_BYTES: Final = 16 << 10
"""Most bytes of an answer, its headers included; one has about 1 kB."""

Count = Annotated[int, Field(ge=0, le=1_000_000)]
Age = Annotated[int, Field(ge=0, le=10**10)]
"""Seconds before the answer was made, by the archive's own clock."""
Software = Annotated[str, StringConstraints(pattern=r"^plainsight [0-9A-Za-z.+~() -]{1,60}$")]
Part = Literal["database", "store", "keys", "listener", "worker"]
Verdict = Literal["ok", "warning", "wrong"]


class Form(BaseModel):
    """A form with exactly its members, each of exactly its type."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Rooms(Form):
    """How many boxes, each standing for its room, are in which state now; together all that are not retired."""

    ready: Count
    """A press would record, or the box records."""
    not_ready: Count
    """The box says that something needs attention."""
    silent: Count
    """Not known."""


class CertificateEnd(Form):
    """When a certificate of the archive's host ends."""

    whose: Literal["pages", "boxes", "broker", "listener", "authority"]
    """What shows it."""
    ends_at: WallTime | None
    """When it ends; None where it cannot be read."""
    verdict: Verdict
    """What the archive's own doctor says about it."""


class Packages(Form):
    """What the regular checks of the sealed packages found."""

    damaged: Count
    """Packages that are not what was sealed."""
    overdue: Count
    """Packages that were not checked within the period."""
    oldest_check_s: Age | None
    """Age of the oldest check that counts; None where there is no package."""


class Summary(Form):
    """One archive at one moment."""

    version: Literal[1] = VERSION
    at: WallTime
    """When the archive made it, by its own clock."""
    software: Software
    """Name and version of what runs there."""
    failing: Annotated[tuple[Part, ...], Field(max_length=5)]
    """Parts that do not work."""
    certificates: Annotated[tuple[CertificateEnd, ...], Field(max_length=5)]
    """Those that lie on the archive's host; a proxy's in front is not among them."""
    rooms: Rooms
    packages: Packages
    worker_s: Age | None
    """Age of the worker's last sign of life; None where it never gave one."""
    backup_s: Age | None
    """Age of the last backup; None where none was made."""
    free_bytes: Annotated[int, Field(ge=0, le=2**63 - 1)] | None
    """Free room on the archive's disk; None where it cannot be told."""
