"""The arrival log: the archive signs a line for everything that arrives, at once (docs/format.md section 5.1)."""

from __future__ import annotations

from typing import Final, Literal

from appliance.contract.receipt import Arrival
from appliance.contract.signed import digest
from archive.keystore.current import keystore

from .models import Recording, StoredArrival

COLUMNS: Final = ("next_arrival", "last_arrival_sha256")
"""What `sign` changes in the recording's row."""


def sign(
    recording: Recording,
    what: Literal["header", "key", "lines", "tail", "seal"],
    sha256: str,
    *,
    at: str,
    first_line: int = 0,
    lines: int = 0,
) -> StoredArrival:
    """Return the log's next row, signed and not saved; `recording` is changed, and not saved either.

    Both are saved in the transaction that takes the thing in.
    """
    line = keystore().sign(
        Arrival(
            recording=recording.id,
            n=recording.next_arrival,
            prev=recording.last_arrival_sha256 or digest(bytes(recording.header)),
            arrived_at=at,
            what=what,
            first_line=first_line,
            lines=lines,
            sha256=sha256,
        )
    )
    row = StoredArrival(recording=recording, n=recording.next_arrival, line=line)
    recording.next_arrival, recording.last_arrival_sha256 = row.n + 1, digest(line)
    return row


def log_bytes(recording: Recording) -> bytes:
    """Return the arrival log so far, while it is not sealed."""
    lines = StoredArrival.objects.filter(recording=recording).order_by("n").values_list("line", flat=True)
    return b"".join(bytes(line) for line in lines)
