"""What a monitor is told about copies of the keys."""

from __future__ import annotations

from collections.abc import Iterator

from archive.core.metrics import Gauge

from .generations import generations


def gauges() -> Iterator[Gauge]:
    """Yield the figures."""
    yield Gauge("key_generations", "Copies of the keys that something still opens", len(generations()))
