"""A file that was brought leaves by the same two gates as a box's recording, whole and byte for byte, or not at all."""

from __future__ import annotations

import hashlib
import io
import zipfile
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError, transaction
from django.utils import timezone

from appliance.contract.encryption import Identity
from appliance.contract.errors import DigestError
from appliance.contract.verification import verify_evidence
from archive.access.decisions import may
from archive.access.deeds import Deed
from archive.accounts.models import User
from archive.custody.actors import Subject
from archive.custody.models import Entry
from archive.devices.keyring import key_ring
from archive.records.disclosures import deeds, notice_deeds
from archive.records.disclosures.copies import copy_of
from archive.records.disclosures.models import Basis, Consent, Copy, Disclosure, Recorded
from archive.records.disclosures.notice_deeds import Notice
from archive.records.disclosures.reach import facts_of, not_named
from archive.records.disclosures.rules import Missing, district_gate, ferpa_gate, missing_names
from archive.records.errors import DeedError
from archive.records.letters.deeds import approve_text
from archive.records.letters.models import Letter, Template
from archive.records.meetings.models import OpeningEvent
from archive.records.outside_recordings import filing_deeds
from archive.records.outside_recordings.models import OutsideFiling, OutsideRecording
from archive.records.outside_recordings.plain_file import outside_package
from archive.records.requests.record_of_access import record_of_access
from archive.store.current import store
from tests.archive.page_fixtures import Arrive, make_user, signed_in
from tests.archive.pages import check
from tests.archive.records.factories import (
    NOON,
    make_bar,
    make_meeting,
    make_person,
    make_request,
    make_right,
    make_student,
)
from tests.archive.records.outside_recordings.files import brought, sound
from tests.support.archives import Archive, without_triggers

from .scene import PDF, consent, facts

WAV = sound("WAV")


@pytest.fixture
def ann(archive: Archive) -> User:
    return make_user("ann", Deed.DISCLOSE)


@pytest.fixture
def row(ann: User) -> OutsideRecording:
    """What was brought of a meeting about Ana Torres, at whose opening two people were told."""
    made = brought(ann, WAV)
    student = make_student("Ana", "Torres", local_id="S-17")
    make_right(make_person("Rosa", "Torres"), student)
    meeting = make_meeting(student)
    filing = filing_deeds.file_outside(made.pk, meeting, by=ann)
    filing_deeds.confirm(made.pk, filing.pk, by=make_user("bob"))
    for who in ("Rosa Torres, mother", "Lee Park, therapist"):
        OpeningEvent.objects.create(meeting=meeting, kind="told", at=NOON, received_at=NOON, who=who)
    return made


def prepared(row: OutsideRecording, by: User, **other: Any) -> Disclosure:
    return deeds.prepare(row.pk, facts(**{"what": Copy.FILE, **other}), by=by)


def codes(pk: str) -> list[str]:
    return [one.code for one in Entry.objects.about(Subject.outside(pk)).order_by("n")]


def test_both_gates_list_what_is_missing_until_it_is_there(row: OutsideRecording, ann: User) -> None:
    made = prepared(row, ann)
    found = facts_of(made)
    assert (ferpa_gate(found), district_gate(found)) == ([Missing.CONSENT], [Missing.RECORDED])
    assert sorted(missing_names(found)) == ["Lee Park, therapist", "Rosa Torres, mother"]
    with pytest.raises(DeedError, match="gates"):
        deeds.begin_copy(made.pk, by=ann)
    assert codes(row.pk)[-1] == "disclosure-refused"
    given = deeds.enter_consent(row.pk, consent(row), by=ann)
    for name in not_named(row.pk):
        deeds.enter_recorded(row.pk, name, timezone.localdate(), "file 13", by=ann)
    deeds.begin_copy(made.pk, by=ann)
    assert codes(row.pk)[-1] == "disclosed"
    deeds.withdraw_consent(row.pk, given.pk, by=ann)
    with pytest.raises(DeedError, match="gates"):
        deeds.begin_copy(made.pk, by=ann)


def test_the_copy_is_the_file_byte_for_byte_and_its_digest_is_the_receipts(row: OutsideRecording, ann: User) -> None:
    made = prepared(row, ann, basis=Basis.OWN, party="Rosa Torres")
    whole = b"".join(copy_of(deeds.begin_copy(made.pk, by=ann), ann))
    made.refresh_from_db()
    assert (made.sha256, made.size) == (hashlib.sha256(whole).hexdigest(), len(whole))
    with zipfile.ZipFile(io.BytesIO(whole)) as file:
        assert file.read(f"{row.pk}-not-made-by-a-box.wav") == WAV
        assert b"34 CFR 99.33" in file.read("REDISCLOSURE.txt")
        said = file.read("NOT-MADE-BY-A-BOX.txt").decode()
        assert row.sha256 in said
        assert "Kim Vo, teacher" in said
        assert "NOTICE.txt" in file.namelist()
    again = b"".join(copy_of(deeds.begin_copy(made.pk, by=ann), ann))
    assert hashlib.sha256(again).hexdigest() == made.sha256
    assert [one for one in codes(row.pk) if one.startswith("disclosed")] == ["disclosed", "disclosed-whole"] * 2
    student = OutsideFiling.objects.get().meeting.student
    assert [(one.who, one.what) for one in record_of_access(student) if one.who == "Rosa Torres"]


def test_what_is_damaged_in_the_store_leaves_no_receipt(
    row: OutsideRecording, ann: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, whole = prepared(row, ann, basis=Basis.OWN), store().read(outside_package(row.pk))
    spoiled = whole.replace(whole[5000:5010], bytes(10))
    monkeypatch.setattr(type(store()), "read_range", lambda _self, _name, offset, size: spoiled[offset : offset + size])
    with pytest.raises(DigestError):
        b"".join(copy_of(deeds.begin_copy(made.pk, by=ann), ann))
    made.refresh_from_db()
    assert (made.handed_at, made.sha256) == (None, "")


@pytest.mark.parametrize("basis", [Basis.OWN, Basis.COMPELLED, Basis.CONSENT])
def test_a_restriction_silences_all_of_it_on_every_ground(row: OutsideRecording, ann: User, basis: Basis) -> None:
    made = prepared(row, ann, basis=basis)
    restricted = filing_deeds.restrict(row.pk, "staff talked on", by=ann)
    assert Missing.SILENT in district_gate(facts_of(made))
    with pytest.raises(DeedError, match="gates"):
        deeds.begin_copy(made.pk, by=ann)
    filing_deeds.lift(row.pk, restricted.pk, "nothing in it", by=User.objects.get(username="bob"))
    assert Missing.SILENT not in district_gate(facts_of(made))


def test_what_is_not_surely_filed_leaves_on_no_ground(row: OutsideRecording, ann: User) -> None:
    made = prepared(row, ann, basis=Basis.OWN)
    filing_deeds.end_filing(row.pk, OutsideFiling.objects.get().pk, "another meeting", by=ann)
    assert ferpa_gate(facts_of(made)) == [Missing.NOT_FILED]
    with pytest.raises(DeedError, match="gates"):
        deeds.begin_copy(made.pk, by=ann)


@pytest.mark.parametrize("what", [Copy.AUDIO, Copy.PACKAGE])
def test_it_leaves_as_all_of_it_or_not_at_all(row: OutsideRecording, ann: User, what: Copy) -> None:
    with pytest.raises(DeedError, match="leaves as it is"):
        prepared(row, ann, what=what)
    with pytest.raises(DatabaseError), transaction.atomic():
        Disclosure.objects.create(outside=row, what=what, party="x", purpose="y", basis="own", prepared_at=NOON)


@pytest.mark.parametrize("what", [Copy.FILE, Copy.EVIDENCE])
def test_only_a_transfer_names_another_archive(row: OutsideRecording, ann: User, what: Copy) -> None:
    with pytest.raises(DeedError, match="Only a transfer"):
        prepared(row, ann, what=what, recipient=Identity.generate().recipient)


def test_its_evidence_package_passes_the_gates_and_says_its_grade(row: OutsideRecording, ann: User) -> None:
    made = prepared(row, ann, what=Copy.EVIDENCE, basis=Basis.OWN)
    whole = b"".join(copy_of(deeds.begin_copy(made.pk, by=ann), ann))
    made.refresh_from_db()
    assert made.sha256 == hashlib.sha256(whole).hexdigest()
    report = verify_evidence(io.BytesIO(whole), key_ring())
    assert (report.verdict, report.problem, report.file_sha256) == ("as-brought", "", row.sha256)
    with zipfile.ZipFile(io.BytesIO(whole)) as file:
        assert b"34 CFR 99.33" in file.read(f"evidence-{row.pk}/data/notices/REDISCLOSURE.txt")
        assert "Ana Torres" in file.read(f"evidence-{row.pk}/data/records/meetings.json").decode()


def test_no_box_recording_leaves_as_a_file_and_no_row_is_of_two(
    row: OutsideRecording, ann: User, sealed: Arrive
) -> None:
    box = sealed(seconds=1).id
    with pytest.raises(DeedError, match="leaves as it is"):
        deeds.prepare(box, facts(what=Copy.FILE), by=ann)
    said = {"what": "file", "party": "x", "purpose": "y", "basis": "own", "prepared_at": NOON}
    for of in ({}, {"recording_id": box}, {"recording_id": box, "outside": row}):
        with pytest.raises(DatabaseError), transaction.atomic():
            Disclosure.objects.create(**said, **of)
    with pytest.raises(DatabaseError), transaction.atomic():
        Recorded.objects.create(name="nobody's")


def test_a_subpoena_is_told_by_a_letter_and_waits(row: OutsideRecording, ann: User) -> None:
    for text in Template.objects.filter(kind="subpoena"):
        approve_text(text.pk, by=ann)
    made = prepared(row, ann, basis=Basis.COMPELLED, explanation="Circuit Court, no. 17")
    assert ferpa_gate(facts_of(made)) == [Missing.NOTICE, Missing.WAITING]
    student = OutsideFiling.objects.get().meeting.student
    parent = student.rights.get().person
    notice_deeds.write_notice(made.pk, parent, "en", timezone.localdate() + timedelta(days=9), by=ann)
    assert Letter.objects.get().about_type == "outside"
    notice_deeds.enter_notice(made.pk, Notice(student, timezone.localdate() - timedelta(days=10)), by=ann)
    made.refresh_from_db()
    assert ferpa_gate(facts_of(made)) == [Missing.WAITING]
    with without_triggers():
        Disclosure.objects.update(waits_until=timezone.localdate() - timedelta(days=1))
    deeds.begin_copy(made.pk, by=ann)


def test_the_pages_from_the_preparation_to_the_receipt(archive: Archive, row: OutsideRecording) -> None:
    client, place = signed_in(archive, "carol", role="custodian"), f"/outside-recordings/{row.pk}/"
    page = check(client.get(place).content.decode())
    assert f"{place}disclose/" in {one.get("href") for one in page.all("a")}
    page = check(client.get(f"{place}disclose/").content.decode())
    assert "A redacted copy instead" not in page.text
    for way in ("disclose/", "consents/new/", "recorded/"):
        assert client.get(f"/recordings/{row.pk}/{way}").status_code == 404
    typed = {"party": "Dr. Lee", "purpose": "an evaluation", "basis": "consent", "what": "file"}
    assert client.post(f"{place}disclose/", {**typed, "party": "", "once": "0" * 32}).status_code == 422
    there = client.post(f"{place}disclose/", {**typed, "once": "a" * 32}).headers["Location"]
    page = check(client.get(there).content.decode())
    assert "Recording that no box made" in page.text
    assert {f"{place}consents/new/", f"{place}recorded/"} <= {one.get("href") for one in page.all("a")}
    assert "Recording that no box made" in client.get("/disclosures/").content.decode()
    assert client.get(f"{there}copy.zip").status_code == 302
    check(client.get(f"{place}consents/new/").content.decode())
    student = OutsideFiling.objects.get().meeting.student
    said = {
        "student": student.pk, "person": "Rosa Torres", "records": "the recording", "purpose": "an evaluation",
        "party": "Dr. Lee", "signed_on": timezone.localdate().isoformat(), "how": "paper", "proof": "file 12",
    }  # fmt: skip
    scan = SimpleUploadedFile("c.pdf", PDF)
    answer = client.post(f"{place}consents/new/", {**said, "scan": scan, "once": "b" * 32})
    assert answer.headers["Location"] == there
    page = check(client.get(f"{place}recorded/").content.decode())
    assert "Lee Park, therapist" in page.text
    for number, name in enumerate(("Rosa Torres, mother", "Lee Park, therapist")):
        signed = {"name": name, "consented_on": timezone.localdate().isoformat(), "proof": "file 13"}
        answer = client.post(f"{place}recorded/", {**signed, "once": f"{number}" * 32})
        assert answer.headers["Location"] == f"{place}recorded/"
    whole = b"".join(client.get(f"{there}copy.zip"))
    page = check(client.get(there).content.decode())
    assert hashlib.sha256(whole).hexdigest() in page.text
    assert client.get(f"{there}receipt.pdf").content.startswith(b"%PDF-")
    withdraw = f"{place}consents/{Consent.objects.get().pk}/withdraw/"
    check(client.get(withdraw).content.decode())
    assert client.get(withdraw.replace(row.pk, "0" * 32)).status_code == 404
    client.post(withdraw, {"once": "c" * 32})
    assert client.get(f"{there}copy.zip").status_code == 302


def test_a_parents_request_leads_to_a_copy_of_what_was_brought(archive: Archive, row: OutsideRecording) -> None:
    client = signed_in(archive, "carol", role="custodian")
    student = OutsideFiling.objects.get().meeting.student
    case = make_request(student, student.rights.get().person)
    page = check(client.get(f"/requests/{case.pk}/").content.decode())
    assert "No recording is filed" not in page.text
    (copy,) = [one.get("href") for one in page.all("a") if "/disclose/" in one.get("href")]
    form = client.get(copy).content.decode()
    assert 'value="Rosa Torres"' in form
    typed = {"party": "Rosa Torres", "purpose": "her own", "basis": "own", "what": "file", "once": "a" * 32}
    there = client.post(copy, typed).headers["Location"]
    whole = b"".join(client.get(f"{there}copy.zip"))
    with zipfile.ZipFile(io.BytesIO(whole)) as file:
        assert file.read(f"{row.pk}-not-made-by-a-box.wav") == WAV


def test_who_is_barred_from_the_student_discloses_none_of_it(row: OutsideRecording, ann: User) -> None:
    made = prepared(row, ann)
    assert may(ann, Deed.DISCLOSE, Subject.disclosure(made.pk)).allowed
    student = OutsideFiling.objects.get().meeting.student
    person = make_person("Luis")
    person.user = ann
    person.save()
    make_bar(person, student)
    assert may(ann, Deed.DISCLOSE, Subject.disclosure(made.pk)).reason == "barred"
