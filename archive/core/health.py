"""Whether the archive works, for a load balancer or a monitor: three addresses, one word a part, no secret.

`/livez`: this process answers. `/readyz`: it can serve, so a load balancer may send requests here. `/healthz`: all of
the archive works, worker and listener as well. Each app registers what it can tell (`AppConfig.ready`), since this one
knows none of them.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Final

from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, connection
from django.db.models.functions import Now
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

from appliance.contract.errors import PlainSightError

from .database_clock import SLACK, why_off
from .models import SignOfLife

LATE: Final = timedelta(seconds=15)
"""A process that gave no sign of life for so long does not work; those that work give one every few seconds."""
REMEMBERED_S: Final = 2.0
"""An answer is given again for so long, in seconds, so that asking often costs nothing."""
DATABASE: Final = "database"
CLOCK: Final = "clock"
Probe = Callable[[], bool]
_log = logging.getLogger(__name__)
_probes: dict[str, Probe] = {}
_serving: set[str] = {DATABASE, CLOCK}
"""Parts without which no request can be served."""
_last: tuple[float, dict[str, bool]] = (float("-inf"), {})


def register(part: str, probe: Probe, *, serving: bool = False) -> None:
    """Ask `probe` from now on whether `part` works; it may raise DatabaseError, PlainSightError or OSError for no.

    `serving` tells that no request can be served without this part.
    """
    _probes[part] = probe
    if serving:
        _serving.add(part)


def alive(part: str) -> None:
    """Say that the process `part` works; it says so every few seconds."""
    # by the database's clock, here and below: the hosts' own may differ
    SignOfLife.objects.update_or_create(part=part, defaults={"at": Now()})


def is_alive(part: str) -> bool:
    """Tell whether the process `part` said so lately."""
    # a sign of a time to come was given before the clock was put back, by a process that may long be dead
    return SignOfLife.objects.filter(part=part, at__gt=Now() - LATE, at__lte=Now() + SLACK).exists()


def look() -> dict[str, bool]:
    """Return what works."""
    return {part: _works(part, probe) for part, probe in {DATABASE: _database, CLOCK: _clock, **_probes}.items()}


def _works(part: str, probe: Probe) -> bool:
    try:
        return probe()
    except (DatabaseError, PlainSightError, OSError) as error:
        _log.warning("%(part)s does not work: %(problem)s", {"part": part, "problem": error})
        return False


def _database() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        return bool(cursor.fetchone())


def _clock() -> bool:
    try:
        off = why_off()
    except DatabaseError:
        # nobody knows, and the database's own word tells that
        return True
    if off:
        _log.error("%(problem)s", {"problem": off})
    return not off


def _remembered() -> dict[str, bool]:
    global _last  # noqa: PLW0603 - one answer a process, whichever thread looked
    if time.monotonic() - _last[0] > REMEMBERED_S:
        _last = (time.monotonic(), look())
    return _last[1]


def _told(parts: dict[str, bool]) -> HttpResponse:
    words = {part: "works" if works else "fails" for part, works in parts.items()}
    return JsonResponse({"version": 1, "parts": words}, status=200 if all(parts.values()) else 503)


@require_safe
@login_not_required
def healthz(_request: HttpRequest) -> HttpResponse:
    """Answer 200 if every part works, else 503; anybody may ask, so there is nothing but words in it."""
    return _told(_remembered())


@require_safe
@login_not_required
def readyz(_request: HttpRequest) -> HttpResponse:
    """Answer 200 if requests can be served, else 503; a worker that stands still is no reason to send none."""
    return _told({part: works for part, works in _remembered().items() if part in _serving})


@require_safe
@login_not_required
def livez(_request: HttpRequest) -> HttpResponse:
    """Answer 200: this process does. Nothing is looked at, so that a database that is away restarts no process."""
    return _told({})
