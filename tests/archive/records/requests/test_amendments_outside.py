"""A parent may ask to amend a recording that no box made as well: it is an education record (34 CFR 99.3, 99.20)."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import pytest
from django.db import IntegrityError
from django.utils import timezone

from archive.access.deeds import Deed
from archive.accounts.models import User
from archive.custody.actors import Subject
from archive.custody.models import Entry
from archive.recordings.models import Recording
from archive.records.disclosures import deeds as disclosure_deeds
from archive.records.disclosures.copies import copy_of
from archive.records.disclosures.models import Basis, Copy
from archive.records.evidence.package import evidence_package
from archive.records.letters.models import LetterKind
from archive.records.outside_recordings import filing_deeds
from archive.records.outside_recordings.models import OutsideRecording
from archive.records.outside_recordings.reach import GivenUpError
from archive.records.outside_recordings.take_in_deeds import give_up
from archive.records.people.models import Person, Student
from archive.records.requests import amendment_deeds as deeds
from archive.records.requests.models import Amendment, AmendmentState, NoHearing
from archive.records.requests.reach import asked_about, asked_about_outside, open_cases
from archive.records.requests.record_of_access import record_of_access
from tests.archive.page_fixtures import make_user, signed_in
from tests.archive.pages import check
from tests.archive.records.disclosures.scene import facts
from tests.archive.records.factories import grant_student, make_letter, make_meeting
from tests.archive.records.outside_recordings.files import bring, brought, sound
from tests.support.archives import Archive

WAV = sound("WAV")
SAID = "I asked for one hour."


@pytest.fixture
def row(custodian_: User, family: tuple[Student, Person]) -> OutsideRecording:
    """What was brought of a meeting about the family's child."""
    made = brought(custodian_, WAV)
    filing = filing_deeds.file_outside(made.pk, make_meeting(family[0]), by=custodian_)
    filing_deeds.confirm(made.pk, filing.pk, by=make_user("bob"))
    return made


def placed(row: OutsideRecording, family: tuple[Student, Person], by: User) -> Amendment:
    """Asked for, refused, no hearing wanted, a statement placed."""
    today = timezone.localdate()
    case = deeds.ask_amendment(*family, row, text="One hour was said.", received_on=today, by=by)
    assert open_cases(row.pk) == [case]
    deeds.decide(case.pk, AmendmentState.REFUSED, "it is what was said", 0, by=by, hearing_days=30)
    about = {"about_type": "case", "about_id": str(case.pk)}
    make_letter(family[0], LetterKind.REFUSAL_TO_AMEND, delivered_at=timezone.now(), **about)
    deeds.end_unheard(case.pk, NoHearing.SAID, today, "on the phone", 1, by=by)
    deeds.place_statement(case.pk, SAID, by=by)
    return case


def held(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        assert file.testzip() is None
        return {name: file.read(name) for name in file.namelist()}


def test_it_is_open_until_it_is_over_and_in_its_own_list_alone(
    custodian_: User, family: tuple[Student, Person], row: OutsideRecording
) -> None:
    deeds.ask_amendment(*family, row, text="x", received_on=timezone.localdate(), by=custodian_)
    assert list(OutsideRecording.objects.filter(asked_about_outside())) == [row]
    Amendment.objects.update(state=AmendmentState.AMENDED)
    assert (open_cases(row.pk), list(OutsideRecording.objects.filter(asked_about_outside()))) == ([], [])
    assert not Recording.objects.filter(asked_about()).exists()
    with pytest.raises(IntegrityError):
        Amendment.objects.update(outside=None)


def test_the_statement_goes_along_with_every_copy_of_it(
    archive: Archive, custodian_: User, family: tuple[Student, Person], row: OutsideRecording
) -> None:
    """34 CFR 99.21(c)(2): with the download, a disclosure and the evidence package."""
    client, there = signed_in(archive, "reader", role="custodian"), f"/outside-recordings/{row.pk}/"
    assert client.get(f"{there}download/").getvalue() == WAV
    placed(row, family, custodian_)
    name = f"{row.pk}-not-made-by-a-box.wav"
    answer = client.get(f"{there}download/")
    assert answer.headers["Content-Type"] == "application/zip"
    copy = held(answer.getvalue())
    assert (copy[name], SAID in copy["statement-1.txt"].decode()) == (WAV, True)
    assert "NOTICE.txt" in copy
    entries = Entry.objects.about(Subject.outside(row.pk)).filter(code="download-outside").order_by("n")
    assert [one.member("documents") for one in entries] == [None, 1]
    made = disclosure_deeds.prepare(row.pk, facts(what=Copy.FILE, basis=Basis.OWN, party="Rosa Torres"), by=custodian_)
    copy = held(b"".join(copy_of(disclosure_deeds.begin_copy(made.pk, by=custodian_), custodian_)))
    assert (copy[name], SAID in copy["statement-1.txt"].decode()) == (WAV, True)
    bag = held(b"".join(evidence_package(row, lambda *_: None)))
    evidence = {one.partition("/")[2]: data for one, data in bag.items()}
    assert SAID in evidence["data/records/statements/statement-1.txt"].decode()
    told = json.loads(evidence["data/records/statements.json"])
    assert SAID in json.dumps(told)
    assert "placed a parent's statement with the recording" in {one.what for one in record_of_access(family[0])}


def test_the_pages_from_the_recording_to_the_statement_that_its_listeners_see(
    archive: Archive, custodian_: User, family: tuple[Student, Person], row: OutsideRecording
) -> None:
    client, there = signed_in(archive, "reader", role="custodian"), f"/outside-recordings/{row.pk}/"
    page = check(client.get(there).content.decode())
    (way,) = [one.get("href") for one in page.all("a") if one.text == "Enter a request to amend"]
    assert row.pk in client.get(way).content.decode()
    today = timezone.localdate().isoformat()
    typed: dict[str, Any] = {"student": "S-17", "person": "Rosa Torres", "received_on": today, "recording": row.pk}
    case = client.post(way, {**typed, "text": "wrong", "once": "d" * 32}).headers["Location"]
    assert there in client.get(case).content.decode()
    Amendment.objects.all().delete()
    placed(row, family, custodian_)
    assert SAID in check(client.get(there).content.decode()).text
    mother = make_user("rosa")
    family[1].user = mother
    family[1].save()
    grant_student(mother, family[0], Deed.OWN, Deed.LOOK, Deed.LISTEN)
    parent = archive.client()
    parent.force_login(mother)
    own = check(parent.get("/own/").content.decode()).text
    assert SAID in own
    assert "refused; no hearing was asked for, and one still can be" in own


def test_nobody_asks_to_amend_what_is_not_here_any_more(custodian_: User, family: tuple[Student, Person]) -> None:
    row = bring(custodian_, WAV)
    give_up(row.pk, by=custodian_)
    with pytest.raises(GivenUpError):
        deeds.ask_amendment(*family, row, text="x", received_on=timezone.localdate(), by=custodian_)
    assert not Amendment.objects.exists()
