"""A meeting whose copy is missing or has gaps is asked about until its incident record is there; no clock ends it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.utils import timezone

from archive.accounts.models import User
from archive.custody.check import contradictions
from archive.custody.models import Entry
from archive.recordings.models import Recording
from archive.recordings.recording_state import FLAWED, is_flawed
from archive.records.destruction import deeds as destruction_deeds
from archive.records.errors import DeedError, StaleError
from archive.records.incidents import deeds
from archive.records.incidents.deeds import IncidentFacts
from archive.records.incidents.models import Incident, IncidentLetter, Missing
from archive.records.incidents.reach import codes_of, filed_under, found_of, without_record
from archive.records.letters.deeds import approve_text
from archive.records.letters.models import Letter, LetterKind, Template
from archive.records.meetings.describe import meeting_words
from archive.records.meetings.models import Filing, Meeting, ParentRecords
from archive.records.meetings.rules import RecordingDuty
from archive.sealing.seal import seal
from tests.archive.page_fixtures import RATE, Arrive, make_user, signed_in
from tests.archive.pages import check
from tests.archive.records.destruction.scene import make_scene, refresh
from tests.archive.records.factories import make_filing, make_meeting, make_person, make_right, make_student
from tests.support.archives import Archive, change_as_owner
from tests.support.box_requests import send
from tests.support.spools import Recording as Spooled

NOTHING = IncidentFacts(Missing.ALL, None, "no-press", "Nobody pressed.", "Rosa Torres, at once", "A sign was hung.")
TYPED = {"missing": "all", "recording": "", "cause": "no-press", "explanation": "Nobody pressed.",
         "told": "Rosa Torres, at once", "done": "A sign was hung.", "version": "0"}  # fmt: skip


@pytest.fixture
def ann(archive: Archive) -> User:
    return make_user("ann", role="custodian")


@pytest.fixture
def with_gaps(archive: Archive, tmp_path: Path) -> Callable[[], Recording]:
    """Makes sealed recordings that lost two seconds while a fault was reported."""

    def make() -> Recording:
        made = Spooled(tmp_path / "spool", archive.keys, rate=RATE, segment_frames=RATE)
        made.begin()
        made.segment()
        made.note("fault", code="microphone-stalled", raised=True)
        made.gap(2 * RATE, "stall")
        made.segment()
        made.segment()
        made.segment()
        made.close("button")
        send(archive.client(), made)
        seal(made.id)
        return Recording.objects.get(pk=made.id)

    return make


def past(days: float = 1, **fields: Any) -> Meeting:
    fields.setdefault("parent_records", ParentRecords.YES)
    return make_meeting(starts=timezone.now() - timedelta(days=days), **fields)


def asked() -> set[Any]:
    return set(without_record(Meeting.objects.all(), timezone.now()).values_list("pk", flat=True))


def duty(meeting: Meeting) -> RecordingDuty:
    return meeting_words(Meeting.objects.get(pk=meeting.pk)).duty


def test_every_meeting_is_asked_about_that_its_own_page_asks_about(
    archive: Archive, ann: User, sealed: Arrive, with_gaps: Callable[[], Recording]
) -> None:
    """The query of the list and the words of the page are two readings of one rule."""
    whole, cut = Recording.objects.get(pk=sealed(seconds=2).id), with_gaps()
    broken = Recording.objects.get(pk=sealed(seconds=1, reason="interrupted", tail=1).id)
    meetings = {
        "nothing": past(),
        "years ago": past(3000),
        "no parent": past(parent_records=ParentRecords.NO),
        "nobody said": past(parent_records=ParentRecords.UNKNOWN),
        "cancelled": past(cancelled_at=timezone.now()),
        "just now": make_meeting(starts=timezone.now(), parent_records=ParentRecords.YES),
        "ahead": past(-1),
        "destroyed": past(recording_destroyed=True),
        "explained": past(),
        "whole": past(),
        "gaps": past(),
        "ended": past(),
        "wrongly filed": past(),
    }
    deeds.enter(meetings["explained"].pk, NOTHING, by=ann)
    for recording, name in ((whole, "whole"), (cut, "gaps"), (broken, "ended"), (whole, "wrongly filed")):
        make_filing(recording.pk, meetings[name])
    Filing.objects.filter(meeting=meetings["wrongly filed"]).update(end_asked_at=timezone.now())
    by_page = {one.pk for one in meetings.values() if duty(one) in {RecordingDuty.UNMET, RecordingDuty.FLAWED}}
    assert asked() == by_page
    assert {name for name, one in meetings.items() if one.pk in asked()} == {
        "nothing", "years ago", "gaps", "ended", "wrongly filed"
    }  # fmt: skip


def test_the_condition_of_gaps_is_what_the_marks_say(
    archive: Archive, sealed: Arrive, arrive: Arrive, with_gaps: Callable[[], Recording]
) -> None:
    sealed(seconds=1), sealed(seconds=1, reason="interrupted", tail=1), arrive(seconds=1), with_gaps()
    flawed = set(Recording.objects.filter(FLAWED, state="sealed").values_list("pk", flat=True))
    assert flawed == {row.pk for row in Recording.objects.all() if is_flawed(row)}
    assert len(flawed) == 2


def test_what_is_missing_comes_from_the_ledger_and_the_boxs_own_codes_are_offered(
    archive: Archive, ann: User, with_gaps: Callable[[], Recording]
) -> None:
    row, meeting = with_gaps(), past()
    make_filing(row.pk, meeting)
    assert duty(meeting) == RecordingDuty.FLAWED
    found = found_of(row)
    assert any("0:01: 2 s of sound lost" in one for one in found), found
    assert codes_of([row]) == ["microphone-stalled"]
    page = check(signed_in(archive, "case.manager", role="facilitator")
                 .get(f"/meetings/{meeting.pk}/incident/new/").content.decode())  # fmt: skip
    assert "2 s of sound lost" in page.text
    groups = [one.get("label") for one in page.all("optgroup")]
    assert groups == ["What the box reported", "What people say", "What a box can report"]
    facts = IncidentFacts(Missing.PART, row, "microphone-stalled", "It stopped.", "Rosa", "A new microphone.")
    made = deeds.enter(meeting.pk, facts, by=ann)
    assert "2 s of sound lost" in made.found
    assert duty(meeting) == RecordingDuty.EXPLAINED
    assert asked() == set()


@pytest.mark.parametrize(
    ("changed", "field"),
    [({"cause": "gremlins"}, "cause"), ({"missing": Missing.PART}, "recording")],
)
def test_a_wrong_record_names_its_field(ann: User, changed: dict[str, Any], field: str) -> None:
    with pytest.raises(DeedError) as refused:
        deeds.enter(past().pk, IncidentFacts(**{**vars(NOTHING), **changed}), by=ann)
    assert refused.value.field == field


def test_a_recording_of_another_meeting_is_not_named(ann: User, sealed: Arrive) -> None:
    row, meeting = Recording.objects.get(pk=sealed(seconds=1).id), past()
    for missing in Missing:
        with pytest.raises(DeedError):
            deeds.enter(meeting.pk, IncidentFacts(**{**vars(NOTHING), "missing": missing, "recording": row}), by=ann)
    assert not Incident.objects.exists()


def test_it_is_entered_once_and_corrected_by_one_at_a_time(ann: User) -> None:
    meeting = past()
    deeds.enter(meeting.pk, NOTHING, by=ann)
    with pytest.raises(DeedError, match="Correct that one"):
        deeds.enter(meeting.pk, NOTHING, by=ann)
    deeds.correct(meeting.pk, IncidentFacts(**{**vars(NOTHING), "done": "More."}), 0, by=ann)
    with pytest.raises(StaleError):
        deeds.correct(meeting.pk, NOTHING, 0, by=ann)
    assert [one.code for one in Entry.objects.order_by("n")][-2:] == ["incident", "incident-changed"]
    assert not [one for one in Entry.objects.all() if "Torres" in one.detail]


def test_the_letter_is_made_of_the_approved_text_in_the_parents_language(archive: Archive, ann: User) -> None:
    student, mother, father = make_student(), make_person(language="es"), make_person("Luis")
    for one in (mother, father):
        make_right(one, student)
    meeting = past(student=student)
    client = signed_in(archive, "case.manager", role="facilitator")
    place = f"/meetings/{meeting.pk}/incident/"
    assert client.get(place).status_code == 404
    answer = client.post(f"{place}new/", {**TYPED, "once": "a" * 32}, follow=True)
    assert "Not written yet" in check(answer.content.decode()).text
    assert "Write to the parent about the recording" in client.get("/", follow=True).content.decode()
    typed = {"person": str(mother.pk), "language": "", "reason": "nadie apretó el botón", "once": "b" * 32}
    assert client.post(f"{place}letter/", typed).status_code == 422
    for draft in Template.objects.filter(kind=LetterKind.INCIDENT):
        approve_text(draft.pk, by=ann)
    check(client.get(f"{place}letter/").content.decode())
    page = check(client.post(f"{place}letter/", {**typed, "once": "c" * 32}, follow=True).content.decode())
    assert "falta o tiene interrupciones: nadie apretó el botón" in page.text
    letter = Letter.objects.get()
    assert client.post(f"{place}letter/", {**typed, "once": "d" * 32}).status_code == 422
    text = check(client.get(place).content.decode()).text
    assert "written, and not delivered yet" in text
    assert "Luis" in text
    delivered = {"how": "by hand", "day": timezone.localdate().isoformat(), "once": "e" * 32}
    client.post(f"/letters/{letter.pk}/delivery/", delivered)
    assert "by hand" in client.get(place).content.decode()


def test_the_pages_ask_correct_and_keep_what_was_typed(archive: Archive) -> None:
    meeting = past()
    client = signed_in(archive, "case.manager", role="facilitator")
    page = check(client.get(f"/meetings/{meeting.pk}/").content.decode())
    assert f"/meetings/{meeting.pk}/incident/new/" in {one.get("href") for one in page.all("a")}
    place = f"/meetings/{meeting.pk}/incident/"
    for wrong in ({"cause": ""}, {"cause": "gremlins"}, {"missing": "half"}, {"told": ""}, {"done": "x" * 5000},
                  {"recording": "0" * 32}, {"missing": "part"}):  # fmt: skip
        answer = client.post(f"{place}new/", {**TYPED, **wrong, "once": "0" * 32})
        assert answer.status_code == 422, wrong
        assert "Nobody pressed." in answer.content.decode()
    for _ in range(2):
        client.post(f"{place}new/", {**TYPED, "once": "a" * 32})
    assert Incident.objects.count() == 1
    assert client.get(f"{place}new/").headers["Location"] == place
    check(client.get(f"{place}edit/").content.decode())
    client.post(f"{place}edit/", {**TYPED, "done": "Another sign.", "once": "b" * 32})
    assert client.post(f"{place}edit/", {**TYPED, "once": "c" * 32}).status_code == 422
    assert "Another sign." in client.get(f"/meetings/{meeting.pk}/").content.decode()


def test_a_shell_removes_no_record_and_the_log_names_one_that_is_gone(ann: User) -> None:
    deeds.enter(past().pk, NOTHING, by=ann)
    with pytest.raises((DatabaseError, IntegrityError)), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM incidents_incident")
    assert not [one for one in contradictions() if "incident" in one]
    change_as_owner("DELETE FROM incidents_incident")
    assert [one for one in contradictions() if "incident" in one]


def test_it_goes_with_its_destroyed_recording_and_nobody_asks_again(archive: Archive, sealed: Arrive) -> None:
    scene = make_scene(sealed(seconds=2, reason="interrupted", tail=1).id)
    meeting = Meeting.objects.get()
    Meeting.objects.update(parent_records=ParentRecords.YES)
    assert asked() == {meeting.pk}
    facts = IncidentFacts(Missing.PART, scene.row, "power", "The cable.", "Rosa Torres", "x")
    made = deeds.enter(meeting.pk, facts, by=scene.ann)
    for text in Template.objects.filter(kind=LetterKind.INCIDENT):
        approve_text(text.pk, by=scene.ann)
    letter = deeds.write_letter(meeting.pk, scene.parent, "en", "the cable", by=scene.ann).letter
    destruction_deeds.carry_out(scene.approved().pk, by=scene.bob)
    assert refresh(scene.row).destroyed_at is not None
    assert not Incident.objects.filter(pk=made.pk).exists()
    assert not IncidentLetter.objects.exists()
    left = Letter.objects.get(about_type="meeting")
    assert left.pk != letter.pk, "the log's identifier leads to no letter any more"
    assert "Torres" not in left.body
    assert asked() == set()
    assert duty(Meeting.objects.get()) == RecordingDuty.MET
    assert not [one for one in contradictions() if "incident" in one]
    assert filed_under(Meeting.objects.get()) == []
