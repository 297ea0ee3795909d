"""A redacted copy leaves by a disclosure, says that it is one, and leaves by no door before its sign-off."""

from __future__ import annotations

import hashlib
import io
import zipfile
from typing import Any

import numpy as np
import pytest
import soundfile
from django.utils import timezone

from appliance.contract.encryption import Identity
from archive.access.deeds import Deed
from archive.accounts.models import User
from archive.records.disclosures import deeds as disclosure_deeds
from archive.records.disclosures.copies import copy_of
from archive.records.disclosures.deeds import DisclosureFacts
from archive.records.disclosures.models import Basis, Copy, Disclosure
from archive.records.disclosures.reach import facts_of
from archive.records.disclosures.rules import Missing, ferpa_gate
from archive.records.errors import DeedError
from archive.records.redactions import deeds
from archive.records.redactions.models import Redaction
from archive.records.redactions.reach import NotSignedOffError
from archive.records.requests.models import Amendment, Statement
from archive.records.restrictions import deeds as restriction_deeds
from tests.archive.page_fixtures import RATE, Arrive, entries, make_user, signed_in
from tests.archive.pages import check
from tests.archive.records.factories import NOON, make_filing, make_meeting, make_request, make_student
from tests.support.archives import Archive

from .scene import Scene, passage


@pytest.fixture
def dan(archive: Archive) -> User:
    return make_user("dan", Deed.DISCLOSE)


def facts(redaction: Redaction | None, **other: Any) -> DisclosureFacts:
    given: dict[str, Any] = {
        "what": Copy.AUDIO,
        "recipient": "",
        "party": "Rosa Torres",
        "purpose": "her own access",
        "basis": Basis.OWN,
        "explanation": "",
        "redaction": redaction,
    }
    return DisclosureFacts(**{**given, **other})


def taken(row: Disclosure, by: User) -> dict[str, bytes]:
    data = b"".join(copy_of(disclosure_deeds.begin_copy(row.pk, by=by), by))
    assert Disclosure.objects.get(pk=row.pk).sha256 == hashlib.sha256(data).hexdigest()
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        return {name: file.read(name) for name in file.namelist()}


def audio_in(files: dict[str, bytes]) -> Any:
    (name,) = [one for one in files if one.endswith(".flac")]
    return soundfile.read(io.BytesIO(files[name]), dtype="int16")[0]


def test_a_copy_that_nobody_signed_off_leaves_by_no_door(scene: Scene, dan: User) -> None:
    draft, made = scene.begun(), scene.made(passage(0, 9))
    for one in (draft, made):
        with pytest.raises(NotSignedOffError):
            disclosure_deeds.prepare(scene.row.pk, facts(one), by=dan)
    assert not Disclosure.objects.exists()
    # somebody who goes around the deeds meets the gate and the copy's own check
    forced = Disclosure.objects.create(
        recording=scene.row, prepared_at=made.begun_at, prepared_by=dan, **vars(facts(made))
    )
    assert Missing.NOT_SIGNED_OFF in ferpa_gate(facts_of(forced))
    with pytest.raises(DeedError, match="gates"):
        disclosure_deeds.begin_copy(forced.pk, by=dan)
    with pytest.raises(NotSignedOffError):
        copy_of(forced, dan)


def test_what_is_handed_out_is_the_redacted_audio_and_says_so(scene: Scene, dan: User) -> None:
    made = scene.signed(passage(RATE, 2 * RATE))
    before = scene.original
    row = disclosure_deeds.prepare(scene.row.pk, facts(made), by=dan)
    files = taken(row, dan)
    assert set(files) == {"NOTICE.txt", "REDACTED.txt", "REDISCLOSURE.txt", f"{scene.row.pk}-redacted.flac"}
    heard = audio_in(files)
    kept = np.r_[0:RATE, 2 * RATE : 4 * RATE]
    assert int((heard[kept] != before[kept]).sum()) == 0
    assert int((heard[RATE : 2 * RATE] == before[RATE : 2 * RATE]).sum()) < 10
    told = files["REDACTED.txt"].decode()
    assert "THIS IS A REDACTED COPY" in told
    assert "0:00:01.000 to 0:00:02.000: a quiet tone; about another student (34 CFR 99.12(a), 300.615)" in told
    assert made.sha256 in told
    assert "another child is named" not in told, "the reason stays here"
    (entry,) = entries(scene.row.pk, "disclosed")
    assert entry.member("redaction") == made.pk.hex


def test_a_statement_goes_with_a_redacted_copy_that_holds_what_it_relates_to(scene: Scene, dan: User) -> None:
    """34 CFR 99.21(c)(2): whenever the portion is disclosed to which it relates, and then alone (99.12(a))."""
    filing = scene.row.filings.get()
    filing.last_frame = 2 * RATE
    filing.save()
    asked = Amendment.objects.create(
        student=scene.student, person=scene.parent, recording=scene.row, received_on=NOON.date(), text="x"
    )
    Statement.objects.create(amendment=asked, recording=scene.row, text="I said March.", placed_at=NOON)
    held = []
    for last in (RATE, 2 * RATE):
        made = scene.signed(passage(0, last))
        files = taken(disclosure_deeds.prepare(scene.row.pk, facts(made), by=dan), dan)
        held.append("statement-1.txt" in files)
    assert held == [True, False]


def test_the_flac_file_has_the_md5_of_its_samples(scene: Scene, dan: User) -> None:
    made = scene.signed()
    files = taken(disclosure_deeds.prepare(scene.row.pk, facts(made), by=dan), dan)
    stream = next(data for name, data in files.items() if name.endswith(".flac"))
    assert stream[26:42].hex() == made.audio_md5
    assert hashlib.md5(audio_in(files).astype("<i2").tobytes(), usedforsecurity=False).hexdigest() == made.audio_md5


def test_a_parent_of_one_of_several_students_gets_a_copy_that_is_about_the_own_child_alone(
    scene: Scene, dan: User
) -> None:
    make_filing(scene.row.pk, make_meeting(make_student("Ben")))
    whole = disclosure_deeds.prepare(scene.row.pk, facts(None), by=dan)
    assert ferpa_gate(facts_of(whole)) == [Missing.SEVERAL]
    for_nobody = disclosure_deeds.prepare(scene.row.pk, facts(scene.signed()), by=dan)
    assert ferpa_gate(facts_of(for_nobody)) == [Missing.SEVERAL], "a redacted copy alone is no parent's part"
    made = scene.signed(student=scene.student)
    own = disclosure_deeds.prepare(scene.row.pk, facts(made), by=dan)
    assert ferpa_gate(facts_of(own)) == []
    assert "REDACTED.txt" in taken(own, dan)


def test_a_withdrawn_copy_is_not_handed_out_again(scene: Scene, dan: User) -> None:
    made = scene.signed()
    row = disclosure_deeds.prepare(scene.row.pk, facts(made), by=dan)
    taken(row, dan)
    deeds.withdraw(scene.row.pk, made.pk, "a name is left", by=scene.ann)
    with pytest.raises(DeedError, match="gates"):
        disclosure_deeds.begin_copy(row.pk, by=dan)
    assert entries(scene.row.pk, "disclosure-refused")[0].member("missing") == "not-signed-off"


def test_what_was_restricted_since_the_sign_off_is_silent_in_what_is_handed_out(scene: Scene, dan: User) -> None:
    made = scene.signed()
    restriction_deeds.restrict(scene.row.pk, 3 * RATE, None, "staff talked on", by=make_user("rita", Deed.RESTRICT))
    files = taken(disclosure_deeds.prepare(scene.row.pk, facts(made), by=dan), dan)
    heard = audio_in(files)
    assert not heard[3 * RATE :].any()
    assert heard[2 * RATE : 3 * RATE].any()
    told = files["REDACTED.txt"].decode()
    assert "0:00:03.000 to 0:00:04.000: silence; restricted after this copy was made" in told, "no paper says otherwise"
    assert "staff talked on" not in told, "the reason stays here"


def test_what_is_filed_under_another_student_since_the_sign_off_is_silent_in_what_is_handed_out(
    scene: Scene, dan: User
) -> None:
    # 34 CFR 99.12(a): the recording was filed as a whole under Ana, and the second half of it turned out to be Ben's
    made = scene.signed(student=scene.student)
    wrong = scene.row.filings.get()
    wrong.ended_at = timezone.now()
    wrong.save()
    make_filing(scene.row.pk, wrong.meeting, last_frame=3 * RATE)
    make_filing(scene.row.pk, make_meeting(make_student("Ben")), first_frame=3 * RATE)
    files = taken(disclosure_deeds.prepare(scene.row.pk, facts(made), by=dan), dan)
    heard, before = audio_in(files), scene.original
    assert not heard[3 * RATE :].any(), "Ben's part leaves for nobody of Ana's"
    assert np.array_equal(heard[2 * RATE : 3 * RATE], before[2 * RATE : 3 * RATE])
    told = files["REDACTED.txt"].decode()
    assert "0:00:03.000 to 0:00:04.000: silence; filed under no meeting of this student (34 CFR 99.12(a))" in told


@pytest.mark.parametrize("what", [Copy.PACKAGE, Copy.TRANSFER])
def test_no_package_and_no_key_counts_as_redacted(scene: Scene, dan: User, what: Copy) -> None:
    # only a transfer names a recipient
    recipient = Identity.generate().recipient if what == Copy.TRANSFER else ""
    other = {"what": what, "basis": Basis.TRANSFER, "recipient": recipient, "explanation": "moves"}
    with pytest.raises(DeedError, match="Only audio is redacted"):
        disclosure_deeds.prepare(scene.row.pk, facts(scene.signed(), **other), by=dan)


def test_another_recording_s_copy_is_not_handed_out_for_this_one(scene: Scene, dan: User, sealed: Arrive) -> None:
    with pytest.raises(DeedError, match="another recording's"):
        disclosure_deeds.prepare(sealed(seconds=1).id, facts(scene.signed()), by=dan)


def test_the_pages_hand_a_redacted_copy_out_for_a_parent_s_request(scene: Scene) -> None:
    made, case = scene.signed(student=scene.student), make_request(scene.student, scene.parent)
    client = signed_in(scene.archive, "carol", role="custodian")
    page = check(client.get(f"/requests/{case.pk}/").content.decode())
    (there,) = [one.get("href") for one in page.all("a") if "/disclose/" in one.get("href")]
    form = client.get(there).content.decode()
    assert "Rosa Torres" in form
    assert "Inspection and review" in form
    typed = {
        "party": "Rosa Torres",
        "purpose": "Inspection and review",
        "what": "audio",
        "basis": "own",
        "redaction": str(made.pk),
        "once": "a" * 32,
    }
    answer = client.post(there, typed, follow=True)
    assert "Hand out the copy" in check(answer.content.decode()).text
    place = answer.redirect_chain[-1][0]
    b"".join(client.get(f"{place}copy.zip"))
    assert client.get(f"{place}receipt.pdf").content.startswith(b"%PDF-")
    assert "redacted" in client.get(place).content.decode()
    for wrong in (str(scene.begun().pk), "no-such-copy"):
        assert client.post(there, {**typed, "redaction": wrong, "once": "b" * 32}).status_code == 422


def test_a_request_that_is_out_of_reach_or_none_fills_nothing_in(scene: Scene) -> None:
    case = make_request(scene.student, scene.parent)
    client = signed_in(scene.archive, "dora", Deed.DISCLOSE)
    for asked in (str(case.pk), "x", "0" * 400):
        page = client.get(f"/recordings/{scene.row.pk}/disclose/?request={asked}")
        assert page.status_code == 200
        assert "Rosa Torres" not in page.content.decode()
