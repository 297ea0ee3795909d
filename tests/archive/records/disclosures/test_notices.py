"""Parents are told of a compelled production and of a transfer before it, and have time to act against it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from archive.accounts.models import User
from archive.recordings.models import Recording
from archive.records.disclosures import deeds, notice_deeds
from archive.records.disclosures.models import (
    Basis,
    Disclosure,
    Exempt,
    NoticeGiven,
)
from archive.records.disclosures.notice_deeds import Notice
from archive.records.disclosures.reach import facts_of
from archive.records.disclosures.rules import Missing, ferpa_gate
from archive.records.errors import DeedError
from archive.records.letters.deeds import approve_text
from archive.records.letters.letter_facts import written_day
from archive.records.letters.models import Template
from tests.archive.page_fixtures import entries, signed_in
from tests.archive.pages import check
from tests.archive.records.factories import (
    make_filing,
    make_meeting,
    make_person,
    make_student,
)
from tests.support.archives import Archive, without_triggers

from .scene import facts, told


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
