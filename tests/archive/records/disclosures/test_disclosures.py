"""Disclosure: nothing leaves before both gates are open, each copy is an entry, and its receipt names its digest."""

from __future__ import annotations

import hashlib
import io
import zipfile
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from appliance.contract.encryption import Identity
from appliance.contract.errors import DecryptionError
from archive.accounts.models import User
from archive.recordings.models import Recording
from archive.recordings.secrets import secret_of
from archive.records.disclosures import deeds, views
from archive.records.disclosures.copies import copy_of
from archive.records.disclosures.models import (
    Basis,
    Consent,
    Copy,
    HowSigned,
    Recorded,
)
from archive.records.disclosures.reach import facts_of
from archive.records.disclosures.rules import Missing, district_gate, ferpa_gate, missing_names
from archive.records.errors import DeedError
from archive.records.requests.record_of_access import record_of_access
from tests.archive.page_fixtures import entries, signed_in
from tests.archive.pages import check
from tests.archive.records.factories import (
    make_bar,
    make_filing,
    make_meeting,
    make_student,
)
from tests.support.archives import Archive

from .scene import PDF, consent, facts, open_second, told


def test_both_gates_list_what_is_missing_until_it_is_there(row: Recording, ann: User) -> None:
    made = deeds.prepare(row.pk, facts(), by=ann)
    found = facts_of(made)
    assert (ferpa_gate(found), district_gate(found)) == ([Missing.CONSENT], [Missing.RECORDED])
    assert sorted(missing_names(found)) == ["Lee Park, therapist", "Rosa Torres, mother"]
    with pytest.raises(DeedError, match="gates"):
        deeds.begin_copy(made.pk, by=ann)
    assert entries(row.pk, "disclosure-refused")[0].member("missing") == "consent,recorded"
    deeds.enter_consent(row.pk, consent(row), by=ann)
    open_second(row, ann)
    deeds.begin_copy(made.pk, by=ann)
    assert len(entries(row.pk, "disclosed")) == 1


def test_a_part_that_is_filed_under_nobody_leaves_by_no_consent(row: Recording, ann: User) -> None:
    """34 CFR 99.30: the parents of whom that part is about were not asked; nobody knows yet who they are."""
    filing = row.filings.get()
    filing.last_frame = row.rate
    filing.save()
    made = deeds.prepare(row.pk, facts(), by=ann)
    assert Missing.PART_NOT_FILED in ferpa_gate(facts_of(made))
    make_filing(row.pk, make_meeting(make_student("Ben")), first_frame=row.rate)
    assert Missing.PART_NOT_FILED not in ferpa_gate(facts_of(made))


def test_a_withdrawn_consent_stops_the_next_copy(row: Recording, ann: User) -> None:
    given = deeds.enter_consent(row.pk, consent(row), by=ann)
    open_second(row, ann)
    made = deeds.prepare(row.pk, facts(), by=ann)
    deeds.begin_copy(made.pk, by=ann)
    deeds.withdraw_consent(row.pk, given.pk, by=ann)
    with pytest.raises(DeedError, match="gates"):
        deeds.begin_copy(made.pk, by=ann)


@pytest.mark.parametrize(
    ("other", "field"),
    [
        ({"scan": None}, "scan"),
        ({"scan": b"MZ an executable"}, "scan"),
        ({"scan": PDF + bytes(5 << 20)}, "scan"),
        ({"signed_on": timezone.localdate() + timedelta(days=1)}, "signed_on"),
    ],
)
def test_a_consent_lacks_nothing_that_the_law_names(
    row: Recording, ann: User, other: dict[str, Any], field: str
) -> None:
    with pytest.raises(DeedError) as told:
        deeds.enter_consent(row.pk, consent(row, **other), by=ann)
    assert told.value.field == field
    assert not Consent.objects.exists()


def test_the_copy_holds_audio_and_notices_and_its_digest_is_the_receipts(row: Recording, ann: User) -> None:
    made = deeds.prepare(row.pk, facts(basis=Basis.OWN, party="Rosa Torres"), by=ann)
    whole = b"".join(copy_of(deeds.begin_copy(made.pk, by=ann), ann))
    made.refresh_from_db()
    assert (made.sha256, made.size) == (hashlib.sha256(whole).hexdigest(), len(whole))
    with zipfile.ZipFile(io.BytesIO(whole)) as file:
        names = set(file.namelist())
        assert {"REDISCLOSURE.txt", "NOTICE.txt", f"{row.pk}.flac"} <= names
        assert b"34 CFR 99.33" in file.read("REDISCLOSURE.txt")
    # the same bytes again: what the receipt names can be checked later
    again = b"".join(copy_of(deeds.begin_copy(made.pk, by=ann), ann))
    assert hashlib.sha256(again).hexdigest() == made.sha256
    assert [entry.code for entry in entries(row.pk) if entry.code.startswith("disclosed")] == [
        "disclosed",
        "disclosed-whole",
    ] * 2


@pytest.mark.parametrize(
    ("party", "through"),
    [
        ("Rosa Torres", True),
        ("rosa torres, mother", True),
        ("Rosa Torresa", False),
        ("Dr. Lee", False),
        ("Rosa", False),
    ],
)
def test_a_parents_own_access_is_that_of_somebody_who_holds_rights(
    row: Recording, ann: User, party: str, through: bool
) -> None:
    made = deeds.prepare(row.pk, facts(basis=Basis.OWN, party=party), by=ann)
    assert ferpa_gate(facts_of(made)) == ([] if through else [Missing.NO_HOLDER])
    student = row.filings.get().meeting.student
    make_bar(student.rights.get().person, student)
    assert ferpa_gate(facts_of(made)) == [Missing.NO_HOLDER]


def test_a_copy_that_was_broken_off_has_no_receipt(row: Recording, ann: User) -> None:
    made = deeds.prepare(row.pk, facts(basis=Basis.OWN), by=ann)
    pieces = copy_of(deeds.begin_copy(made.pk, by=ann), ann)
    next(iter(pieces))
    del pieces
    made.refresh_from_db()
    assert (made.handed_at, made.sha256) == (None, "")


def test_a_transfer_hands_the_key_to_the_other_archive_alone(row: Recording, ann: User) -> None:
    other, stranger = Identity.generate(), Identity.generate()
    with pytest.raises(DeedError, match="age1"):
        deeds.prepare(row.pk, facts(what=Copy.TRANSFER, basis=Basis.TRANSFER, recipient="age1x"), by=ann)
    with pytest.raises(DeedError, match="enrolls"):
        deeds.prepare(row.pk, facts(what=Copy.TRANSFER, basis=Basis.OWN, recipient=other.recipient), by=ann)
    moved = facts(what=Copy.TRANSFER, basis=Basis.TRANSFER, recipient=other.recipient, explanation="moved to Rolla")
    made = deeds.prepare(row.pk, moved, by=ann)
    with pytest.raises(DeedError):
        deeds.begin_copy(made.pk, by=ann)
    told(made, ann)
    open_second(row, ann)
    whole = b"".join(copy_of(deeds.begin_copy(made.pk, by=ann), ann))
    with zipfile.ZipFile(io.BytesIO(whole)) as file:
        key = file.read(f"evidence-{row.pk}/data/recording/key.age")
        held = {name.rpartition("/")[2] for name in file.namelist()}
    assert {f"{row.pk}.zip", "REDISCLOSURE.txt", "NOTICE.txt"} <= held
    assert f"{row.pk}.flac" not in held
    assert Identity.parse(other.decrypt(key).decode()).recipient == secret_of(row.pk).recipient
    with pytest.raises(DecryptionError):
        stranger.decrypt(key)


def test_a_consent_may_ask_for_a_copy_and_an_electronic_one_shows_its_approval(
    archive: Archive, row: Recording, ann: User
) -> None:
    """34 CFR 99.30(c) and (d)."""
    given = consent(row, how=HowSigned.ELECTRONIC, scan=None, proof="signed in at the portal with two factors")
    with pytest.raises(DeedError) as refused:
        deeds.enter_consent(row.pk, given, by=ann)
    assert refused.value.field == "approval"
    made = deeds.prepare(row.pk, facts(), by=ann)
    deeds.enter_consent(row.pk, replace(given, approval="pressed “I agree”", copy_wanted=True), by=ann)
    assert entries(row.pk, "consent")[0].member("copy_wanted") is True
    page = signed_in(archive, "custodian", role="custodian").get(f"/disclosures/{made.pk}/").content.decode()
    assert "Rosa Torres asked for a copy" in check(page).text


def test_the_record_of_access_tells_to_whom_and_why(row: Recording, ann: User) -> None:
    """34 CFR 99.32(a)(3)."""
    made = deeds.prepare(row.pk, facts(basis=Basis.EMERGENCY, explanation="x"), by=ann)
    open_second(row, ann)
    deeds.begin_copy(made.pk, by=ann)
    (told,) = [one for one in record_of_access(row.filings.get().meeting.student) if one.what == "was given a copy"]
    assert (told.who, told.purpose) == ("Dr. Lee", "an evaluation")
    assert "99.36" in told.position


def test_the_pages_from_a_refusal_to_the_receipt(archive: Archive, row: Recording) -> None:
    client = signed_in(archive, "custodian", role="custodian")
    recording = f"/recordings/{row.pk}/"
    assert "Disclose it" in client.get(recording).content.decode()
    check(client.get(f"{recording}disclose/").content.decode())
    typed = {"party": "Dr. Lee", "purpose": "an evaluation", "what": "audio", "basis": "consent"}
    assert client.post(f"{recording}disclose/", {**typed, "basis": "", "once": "0" * 32}).status_code == 422
    there = client.post(f"{recording}disclose/", {**typed, "once": "a" * 32}).headers["Location"]
    page = check(client.get(there).content.decode())
    assert "Lee Park, therapist" in page.text
    assert "Hand out the copy" not in page.text
    refused = client.get(f"{there}copy.zip", follow=True)
    assert "do not let it through" in check(refused.content.decode()).text
    given = {
        "student": str(row.filings.get().meeting.student_id),
        "person": "Rosa Torres",
        "records": "the recording",
        "purpose": "an evaluation",
        "party": "dr. lee",
        "signed_on": timezone.localdate().isoformat(),
        "how": "paper",
        "proof": "file 12",
    }
    check(client.get(f"{recording}consents/new/").content.decode())
    assert client.post(f"{recording}consents/new/", {**given, "once": "b" * 32}).status_code == 422
    scan = SimpleUploadedFile("consent.pdf", PDF, "application/pdf")
    done = client.post(f"{recording}consents/new/", {**given, "scan": scan, "once": "c" * 32})
    assert done.headers["Location"] == there
    for number, name in enumerate(("Rosa Torres, mother", "Lee Park, therapist")):
        signed = {"name": name, "consented_on": timezone.localdate().isoformat(), "proof": "file 13"}
        client.post(f"{recording}recorded/", {**signed, "once": f"{number:032x}"})
    check(client.get(f"{recording}recorded/").content.decode())
    assert "Hand out the copy" in check(client.get(there).content.decode()).text
    answer = client.get(f"{there}copy.zip")
    whole = b"".join(answer)
    shown = check(client.get(there).content.decode()).text
    assert hashlib.sha256(whole).hexdigest() in shown
    assert client.get(f"{there}receipt.pdf").content.startswith(b"%PDF-")
    assert "Dr. Lee" in check(client.get("/disclosures/").content.decode()).text
    assert Recorded.objects.count() == 2
    consent_row = Consent.objects.get()
    gone = f"{recording}consents/{consent_row.pk}/withdraw/"
    check(client.get(gone).content.decode())
    client.post(gone, {"once": "d" * 32})
    assert "Hand out the copy" not in client.get(there).content.decode()


def test_what_is_prepared_is_shown_however_much_was_withdrawn_since(
    archive: Archive, row: Recording, ann: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "SHOWN", 1)
    waiting = deeds.prepare(row.pk, facts(), by=ann)
    for _ in range(3):
        deeds.withdraw(deeds.prepare(row.pk, facts(party="Dr. Park"), by=ann).pk, by=ann)
    page = signed_in(archive, "carol", role="custodian").get("/disclosures/").content.decode()
    assert f"/disclosures/{waiting.pk}/" in page
