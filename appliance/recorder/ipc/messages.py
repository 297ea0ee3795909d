"""The control messages between the supervisor and its children (docs/architecture.md, control messages).

One model a message, one union of them all, told apart by `kind`; encoded and decoded here and nowhere else. The state
machine makes the messages to the writer itself, and is given the children's messages as they are.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from appliance.contract.errors import PlainSightError
from appliance.contract.ids import RecordingId
from appliance.contract.ledger import AudioSpan, Cause, Count, EndWarning, Fault, Lamp, Reason
from appliance.contract.problems import explain, location
from appliance.contract.status import FaultCode


class MessageError(PlainSightError):
    """A packet is no message that the recorder knows, or is too long."""

    code: ClassVar[str] = "bad-message"


class _Message(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class OpenMicrophone(_Message):
    """To capture: open this device; sent once, and only with the lit-lamp token."""

    kind: Literal["open-microphone"] = "open-microphone"
    device: str
    """The PortAudio device's name, or a part of it that no other device has."""
    generation: Annotated[int, Field(ge=1)]
    """Number of the capture within its recording, from 1."""


class CloseMicrophone(_Message):
    """To capture: close the device and exit."""

    kind: Literal["close-microphone"] = "close-microphone"


class CaptureReady(_Message):
    """From capture: everything is imported, and PortAudio is untouched."""

    kind: Literal["capture-ready"] = "capture-ready"


class MicrophoneOpening(_Message):
    """From capture: PortAudio is about to be initialized."""

    kind: Literal["microphone-opening"] = "microphone-opening"
    at_ns: int
    """CLOCK_MONOTONIC, in nanoseconds."""


class MicrophoneClosed(_Message):
    """From capture: PortAudio is terminated, and the process exits."""

    kind: Literal["microphone-closed"] = "microphone-closed"
    at_ns: int
    """CLOCK_MONOTONIC, in nanoseconds."""


class CaptureFailed(_Message):
    """From capture: the device could not be opened, or was lost."""

    kind: Literal["capture-failed"] = "capture-failed"
    code: str
    """Stable name of the failure, for the journal."""
    message: str
    """What failed and what to do, for a person."""


class BeginRecording(_Message):
    """To the writer: begin a recording."""

    kind: Literal["begin-recording"] = "begin-recording"
    recording: RecordingId
    continues: RecordingId | None
    """The interrupted recording that this one goes on from, if the writer still finds that so."""
    created_ns: int
    """CLOCK_MONOTONIC of the press, in nanoseconds."""


class EnterFact(_Message):
    """To the writer: enter this in the ledger."""

    kind: Literal["enter-fact"] = "enter-fact"
    fact: Annotated[Lamp | AudioSpan | Fault | EndWarning, Field(discriminator="kind")]


class EnterPause(_Message):
    """To the writer: enter that recording paused or resumed; the writer knows the frame."""

    kind: Literal["enter-pause"] = "enter-pause"
    t_ns: int
    """CLOCK_MONOTONIC when it happened, in nanoseconds."""
    paused: bool


class ExpectGap(_Message):
    """To the writer: why frames are missing before the next capture; the writer measures how many and enters it."""

    kind: Literal["expect-gap"] = "expect-gap"
    cause: Cause


class EndRecording(_Message):
    """To the writer: save what the ring holds, then close the recording. The microphone is closed already."""

    kind: Literal["end-recording"] = "end-recording"
    reason: Reason


class StopWriter(_Message):
    """To the writer: exit."""

    kind: Literal["stop-writer"] = "stop-writer"


class WriterReady(_Message):
    """From the writer: the spool can be used, and what was left open is closed."""

    kind: Literal["writer-ready"] = "writer-ready"
    continues: RecordingId | None
    """The recording that the last crash interrupted less than ten minutes ago, or that may turn out so at the press."""


class RecordingProgress(_Message):
    """From the writer: the account of the running recording, after each thing written."""

    kind: Literal["recording-progress"] = "recording-progress"
    recording: RecordingId
    frames: Count
    """Frames captured, those that wait in the ring included."""
    write_seq: Count
    """Blocks that capture had put into the ring when `frames` was counted; all of them are in it."""
    silence_frames: Count
    """Frames of `frames` that are silence in place of lost ones."""
    acked_frame: Count
    """Frames acknowledged (docs/format.md section 2.6)."""
    acked_silence: Count
    """Frames of `acked_frame` that are silence in place of lost ones."""
    acked_line: Count
    """Ledger lines acknowledged."""
    lost_frames: Count
    """Frames written as silence."""
    free_bytes: Count | None = None
    """Free space of the spool, or None if the disk does not tell."""


class RecordingClosed(_Message):
    """From the writer: the recording's closing record is on disk, or nothing of it ever came to the disk."""

    kind: Literal["recording-closed"] = "recording-closed"
    recording: RecordingId | None
    """None where nothing ever came to the disk."""
    frames: Count
    """Frames acknowledged."""


class WriterFault(_Message):
    """From the writer: a code holds from now on."""

    kind: Literal["writer-fault"] = "writer-fault"
    code: FaultCode
    message: str
    """What failed and what to do, for a person."""
    fatal: bool
    """Whether the recording cannot be saved any longer."""


class MicrophoneVerdict(_Message):
    """From the writer: what the sound says about the microphone, whenever that changes; never a level (promise 7)."""

    kind: Literal["microphone-verdict"] = "microphone-verdict"
    quiet: bool
    """A live microphone gives no more than its own noise."""
    faults: frozenset[FaultCode] = frozenset()
    """Every amber code that the sound asks for now."""


class SpoolChecked(_Message):
    """From the writer: the spool was tried, every 30 s when idle, and whenever a code holds no longer."""

    kind: Literal["spool-checked"] = "spool-checked"
    free_bytes: Count
    faults: frozenset[FaultCode] = frozenset()
    """Every code of the writer that holds now."""


ToCapture = OpenMicrophone | CloseMicrophone
FromCapture = CaptureReady | MicrophoneOpening | MicrophoneClosed | CaptureFailed
ToWriter = BeginRecording | EnterFact | EnterPause | ExpectGap | EndRecording | StopWriter
FromWriter = WriterReady | RecordingProgress | RecordingClosed | WriterFault | MicrophoneVerdict | SpoolChecked
Message = Annotated[ToCapture | FromCapture | ToWriter | FromWriter, Field(discriminator="kind")]
_MESSAGES: TypeAdapter[Message] = TypeAdapter(Message)


def encode(message: Message) -> bytes:
    """Return a message's packet."""
    return message.model_dump_json().encode("utf-8")


def decode(packet: bytes) -> Message:
    """Return the message in a packet; raise MessageError that names the offending member."""
    try:
        return _MESSAGES.validate_json(packet)
    except ValidationError as error:
        raise MessageError(f"not a message of this recorder: {explain(error)}", field=location(error)) from error
