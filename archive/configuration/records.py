"""How the district keeps its records, and what drafts its transcripts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from .fields import Section


class Records(Section):
    """How the district keeps the life of its meetings."""

    district: Annotated[str, Field(max_length=120)] = "the district"
    """The district's name, as letters say it."""
    notice_reading: Literal["time", "day"] = "time"
    """How a notice of 24 hours is counted to tell a late one: to the meeting's `time`, or to the begin of its `day`.
    Pages show both. A late notice is only marked: nothing is denied (RSMo 162.686)."""
    notices_to: Annotated[str, Field(max_length=120)] = ""
    """To whom parents give notice that they will record; empty: the special-education director, in either language."""
    meeting_minutes: Annotated[int, Field(ge=5, le=480)] = 60
    """How long a meeting is planned where nobody says so, in minutes."""
    longest_brought_mib: Annotated[int, Field(ge=1, le=2048)] = 2048
    """The longest file that is taken in of a recording that no box made, in MiB."""
    longest_transfer_mib: Annotated[int, Field(ge=1, le=65536)] = 8192
    """The longest evidence package of another district's archive that the pages take in, in MiB; the command
    `take-in` takes any."""


class Transcription(Section):
    """A program on this host that drafts transcripts of sealed recordings, without any network."""

    engine: Literal["whisper.cpp", "pocketsphinx"] = "whisper.cpp"
    """`whisper.cpp` (pywhispercpp) writes what can be read; `pocketsphinx` is small, for trials, and mishears much."""
    model: Path
    """File of the model, which the district supplies: of whisper.cpp `ggml-*.bin`, of pocketsphinx `*.lm.bin`."""
    model_sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    """Digest of that file; another one is not used."""
    language: Literal["en", "es"] = "en"
    """In which language people speak."""
    every: bool = False
    """Whether each recording gets a draft once it is sealed; false: only one for which somebody asks."""
    threads: Annotated[int, Field(ge=1, le=64)] = 2
    """Threads that it may use; it yields to all other work."""
