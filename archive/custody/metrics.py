"""What a monitor is told about the custody log."""

from __future__ import annotations

from collections.abc import Iterator

from archive.core.metrics import Gauge

from .models import Head
from .witnesses import read_state


def gauges() -> Iterator[Gauge]:
    """Yield the figures."""
    head = Head.objects.filter(pk=1).first()
    yield Gauge("custody_entries", "Entries of the custody log", float(head.n) if head else None)
    yield Gauge(
        "custody_witness_timestamp_seconds",
        "When a witness last took the custody log's head",
        label="witness",
        # the setting alone: an address is nobody's business
        values={name.split()[0].removeprefix("custody."): one.at.timestamp() for name, one in read_state().items()},
    )
