"""What a monitor is told about boxes: how many, never which."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import get_args

from archive.core.metrics import Gauge, timestamp

from .listener import standing
from .models import Box
from .reported_status import report
from .state import Kind, state_of_box


def gauges() -> Iterator[Gauge]:
    """Yield the figures."""
    listener = standing()
    now = listener.now
    boxes = Box.objects.filter(retired_at=None).select_related("status")
    kinds = Counter(state_of_box(report(getattr(box, "status", None)), now).kind for box in boxes)
    yield Gauge(
        "boxes", "Boxes by what they do, as they said lately; silent is what is not known",
        label="state", values={kind: float(kinds[kind]) for kind in get_args(Kind)},
    )  # fmt: skip
    yield Gauge(
        "listener_connected", "Whether the listener is connected to every broker",
        float(listener.alive_at is not None and not listener.lost),
    )  # fmt: skip
    yield Gauge(
        "listener_seen_timestamp_seconds", "When the listener last said that it works", timestamp(listener.alive_at)
    )  # fmt: skip
