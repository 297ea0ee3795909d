"""What the archive and the process that transcribes say to each other: lines of JSON, and sound.

To the process: one `Begin` line, then for each stretch of sound a `Sound` line and its samples (16 kHz, mono, 16-bit
little-endian). From it: `Ready` once it may be given sound, then for each stretch what was `Said`, and `Done`; or
`Failed`, once, with a code that never holds a word of what was heard.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, TypeAdapter

RATE: Final = 16_000
"""Samples in a second of what an engine gets."""
LONGEST_LINE: Final = 1 << 16
"""Bytes of a line."""
MOST_SAMPLES: Final = RATE * 600
"""Samples of one stretch."""


class _Message(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Begin(_Message):
    """What to use."""

    engine: str
    model: str
    """Path of the model's file."""
    model_sha256: str
    language: str
    threads: int


class Sound(_Message):
    """How many samples follow."""

    samples: Annotated[int, Field(ge=0, le=MOST_SAMPLES)]


class Ready(_Message):
    """The model is the one that was asked for, and there is no network."""

    kind: Literal["ready"] = "ready"
    program: Annotated[str, Field(max_length=80)]
    """Name and version of the engine."""


class Said(_Message):
    """Some words."""

    kind: Literal["said"] = "said"
    start_ms: Annotated[int, Field(ge=0)]
    """From the start of this stretch, in milliseconds."""
    end_ms: Annotated[int, Field(ge=0)]
    text: Annotated[str, Field(max_length=2000)]


class Done(_Message):
    """All of this stretch was written down."""

    kind: Literal["done"] = "done"


class Failed(_Message):
    """There will be no transcript."""

    kind: Literal["failed"] = "failed"
    code: Annotated[str, Field(pattern=r"^[a-z-]{1,40}$")]


Answer = Annotated[Ready | Said | Done | Failed, Discriminator("kind")]
ANSWER: Final[TypeAdapter[Answer]] = TypeAdapter(Answer)
