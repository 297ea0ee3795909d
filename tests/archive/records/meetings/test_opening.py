"""The opening page's notes: late, twice, out of order, and never a word to a box."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.db.models import F
from django.utils import timezone

from appliance.contract.stop_signal import StopSignal
from archive.access.deeds import Deed
from archive.accounts.models import User
from archive.custody.models import Entry
from archive.devices.models import BoxStatus
from archive.recordings.models import Recording
from archive.records.meetings import deeds, opening_deeds
from archive.records.meetings.models import Meeting, OpeningEvent, ParentRecords
from archive.records.meetings.opening_deeds import place_notes
from archive.rooms.models import Placement
from tests.archive.page_fixtures import Arrive, signed_in
from tests.archive.pages import check
from tests.archive.records.factories import make_meeting, make_room
from tests.support.archives import Archive


@pytest.fixture
def meeting(archive: Archive) -> Meeting:
    return make_meeting(starts=timezone.now())


@pytest.fixture
def client_(archive: Archive) -> Any:
    return signed_in(archive, "case.manager", role="facilitator")


def event(kind: str = "note", seconds_ago: float = 0, **other: str) -> dict[str, str]:
    at = timezone.now() - timedelta(seconds=seconds_ago)
    return {"id": str(uuid4()), "kind": kind, "at": at.isoformat(), **other}


def send(client: Any, meeting: Meeting, *events: dict[str, str], off_s: float = 0) -> Any:
    sent_at = timezone.now() + timedelta(seconds=off_s)
    account = client.session["_auth_user_id"]
    body = json.dumps({"account": account, "sent_at": sent_at.isoformat(), "events": list(events)})
    return client.post(f"/meetings/{meeting.pk}/opening/events/", body, content_type="application/json")


def test_what_is_sent_twice_is_entered_once(client_: Any, meeting: Meeting) -> None:
    one, two = event(text="first", seconds_ago=600), event(text="second")
    assert send(client_, meeting, one, two).json()["taken"] == [one["id"], two["id"]]
    assert send(client_, meeting, two, one).json()["taken"] == [two["id"], one["id"]]
    assert [row.text for row in OpeningEvent.objects.all()] == ["first", "second"]
    assert Entry.objects.filter(code="opening-event").count() == 2


def test_notes_of_a_shared_tablet_are_entered_as_nobody_elses(archive: Archive, client_: Any, meeting: Meeting) -> None:
    """The archive tells the truth about who noted what."""
    other = signed_in(archive, "other.manager", role="facilitator")
    body = {"account": client_.session["_auth_user_id"], "sent_at": timezone.now().isoformat(), "events": [event()]}
    place = f"/meetings/{meeting.pk}/opening/events/"
    answer = other.post(place, json.dumps(body), content_type="application/json")
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "another-account")
    assert not OpeningEvent.objects.exists()
    assert client_.post(place, json.dumps(body), content_type="application/json").status_code == 200
    assert OpeningEvent.objects.get().by == User.objects.get(pk=body["account"])


def test_a_tablet_whose_clock_is_wrong_is_corrected(client_: Any, meeting: Meeting) -> None:
    ahead = timezone.now() + timedelta(hours=5)
    send(client_, meeting, {**event(), "at": ahead.isoformat()}, off_s=5 * 3600)
    assert abs(OpeningEvent.objects.get().at - timezone.now()) < timedelta(minutes=2)


def test_a_note_that_was_long_on_its_way_stays_before_a_later_one(client_: Any, meeting: Meeting) -> None:
    send(client_, meeting, event(text="first", seconds_ago=1), off_s=-8)
    send(client_, meeting, event(text="second"))
    assert [row.text for row in OpeningEvent.objects.all()] == ["first", "second"]


def test_the_parents_answer_reaches_the_meeting(client_: Any, meeting: Meeting) -> None:
    send(client_, meeting, event("parent-records", answer="yes", text="a phone", who="the mother"))
    meeting.refresh_from_db()
    assert (meeting.parent_records, meeting.parent_device) == ("yes", "a phone")


def test_an_answer_has_its_offset_by_the_boxs_own_report(
    archive: Archive, client_: Any, arrive: Arrive, meeting: Meeting
) -> None:
    made = arrive(seconds=2)
    row = Recording.objects.get(pk=made.id)
    now = timezone.now()
    Placement.objects.update(until=now)
    Placement.objects.create(box=row.box, room=make_room(), since=now - timedelta(hours=1))
    said = {
        "box": row.box_id,
        "boot_id": "b",
        "monotonic_ns": 1,
        "state": "recording",
        "ready": False,
        "recording": row.pk,
        "since_ns": 0,
        "frames": 80_000,
        "rate": 8000,
    }
    BoxStatus.objects.update_or_create(
        box=row.box, defaults={"heard_at": now, "recorder_live": True, "recorder": said, "online": True}
    )
    send(client_, meeting, {**event(text="now"), "at": (now + timedelta(seconds=2)).isoformat()})
    found = OpeningEvent.objects.get()
    assert found.recording_id == row.pk
    assert found.frame is not None
    # ten seconds reported, and two since then; the page's clock is corrected by what its sending was off
    assert abs(found.frame / 8000 - 12) < 30


def test_without_a_recording_a_note_has_no_offset(client_: Any, meeting: Meeting) -> None:
    send(client_, meeting, event(text="x"))
    assert OpeningEvent.objects.get().frame is None


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("", "JSON"),
        ("[]", "object"),
        ('{"sent_at":"2026-11-24T10:00:00Z","events":[]}', "account"),
        (
            '{"account":"7c1c0e0e-0000-4000-8000-000000000000","sent_at":"2026-11-24T10:00:00Z","events":[{"id":"1","kind":"note","at":"x"}]}',
            "events.0",
        ),
        ('{"account":"7c1c0e0e-0000-4000-8000-000000000000","sent_at":"2026-11-24T10:00:00","events":[]}', "sent_at"),
        (
            '{"account":"7c1c0e0e-0000-4000-8000-000000000000","sent_at":"2026-11-24T10:00:00Z","events":[],"start":true}',
            "start",
        ),
    ],
)
def test_a_body_that_makes_no_sense_is_refused_by_its_field(
    client_: Any, meeting: Meeting, body: str, told: str
) -> None:
    answer = client_.post(f"/meetings/{meeting.pk}/opening/events/", body, content_type="application/json")
    assert answer.status_code == 422
    error = answer.json()["error"]
    assert error["code"] == "bad-note"
    assert told in error["message"] or told in error["field"]


def test_a_note_far_from_now_is_refused(client_: Any, meeting: Meeting) -> None:
    assert send(client_, meeting, event(seconds_ago=4 * 24 * 3600)).status_code == 409
    assert OpeningEvent.objects.count() == 0


def test_another_meetings_note_is_refused(client_: Any, meeting: Meeting) -> None:
    one = event(text="mine")
    send(client_, meeting, one)
    assert send(client_, make_meeting(starts=timezone.now()), one).status_code == 409


def test_the_page_works_without_scripts(client_: Any, meeting: Meeting) -> None:
    page = check(client_.get(f"/meetings/{meeting.pk}/opening/").content.decode())
    (form,) = [one for one in page.all("form") if one.get("data-event") == "told"]
    typed = {one.get("name"): one.get("value") for one in form.all("input") if one.get("type") == "hidden"}
    typed |= {"who": "Interpreter Pat", "mode": "phone", "interpreter": "Spanish, consecutive"}
    for _ in range(2):
        answer = client_.post(f"/meetings/{meeting.pk}/opening/", typed, follow=True)
        assert "Interpreter Pat" in check(answer.content.decode()).text
    assert OpeningEvent.objects.count() == 1
    wrong = client_.post(f"/meetings/{meeting.pk}/opening/", {**typed, "mode": "telepathy"})
    assert wrong.status_code == 422
    assert "Interpreter Pat" in wrong.content.decode() or "Nothing was noted yet" in wrong.content.decode()


def test_promise_1_nothing_of_the_opening_reaches_a_box() -> None:
    """No message to a box exists at all; the page's code imports neither MQTT nor a socket."""
    folder = Path(__file__).resolve().parents[4] / "archive" / "records"
    # it tries that no socket can be made any more
    sandbox = folder / "transcripts" / "engines" / "sandbox.py"
    for path in set(folder.rglob("*.py")) - {sandbox}:
        text = path.read_text()
        assert "paho" not in text
        assert "socket" not in text


def test_who_may_only_see_meetings_cannot_note(archive: Archive, meeting: Meeting) -> None:
    client = signed_in(archive, "viewer", Deed.MEETINGS)
    assert send(client, meeting, event()).status_code == 403


def test_a_note_that_came_before_the_recording_gets_its_place_later(
    archive: Archive, client_: Any, arrive: Arrive, meeting: Meeting
) -> None:
    send(client_, meeting, event(text="early"))
    assert OpeningEvent.objects.get().recording is None
    assert place_notes(StopSignal()) == 0
    made = arrive(seconds=2)
    began = OpeningEvent.objects.get().at - timedelta(seconds=1)
    Recording.objects.filter(pk=made.id).update(room=meeting.room, created_at=began, dated=True, closed_at=None)
    assert place_notes(StopSignal()) == 1
    found = OpeningEvent.objects.get()
    assert (found.recording_id, found.frame) == (made.id, 8000)
    assert place_notes(StopSignal()) == 0
    assert Entry.objects.filter(code="opening-placed").count() == 1


def begin_recording(arrive: Arrive, meeting: Meeting, seconds_before: float = 1) -> str:
    """Let a recording of the meeting's room arrive that had begun so long before the only note."""
    made = arrive(seconds=2)
    began = OpeningEvent.objects.get().at - timedelta(seconds=seconds_before)
    Recording.objects.filter(pk=made.id).update(room=meeting.room, created_at=began, dated=True, closed_at=None)
    return made.id


def test_a_note_gets_its_place_when_a_box_that_was_offline_for_weeks_sends_its_recording(
    archive: Archive, client_: Any, arrive: Arrive, meeting: Meeting
) -> None:
    send(client_, meeting, event(text="early"))
    weeks = timedelta(days=16)
    OpeningEvent.objects.update(at=F("at") - weeks, received_at=F("received_at") - weeks)
    assert place_notes(StopSignal()) == 0
    recording = begin_recording(arrive, meeting)
    assert place_notes(StopSignal()) == 1
    assert OpeningEvent.objects.get().recording_id == recording


def test_notes_that_never_get_a_place_keep_no_later_one_waiting(
    archive: Archive, client_: Any, arrive: Arrive, meeting: Meeting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening_deeds, "MAX_EVENTS", 3)
    send(client_, meeting, event(text="early"))
    recording = begin_recording(arrive, meeting)
    received_at = timezone.now() - timedelta(hours=1)
    OpeningEvent.objects.update(received_at=received_at)
    elsewhere = make_meeting(starts=timezone.now(), room=None)
    for minutes in range(1, 5):
        newer, older = (received_at + timedelta(minutes=sign * minutes) for sign in (1, -1))
        OpeningEvent.objects.create(meeting=elsewhere, kind="note", at=newer, received_at=newer)
        # of before the recording, and here before the one that waits
        at = timezone.now() - timedelta(days=1)
        OpeningEvent.objects.create(meeting=meeting, kind="note", at=at, received_at=older)
    assert place_notes(StopSignal()) == 1
    assert OpeningEvent.objects.get(text="early").recording_id == recording


def test_a_late_answer_replaces_none_that_was_given_later(archive: Archive, client_: Any, meeting: Meeting) -> None:
    """The duty to record (docs/policy.md, guideline 5) follows what was said last, not what a network brought last."""
    late = event("parent-records", seconds_ago=600, answer="no")
    deeds.enter_parent_records(meeting.pk, ParentRecords.YES, "phone", meeting.version, by=User.objects.get())
    assert send(client_, meeting, late).status_code == 200
    meeting.refresh_from_db()
    assert (meeting.parent_records, meeting.parent_device) == ("yes", "phone")
    assert OpeningEvent.objects.get().answer == "no", "what the tablet noted is kept"
    for answer, seconds_ago in (("no", 0.0), ("yes", 300.0)):
        send(client_, meeting, event("parent-records", seconds_ago=seconds_ago, answer=answer))
    meeting.refresh_from_db()
    assert meeting.parent_records == "no"


@pytest.mark.parametrize("year", ["0001", "9999"])
@pytest.mark.parametrize("where", ["at", "sent_at"])
def test_a_time_from_which_no_other_can_be_computed_is_refused_by_its_field(
    client_: Any, meeting: Meeting, year: str, where: str
) -> None:
    note = event(text="x")
    sent = {"account": client_.session["_auth_user_id"], "sent_at": note["at"], "events": [note]}
    (note if where == "at" else sent)[where] = f"{year}-01-01T00:00:00Z"
    answer = client_.post(f"/meetings/{meeting.pk}/opening/events/", json.dumps(sent), content_type="application/json")
    assert answer.status_code == 422
    assert answer.json()["error"]["field"].endswith(where)


def test_what_a_parent_records_with_fits_into_its_line(client_: Any, meeting: Meeting) -> None:
    assert send(client_, meeting, event("parent-records", answer="yes", text="x" * 201)).status_code == 422
    assert send(client_, meeting, event("parent-records", answer="yes", text="x" * 200)).status_code == 200


def hand_in(client: Any, meeting: Meeting, account: Any, *events: dict[str, str]) -> Any:
    body = {"account": str(account), "handed_in": True, "sent_at": timezone.now().isoformat(), "events": list(events)}
    return client.post(f"/meetings/{meeting.pk}/opening/events/", json.dumps(body), content_type="application/json")


def test_notes_are_handed_in_for_an_account_that_has_ended_and_for_no_other(
    archive: Archive, client_: Any, meeting: Meeting
) -> None:
    gone = User.objects.create_user("gone", "only for tests 2468")
    one = event(text="goals are read", seconds_ago=30 * 86400)
    answer = hand_in(client_, meeting, gone.pk, one)
    assert (answer.status_code, OpeningEvent.objects.count()) == (409, 0)
    assert "gone can sign in" in answer.json()["error"]["message"]
    assert hand_in(client_, meeting, uuid4(), one).status_code == 403
    User.objects.filter(pk=gone.pk).update(active_until=timezone.now())
    for _ in range(2):
        assert hand_in(client_, meeting, gone.pk, one).json()["taken"] == [one["id"]]
    found = OpeningEvent.objects.get()
    assert (str(found.by), found.noted_by) == ("case.manager", gone)
    entry = Entry.objects.get(code="opening-event")
    assert (entry.actor_id, entry.member("noted_by")) == (str(found.by_id), str(gone.pk))
    assert (
        "noted by gone, handed in by case.manager" in client_.get(f"/meetings/{meeting.pk}/opening/").content.decode()
    )
    assert "noted by gone, handed in by case.manager" in client_.get(f"/meetings/{meeting.pk}/").content.decode()


def test_what_somebody_hands_in_of_their_own_is_their_own(client_: Any, meeting: Meeting) -> None:
    hand_in(client_, meeting, client_.session["_auth_user_id"], event())
    assert OpeningEvent.objects.get().noted_by is None
