"""What the rooms page says of a box: never more than is known, and never by color alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import pytest

from appliance.contract.health import Finding, HealthReport
from appliance.contract.status import Lights, RecorderStatus, State
from archive.devices.state import BoxState, Report, state_of_box
from archive.rooms.cards import Card, card, deaf, summary, title, warning
from archive.rooms.uploads import Uploads
from archive.ui.signs import SIGNS

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
    return card(BOX, "Room 12", state_of_box(heard, NOW), uploads or Uploads(), NOW, room="5e1")


def test_a_ready_room() -> None:
    one = shown(status())
    assert (one.sign, one.words["state"]) == ("ready", "Ready")
    assert one.words["since"] == "Since 2:59:00 pm UTC, 1 min ago. Last heard 3:00:00 pm UTC, just now."
    assert (one.words["kept"], one.troubles, one.words["uploads"]) == ("", [], "")


def test_a_recording_room_says_since_when_and_what_is_safe_where() -> None:
    one = shown(recording(lost_frames=24000), Uploads(current_s=58))
    assert (one.sign, one.words["state"]) == ("recording", "Recording")
    assert one.words["kept"] == "Safe on the box: at least 1:00, 0.5 s lost. In the archive: 0:58."
    assert (one.acknowledged_s, one.archived_s) == (60.0, 58.0)
    assert one.since == "2026-11-24T14:59:00Z"
    assert one.words["uploads"] == ""


def test_uploads_that_are_behind_are_said() -> None:
    assert shown(recording(), Uploads(current_s=10)).words["uploads"] == (
        "The upload of this recording is at least 50 s behind."
    )
    assert shown(status(), Uploads(waiting=1, unsealed=2)).words["uploads"] == (
        "1 recording has not arrived completely. 2 recordings have arrived and not been sealed yet."
    )


def test_faults_are_words_codes_and_remedies() -> None:
    one = shown(status(ready=False, faults=["microphone-missing"]), faults=("clock",))
    assert (one.sign, one.words["state"]) == ("at-fault", "At fault: a press would not record")
    assert [trouble.code for trouble in one.troubles] == ["clock", "microphone-missing"]
    assert one.troubles[1].cause == "The microphone is not there."
    assert one.troubles[1].remedy.startswith("Plug the microphone in again")


def test_a_fault_beside_a_recording_or_readiness_is_not_hidden() -> None:
    amber = Lights(red="on", green="off", amber="on")
    assert shown(recording(lights=amber)).words["state"] == "Recording, needs attention"
    troubled = shown(status(), faults=("clock",))
    assert (troubled.sign, troubled.words["state"]) == ("attention", "Ready, but needs attention")


def test_paused_is_not_called_recording() -> None:
    one = shown(recording(state="paused"))
    assert (one.sign, one.words["state"]) == ("paused", "Paused: nothing is recorded")


@pytest.mark.parametrize(
    ("report", "text"),
    [
        ({"live": False}, "Not known: the archive has not heard this box since it began to listen"),
        ({"online": False}, "Not known: the box is not connected"),
        ({"heard_at": NOW - timedelta(seconds=40)}, "Not known: the box has stopped reporting"),
    ],
)
def test_promise_2_a_silent_box_is_never_called_ready_or_recording(report: dict[str, Any], text: str) -> None:
    one = shown(recording(), **report)
    assert (one.sign, one.words["state"]) == ("unknown", text)
    assert one.words["kept"] == ""
    assert "not known" in one.words["since"]


def test_simulated_and_unverified_are_always_said() -> None:
    one = shown(status(panel="simulated"))
    assert one.words["panel"] == (
        "Simulated: the button and the lights are not real. Red lamp unverified: no sensor sees it."
    )
    assert shown(status(lamp="verified")).words["panel"] == ""


@pytest.mark.parametrize("state", get_args(State))
@pytest.mark.parametrize("ready", [True, False])
def test_every_state_of_a_recorder_has_a_sign_and_words(state: Any, ready: bool) -> None:
    one = shown(status(state=state, ready=ready))
    assert one.sign in SIGNS
    assert one.words["state"]
    assert (one.sign == "recording") == (state in {"arming", "recording", "ending"}), "red means recording only"


def test_a_box_without_a_room_goes_by_its_identifier() -> None:
    assert card(BOX, None, BoxState("silent", "unheard"), Uploads(), NOW).name == BOX


def test_when_the_archive_is_deaf_it_blames_itself() -> None:
    assert "not listening" in warning(listens=False, lost=1, contact="Pat Doe")
    assert "Tell Pat Doe" in warning(listens=False, lost=1, contact="Pat Doe")
    assert "not listening" in warning(listens=False)
    assert "lost its connection to the broker, so it does not know what any room" in warning(listens=True, lost=1)
    assert "the rooms of that group" in warning(listens=True, lost=1, brokers=3)
    assert warning(listens=True) == ""


def test_promise_2_while_the_archive_is_deaf_no_room_is_called_anything() -> None:
    for word in (status(), recording(), status(ready=False, faults=["microphone-missing"])):
        heard = Report(online=True, heard_at=NOW, recorder=word, live=True)
        one = card(BOX, "Room 12", deaf(state_of_box(heard, NOW)), Uploads(), NOW)
        assert (one.sign, one.words["kept"], one.troubles, one.recording) == ("unknown", "", [], None)
        assert "does not hear" in one.words["state"]


def test_what_somebody_must_look_at_comes_first_and_is_counted_in_the_title() -> None:
    fault, ready, running = shown(status(ready=False)), shown(status()), shown(recording())
    silent, troubled = shown(status(), online=False), shown(status(), faults=("clock",))
    cards = sorted([ready, running, troubled, silent, fault, ready], key=lambda one: one.urgency)
    assert [one.sign for one in cards] == ["at-fault", "unknown", "attention", "recording", "ready", "ready"]
    assert summary(cards) == "1 at fault, 1 not known, 1 needs attention, 1 recording, 2 ready"
    assert title(cards) == "1 at fault, 1 not known, 1 needs attention - Rooms"
    assert title([ready, running]) == "Rooms"


def test_a_moment_of_another_day_has_its_date() -> None:
    one = shown(status(), heard_at=NOW - timedelta(days=2))
    assert "Last heard Sun Nov 22 2026, 3:00:00 pm UTC, 2 days ago." in one.words["since"]


def test_what_the_box_found_at_itself_stands_there_with_the_remedy() -> None:
    found = HealthReport(
        box=BOX, source="doctor", made_at="2026-11-24T05:30:00.000Z",
        findings=[Finding(check="free space", verdict="wrong", remedy="Connect it."),
                  Finding(check="clock", verdict="warning", remedy="Set it.")],
    )  # fmt: skip
    tried = HealthReport(box=BOX, source="commissioning", made_at="2026-11-23T05:30:00.000Z", findings=[])
    heard = Report(online=True, heard_at=NOW, recorder=status(), live=True)
    one = card(BOX, "Room 12", state_of_box(heard, NOW), Uploads(), NOW, health=[tried, found])
    assert [(trouble.code, trouble.cause, trouble.remedy) for trouble in one.troubles] == [
        ("doctor", "The box's own daily check (2026-11-24): free space is wrong.", "Connect it."),
        ("doctor", "The box's own daily check (2026-11-24): clock needs a look.", "Set it."),
    ]
