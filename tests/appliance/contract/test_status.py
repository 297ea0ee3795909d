"""The messages of status and progress (docs/architecture.md): what is written is read back, and nothing else is."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from appliance.contract.status import (
    About,
    CourierProgress,
    Event,
    FaultMessage,
    Online,
    RecorderStatus,
    SilentStatus,
    UploadState,
)

RECORDING = "0123456789abcdef" * 2
BOX = "box-7f3a92c1"
STATUS = {
    "box": BOX,
    "boot_id": "b",
    "monotonic_ns": 1,
    "state": "recording",
    "ready": False,
    "recording": RECORDING,
    "since_ns": 1,
}
MESSAGES: list[tuple[type[BaseModel], dict[str, Any]]] = [
    (RecorderStatus, STATUS),
    (SilentStatus, {"box": BOX, "last_monotonic_ns": None}),
    (CourierProgress, {"monotonic_ns": 1, "broker": "up", "archive": "refusing", "recordings": {RECORDING: {}}}),
    (Online, {"online": True, "session": 3}),
    (FaultMessage, {"code": "spool-full", "since_ns": 1}),
    (About, {"box": BOX, "software": "plainsight 0", "panel": "gpio", "lamp": "verified"}),
    (Event, {"kind": "recording-started", "recording": RECORDING, "monotonic_ns": 1}),
]


@pytest.mark.parametrize(("model", "members"), MESSAGES)
def test_every_message_is_versioned_and_comes_back_as_it_went(model: type[BaseModel], members: dict[str, Any]) -> None:
    message = model.model_validate(members)
    text = message.model_dump_json()
    assert json.loads(text)["version"] == 1
    assert model.model_validate_json(text) == message


@pytest.mark.parametrize(("model", "members"), MESSAGES)
def test_an_unknown_member_or_version_is_refused(model: type[BaseModel], members: dict[str, Any]) -> None:
    for extra in ({"room": "Room 12"}, {"version": 2}):
        with pytest.raises(ValidationError):
            model.model_validate({**members, **extra})


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("box", "Room 12"),
        ("recording", "IEP meeting"),
        ("recording", RECORDING.upper()),
        ("state", "listening"),
        ("faults", ["Mrs. Smith"]),
        ("lights", {"red": "blink"}),
    ],
)
def test_promise_7_a_status_can_hold_no_name_of_a_room_person_or_meeting(member: str, value: object) -> None:
    with pytest.raises(ValidationError):
        RecorderStatus.model_validate({**STATUS, member: value})


@given(st.integers(0, 2**40), st.integers(0, 2**40), st.lists(st.integers(0, 10**8 - 1), max_size=20))
def test_the_archives_answer_is_read_with_and_without_what_later_versions_add(
    lines: int, frames: int, missing: list[int]
) -> None:
    answer = {"recording": RECORDING, "state": "receiving", "next_line": lines, "frames": frames}
    state = UploadState.model_validate_json(json.dumps({**answer, "tail_missing": missing, "news": [1]}))
    assert (state.next_line, state.frames, state.tail_missing) == (lines, frames, missing)
    assert UploadState.model_validate_json(json.dumps(answer)).tail_missing == []


@pytest.mark.parametrize("member", ["next_line", "frames"])
def test_a_negative_count_is_no_answer(member: str) -> None:
    answer = {"recording": RECORDING, "state": "receiving", "next_line": 0, "frames": 0, member: -1}
    with pytest.raises(ValidationError):
        UploadState.model_validate(answer)
