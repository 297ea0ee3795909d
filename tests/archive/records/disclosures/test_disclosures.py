"""Disclosure: nothing leaves before both gates are open, each copy is an entry, and its receipt names its digest."""

from __future__ import annotations

import hashlib
import io
import zipfile
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from appliance.contract.encryption import Identity
from appliance.contract.errors import DecryptionError
from archive.access.deeds import Deed
from archive.accounts.models import User
from archive.recordings.models import Recording
from archive.recordings.secrets import secret_of
from archive.records.disclosures import deeds, notice_deeds, views
from archive.records.disclosures.copies import copy_of
from archive.records.disclosures.deeds import ConsentGiven, DisclosureFacts
from archive.records.disclosures.models import (
    Basis,
    Consent,
    Copy,
    Disclosure,
    Exempt,
    HowSigned,
    NoticeGiven,
    Recorded,
)
from archive.records.disclosures.notice_deeds import Notice
from archive.records.disclosures.reach import facts_of, not_named
from archive.records.disclosures.rules import Missing, district_gate, ferpa_gate, missing_names
from archive.records.errors import DeedError
from archive.records.letters.deeds import approve_text
from archive.records.letters.letter_facts import written_day
from archive.records.letters.models import Template
from archive.records.meetings.models import OpeningEvent
from archive.records.outside_recordings.either import Either
from archive.records.requests.record_of_access import record_of_access
from tests.archive.page_fixtures import Arrive, entries, make_user, signed_in
from tests.archive.pages import check
from tests.archive.records.factories import (
    NOON,
    make_bar,
    make_filing,
    make_meeting,
    make_person,
    make_right,
    make_student,
)
from tests.support.archives import Archive, without_triggers

PDF = b"%PDF-1.7 a signed paper"


@pytest.fixture
def ann(archive: Archive) -> User:
    return make_user("ann", Deed.DISCLOSE)


@pytest.fixture
def row(archive: Archive, sealed: Arrive) -> Recording:
    """A recording of a meeting about Ana Torres, at whose opening two people were told."""
    row = Recording.objects.get(pk=sealed(seconds=2).id)
    student = make_student("Ana", "Torres", local_id="S-17")
    make_right(make_person("Rosa", "Torres"), student)
    meeting = make_meeting(student)
    make_filing(row.pk, meeting)
    for who in ("Rosa Torres, mother", "Lee Park, therapist"):
        OpeningEvent.objects.create(meeting=meeting, kind="told", at=NOON, received_at=NOON, who=who)
    OpeningEvent.objects.create(meeting=meeting, kind="parent-records", at=NOON, received_at=NOON, who="Rosa Torres")
    return row


def facts(**other: Any) -> DisclosureFacts:
    given: dict[str, Any] = {
        "what": Copy.AUDIO,
        "recipient": "",
        "party": "Rosa Torres" if other.get("basis") == Basis.OWN else "Dr. Lee",
        "purpose": "an evaluation",
        "basis": Basis.CONSENT,
        "explanation": "",
    }
    return DisclosureFacts(**{**given, **other})


def consent(row: Either, **other: Any) -> ConsentGiven:
    meeting = row.filings.get().meeting
    given: dict[str, Any] = {
        "student": meeting.student,
        "person": meeting.student.rights.get().person,
        "records": "the recording",
        "purpose": "an evaluation",
        "party": "Dr. Lee",
        "signed_on": timezone.localdate(),
        "how": HowSigned.PAPER,
        "proof": "file 12",
        "scan": PDF,
    }
    return ConsentGiven(**{**given, **other})


def told(made: Disclosure, by: User, *, waits_until: date | None = None) -> None:
    """Let the parents of the first student have been told today."""
    student = made.about.filings.get(meeting__student__local_id="S-17").meeting.student
    notice_deeds.enter_notice(made.pk, Notice(student, timezone.localdate(), waits_until), by=by)


def open_second(row: Recording, by: User) -> None:
    for name in not_named(row.pk):
        deeds.enter_recorded(row.pk, name, timezone.localdate(), "file 13", by=by)


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


def test_a_court_order_waits_for_the_parent(row: Recording, ann: User) -> None:
    made = deeds.prepare(row.pk, facts(basis=Basis.COMPELLED, explanation="Circuit Court, no. 17"), by=ann)
    today = timezone.localdate()
    with pytest.raises(DeedError, match="time to act"):
        told(made, ann, waits_until=today)
    told(made, ann, waits_until=today + timedelta(days=10))
    with pytest.raises(DeedError, match="gates"):
        deeds.begin_copy(made.pk, by=ann)
    with without_triggers():
        NoticeGiven.objects.update(told_on=today - timedelta(days=11))
        Disclosure.objects.update(waits_until=today - timedelta(days=1))
    deeds.begin_copy(made.pk, by=ann)


def test_the_day_that_a_parent_was_promised_is_only_moved_later(row: Recording, ann: User) -> None:
    made = deeds.prepare(row.pk, facts(basis=Basis.COMPELLED, explanation="Circuit Court, no. 17"), by=ann)
    today = timezone.localdate()
    for text in Template.objects.filter(kind=notice_deeds.LETTERS[Basis.COMPELLED]):
        approve_text(text.pk, by=ann)
    parent = row.filings.get().meeting.student.rights.get().person
    notice_deeds.write_notice(made.pk, parent, "en", today + timedelta(days=20), by=ann)
    for sooner in (1, 19):
        with pytest.raises(DeedError, match="promised"):
            told(made, ann, waits_until=today + timedelta(days=sooner))
    told(made, ann, waits_until=None)
    notice_deeds.write_notice(made.pk, parent, "en", today + timedelta(days=5), by=ann)
    made.refresh_from_db()
    assert made.waits_until == today + timedelta(days=20)
    told(made, ann, waits_until=today + timedelta(days=30))
    last = entries(row.pk, "disclosure-notice")[-1]
    assert last.member("until_day") == (today + timedelta(days=30)).isoformat()
    assert last.member("told_on") == today.isoformat()


@pytest.mark.parametrize("exempt", Exempt)
def test_only_what_the_law_names_for_a_ground_needs_no_notice(row: Recording, ann: User, exempt: Exempt) -> None:
    of_transfers = {Exempt.PARENT_ASKED, Exempt.ANNUAL_NOTICE}
    for basis in Basis:
        made = deeds.prepare(row.pk, facts(basis=basis, explanation="x"), by=ann)
        if (basis == Basis.TRANSFER and exempt in of_transfers) or (
            basis == Basis.COMPELLED and exempt not in of_transfers
        ):
            notice_deeds.enter_notice(made.pk, Notice(exempt=exempt), by=ann)
            made.refresh_from_db()
            assert ferpa_gate(facts_of(made)) == []
        else:
            with pytest.raises(DeedError, match="no reason"):
                notice_deeds.enter_notice(made.pk, Notice(exempt=exempt), by=ann)


def test_of_two_students_the_parents_of_both_are_told(archive: Archive, row: Recording, ann: User) -> None:
    ben = make_student("Ben", "Ash")
    make_filing(row.pk, make_meeting(ben))
    made = deeds.prepare(row.pk, facts(basis=Basis.COMPELLED, explanation="Circuit Court, no. 17"), by=ann)
    told(made, ann, waits_until=timezone.localdate() + timedelta(days=10))
    assert Missing.NOTICE in ferpa_gate(facts_of(made))
    client = signed_in(archive, "custodian", role="custodian")
    there = f"/disclosures/{made.pk}/"
    page = check(client.get(there).content.decode()).text
    assert "The parents of Ben Ash were not told." in page
    assert "The parents of Ana Torres were not told." not in page
    check(client.get(f"{there}notice/").content.decode())
    typed = {"student": str(ben.pk), "told_on": timezone.localdate().isoformat(), "waits_until": "", "exempt": ""}
    for wrong in ({"student": ""}, {"told_on": ""}, {"student": "x"}, {"exempt": "annual-notice"}):
        assert client.post(f"{there}notice/", {**typed, **wrong, "once": "a" * 32}).status_code == 422, wrong
    assert client.post(f"{there}notice/", {**typed, "once": "b" * 32}).status_code == 302
    assert Missing.NOTICE not in ferpa_gate(facts_of(made))


def test_parents_who_are_told_when_the_waiting_is_over_get_time_of_their_own(
    archive: Archive, row: Recording, ann: User
) -> None:
    # 34 CFR 99.31(a)(9)(ii): Ana's parents had ten days, and Ben's are told on the day after
    ben, today = make_student("Ben", "Ash"), timezone.localdate()
    make_filing(row.pk, make_meeting(ben))
    made = deeds.prepare(row.pk, facts(basis=Basis.COMPELLED, explanation="Circuit Court, no. 17"), by=ann)
    told(made, ann, waits_until=today + timedelta(days=10))
    with without_triggers():
        NoticeGiven.objects.update(told_on=today - timedelta(days=11))
        Disclosure.objects.update(waits_until=today - timedelta(days=1))
    client, there = signed_in(archive, "custodian", role="custodian"), f"/disclosures/{made.pk}/notice/"
    typed = {"student": str(ben.pk), "told_on": today.isoformat(), "waits_until": "", "exempt": ""}
    answer = client.post(there, {**typed, "once": "a" * 32})
    assert answer.status_code == 422
    assert "Leave the parent time" in answer.content.decode()
    with without_triggers():
        NoticeGiven.objects.create(disclosure=made, student=ben, told_on=today)
    made.refresh_from_db()
    assert ferpa_gate(facts_of(made)) == [Missing.WAITING], "whichever way it was entered"
    with without_triggers():
        NoticeGiven.objects.filter(student=ben).delete()
    later = (today + timedelta(days=5)).isoformat()
    assert client.post(there, {**typed, "waits_until": later, "once": "b" * 32}).status_code == 302
    made.refresh_from_db()
    assert ferpa_gate(facts_of(made)) == [Missing.WAITING]


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


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("basis", [Basis.COMPELLED, Basis.TRANSFER])
def test_a_parent_is_told_by_an_approved_letter(row: Recording, ann: User, basis: Basis, language: str) -> None:
    """34 CFR 99.31(a)(9)(ii), 99.34(a)(1)."""
    parent = row.filings.get().meeting.student.rights.get().person
    later = timezone.localdate() + timedelta(days=14)
    made = deeds.prepare(row.pk, facts(basis=basis, party="Circuit Court", explanation="order no. 17"), by=ann)
    with pytest.raises(DeedError, match="approved"):
        notice_deeds.write_notice(made.pk, parent, language, later, by=ann)
    for text in Template.objects.filter(kind=notice_deeds.LETTERS[basis]):
        approve_text(text.pk, by=ann)
    letter = notice_deeds.write_notice(made.pk, parent, language, later, by=ann)
    for words in ("Circuit Court", "order no. 17", "Ana Torres", "Rosa Torres"):
        assert words in f"{letter.subject}\n{letter.body}"
    assert (written_day(later, language) in letter.body) == (basis == Basis.COMPELLED)
    assert "{{" not in letter.body
    assert entries(row.pk, "disclosure-told")[0].member("letter") == str(letter.pk)


def test_a_letter_goes_to_nobody_without_rights_and_leaves_time(row: Recording, ann: User) -> None:
    parent = row.filings.get().meeting.student.rights.get().person
    made = deeds.prepare(row.pk, facts(basis=Basis.COMPELLED, explanation="order no. 17"), by=ann)
    later = timezone.localdate() + timedelta(days=14)
    for person, until, field in (
        (make_person("Luis", "Torres"), later, "person"),
        (parent, None, "until"),
        (parent, timezone.localdate(), "until"),
    ):
        with pytest.raises(DeedError) as told:
            notice_deeds.write_notice(made.pk, person, "en", until, by=ann)
        assert told.value.field == field
    consented = deeds.prepare(row.pk, facts(), by=ann)
    with pytest.raises(DeedError, match="Only a compelled production"):
        notice_deeds.write_notice(consented.pk, parent, "en", later, by=ann)


def test_the_page_writes_the_letter(archive: Archive, row: Recording, ann: User) -> None:
    made = deeds.prepare(row.pk, facts(basis=Basis.TRANSFER, party="Rolla schools", explanation="moved"), by=ann)
    for text in Template.objects.filter(kind=notice_deeds.LETTERS[Basis.TRANSFER]):
        approve_text(text.pk, by=ann)
    client = signed_in(archive, "custodian", role="custodian")
    assert f"/disclosures/{made.pk}/letter/" in client.get(f"/disclosures/{made.pk}/").content.decode()
    check(client.get(f"/disclosures/{made.pk}/letter/").content.decode())
    typed = {"person": "Rosa Torres", "language": "es", "once": "a" * 32}
    assert client.post(f"/disclosures/{made.pk}/letter/", {**typed, "person": "Nobody"}).status_code == 422
    there = client.post(f"/disclosures/{made.pk}/letter/", {**typed, "once": "b" * 32}).headers["Location"]
    assert "Rolla schools" in check(client.get(there).content.decode()).text


def test_what_is_prepared_is_shown_however_much_was_withdrawn_since(
    archive: Archive, row: Recording, ann: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "SHOWN", 1)
    waiting = deeds.prepare(row.pk, facts(), by=ann)
    for _ in range(3):
        deeds.withdraw(deeds.prepare(row.pk, facts(party="Dr. Park"), by=ann).pk, by=ann)
    page = signed_in(archive, "carol", role="custodian").get("/disclosures/").content.decode()
    assert f"/disclosures/{waiting.pk}/" in page
