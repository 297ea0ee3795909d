"""Figures for a monitor, read from rows when it asks: nothing is counted in a process.

Whoever may ask holds the token of `[metrics] token_file`; without that setting nobody is answered. No label is a name
or an identifier: only words that stand in the code. Each app registers its own figures (`AppConfig.ready`).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from django.db import DatabaseError

from appliance.contract.errors import PlainSightError

from .health import look
from .models import SignOfLife

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Gauge:
    """One figure, or one for each value of a label."""

    name: str
    """Without the prefix, with its unit at the end, as Prometheus asks for it."""
    help: str
    """What it is, as a sentence without a full stop."""
    value: float | None = None
    """Of a figure without a label; None where it is not known, which leaves it out."""
    label: str = ""
    """Name of the label; empty without one."""
    values: dict[str, float] = field(default_factory=dict)
    """By the label's value: a word that stands in the code, never a name or an identifier."""


Provider = Callable[[], Iterable[Gauge]]
_providers: list[Provider] = []


def provide(provider: Provider) -> None:
    """Ask `provider` for figures at each scrape; it may raise DatabaseError, PlainSightError or OSError."""
    _providers.append(provider)


def timestamp(moment: datetime | None) -> float | None:
    """Return a moment as Prometheus wants it: seconds since 1970."""
    return None if moment is None else moment.timestamp()


def gauges() -> Iterator[Gauge]:
    """Yield every figure; a provider that fails leaves its own out, and is counted."""
    failed = 0
    for provider in (_own, *_providers):
        try:
            yield from list(provider())
        except (DatabaseError, PlainSightError, OSError) as error:
            failed += 1
            _log.warning("a figure for the monitor cannot be read: %(problem)s", {"problem": error})
    yield Gauge("metrics_failed", "Groups of figures that could not be read and are missing here", failed)


def _own() -> Iterator[Gauge]:
    yield Gauge(
        "part_works",
        "Whether a part of the archive works (1) or not (0)",
        label="part",
        values={part: float(works) for part, works in look().items()},
    )
    yield Gauge(
        "process_seen_timestamp_seconds",
        "When a process last said that it works",
        label="part",
        values={row.part: row.at.timestamp() for row in SignOfLife.objects.all()},
    )
