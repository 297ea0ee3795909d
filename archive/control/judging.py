"""What needs attention, from what the archives told: pure, and the same for every archive."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Final, Literal

from pydantic import Field

from appliance.contract.times import WallTime, parse_wall, wall
from archive.store.base import FEW_HOURS, HOUR, NO_HOURS
from archive.ui import words
from archive.ui.signs import SIGNS, SignCode

from .districts import District
from .fetching import Answer, Problem
from .summary import CertificateEnd, Form, Part, Summary, Verdict

BACKUP_LATE: Final = timedelta(hours=25)
"""A backup is made every night."""
BACKUP_WRONG: Final = timedelta(days=7)
CLOCK_OFF: Final = timedelta(minutes=5)
"""So far an archive's clock and this host's may differ; the way of the answer is part of that."""

PROBLEMS: Final[dict[Problem, str]] = {
    "not-asked": "It was not asked: its token or its certificate authority cannot be read on this host.",
    "unreachable": "It does not answer: nothing is reached at its address.",
    "untrusted": "It was not asked: what answers at its address does not show a certificate that is believed.",
    "slow": "It did not answer in time.",
    "refused": "It refuses the token: the district may have taken it back.",
    "off": "It gives no counts: the district has not switched them on, or its version knows none.",
    "failing": "It answers that it cannot tell: its own doctor says why.",
    "unexpected": "What answers there does not answer as an archive does.",
    "other-version": "It answers in a form that this page does not know: bring both to one version.",
}
_PARTS: Final[dict[Part, str]] = {
    "database": "Its database does not work.",
    "store": "Its store takes no bytes.",
    "keys": "It cannot read its keys.",
    "listener": "It does not hear its boxes, so the states of its rooms are not known.",
    "worker": "Its worker does not work: nothing is sealed there.",
}


class Finding(Form):
    """Something that needs attention."""

    verdict: Verdict
    """How much."""
    words: str
    """What, as a sentence."""


class Seen(Form):
    """One archive, as this look found it."""

    name: str
    """The operator's word for it."""
    url: str
    """Where its pages are."""
    sign: Literal["at-fault", "unknown", "attention", "ready"]
    """What it needs, in one word: mending, an answer, a look, or nothing."""
    problem: Problem | None
    """Why nothing is known of it now; None if something is."""
    since: WallTime | None
    """Since when it has not answered; None if it does."""
    answered_at: WallTime | None
    """When it answered last; None if it never did."""
    findings: Annotated[tuple[Finding, ...], Field(max_length=20)]
    """What needs attention, the worst first."""
    summary: Summary | None
    """What it told; None if it did not answer."""


class Look(Form):
    """All archives at one moment: what `control.json` holds, and what the next look begins with."""

    version: Literal[1] = 1
    made_at: WallTime
    """When they were asked."""
    archives: tuple[Seen, ...]
    """Those first that need attention most."""


def look(districts: Sequence[District], answers: Sequence[Answer], before: Look | None, now: datetime) -> Look:
    """Return what the answers say; `before` tells since when an archive has not answered."""
    known = {one.url: one for one in before.archives} if before is not None else {}
    seen = [
        _seen(district, answer, known.get(district.url), now)
        for district, answer in zip(districts, answers, strict=True)
    ]
    return Look(made_at=wall(now), archives=tuple(sorted(seen, key=_urgency)))


def _seen(district: District, answer: Answer, before: Seen | None, now: datetime) -> Seen:
    answered_at = before.answered_at if before is not None else None
    since = before.since if before is not None else None
    findings: tuple[Finding, ...] = ()
    sign: Literal["at-fault", "unknown", "attention", "ready"] = "unknown"
    if answer.summary is not None:
        findings = tuple(sorted(judge(answer.summary, now), key=lambda one: one.verdict != "wrong"))
        worst = findings[0].verdict if findings else "ok"
        sign = "at-fault" if worst == "wrong" else "attention" if worst == "warning" else "ready"
    elif answer.problem is not None:
        findings = (Finding(verdict="wrong", words=PROBLEMS[answer.problem]),)
    return Seen(
        name=district.name,
        url=district.url,
        sign=sign,
        problem=answer.problem,
        since=None if answer.problem is None else since or wall(now),
        answered_at=answered_at if answer.summary is None else wall(now),
        findings=findings,
        summary=answer.summary,
    )


def _urgency(one: Seen) -> tuple[int, int, str]:
    return _ORDER[one.sign], -len(one.findings), one.name


_ORDER: Final[dict[SignCode, int]] = {code: place for place, code in enumerate(SIGNS)}


def judge(told: Summary, now: datetime) -> Iterator[Finding]:
    """Yield what needs attention about an archive that told `told` at the moment `now`."""
    for part in dict.fromkeys(told.failing):
        yield Finding(verdict="wrong", words=_PARTS[part])
    for certificate in told.certificates:
        yield from _certificate(certificate)
    if told.packages.damaged:
        damaged = words.count(told.packages.damaged, "package is", "packages are")
        yield Finding(verdict="wrong", words=f"{damaged} not what was sealed.")
    if told.packages.overdue:
        overdue = words.count(told.packages.overdue, "package was", "packages were")
        yield Finding(verdict="warning", words=f"{overdue} not checked within the period.")
    yield from _backup(told.backup_s)
    yield from _room(told.free_bytes)
    if "listener" not in told.failing:
        yield from _rooms(told)
    off = (parse_wall(told.at) - now).total_seconds()
    if abs(off) > CLOCK_OFF.total_seconds():
        side = "ahead of" if off > 0 else "behind"
        yield Finding(verdict="warning", words=f"Its clock is {words.spoken(abs(off))} {side} this one.")


def _certificate(one: CertificateEnd) -> Iterator[Finding]:
    if one.verdict == "ok":
        return
    what = "cannot be read"
    if one.ends_at is not None:
        ends = f"ends on {words.day(parse_wall(one.ends_at))}"
        what = f"cannot be used, or {ends}" if one.verdict == "wrong" else ends
    yield Finding(verdict=one.verdict, words=f"The certificate of the {one.whose} {what}.")


def _backup(age_s: int | None) -> Iterator[Finding]:
    if age_s is None:
        yield Finding(verdict="wrong", words="No backup was ever made.")
    elif timedelta(seconds=age_s) > BACKUP_LATE:
        verdict: Verdict = "wrong" if timedelta(seconds=age_s) > BACKUP_WRONG else "warning"
        yield Finding(verdict=verdict, words=f"Its last backup was made {words.ago(age_s)}.")


def _room(free: int | None) -> Iterator[Finding]:
    if free is None:
        yield Finding(verdict="wrong", words="Its disk cannot be read.")
    elif free // HOUR < FEW_HOURS:
        verdict: Verdict = "wrong" if free // HOUR < NO_HOURS else "warning"
        yield Finding(verdict=verdict, words=f"Its disk has room for {hours(free)} of audio.")


def hours(free: int) -> str:
    """Return how many hours of audio fit into so many bytes."""
    return words.count(free // HOUR, "hour", "hours")


def _rooms(told: Summary) -> Iterator[Finding]:
    for number, state in ((told.rooms.not_ready, "not ready"), (told.rooms.silent, "silent")):
        if number:
            yield Finding(verdict="warning", words=f"{words.count(number, 'room is', 'rooms are')} {state}.")
