"""What a room may be shown as: only what was heard live counts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from appliance.contract.status import Lights, RecorderStatus, SilentStatus
from archive.devices.state import HEARTBEAT, Report, state_of_box

NOW = datetime(2026, 3, 4, 15, 0, tzinfo=UTC)
BOX = "box-7f3a"


def status(state: str, **members: Any) -> RecorderStatus:
    return RecorderStatus.model_validate(
        {
            "box": BOX,
            "boot_id": "a",
            "monotonic_ns": 1,
            "state": state,
            "ready": state == "idle",
            "recording": None,
            "since_ns": 0,
            **members,
        }
    )


def live(recorder: RecorderStatus | SilentStatus, age_s: float = 1.0) -> Report:
    return Report(online=True, heard_at=NOW - timedelta(seconds=age_s), recorder=recorder, live=True)


@pytest.mark.parametrize(
    ("state", "kind"),
    [
        ("arming", "recording"),
        ("recording", "recording"),
        ("paused", "recording"),
        ("ending", "recording"),
        ("idle", "ready"),
        ("fault", "at-fault"),
        ("self-test", "at-fault"),
    ],
)
def test_a_fresh_word_of_the_recorder_is_believed(state: str, kind: str) -> None:
    assert state_of_box(live(status(state)), NOW).kind == kind


def test_idle_and_not_ready_is_a_fault() -> None:
    assert state_of_box(live(status("idle", ready=False)), NOW).kind == "at-fault"


def test_a_box_that_never_spoke_is_silent() -> None:
    assert state_of_box(Report(), NOW).kind == "silent"


def test_a_retained_message_alone_makes_no_room_record() -> None:
    report = Report(online=True, heard_at=None, recorder=status("recording"), live=False)
    assert state_of_box(report, NOW).kind == "silent"


def test_a_word_older_than_the_heartbeat_is_silence() -> None:
    assert state_of_box(live(status("recording"), HEARTBEAT.total_seconds()), NOW).kind == "recording"
    assert state_of_box(live(status("recording"), HEARTBEAT.total_seconds() + 0.1), NOW).reason == "stale"


def test_a_word_of_before_the_clock_was_put_back_is_silence() -> None:
    """It lies in the future then, and would count as fresh until the clock is there again."""
    assert state_of_box(live(status("recording"), -HEARTBEAT.total_seconds()), NOW).kind == "recording"
    assert state_of_box(live(status("recording"), -HEARTBEAT.total_seconds() - 0.1), NOW).reason == "stale"


def test_a_box_that_is_offline_is_silent_at_once() -> None:
    report = Report(online=False, heard_at=NOW, recorder=status("recording"), live=True)
    assert state_of_box(report, NOW).reason == "offline"


def test_a_silent_recorder_is_never_shown_as_what_it_last_said() -> None:
    assert state_of_box(live(SilentStatus(box=BOX, last_monotonic_ns=5)), NOW).reason == "recorder-silent"


def test_amber_while_ready_or_recording_asks_for_attention() -> None:
    amber = state_of_box(live(status("idle", lights=Lights(amber="on"), faults=["disk-slow"])), NOW)
    assert (amber.kind, amber.attention, amber.faults) == ("ready", True, ("disk-slow",))
    assert not state_of_box(live(status("idle")), NOW).attention
