"""Messages of docs/architecture.md and the machine's events and actions say the same."""

from __future__ import annotations

import pytest

from appliance.recorder.ipc.message_channel import Message
from appliance.recorder.supervisor import translate
from appliance.recorder.supervisor.machine import actions, events
from appliance.recorder.supervisor.machine.handlers import AnyEvent


@pytest.mark.parametrize(
    ("message", "event"),
    [
        ({"report": "warm"}, events.CaptureWarm(9)),
        ({"report": "opening", "at_ns": 5}, events.CaptureOpening(5)),
        ({"report": "opened", "at_ns": 5}, events.CaptureOpened(5)),
        ({"report": "closed", "at_ns": 5}, events.CaptureClosed(5)),
        ({"report": "failed", "code": "busy", "message": "no"}, events.CaptureFailed(9, "busy: no")),
        ({"report": "sings"}, None),
        ({}, None),
    ],
)
def test_what_capture_says(message: Message, event: AnyEvent | None) -> None:
    assert translate.from_capture(message, 9) == event


@pytest.mark.parametrize(
    ("message", "event"),
    [
        ({"report": "ready", "continues": "a" * 32, "recovered": []}, events.WriterReady(9, "a" * 32)),
        ({"report": "ready", "continues": None, "recovered": []}, events.WriterReady(9, None)),
        (
            {
                "report": "progress",
                "frames": 3,
                "acked_frame": 2,
                "write_seq": 7,
                "acked_line": 1,
                "lost_frames": 4,
                "free_bytes": 5,
            },
            events.WriterProgress(9, 3, 2, 7, acked_line=1, lost_frames=4, free_bytes=5),
        ),
        (
            {"report": "progress", "frames": 3, "acked_frame": 2, "write_seq": 7, "free_bytes": None},
            events.WriterProgress(9, 3, 2, 7),
        ),
        ({"report": "checked", "faults": ["x"], "free_bytes": 7}, events.WriterChecked(9, frozenset({"x"}), 7)),
        ({"report": "closed", "recording": None, "frames": 0}, events.WriterClosed(9)),
        ({"report": "fault", "code": "x", "message": "y", "fatal": True}, events.WriterFault(9, "x", fatal=True)),
        ({"report": "heard", "quiet": True, "faults": []}, events.Heard(9, quiet=True)),
        (
            {"report": "heard", "quiet": False, "faults": ["microphone-muted", "no-such-code"]},
            events.Heard(9, quiet=False, faults=frozenset({"microphone-muted"})),
        ),
        ({"report": "heard"}, events.Heard(9, quiet=False)),
        ({"report": None}, None),
    ],
)
def test_what_the_writer_says(message: Message, event: AnyEvent | None) -> None:
    assert translate.from_writer(message, 9) == event


@pytest.mark.parametrize(
    ("action", "message"),
    [
        (
            actions.BeginRecording("a", None, 4),
            {"do": "begin", "recording": "a", "continues": None, "created_ns": 4},
        ),
        (actions.Note({"kind": "lamp"}), {"do": "note", "entry": {"kind": "lamp"}}),
        (actions.GapCause("stall", 4), {"do": "note", "entry": {"kind": "gap", "t_ns": 4, "cause": "stall"}}),
        (actions.EndRecording("cap"), {"do": "end", "reason": "cap", "write_seq": 77}),
        (actions.CloseCapture(), None),
    ],
)
def test_what_the_writer_is_told(action: actions.Action, message: Message | None) -> None:
    assert translate.to_writer(action, 77) == message
