"""What a box's own examinations found, for the people who look after it: the last commissioning, and the daily doctor.

It goes to the archive as a retained message. It holds no name, no path, no value and no level of sound (promise 7): a
check's fixed name, its verdict, and what to do.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from .check_result import CheckResult
from .ids import BoxId
from .times import WallTime

Source = Literal["commissioning", "doctor"]
SOURCES: Final[tuple[Source, ...]] = ("commissioning", "doctor")
MAX_FINDINGS: Final = 40
MAX_BYTES: Final = 32 << 10
"""Longest report in bytes."""
_Plain = Annotated[str, Field(max_length=400, pattern=r"^[ -~]*$")]


class Finding(BaseModel):
    """One thing that is not as it should be."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    check: Annotated[str, Field(pattern=r"^[a-z][a-z0-9 .'-]{1,39}$")]
    """What was looked at."""
    verdict: Literal["warning", "wrong"]
    remedy: _Plain
    """What to do, as a sentence."""


class HealthReport(BaseModel):
    """One examination; an empty list says that all is well."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: Literal[1] = 1
    box: BoxId
    source: Source
    made_at: WallTime
    """By the box's clock."""
    findings: Annotated[list[Finding], Field(max_length=MAX_FINDINGS)] = []


def file_name(source: Source) -> str:
    """Return the name of a report's file in the box's folder of reports."""
    return f"{source}.json"


def reported(results: list[CheckResult]) -> list[Finding]:
    """Return what of an examination is reported: what it found stays on the box, since it may hold paths and levels."""
    found = [
        Finding(check=result.check, verdict=result.verdict, remedy=_as_sentence(result.remedy))
        for result in results
        if result.verdict != "ok"
    ]
    return list(dict.fromkeys(found))[:MAX_FINDINGS]


def _as_sentence(text: str) -> str:
    plain = "".join(letter if " " <= letter <= "~" else "?" for letter in " ".join(text.split()))[:390]
    return plain if not plain or plain.endswith((".", "!", "?")) else f"{plain}."
