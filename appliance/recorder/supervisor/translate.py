"""Between the children's messages (docs/architecture.md) and the state machine's events and actions. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from appliance.contract import amber_codes
from appliance.recorder.ipc.message_channel import Message

from .machine import actions, events
from .machine.handlers import AnyEvent


def from_capture(message: Message, now_ns: int) -> AnyEvent | None:
    """Return the event that a message from capture is, or None if it is not known."""
    at_ns = _number(message, "at_ns", now_ns)
    match message.get("report"):
        case "warm":
            return events.CaptureWarm(now_ns)
        case "opening":
            return events.CaptureOpening(at_ns)
        case "opened":
            return events.CaptureOpened(at_ns)
        case "closed":
            return events.CaptureClosed(at_ns)
        case "failed":
            return events.CaptureFailed(now_ns, f"{message.get('code')}: {message.get('message')}")
        case _:
            return None


def from_writer(message: Message, now_ns: int) -> AnyEvent | None:
    """Return the event that a message from the writer is, or None if it is not known."""
    read = _FROM_WRITER.get(str(message.get("report")))
    return read(message, now_ns) if read else None


def _ready(message: Message, now_ns: int) -> events.WriterReady:
    continues = message.get("continues")
    return events.WriterReady(now_ns, continues if isinstance(continues, str) else None)


def _progress(message: Message, now_ns: int) -> events.WriterProgress:
    free_bytes = message.get("free_bytes")
    return events.WriterProgress(
        now_ns,
        frames=_number(message, "frames", 0),
        acked_frame=_number(message, "acked_frame", 0),
        write_seq=_number(message, "write_seq", 0),
        silence_frames=_number(message, "silence_frames", 0),
        acked_silence=_number(message, "acked_silence", 0),
        acked_line=_number(message, "acked_line", 0),
        lost_frames=_number(message, "lost_frames", 0),
        free_bytes=free_bytes if isinstance(free_bytes, int) else None,
    )


def _heard(message: Message, now_ns: int) -> events.Heard:
    known = frozenset(code for code in _codes(message) if amber_codes.known(code))
    return events.Heard(now_ns, quiet=message.get("quiet") is True, faults=known)


def _codes(message: Message) -> frozenset[str]:
    found = message.get("faults")
    return frozenset(str(code) for code in found) if isinstance(found, list) else frozenset()


_FROM_WRITER: Final[dict[str, Callable[[Message, int], AnyEvent]]] = {
    "ready": _ready,
    "progress": _progress,
    "heard": _heard,
    "checked": lambda message, now_ns: events.WriterChecked(now_ns, _codes(message), _number(message, "free_bytes", 0)),
    "closed": lambda _, now_ns: events.WriterClosed(now_ns),
    "fault": lambda message, now_ns: events.WriterFault(
        now_ns, str(message.get("code")), fatal=message.get("fatal") is True
    ),
}


def to_writer(action: actions.Action, write_seq: int) -> Message | None:
    """Return the message that an action is for the writer, or None if it is none."""
    match action:
        case actions.BeginRecording(recording=recording, continues=continues, created_ns=created_ns):
            return {"do": "begin", "recording": recording, "continues": continues, "created_ns": created_ns}
        case actions.Note(entry=entry):
            return {"do": "note", "entry": entry}
        case actions.GapCause(cause=cause, now_ns=now_ns):
            return {"do": "note", "entry": {"kind": "gap", "t_ns": now_ns, "cause": cause}}
        case actions.EndRecording(reason=reason):
            return {"do": "end", "reason": reason, "write_seq": write_seq}
        case _:
            return None


def _number(message: dict[str, Any], name: str, default: int) -> int:
    value = message.get(name)
    return value if isinstance(value, int) else default
