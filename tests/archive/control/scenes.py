"""What archives told a control page, made up."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

from appliance.contract.times import wall
from archive.control.districts import ControlPage, District
from archive.control.fetching import Answer, Problem
from archive.control.judging import Look, look
from archive.control.summary import CertificateEnd, Packages, Rooms, Summary

NOW = datetime(2026, 11, 26, 21, 5, tzinfo=UTC)
GOOD = Summary(
    at=wall(NOW),
    software="plainsight 0.1.0",
    failing=(),
    certificates=(CertificateEnd(whose="pages", ends_at="2027-08-01T00:00:00.000Z", verdict="ok"),),
    rooms=Rooms(ready=12, not_ready=0, silent=0),
    packages=Packages(damaged=0, overdue=0, oldest_check_s=40 * 86400),
    worker_s=2,
    backup_s=6 * 3600,
    free_bytes=1_200_000_000_000,
)


def changed(**members: Any) -> Summary:
    """The good one, with other members."""
    return Summary.model_validate(GOOD.model_dump() | members)


def district(name: str, url: str = "", token: Path = Path("/nowhere"), ca: Path | None = None) -> District:
    """An archive that is asked."""
    return District(name=name, url=url or f"https://{name.lower()}.example", token_file=token, ca=ca)


def page_of(*districts: District) -> ControlPage:
    """The operator's file."""
    return ControlPage(archives=districts)


def everything() -> tuple[Look, ControlPage]:
    """A look with each state and each reason why nothing is known, and one archive with all that is bad."""
    ends = tuple({"whose": whose, "ends_at": wall(NOW), "verdict": "wrong"} for whose in WHOSE)
    worst = changed(
        software="plainsight 0.1.0+20261126.longest-that-the-pattern-has.abcdefgh",
        failing=("database", "store", "keys", "worker"),
        certificates=ends,
        rooms={"ready": 0, "not_ready": 1_000_000, "silent": 1_000_000},
        packages={"damaged": 1_000_000, "overdue": 1_000_000, "oldest_check_s": 10**10},
        worker_s=10**10,
        backup_s=10**10,
        free_bytes=0,
    )
    answers = [Answer(GOOD), Answer(changed(backup_s=30 * 3600)), Answer(worst)]
    answers += [Answer(problem=one) for one in get_args(Problem)]
    name = "Consolidated School District of the Northern Counties and the Lakes, number {}"
    districts = [
        District(name=name.format(number), url=f"https://{number}.example", token_file=Path("/t"))
        for number in range(len(answers))
    ]
    return look(districts, answers, None, NOW), page_of(*districts)


WHOSE = ("pages", "boxes", "broker", "listener", "authority")
