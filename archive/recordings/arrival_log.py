"""The arrival log: the archive signs a line for everything that arrives, at once (docs/format.md section 5.1)."""

from __future__ import annotations

from typing import Literal

from appliance.contract.receipt import Arrival
from appliance.contract.signed import digest
from archive.keystore.current import keystore

from .models import ArrivalLine, Recording


def append(
    recording: Recording,
    what: Literal["header", "key", "lines", "tail", "seal"],
    sha256: str,
    *,
    at: str,
    first_line: int = 0,
    lines: int = 0,
) -> None:
    """Sign one arrival and add it to the log; only inside the transaction that takes the thing in."""
    last = ArrivalLine.objects.filter(recording=recording).order_by("-n").first()
    n, before = (0, bytes(recording.header)) if last is None else (last.n + 1, bytes(last.line))
    arrival = Arrival(
        recording=recording.id,
        n=n,
        prev=digest(before),
        arrived_at=at,
        what=what,
        first_line=first_line,
        lines=lines,
        sha256=sha256,
    )
    ArrivalLine.objects.create(recording=recording, n=n, line=keystore().sign(arrival))


def log_bytes(recording: Recording) -> bytes:
    """Return the arrival log so far, while it is not sealed."""
    lines = ArrivalLine.objects.filter(recording=recording).order_by("n").values_list("line", flat=True)
    return b"".join(bytes(line) for line in lines)
