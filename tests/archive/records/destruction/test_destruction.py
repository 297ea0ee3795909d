"""Destruction for good: two people, parents told, no hold, no open request, a day of rest; then nothing opens it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import DatabaseError, IntegrityError, transaction
from django.utils import timezone

from appliance.contract.errors import DecryptionError
from appliance.contract.stop_signal import StopSignal
from archive.access.accounts import invite_again
from archive.access.people import set_password
from archive.custody.actors import Actor
from archive.custody.check import check as check_custody
from archive.custody.check import contradictions
from archive.custody.models import Entry
from archive.keystore.generations import forget_old, generations, make_generation
from archive.keystore.recording_keys import KeyHeldError, recording_keys
from archive.recordings.find import DestroyedError
from archive.recordings.models import PackageIndex, Recording, Waveform
from archive.recordings.playback import open_audio
from archive.recordings.recording_state import RecordingState, recording_state
from archive.recordings.secrets import secret_of
from archive.recordings.waveform import WaveformMaker
from archive.records.destruction import deeds
from archive.records.destruction.finish_deeds import finish_all, note_forgotten
from archive.records.destruction.models import Basis, Destruction, Reply, State
from archive.records.disclosures import deeds as disclosure_deeds
from archive.records.disclosures.models import Basis as DisclosureBasis
from archive.records.errors import DeedError, SecondPersonError
from archive.records.holds import deeds as hold_deeds
from archive.records.holds.reach import held_now
from archive.records.incidents.models import Incident, IncidentLetter
from archive.records.letters.models import Letter, LetterKind
from archive.records.meetings.models import Filing, Meeting, OpeningEvent
from archive.records.requests.models import Amendment, Statement
from archive.records.retention.models import Answer
from archive.sealing.audit import Code, audit, audit_and_repair
from archive.store.current import store
from tests.archive.page_fixtures import Arrive, entries, signed_in
from tests.archive.pages import check
from tests.archive.records.disclosures.scene import facts as disclosure_facts
from tests.archive.records.factories import (
    NOON,
    make_filing,
    make_hold,
    make_letter,
    make_matter,
    make_meeting,
    make_request,
)
from tests.support.archives import Archive, change_as_owner, without_triggers

from .scene import Scene, execute, gone, make_scene, refresh, untouched


def test_two_people_destroy_it_and_nothing_opens_it(scene: Scene) -> None:
    made = scene.approved()
    deeds.carry_out(made.pk, by=scene.ann)
    assert gone(scene.row)
    row = refresh(scene.row)
    assert recording_state(row) == RecordingState.DESTROYED
    with pytest.raises(DestroyedError):
        open_audio(row)
    with pytest.raises(DecryptionError):
        secret_of(row.pk)
    codes = [entry.code for entry in entries(row.pk) if entry.code.startswith("destr")]
    assert codes == [
        "destruction-proposed",
        "destruction-told",
        "destruction-reply",
        "destruction-approved",
        "destroyed",
        "destruction-finished",
        "destruction-forgotten",
    ]
    assert check_custody() is None
    assert list(audit()) == []


@pytest.mark.parametrize("step", ["propose", "approve", "carry-out"])
def test_what_must_be_kept_is_refused_at_each_step(scene: Scene, step: str) -> None:
    before: dict[str, Callable[[], Destruction | None]] = {
        "propose": lambda: None,
        "approve": lambda: scene.told(scene.propose()),
        "carry-out": scene.approved,
    }
    made = before[step]()
    pk = made.pk if made is not None else uuid4()
    steps: dict[str, Callable[[], Destruction]] = {
        "propose": scene.propose,
        "approve": lambda: deeds.approve(pk, by=scene.bob),
        "carry-out": lambda: deeds.carry_out(pk, by=scene.bob),
    }
    matter = make_matter()
    make_hold(matter, student=scene.student)
    with pytest.raises(DeedError, match="on hold"):
        steps[step]()
    request = make_request(scene.student, scene.parent)
    with pytest.raises(DeedError, match="request of a parent"):
        steps[step]()
    request.closed_at, request.outcome = timezone.now(), "a copy"
    request.save()
    assert untouched(scene.row)


@pytest.mark.parametrize(
    ("state", "stands"),
    [
        ("asked", True),
        ("amended", False),
        ("refused", True),
        ("no-hearing", False),
        ("hearing", True),
        ("hearing-amended", False),
        ("hearing-refused", False),
    ],
)
def test_an_amendment_stands_against_it_until_it_is_over(scene: Scene, state: str, stands: bool) -> None:
    """34 CFR 99.10(e); and a refusal about which nobody asks for a hearing keeps no recording for good."""
    reason = {"no_hearing": "said", "no_hearing_on": NOON.date(), "no_hearing_how": "on the phone"}
    Amendment.objects.create(
        student=scene.student,
        person=scene.parent,
        recording=scene.row,
        received_on=NOON.date(),
        text="x",
        state=state,
        **reason if state == "no-hearing" else {},
    )
    if not stands:
        scene.propose()
        return
    with pytest.raises(DeedError, match="request of a parent is open"):
        scene.propose()


def test_one_person_is_not_enough(scene: Scene) -> None:
    made = scene.told(scene.propose())
    with pytest.raises(SecondPersonError):
        deeds.approve(made.pk, by=scene.ann)
    with pytest.raises(IntegrityError), transaction.atomic():
        Destruction.objects.update(approved_by=scene.ann, approved_at=NOON)
    with pytest.raises(DeedError, match="second person"):
        deeds.carry_out(made.pk, by=scene.ann)


def test_an_account_whose_link_the_first_person_gave_out_is_no_second_person(archive: Archive, scene: Scene) -> None:
    made = scene.told(scene.propose())
    invite_again(scene.bob, by=scene.ann)
    with pytest.raises(SecondPersonError, match="cannot tell that you are two people"):
        deeds.approve(made.pk, by=scene.bob)
    client = archive.client()
    client.force_login(scene.bob)
    page = check(client.get(f"/destructions/{made.pk}/").content.decode())
    assert "cannot tell that you are two people" in page.text
    assert not [one for one in page.all("a") if str(one.get("href")).endswith("/approve/")], "it leads to no refusal"
    set_password(scene.bob, "another 13579 word", by=Actor.operator(), anew=True)
    deeds.approve(made.pk, by=scene.bob)


def test_a_day_of_rest_lies_before_the_deed_also_where_the_clock_is_put_back(scene: Scene) -> None:
    made = scene.approved(hours=23.9)
    with pytest.raises(DeedError, match="rest"):
        deeds.carry_out(made.pk, by=scene.bob)
    Destruction.objects.update(approved_at=timezone.now() + timedelta(days=365))
    with pytest.raises(DeedError, match="clock"):
        deeds.carry_out(made.pk, by=scene.bob)
    assert untouched(scene.row)


def test_a_clock_put_back_a_year_destroys_nothing(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    made, past = scene.approved(), timezone.now() - timedelta(days=2 * 365)
    monkeypatch.setattr(timezone, "now", lambda: past)
    with pytest.raises(DeedError):
        deeds.carry_out(made.pk, by=scene.bob)
    finish_all(StopSignal())
    monkeypatch.undo()
    assert untouched(scene.row)


def test_it_is_withdrawn_and_proposed_again(scene: Scene) -> None:
    made = scene.approved()
    with pytest.raises(DeedError, match="already"):
        scene.propose()
    deeds.withdraw(made.pk, "not yet", by=scene.ann)
    with pytest.raises(DeedError, match="any more"):
        deeds.carry_out(made.pk, by=scene.bob)
    scene.propose()
    assert untouched(scene.row)


def test_a_parent_asks_only_where_the_district_decided_so(scene: Scene) -> None:
    change_as_owner("UPDATE retention_answer SET years = 50")
    with pytest.raises(DeedError, match="must be kept"):
        deeds.propose(scene.row.pk, Basis.REQUEST, "she asked", asked_by=scene.parent, by=scene.ann)
    with without_triggers():
        Answer.objects.update(on_request=True)
    with pytest.raises(DeedError, match="which parent"):
        deeds.propose(scene.row.pk, Basis.REQUEST, "she asked", by=scene.ann)
    made = scene.told(deeds.propose(scene.row.pk, Basis.REQUEST, "asked", asked_by=scene.parent, by=scene.ann))
    deeds.approve(made.pk, by=scene.bob)
    Destruction.objects.update(approved_at=timezone.now() - timedelta(hours=25))
    deeds.carry_out(made.pk, by=scene.bob)
    assert gone(scene.row)


def test_nobody_goes_around_the_two(archive: Archive, scene: Scene) -> None:
    with pytest.raises(KeyHeldError, match="nobody decided"):
        recording_keys().destroy_key(scene.row.pk)
    made = scene.propose()
    told = "UPDATE destruction_destruction SET state = 'closing', approved_by_id = proposed_by_id"
    with pytest.raises(DatabaseError), transaction.atomic():
        execute(f"{told}, approved_at = CURRENT_TIMESTAMP, closed_at = CURRENT_TIMESTAMP")
    with pytest.raises(DatabaseError, match="two people"), transaction.atomic():
        execute("UPDATE recordings_recording SET destroyed_at = CURRENT_TIMESTAMP")
    assert made.state == State.PROPOSED
    assert untouched(scene.row)


def test_what_was_destroyed_stays_destroyed(
    scene: Scene,
) -> None:
    deeds.carry_out(scene.approved().pk, by=scene.bob)
    with pytest.raises(DatabaseError, match="stays destroyed"), transaction.atomic():
        Recording.objects.update(destroyed_at=None)
    with pytest.raises(DestroyedError):
        hold_deeds.hold(make_matter().pk, refresh(scene.row), by=scene.ann)


@pytest.mark.both_engines
def test_a_hold_on_the_student_that_comes_after_the_decision_is_told_and_stops_nothing(
    archive: Archive, sealed: Arrive, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The recording is destroyed and stays so; else it lay there, and went by itself when the hold ended."""
    scene = make_scene(sealed(seconds=1).id)
    made = scene.approved()
    with monkeypatch.context() as patch:
        patch.setattr("pathlib.Path.unlink", lambda *_, **__: (_ for _ in ()).throw(OSError(28, "no space")))
        deeds.carry_out(made.pk, by=scene.bob)
    assert Destruction.objects.get().state == State.CLOSING
    client = signed_in(archive, "carol", role="custodian")
    assert "Destruction not complete" in check(client.get("/today/").content.decode()).text
    typed = {"student": "S-17", "once": "a" * 32}
    page = check(client.post(f"/holds/{make_matter().pk}/add/", typed, follow=True).content.decode())
    assert "All recordings of Ana Torres" in page.text
    assert "The hold comes too late for one recording" in page.text
    assert "nobody can destroy it" not in check(client.get(f"/recordings/{scene.row.pk}/").content.decode()).text
    assert scene.row.pk not in held_now()
    finish_all(StopSignal())
    assert gone(scene.row)
    assert Destruction.objects.get().state == State.DONE
    assert "Destruction not complete" not in client.get("/today/").content.decode()
    later = sealed(seconds=1).id
    make_filing(later, make_meeting(scene.student))
    assert held_now() == {later}


def test_the_tombstone_holds_no_name_and_leads_to_nobody(scene: Scene) -> None:
    row, meeting = scene.row, Filing.objects.get().meeting
    OpeningEvent.objects.create(
        meeting=meeting, kind="told", at=NOON, received_at=NOON, who="Rosa Torres", recording=row, frame=1
    )
    made = scene.approved()
    amendment = Amendment.objects.create(
        student=scene.student,
        person=scene.parent,
        recording=row,
        received_on=NOON.date(),
        text="Ana Torres said",
        state="hearing-refused",
    )
    Statement.objects.create(amendment=amendment, recording=row, text="Ana Torres said", placed_at=NOON)
    WaveformMaker().once(StopSignal())
    deeds.carry_out(made.pk, by=scene.bob)
    done = Destruction.objects.get()
    assert (done.told_people, done.told.get().reply, done.told.get().person) == (1, Reply.AGREES, None)
    assert {
        "filings",
        "statements",
        "amendments",
        "letters",
        "notes of the meeting",
        "waveforms",
    } <= done.removed.keys()
    assert not Filing.objects.exists()
    assert not Waveform.objects.exists()
    assert not PackageIndex.objects.exists()
    assert "Torres" not in Letter.objects.get().body + Letter.objects.get().subject
    assert Letter.objects.get().delivered_at is not None
    # the meeting stays the calendar's, and no identifier in the log names it any more
    (left,) = Meeting.objects.all()
    assert left.student == scene.student
    known = " ".join(f"{entry.subject_id} {entry.detail}" for entry in Entry.objects.all())
    assert str(left.pk) not in known
    assert str(meeting.pk) not in known or left.pk != meeting.pk
    for entry in entries(row.pk):
        assert not Meeting.objects.filter(pk=entry.member("meeting")).exists()


def test_the_second_date_is_when_no_copy_of_the_keys_opens_it(scene: Scene) -> None:
    made = scene.approved()
    old = make_generation(timezone.now() - timedelta(days=31))
    deeds.carry_out(made.pk, by=scene.bob)
    done = Destruction.objects.get()
    assert (done.generations, done.forgotten_at) == ([old], None)
    finish_all(StopSignal())
    assert Destruction.objects.get().forgotten_at is None, "the only copy is not forgotten before there is a newer one"
    new = make_generation(timezone.now())
    assert forget_old(timezone.now()) == [old]
    assert note_forgotten() == 1
    assert generations() == [new]
    assert Destruction.objects.get().forgotten_at is not None


def test_what_a_backup_brings_back_is_removed_again(scene: Scene) -> None:
    row = scene.row
    package, key = store().read(row.package), recording_keys().read(row.pk)
    deeds.carry_out(scene.approved().pk, by=scene.bob)
    store().put_once(row.package, package)
    recording_keys().put_once(row.pk, key)
    assert [(one.code, one.recording) for one in audit()] == [(Code.LEFT, row.pk)]
    with pytest.raises(DestroyedError):
        open_audio(refresh(row))
    audit_and_repair(StopSignal())
    assert gone(row)
    assert list(audit()) == []


def test_nothing_is_destroyed_while_a_copy_of_it_is_to_leave(scene: Scene) -> None:
    """A court waits for it: it must not be gone when the parent's days are over."""
    made = scene.approved()
    order = disclosure_facts(basis=DisclosureBasis.COMPELLED, explanation="Circuit Court, no. 17")
    waiting = disclosure_deeds.prepare(scene.row.pk, order, by=scene.ann)
    with pytest.raises(DeedError, match="prepared for somebody"):
        deeds.carry_out(made.pk, by=scene.bob)
    assert untouched(scene.row)
    disclosure_deeds.withdraw(waiting.pk, by=scene.ann)
    deeds.carry_out(made.pk, by=scene.bob)
    assert gone(scene.row)


def test_the_log_contradicts_an_older_database(scene: Scene) -> None:
    deeds.carry_out(scene.approved().pk, by=scene.bob)
    change_as_owner("UPDATE recordings_recording SET destroyed_at = NULL")
    assert [one for one in contradictions() if "was destroyed, and its row no longer says so" in one]


def test_the_letter_of_an_incident_about_no_recording_outlives_one_that_is_destroyed(
    archive: Archive, sealed: Arrive
) -> None:
    """The meeting's letters get other identifiers; the incident, which is about no recording, keeps its letter."""
    scene = make_scene(sealed(seconds=1).id)
    meeting = Meeting.objects.get()
    about: dict[str, Any] = {"about_type": "meeting", "about_id": str(meeting.pk)}
    letter = make_letter(scene.student, LetterKind.INCIDENT, person=scene.parent, **about)
    facts: dict[str, Any] = {
        "missing": "all",
        "cause": "no-box",
        "explanation": "x",
        "told": "x",
        "done": "x",
        "entered_at": NOON,
    }
    incident = Incident.objects.create(meeting=meeting, **facts)
    IncidentLetter.objects.create(incident=incident, person=scene.parent, letter=letter)
    deeds.carry_out(scene.approved().pk, by=scene.bob)
    kept = IncidentLetter.objects.get().letter
    assert (kept.pk != letter.pk, kept.body) == (True, letter.body)
