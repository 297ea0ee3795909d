"""What a monitor is told about copies of the keys."""

from __future__ import annotations

from collections.abc import Iterator

from archive.core.metrics import Gauge, timestamp

from .generations import generations, made_at


def gauges() -> Iterator[Gauge]:
    """Yield the figures."""
    names = generations()
    yield Gauge("key_generations", "Copies of the keys that something still opens", len(names))
    newest = timestamp(made_at(names[-1])) if names else None
    yield Gauge("last_backup_timestamp_seconds", "When the keys were last copied, which every backup does", newest)
