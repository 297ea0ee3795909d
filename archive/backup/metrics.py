"""What a monitor is told about backups."""

from __future__ import annotations

from collections.abc import Iterator

from archive.core.metrics import Gauge, timestamp

from .finished import last_finished


def gauges() -> Iterator[Gauge]:
    """Yield the figures."""
    yield Gauge(
        "last_backup_timestamp_seconds",
        "When the last whole backup was made, with a copy of the keys in every place",
        timestamp(last_finished()),
    )
