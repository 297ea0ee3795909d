"""What a monitor is told about copies of the keys."""

from __future__ import annotations

from collections.abc import Iterator

from archive.core.metrics import Gauge, timestamp

from .generations import generations
from .last_backup import last_backup


def gauges() -> Iterator[Gauge]:
    """Yield the figures."""
    yield Gauge("key_generations", "Copies of the keys that something still opens", len(generations()))
    yield Gauge(
        "last_backup_timestamp_seconds",
        "When the last whole backup was made, with a copy of the keys in every place",
        timestamp(last_backup()),
    )
