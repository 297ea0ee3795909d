"""What one MQTT message changes in what is known of a box."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from appliance.contract.errors import FormatError
from archive.devices.models import BoxStatus
from archive.devices.reported_status import Known, Message, heard, keep, report
from archive.devices.state import judge
from tests.support.archives import Archive
from tests.support.spools import Keys

from .test_state import status

NOW = datetime(2026, 3, 4, 15, 0, tzinfo=UTC)
SECOND_NS = 1_000_000_000


def say(rest: str, payload: dict[str, Any] | bytes, *, retained: bool = False, box: str = "box-7f3a") -> Message:
    data = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return Message(f"plainsight/{box}/{rest}", data, retained, NOW)


def after(known: Known, *messages: tuple[str, dict[str, Any] | bytes, bool]) -> Known:
    for rest, payload, retained in messages:
        known = heard(known, rest, say(rest, payload, retained=retained))
    return known


def word(state: str, monotonic_s: int, boot: str = "a") -> dict[str, Any]:
    made = status(state, monotonic_ns=monotonic_s * SECOND_NS, boot_id=boot)
    return dict(made.model_dump(mode="json"))


def test_the_will_of_a_replaced_connection_is_void() -> None:
    known = after(
        Known(),
        ("online", {"version": 1, "online": True, "session": 7}, False),
        ("online", {"version": 1, "online": False, "session": 6}, False),
    )
    assert known.online
    assert not after(known, ("online", {"version": 1, "online": False, "session": 7}, False)).online


def test_an_older_retained_online_after_a_crash_of_the_broker_is_void() -> None:
    known = Known(session=7, online=False)
    assert not after(known, ("online", {"version": 1, "online": True, "session": 5}, True)).online


def test_a_box_that_lost_its_counter_is_believed_when_it_speaks_live() -> None:
    known = after(Known(session=7), ("online", {"version": 1, "online": True, "session": 1}, False))
    assert (known.online, known.session) == (True, 1)


def test_a_retained_state_fills_in_and_is_not_live() -> None:
    known = after(Known(), ("state/recorder", word("recording", 5), True))
    assert known.recorder is not None
    assert (known.live, known.heard_at) == (False, None)


def test_a_retained_state_never_replaces_a_live_one_of_another_boot() -> None:
    known = after(
        Known(), ("state/recorder", word("idle", 5), False), ("state/recorder", word("recording", 9, "b"), True)
    )
    assert known.recorder is not None
    assert known.recorder.state == "idle"


def test_a_retained_state_that_is_older_by_the_boxs_clock_is_void() -> None:
    known = after(Known(), ("state/recorder", word("idle", 9), False), ("state/recorder", word("recording", 5), True))
    assert known.recorder is not None
    assert known.recorder.state == "idle"


def test_a_retained_state_that_the_boxs_clock_dates_counts_from_its_own_time() -> None:
    known = after(Known(), ("state/recorder", word("idle", 100), False))
    missed = Message("plainsight/box-7f3a/state/recorder", json.dumps(word("recording", 110)).encode(), True, NOW)
    later = heard(known, "state/recorder", Message(missed.topic, missed.payload, True, NOW + timedelta(seconds=60)))
    assert later.heard_at == NOW + timedelta(seconds=10)


def test_faults_come_and_go() -> None:
    known = after(Known(), ("state/fault/disk-slow", {"version": 1, "code": "disk-slow", "since_ns": 4}, True))
    assert known.faults == (("disk-slow", 4),)
    assert after(known, ("state/fault/disk-slow", b"", False)).faults == ()


@pytest.mark.parametrize("payload", [b"", b"{}", b"nonsense", b"\xff\xfe", b'{"online":1,"session":"x"}'])
@pytest.mark.parametrize("rest", ["online", "state/recorder", "state/about"])
def test_nonsense_is_refused_and_changes_nothing(rest: str, payload: bytes) -> None:
    with pytest.raises(FormatError):
        heard(Known(), rest, say(rest, payload))


def test_a_live_word_is_kept_and_judged(archive: Archive) -> None:
    box = archive.keys.box
    keep(say("online", {"version": 1, "online": True, "session": 1}, box=box))
    keep(say("state/recorder", {**word("recording", 5), "box": box}, box=box))
    row = BoxStatus.objects.get(pk=box)
    assert judge(report(row), NOW).kind == "recording"
    assert judge(report(row), NOW + timedelta(minutes=1)).kind == "silent"


def test_a_box_cannot_speak_as_another(archive: Archive) -> None:
    with pytest.raises(FormatError, match="speaks as another"):
        keep(say("state/recorder", word("recording", 5), box=archive.keys.box))
    assert not BoxStatus.objects.exists()


def test_a_box_that_is_not_enrolled_is_not_listened_to(archive: Archive) -> None:
    assert not keep(say("online", {"version": 1, "online": True, "session": 1}, box=Keys().box))
    assert not keep(Message("other/topic", b"", False, NOW))
    assert not BoxStatus.objects.exists()
