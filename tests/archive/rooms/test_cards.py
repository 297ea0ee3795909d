"""What the rooms page says of a box: never more than is known, and never by color alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import pytest

from appliance.contract.status import Lights, RecorderStatus, State
from archive.devices.state import Judgment, Report, judge
from archive.rooms.cards import Card, card, warning
from archive.rooms.uploads import Uploads

NOW = datetime(2026, 11, 24, 15, 0, 0, tzinfo=UTC)
BOX = "box-7f3a0000"


def status(**other: Any) -> RecorderStatus:
    members: dict[str, Any] = {
        "box": BOX,
        "boot_id": "boot",
        "monotonic_ns": 1_000_000_000_000,
        "state": "idle",
        "ready": True,
        "recording": None,
        "since_ns": 940_000_000_000,
    }
    return RecorderStatus(**{**members, **other})


def recording(**other: Any) -> RecorderStatus:
    members = {"state": "recording", "recording": "a" * 32, "frames": 62 * 48000, "acked_frame": 60 * 48000}
    return status(**{**members, **other})


def shown(word: RecorderStatus, uploads: Uploads | None = None, **report: Any) -> Card:
    heard = Report(**{"online": True, "heard_at": NOW, "recorder": word, "live": True, **report})
    return card(BOX, "Room 12", judge(heard, NOW), uploads or Uploads(), UTC)


def test_a_ready_room() -> None:
    one = shown(status())
    assert (one.sign, one.words["state"], one.words["shape"]) == ("ready", "Ready", "✓")
    assert one.words["since"] == "Since 24 Nov, 14:59:00; last heard 24 Nov, 15:00:00."
    assert (one.words["kept"], one.words["faults"], one.words["uploads"]) == ("", "", "")


def test_a_recording_room_says_since_when_and_what_is_safe_where() -> None:
    one = shown(recording(lost_frames=24000), Uploads(current_s=58))
    assert (one.sign, one.words["state"]) == ("recording", "Recording")
    assert one.words["kept"] == "Safe on the box when last heard: 1:00, 0.5 s lost. Here: 0:58."
    assert (one.acknowledged_s, one.archived_s) == (60.0, 58.0)
    assert one.since == "2026-11-24T14:59:00Z"
    assert one.words["uploads"] == ""


def test_uploads_that_are_behind_are_said() -> None:
    assert shown(recording(), Uploads(current_s=10)).words["uploads"] == (
        "Uploads: this recording's upload is at least 50 s behind."
    )
    assert shown(status(), Uploads(waiting=1, unsealed=2)).words["uploads"] == (
        "Uploads: 1 recording has not arrived as a whole; 2 recordings have arrived and not been sealed yet."
    )


def test_faults_are_words_and_codes() -> None:
    one = shown(status(ready=False, faults=["microphone-missing"]), faults=("clock",))
    assert (one.sign, one.words["state"]) == ("at-fault", "At fault: a press would not record")
    assert one.faults == ["clock", "microphone-missing"]
    assert one.words["faults"] == (
        "Attention: the clock is not synchronized; times in the recording may be wrong (clock); "
        "the microphone is not there (microphone-missing)."
    )


def test_a_fault_beside_a_recording_or_readiness_is_not_hidden() -> None:
    amber = Lights(red="on", green="off", amber="on")
    assert shown(recording(lights=amber)).words["state"] == "Recording, needs attention"
    assert shown(status(), faults=("clock",)).words["state"] == "Ready, but needs attention"


def test_paused_is_not_called_recording() -> None:
    one = shown(recording(state="paused"))
    assert one.words["state"].startswith("Paused: not recording")
    assert one.words["shape"] == "▮▮"


@pytest.mark.parametrize(
    ("report", "text"),
    [
        ({"live": False}, "Silent: this box has not been heard since the archive began to listen"),
        ({"online": False}, "Silent: the box is not connected"),
        ({"heard_at": NOW - timedelta(seconds=40)}, "Silent: the box has stopped reporting"),
    ],
)
def test_promise_2_a_silent_box_is_never_called_ready_or_recording(report: dict[str, Any], text: str) -> None:
    one = shown(recording(), **report)
    assert (one.sign, one.words["state"]) == ("silent", text)
    assert one.words["kept"] == ""
    assert "not known" in one.words["since"]


def test_simulated_and_unverified_are_always_said() -> None:
    one = shown(status(panel="simulated"))
    assert one.words["panel"] == "Simulated: button and lamps are not real; red lamp unverified: no sensor sees it."
    assert shown(status(lamp="verified")).words["panel"] == ""


@pytest.mark.parametrize("state", get_args(State))
@pytest.mark.parametrize("ready", [True, False])
def test_every_state_of_a_recorder_has_a_shape_and_words(state: Any, ready: bool) -> None:
    one = shown(status(state=state, ready=ready))
    assert one.words["shape"]
    assert one.words["state"]


def test_a_box_without_a_room_goes_by_its_identifier() -> None:
    assert card(BOX, None, Judgment("silent", "unheard"), Uploads(), UTC).name == BOX


def test_when_the_archive_is_deaf_it_blames_itself() -> None:
    assert "listener is not running" in warning(None, False, NOW)
    assert "listener is not running" in warning(NOW - timedelta(seconds=11), True, NOW)
    assert "not connected to the broker" in warning(NOW, False, NOW)
    assert warning(NOW, True, NOW) == ""
