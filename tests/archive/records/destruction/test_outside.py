"""A recording that no box made is destroyed by the same rules, and nothing of it opens afterwards."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
from django.db import DatabaseError, transaction
from django.utils import timezone

from appliance.contract.errors import DecryptionError, PlainSightError
from appliance.contract.stop_signal import StopSignal
from archive.access.decisions import may
from archive.access.deeds import Deed
from archive.backup.packages import sealed as sealed_packages
from archive.custody.actors import Subject
from archive.custody.check import check as check_custody
from archive.custody.check import contradictions
from archive.custody.models import Entry
from archive.keystore.generations import forget_old, make_generation
from archive.keystore.recording_keys import KeyHeldError, recording_keys
from archive.recordings.find import DestroyedError
from archive.recordings.secrets import secret_of
from archive.records.destruction import deeds, finish_deeds
from archive.records.destruction.finish_deeds import finish_all, note_forgotten
from archive.records.destruction.models import Basis, Destruction, Reply, State
from archive.records.disclosures.deeds import prepare
from archive.records.disclosures.models import Consent, Copy, Disclosure, Recorded
from archive.records.errors import DeedError, SecondPersonError
from archive.records.holds import deeds as hold_deeds
from archive.records.holds.reach import matters_of
from archive.records.letters.models import Letter
from archive.records.meetings.models import Filing, Meeting
from archive.records.outside_recordings import filing_deeds, take_in_deeds
from archive.records.outside_recordings.models import OutsideFiling, OutsideRecording, OutsideRestriction, OutsideView
from archive.records.outside_recordings.plain_file import open_sealed, outside_package
from archive.records.today.day import Day
from archive.records.today.tasks import destructions_due
from archive.sealing.audit import Code, audit, audit_and_repair
from archive.store.current import store
from tests.archive.page_fixtures import Arrive, make_user, signed_in
from tests.archive.pages import check
from tests.archive.records.disclosures.scene import facts
from tests.archive.records.factories import (
    NOON,
    make_bar,
    make_filing,
    make_hold,
    make_matter,
    make_meeting,
    make_request,
)
from tests.archive.records.outside_recordings.files import SAID, sound
from tests.support.archives import Archive, change_as_owner, without_triggers

from .scene import Scene, execute, make_outside_scene
from .test_interrupted import KilledError
from .test_races import at_once


@pytest.fixture
def scene(archive: Archive) -> Scene:
    return make_outside_scene()


def codes(pk: str) -> list[str]:
    return [one.code for one in Entry.objects.about(Subject.outside(pk)).order_by("n")]


def gone(pk: str) -> bool:
    return not recording_keys().exists(pk) and not store().exists(outside_package(pk))


def untouched(pk: str) -> bool:
    row = OutsideRecording.objects.get(pk=pk)
    return row.destroyed_at is None and open_sealed(row).read() == sound("FLAC")


def test_two_people_destroy_it_and_nothing_opens_it(scene: Scene) -> None:
    deeds.carry_out(scene.approved().pk, by=scene.ann)
    row = OutsideRecording.objects.get()
    assert gone(row.pk)
    assert row.destroyed_at is not None
    with pytest.raises(DecryptionError):
        secret_of(row.pk)
    assert [code for code in codes(row.pk) if code.startswith("destr")] == [
        "destruction-proposed",
        "destruction-told",
        "destruction-reply",
        "destruction-approved",
        "destroyed",
        "destruction-finished",
        "destruction-forgotten",
    ]
    assert check_custody() is None
    assert not [one for one in contradictions() if scene.row.pk in one or "destroyed" in one]
    assert list(audit()) == []
    packages = [(one.recording, one.name, one.destroyed_at) for one in sealed_packages()]
    assert (row.pk, outside_package(row.pk), row.destroyed_at) in packages


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
    for what in (scene.row, scene.student):
        held = hold_deeds.hold(make_matter().pk, what, by=scene.ann)
        with pytest.raises(DeedError, match="on hold"):
            steps[step]()
        hold_deeds.release(held.matter_id, held.pk, "settled", by=scene.ann)
    request = make_request(scene.student, scene.parent)
    with pytest.raises(DeedError, match="request of a parent"):
        steps[step]()
    request.closed_at, request.outcome = timezone.now(), "a copy"
    request.save()
    OutsideFiling.objects.update(confirmed_at=None, confirmed_by=None)
    with pytest.raises(DeedError, match="must be kept"):
        steps[step]()
    assert untouched(scene.row.pk)


def test_one_person_is_not_enough_and_a_parents_answer_stands_against_it(scene: Scene) -> None:
    made = scene.told(scene.propose(), Reply.OBJECTS)
    with pytest.raises(SecondPersonError):
        deeds.approve(made.pk, by=scene.ann)
    with pytest.raises(DeedError, match="does not agree"):
        deeds.approve(made.pk, by=scene.bob)
    with pytest.raises(DeedError, match="second person"):
        deeds.carry_out(made.pk, by=scene.ann)
    with pytest.raises(DeedError, match="already"):
        scene.propose()


def test_what_is_not_sealed_is_given_up_and_not_destroyed(scene: Scene) -> None:
    half = take_in_deeds.begin(SAID, by=scene.ann)
    with pytest.raises(DeedError, match="not sealed"):
        deeds.propose(half.pk, Basis.PERIOD, "x", by=scene.ann)
    with pytest.raises(DeedError, match="not sealed"):
        prepare(half.pk, facts(what=Copy.FILE), by=scene.ann)


def test_the_letter_says_that_no_box_made_it(scene: Scene) -> None:
    made = scene.propose()
    deeds.tell(made.pk, scene.student, scene.parent, "en", by=scene.ann)
    assert "Recording that no box made" in Letter.objects.get().body
    assert (Letter.objects.get().about_type, Letter.objects.get().about_id) == ("outside", scene.row.pk)


@pytest.mark.both_engines
def test_nobody_goes_around_the_two(archive: Archive) -> None:
    scene = make_outside_scene()
    with pytest.raises(KeyHeldError, match="nobody decided"):
        recording_keys().destroy_key(scene.row.pk)
    made = scene.propose()
    destroyed = "UPDATE outside_recordings_outsiderecording SET destroyed_at = CURRENT_TIMESTAMP"
    with pytest.raises(DatabaseError, match="two people"), transaction.atomic():
        execute(destroyed)
    with pytest.raises(DatabaseError), transaction.atomic():
        execute(
            "UPDATE destruction_destruction SET state = 'closing', approved_by_id = proposed_by_id, "
            "approved_at = CURRENT_TIMESTAMP, closed_at = CURRENT_TIMESTAMP"
        )
    # two decided, and a hold came in between: not even the decision's own words let it through
    with without_triggers():
        Destruction.objects.update(state=State.CLOSING, approved_by=scene.bob, approved_at=NOON, closed_at=NOON)
    make_hold(make_matter(), outside=scene.row)
    with pytest.raises(DatabaseError, match="on hold"), transaction.atomic():
        execute(destroyed)
    assert made.subject == Subject.outside(scene.row.pk)
    assert untouched(scene.row.pk)


def test_a_destruction_is_of_one_recording_of_one_kind(scene: Scene, sealed: Arrive) -> None:
    box = sealed(seconds=1).id
    for of in ({}, {"recording_id": box, "outside": scene.row}):
        with pytest.raises(DatabaseError), transaction.atomic():
            Destruction.objects.create(basis=Basis.PERIOD, proposed_at=NOON, **of)


def test_what_was_destroyed_stays_destroyed(scene: Scene) -> None:
    deeds.carry_out(scene.approved().pk, by=scene.bob)
    with pytest.raises(DatabaseError, match="stays destroyed"), transaction.atomic():
        OutsideRecording.objects.update(destroyed_at=None)
    row = OutsideRecording.objects.get()
    with pytest.raises(DestroyedError):
        hold_deeds.hold(make_matter().pk, row, by=scene.ann)
    with pytest.raises(DestroyedError):
        filing_deeds.file_outside(row.pk, make_meeting(scene.student), by=scene.ann)
    with pytest.raises(DestroyedError):
        scene.propose()


@pytest.mark.parametrize("step", ["note_destroyed", "remove_destroyed", "generations", "erase", "remove"])
def test_a_kill_after_the_decision_leaves_what_the_worker_completes(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    made = scene.approved()

    def kill(*_: Any, **__: Any) -> Any:
        raise KilledError

    with monkeypatch.context() as patch:
        patch.setattr(type(store()) if step == "remove" else finish_deeds, step, kill)
        with pytest.raises(KilledError):
            deeds.carry_out(made.pk, by=scene.bob)
    finish_all(StopSignal())
    assert gone(scene.row.pk)
    assert Destruction.objects.get().state == State.DONE
    assert codes(scene.row.pk).count("destruction-finished") == 1


def test_the_tombstone_holds_no_name_and_leads_to_nobody(archive: Archive, scene: Scene) -> None:
    row, meeting = scene.row, OutsideFiling.objects.get().meeting
    client = signed_in(archive, "carol", role="custodian")
    client.get(f"/outside-recordings/{row.pk}/")
    made = filing_deeds.restrict(row.pk, "Ana Torres spoke alone", by=scene.ann)
    filing_deeds.lift(row.pk, made.pk, "Ana Torres agreed", by=scene.bob)
    Recorded.objects.create(outside=row, name="Kim Vo, teacher")
    Consent.objects.create(
        outside=row, student=scene.student, person=scene.parent, records="r", purpose="p", party="Dr. Lee",
        signed_on=NOON.date(), how="paper", proof="x", entered_at=NOON,
    )  # fmt: skip
    said = {"what": "file", "party": "Dr. Lee", "purpose": "p", "basis": "own", "sha256": "0" * 64}
    Disclosure.objects.create(outside=row, prepared_at=NOON, handed_at=NOON, **said)
    deeds.carry_out(scene.approved().pk, by=scene.bob)
    for model in (OutsideFiling, OutsideRestriction, OutsideView, Recorded, Consent, Disclosure):
        assert not model.objects.exists(), model
    left = OutsideRecording.objects.get()
    assert "Kim Vo" not in json.dumps(OutsideRecording.objects.values().get(), default=str)
    assert (bytes(left.statement), left.begun_by, left.sha256) == (b"", None, row.sha256)
    assert "Torres" not in Letter.objects.get().body + Letter.objects.get().subject
    done = Destruction.objects.get()
    assert (done.told_people, done.told.get().person, done.reason) == (1, None, "")
    assert {"filings", "restrictions", "letters", "statements about its making", "page views"} <= done.removed.keys()
    (kept,) = Meeting.objects.all()
    assert kept.pk != meeting.pk
    assert not kept.recording_destroyed, "what was brought stands in for no recording of the district's own"
    for entry in Entry.objects.about(Subject.outside(row.pk)):
        assert not Meeting.objects.filter(pk=entry.member("meeting")).exists()


def test_a_box_recording_of_the_same_meeting_stays_filed(archive: Archive, sealed: Arrive) -> None:
    scene = make_outside_scene()
    meeting, box = OutsideFiling.objects.get().meeting, sealed(seconds=1).id
    make_filing(box, meeting)
    deeds.carry_out(scene.approved().pk, by=scene.bob)
    assert Filing.objects.get().meeting_id == meeting.pk
    assert recording_keys().exists(box)


def test_the_second_date_is_when_no_copy_of_the_keys_opens_it(scene: Scene) -> None:
    made = scene.approved()
    old = make_generation(timezone.now() - timedelta(days=31))
    deeds.carry_out(made.pk, by=scene.bob)
    assert (Destruction.objects.get().generations, Destruction.objects.get().forgotten_at) == ([old], None)
    make_generation(timezone.now())
    forget_old(timezone.now())
    assert note_forgotten() == 1
    assert Destruction.objects.get().forgotten_at is not None


def test_what_a_backup_brings_back_is_removed_again(scene: Scene) -> None:
    pk = scene.row.pk
    package, key = store().read(outside_package(pk)), recording_keys().read(pk)
    deeds.carry_out(scene.approved().pk, by=scene.bob)
    store().put_once(outside_package(pk), package)
    recording_keys().put_once(pk, key)
    assert [(one.code, one.recording) for one in audit()] == [(Code.LEFT, pk)]
    audit_and_repair(StopSignal())
    assert gone(pk)
    assert list(audit()) == []


def test_the_log_contradicts_an_older_database(scene: Scene) -> None:
    deeds.carry_out(scene.approved().pk, by=scene.bob)
    change_as_owner("UPDATE outside_recordings_outsiderecording SET destroyed_at = NULL")
    assert [one for one in contradictions() if "was destroyed, and its row no longer says so" in one]


def test_the_pages_from_the_proposal_to_the_certificate(archive: Archive, scene: Scene) -> None:
    ann, bob = (signed_in(archive, name, role="custodian") for name in ("carol", "dave"))
    place = f"/outside-recordings/{scene.row.pk}/"
    page = check(ann.get(place).content.decode())
    assert "which they may from" in page.text
    assert f"{place}destroy/" in {one.get("href") for one in page.all("a")}
    assert place in {one.get("href") for one in check(ann.get("/retention/ahead/").content.decode()).all("a")}
    page = check(ann.get(f"{place}destroy/").content.decode())
    assert "Recording that no box made" in page.text
    assert ann.get(f"/recordings/{scene.row.pk}/destroy/").status_code == 404
    typed = {"basis": "period", "reason": "no longer needed", "once": "a" * 32}
    there = ann.post(f"{place}destroy/", typed).headers["Location"]
    scene.told(Destruction.objects.get())
    check(ann.get(there).content.decode())
    assert "Recording that no box made" in ann.get("/destructions/").content.decode()
    assert ann.post(f"{there}approve/", {"once": "b" * 32}).status_code == 422
    check(bob.get(f"{there}approve/").content.decode())
    bob.post(f"{there}approve/", {"once": "c" * 32})
    Destruction.objects.update(approved_at=timezone.now() - timedelta(hours=25))
    check(bob.get(f"{there}carry-out/").content.decode())
    answer = bob.post(f"{there}carry-out/", {"understood": "on", "once": "d" * 32}, follow=True)
    assert "Certificate (PDF)" in check(answer.content.decode()).text
    assert gone(scene.row.pk)
    assert bob.get(f"{there}certificate.pdf").content.startswith(b"%PDF-")
    for way in ("audio/", "download/", "destroy/", "disclose/", "hold/"):
        assert bob.get(f"{place}{way}").status_code == 410, way
    page = check(bob.get(place).content.decode())
    assert "destroyed" in page.text
    assert "Kim Vo" not in page.text
    check(bob.get("/outside-recordings/").content.decode())
    check(bob.get("/retention/ahead/").content.decode())
    assert not OutsideView.objects.exists()


def test_hold_and_destroy_at_once_one_of_both(archive: Archive, scene: Scene) -> None:
    made, matter = scene.approved(), make_matter()
    destroyed, held = at_once(
        partial(deeds.carry_out, made.pk, by=scene.bob), partial(hold_deeds.hold, matter.pk, scene.row, by=scene.ann)
    )
    assert isinstance(destroyed, DeedError) != isinstance(held, PlainSightError)
    assert gone(scene.row.pk) is not matters_of(scene.row.pk).exists()
    assert gone(scene.row.pk) or untouched(scene.row.pk)


def test_a_copy_that_is_being_taken_while_it_is_destroyed_ends_in_an_error(archive: Archive, scene: Scene) -> None:
    client = signed_in(archive, "carol", role="custodian")
    answer = client.get(f"/outside-recordings/{scene.row.pk}/download/")
    deeds.carry_out(scene.approved().pk, by=scene.bob)
    with suppress(PlainSightError):
        assert b"".join(answer) == sound("FLAC"), "what was sent before is whole, or it breaks off"
    assert client.get(f"/outside-recordings/{scene.row.pk}/download/").status_code == 410


def test_who_is_barred_from_the_student_or_may_not_destroy_reaches_none_of_it(archive: Archive, scene: Scene) -> None:
    made = scene.propose()
    carol = make_user("carol", role="custodian")
    reader = signed_in(archive, "reader", Deed.LOOK)
    assert "destruction" not in reader.get(f"/outside-recordings/{scene.row.pk}/").content.decode().lower()
    assert may(carol, Deed.DESTROY, Subject.destruction(made.pk)).allowed
    assert len(destructions_due(Day.of(carol, timezone.localtime()))) == 1
    scene.parent.user = carol
    scene.parent.save()
    make_bar(scene.parent, scene.student)
    assert may(carol, Deed.DESTROY, Subject.destruction(made.pk)).reason == "barred"
    assert destructions_due(Day.of(carol, timezone.localtime())) == []
    client = archive.client()
    client.force_login(carol)
    assert str(made.pk) not in client.get("/destructions/").content.decode()
