"""The control page of an operator: the counts that it gets, and whether it gets any."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, get_args

from django.conf import settings
from django.utils import timezone

from appliance.contract.check_result import CheckResult
from appliance.contract.times import LAST_YEAR, wall
from appliance.contract.version import software
from archive.configuration.web import Control
from archive.control.deeds import last_given
from archive.control.summary import CertificateEnd, Packages, Part, Rooms, Summary
from archive.core import health
from archive.core.jobs import WORKER
from archive.core.models import SignOfLife
from archive.keystore.last_backup import last_backup
from archive.recordings import fixity
from archive.records.today.readiness import READY
from archive.rooms.views import cards_now

from . import certificates, storage

_LAST: Final = datetime(LAST_YEAR, 12, 31, tzinfo=UTC)
"""Stands for later ends: a certificate that has none says the year 9999 (RFC 5280 section 4.1.2.5)."""

_FROM_GOOD_TO_BAD: Final = ("ok", "warning", "wrong")


def look() -> str:
    """Return the day on which the counts were last given; empty if they never were."""
    last = last_given()
    return last.at[:10] if last is not None else ""


def check(chosen: Control, last: str) -> Iterator[CheckResult]:
    """Yield who gets the counts: nothing of it is wrong, but the district should know."""
    if chosen.token_file is None:
        yield CheckResult("control page", "ok", "off: no operator gets this archive's counts")
    else:
        given = f"last on {last}" if last else "which has not happened yet"
        yield CheckResult("control page", "ok", f"whoever shows the token of [control] gets counts, {given}")


def summarize(home: Path, now: datetime) -> Summary:
    """Return the counts at the moment `now`; raise DatabaseError or StorageError where they cannot be read."""
    works = health.look()
    worker = SignOfLife.objects.filter(part=WORKER).values_list("at", flat=True).first()
    found = fixity.report(now)
    return Summary(
        at=wall(now),
        software=software(),
        failing=tuple(part for part in get_args(Part) if not works.get(part, False)),
        certificates=_ends(certificates.look(settings.ARCHIVE, home), now),
        rooms=_rooms(),
        packages=Packages(damaged=len(found.damaged), overdue=found.overdue, oldest_check_s=_age(found.oldest, now)),
        worker_s=_age(worker, now),
        backup_s=_age(last_backup(), now),
        free_bytes=storage.free_bytes(home),
    )


def _rooms() -> Rooms:
    signs = [card.sign for card in cards_now(timezone.get_current_timezone())]
    ready, silent = sum(sign in READY for sign in signs), signs.count("unknown")
    return Rooms(ready=ready, not_ready=len(signs) - ready - silent, silent=silent)


def _ends(seen: list[certificates.CertificateLook], now: datetime) -> tuple[CertificateEnd, ...]:
    """Return one end for each kind of certificate: the name of a group's broker is a word of the district's."""
    kinds: dict[str, list[certificates.CertificateLook]] = {}
    for one in seen:
        kinds.setdefault(one.name.split()[0], []).append(one)
    return tuple(_end(whose, of_kind, now) for whose, of_kind in kinds.items())


def _end(whose: str, seen: list[certificates.CertificateLook], now: datetime) -> CertificateEnd:
    """Return the earliest end, or None where one cannot be read, and the worst verdict."""
    ends = [one.ends_at for one in seen if one.ends_at is not None]
    ends_at = wall(min(*ends, _LAST)) if len(ends) == len(seen) else None
    verdict = max((certificates.check(one, now).verdict for one in seen), key=_FROM_GOOD_TO_BAD.index)
    return CertificateEnd.model_validate({"whose": whose, "ends_at": ends_at, "verdict": verdict})


def _age(moment: datetime | None, now: datetime) -> int | None:
    return None if moment is None else max(now - moment, timedelta()) // timedelta(seconds=1)
