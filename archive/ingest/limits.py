"""How large each kind of body may be, in bytes; decided before a byte of it is read."""

from __future__ import annotations

from typing import Final

from appliance.contract.chain import AGE_OVERHEAD
from appliance.contract.enrollment import MAX_MESSAGE
from appliance.contract.header import Header
from appliance.contract.segment import padded_size
from appliance.contract.signed import MAX_LINE

HEADER = 16 << 10
"""The header line; one with eight recipients and the longest texts has 9,000 bytes."""
KEY = 16 << 10
"""key.age; ten stanzas have 1,200 bytes."""
BATCH_SEGMENTS = 10
"""Most segments in one request (docs/format.md section 3)."""
BATCH_LINES = 2 * MAX_LINE
"""Room for the ledger lines of one request."""
LINES = 8 << 20
"""Ledger lines and their segments; ten segments of a second at 192 kHz stay below it."""
_SMALL: Final = {"header": HEADER, "key": KEY, "enroll": MAX_MESSAGE, "renew": MAX_MESSAGE}
"""By the last part of an address of the boxes' interface."""


def longest_body(path: str) -> int:
    """Return the most bytes that a body can have at a path of the boxes' interface, whatever a header says."""
    return _SMALL.get(path.rpartition("/")[2], LINES)


def segment(header: Header) -> int:
    """Return the most bytes that an encrypted segment of this recording can have."""
    return padded_size(header.audio.segment_frames) + AGE_OVERHEAD


def batch(header: Header) -> int:
    """Return the most bytes that one request with ledger lines can have."""
    return BATCH_LINES + BATCH_SEGMENTS * segment(header)
