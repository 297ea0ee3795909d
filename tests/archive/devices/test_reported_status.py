"""What one MQTT message changes in what is known of a box."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from appliance.contract.errors import FormatError
from appliance.contract.keys import SigningKey
from appliance.contract.status import MAX_FAULTS
from archive.custody.actors import ARCHIVE
from archive.devices import reported_status
from archive.devices.enrollment import enroll
from archive.devices.listener import take
from archive.devices.models import BoxStatus
from archive.devices.reported_status import MAX_PAYLOAD, Known, Message, heard, keep, report
from archive.devices.state import state_of_box
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


def test_a_fault_that_the_recorder_no_longer_names_is_over() -> None:
    """The box was switched off with it: nobody cleared what the broker had kept."""
    kept = [("state/fault/clock", {"version": 1, "code": "clock", "since_ns": 4}, True)]
    kept += [("state/fault/spool-low", {"version": 1, "code": "spool-low", "since_ns": 4}, True)]
    known = after(Known(), *kept)
    names = {**word("idle", 5), "faults": ["spool-low"]}
    assert after(known, ("state/recorder", names, False)).faults == (("spool-low", 4),)
    assert after(known, ("state/recorder", names, True)).faults == known.faults, "its age is not known"
    silent = {"version": 1, "box": "box-7f3a", "state": "silent", "last_monotonic_ns": 6}
    assert after(known, ("state/recorder", silent, False)).faults == known.faults, "nobody knows"


@pytest.mark.parametrize("payload", [b"", b"{}", b"nonsense", b"\xff\xfe", b'{"online":1,"session":"x"}'])
@pytest.mark.parametrize("rest", ["online", "state/recorder", "state/about"])
def test_nonsense_is_refused_and_changes_nothing(rest: str, payload: bytes) -> None:
    with pytest.raises(FormatError):
        heard(Known(), rest, say(rest, payload))


def test_a_live_word_is_kept_and_judged(archive: Archive) -> None:
    box = archive.keys.box
    assert keep([say("online", {"version": 1, "online": True, "session": 1}, box=box)]) == []
    assert keep([say("state/recorder", {**word("recording", 5), "box": box}, box=box)]) == []
    row = BoxStatus.objects.get(pk=box)
    assert state_of_box(report(row), NOW).kind == "recording"
    assert state_of_box(report(row), NOW + timedelta(minutes=1)).kind == "silent"


def test_a_box_cannot_speak_as_another(archive: Archive) -> None:
    (problem,) = keep([say("state/recorder", word("recording", 5), box=archive.keys.box)])
    assert "speaks as another" in problem
    assert BoxStatus.objects.get().recorder is None


def test_a_box_that_is_not_enrolled_is_not_listened_to(archive: Archive) -> None:
    online = {"version": 1, "online": True, "session": 1}
    assert keep([say("online", online, box=Keys().box), Message("other/topic", b"", False, NOW)]) == []
    assert not BoxStatus.objects.exists()


def test_a_message_that_is_too_long_is_not_looked_at(archive: Archive) -> None:
    assert keep([say("online", b"x" * (MAX_PAYLOAD + 1), box=archive.keys.box)]) == []
    assert not BoxStatus.objects.exists()


def test_messages_of_many_boxes_take_a_handful_of_queries(archive: Archive) -> None:
    boxes = [f"box-number-{number}" for number in range(30)]
    for box in boxes:
        enroll(box, SigningKey.generate().public, by=ARCHIVE)
    messages = [
        say("state/recorder", {**word("idle", second), "box": box}, box=box) for second in range(4) for box in boxes
    ]
    keep(messages)
    with CaptureQueriesContext(connection) as queries:
        keep([say("state/recorder", {**word("recording", 9), "box": box}, box=box) for box in boxes])
    # one row a box is written, whatever arrived; looking them up is two queries, and a turn is one where there are any
    assert len(queries) <= 2 + len(boxes) + 2 + connection.features.has_select_for_update
    assert {row.recorder["state"] for row in BoxStatus.objects.all() if row.recorder} == {"recording"}


GOOD = {**word("idle", 5), "box": "box-7f3a"}
BEYOND = [1 << 63, -(1 << 63) - 1, 10**30]


@pytest.mark.parametrize("number", BEYOND)
@pytest.mark.parametrize(
    "member",
    ["monotonic_ns", "since_ns", "frames", "acked_frame", "acked_line", "lost_frames", "rate", "free_bytes"],
)
def test_no_integer_beyond_64_bits_passes(member: str, number: int) -> None:
    with pytest.raises(FormatError, match=member):
        heard(Known(), "state/recorder", say("state/recorder", {**GOOD, member: number}))


@pytest.mark.parametrize(
    ("rest", "payload"),
    [
        ("online", {"version": 1, "online": True, "session": 1 << 63}),
        ("state/fault/clock", {"version": 1, "code": "clock", "since_ns": 10**30}),
        ("state/recorder", {**GOOD, "rate": 0}),
        ("state/recorder", {**GOOD, "faults": [f"code-{n}" for n in range(3000)]}),
        ("state/recorder", {**GOOD, "boot_id": "b" * 10_000}),
        ("state/recorder", {"version": 1, "box": "box-7f3a", "state": "silent", "last_monotonic_ns": 1 << 64}),
        (
            "state/about",
            {"version": 1, "box": "box-7f3a", "software": "s" * 10_000, "panel": "gpio", "lamp": "verified"},
        ),
    ],
)
def test_what_no_box_says_is_refused(rest: str, payload: dict[str, Any]) -> None:
    with pytest.raises(FormatError):
        heard(Known(), rest, say(rest, payload))


def test_faults_of_one_box_are_bounded() -> None:
    known = Known()
    for number in range(MAX_FAULTS):
        code = f"code-{number}"
        known = heard(known, f"state/fault/{code}", say("x", {"version": 1, "code": code, "since_ns": 1}))
    with pytest.raises(FormatError, match="amber codes"):
        heard(known, "state/fault/one-more", say("x", {"version": 1, "code": "one-more", "since_ns": 1}))


def test_one_bad_message_costs_itself_alone(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    box = archive.keys.box
    good = say("online", {"version": 1, "online": True, "session": 3}, box=box)
    bad = say("online", {"version": 1, "online": False, "session": 4}, box=box)
    store = reported_status._store

    def breaks(row: BoxStatus, known: Known) -> None:
        if known.session == 4:
            raise OverflowError("Python int too large to convert to SQLite INTEGER")
        store(row, known)

    monkeypatch.setattr(reported_status, "_store", breaks)
    take([bad, good])
    take([good, bad])
    assert BoxStatus.objects.get(pk=box).session == 3


def test_a_row_that_cannot_be_read_costs_itself_alone(archive: Archive) -> None:
    row = BoxStatus.objects.create(box_id=archive.keys.box, recorder={"state": "odd"}, about={"odd": 1})
    assert state_of_box(report(row), NOW).kind == "silent"
    assert keep([say("state/recorder", {**word("idle", 5), "box": archive.keys.box}, box=archive.keys.box)]) == []


def examined(source: str = "doctor", remedy: str = "Do it.", box: str = "box-7f3a") -> dict[str, Any]:
    findings = [{"check": "free space", "verdict": "wrong", "remedy": remedy}] if remedy else []
    return {"version": 1, "box": box, "source": source, "made_at": "2026-01-02T03:04:05.678Z", "findings": findings}


def test_the_last_report_of_each_examination_stands() -> None:
    known = after(
        Known(),
        ("state/health/doctor", examined(), True),
        ("state/health/commissioning", examined("commissioning", ""), False),
        ("state/health/doctor", examined(remedy="Do that."), False),
    )
    assert [(report.source, len(report.findings)) for report in known.health] == [("commissioning", 0), ("doctor", 1)]
    assert known.health[1].findings[0].remedy == "Do that."
    assert after(known, ("state/health/doctor", b"", False)).health == known.health[:1]


@pytest.mark.parametrize(
    "wrong",
    [examined("commissioning"), {**examined(), "level": -60}, {**examined(), "findings": [{"check": "x"}]}, b"{"],
)
def test_a_report_that_is_none_changes_nothing(wrong: dict[str, Any] | bytes) -> None:
    with pytest.raises(FormatError):
        heard(Known(), "state/health/doctor", say("state/health/doctor", wrong))


def test_a_report_is_kept_and_shown_with_its_remedy(archive: Archive) -> None:
    enroll("box-7f3a", SigningKey.generate().public, by=ARCHIVE)
    assert keep([say("state/health/doctor", examined())]) == []
    assert keep([say("state/health/doctor", examined(box="box-0000"))]) == ["box-7f3a speaks as another box"]
    row = BoxStatus.objects.get(pk="box-7f3a")
    assert [one.findings[0].remedy for one in reported_status.health(row)] == ["Do it."]
    # what another version of the archive kept is left out until the box says it again
    row.health = {"doctor": {"version": 2}}
    assert reported_status.health(row) == ()
