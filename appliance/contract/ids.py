"""Opaque identifiers (docs/format.md section 1.1): random, so that no name of a person, room or meeting is in them."""

from __future__ import annotations

import secrets
from typing import Annotated

from pydantic import Field, StringConstraints

RECORDING_PATTERN = r"^[0-9a-f]{32}$"
BOX_PATTERN = r"^box-[a-z0-9-]{4,32}$"
DIGEST_PATTERN = r"^[0-9a-f]{64}$"

Int64 = Annotated[int, Field(ge=-(1 << 63), lt=1 << 63)]
"""An integer as every reader, and every database, can keep it (docs/format.md section 1.3)."""
Natural = Annotated[int, Field(ge=0, lt=1 << 63)]
"""One that counts."""
MAX_COUNT = 1 << 40
"""No count of frames, lines or bytes in a recording is larger: a million million frames are 66 days at 192 kHz. Sums of
as many as a recording can hold stay within 64 bits."""

RecordingId = Annotated[str, StringConstraints(pattern=RECORDING_PATTERN)]
BoxId = Annotated[str, StringConstraints(pattern=BOX_PATTERN)]
Digest = Annotated[str, StringConstraints(pattern=DIGEST_PATTERN)]


def new_recording_id() -> str:
    """Return a fresh recording identifier: 128 random bits."""
    return secrets.token_hex(16)


def new_box_id() -> str:
    """Return a fresh box identifier: 64 random bits."""
    return f"box-{secrets.token_hex(8)}"
