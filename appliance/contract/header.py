"""The header of a recording (docs/format.md section 2.1)."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from .ids import MAX_COUNT, BoxId, Digest, RecordingId
from .keys import PublicKey
from .signed import SignedModel, check_signature
from .times import Clock, WallTime

AgeRecipient = Annotated[str, StringConstraints(pattern=r"^age1[a-z0-9]{58}$")]
Text = Annotated[str, StringConstraints(max_length=200)]


class Audio(BaseModel):
    """The shape of the audio: mono, 16-bit signed."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    rate: int = Field(default=48000, ge=8000, le=192000)
    """Frames in a second."""
    channels: Literal[1] = 1
    """Always one."""
    bits: Literal[16] = 16
    """Bits in a sample."""
    segment_frames: int = Field(default=48000, ge=1000, le=192000)
    """Most frames in one segment."""
    max_frames: int = Field(ge=1, le=MAX_COUNT)
    """Frames at which the box ends the recording by itself."""


class Microphone(BaseModel):
    """Which microphone was asked for."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    device: Text
    """The PortAudio device name."""
    card: Text
    """The ALSA card identifier, or empty."""
    identity: Text
    """The USB identity `vendor:product`, or empty."""


class Header(SignedModel):
    """What the box promises at the start of a recording."""

    type: Literal["plainsight/header/1"] = "plainsight/header/1"
    recording: RecordingId
    box: BoxId
    box_key: PublicKey
    created_at: WallTime
    created_ns: int
    boot_id: Text
    clock: Clock
    continues: RecordingId | None
    audio: Audio
    recipient: AgeRecipient
    key_sha256: Digest
    key_recipients: list[AgeRecipient] = Field(min_length=1, max_length=8)
    panel: Literal["gpio", "simulated"]
    lamp: Literal["verified", "unverified"]
    microphone: Microphone
    software: Text

    @classmethod
    def read_own(cls, line: bytes) -> Self:
        """Return what `line` says, its signature checked with the key that it names itself.

        Only where it is decided elsewhere whether that key is the box's. Raises FormatError or SignatureError.
        """
        header = cls.read(line, None)
        check_signature(line, header.box_key)
        return header
