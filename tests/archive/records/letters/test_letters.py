"""Letters: approved texts only, in the reader's language, merged once, printed as tagged PDF, delivery noted."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.conf import settings
from django.test import override_settings
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from weasyprint import HTML

from archive.access.deeds import Deed
from archive.accounts.models import User
from archive.custody.actors import Subject
from archive.custody.models import Entry
from archive.records.errors import DeedError
from archive.records.letters import deeds
from archive.records.letters.models import Letter, LetterKind, Template
from archive.records.letters.pdf import letter_pdf
from archive.records.letters.rules import NEEDED, check_text, merge, placeholders
from archive.records.letters.shipped_deeds import shipped_texts
from archive.records.meetings.deeds import MeetingFacts, cancel_meeting, change_meeting
from archive.records.meetings.models import Meeting, MeetingKind, Notice
from archive.records.people.models import Language, Person
from archive.records.public_lists.rules import ListKind
from archive.records.public_lists.tables import table_of
from tests.archive.page_fixtures import make_user, signed_in
from tests.archive.pages import check
from tests.archive.records.factories import (
    make_bar,
    make_letter,
    make_meeting,
    make_person,
    make_right,
    make_student,
)
from tests.support.archives import Archive


def approve_all(archive: Archive) -> None:
    user = make_user("director", Deed.TEMPLATES)
    for template in Template.objects.all():
        deeds.approve_text(template.pk, by=user)


def test_every_kind_ships_a_draft_in_both_languages() -> None:
    assert shipped_texts().keys() == {(kind, language.value) for kind in LetterKind for language in Language}


@pytest.mark.parametrize("language", ["en", "es"])
def test_the_acknowledgment_says_what_the_permission_covers_and_what_not(language: str) -> None:
    """The policy's note: the participants' consent, for the parent's own use; passing on needs everyone's."""
    _, body = shipped_texts()[LetterKind.ACKNOWLEDGMENT, language]
    covers, written = {"en": ("own personal use", "written consent"), "es": ("uso personal", "por escrito")}[language]
    assert covers in body
    assert written in body
    assert not re.search(r"(?i)\bapprov|\bdeny|\bdenied|\brequest|\baprob|\bdeneg|\bsolicitud", body)


@pytest.mark.parametrize(("named", "told"), [("", "la dirección de educación especial"), ("Sra. Ruiz", "Sra. Ruiz")])
def test_the_annual_notice_says_whom_to_tell_before_recording(archive: Archive, named: str, told: str) -> None:
    deeds.approve_text(
        Template.objects.get(kind="annual-notice", language="es").pk, by=make_user("director", Deed.TEMPLATES)
    )
    records = settings.ARCHIVE.records.model_copy(update={"notices_to": named})
    with override_settings(ARCHIVE=settings.ARCHIVE.model_copy(update={"records": records})):
        (row,) = table_of(ListKind.NOTICE).rows
        page = signed_in(archive, "case.manager", role="facilitator").get("/notices/new/").content.decode()
    assert f"avise a {told} con al menos 24 horas" in row[2]
    assert (named or "the special-education director") in page


def test_no_letter_is_made_of_a_text_that_nobody_approved(archive: Archive) -> None:
    with pytest.raises(DeedError, match="Nobody approved"):
        deeds.make_letter(
            LetterKind.INCIDENT,
            {},
            by=make_user("x"),
            student=None,
            person=None,
            language="es",
            about=Subject.student(make_student().pk),
        )


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("{{ meeting", "not closed"),
        ("meeting }}", "not closed"),
        ("{{ salary }} {{ meeting }}", "There is no {{ salary }}"),
        ("{% load x %} {{ meeting.delete }}", "There is no {{ meeting.delete }}"),
        ("nothing", "does not say {{ meeting }}"),
    ],
)
def test_a_text_with_a_wrong_placeholder_is_refused(body: str, told: str) -> None:
    with pytest.raises(DeedError, match=re.escape(told)):
        check_text(LetterKind.ACKNOWLEDGMENT, "x", body)


@given(st.text(), st.sampled_from(LetterKind))
def test_what_a_value_holds_is_not_looked_at_again(value: str, kind: LetterKind) -> None:
    name = NEEDED[kind][0]
    values = dict.fromkeys(placeholders(kind), "{{ " + name + " }}") | {name: value}
    assert merge("{{ " + name + " }}|{{ district }}", values) == f"{value}|{{{{ {name} }}}}"


def test_the_letter_is_a_tagged_pdf_in_its_language(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    letter = make_letter(make_student())
    letter.body = "Sí, señora.\n\n<script>alert(1)</script>"
    letter.template.language = "es"
    original = HTML.write_pdf
    monkeypatch.setattr(HTML, "write_pdf", lambda self, **options: original(self, uncompressed_pdf=True, **options))
    data = letter_pdf(letter)
    assert data.startswith(b"%PDF-")
    for needed in (b"/StructTreeRoot", b"/Marked true", b"/Lang (es)"):
        assert needed in data, needed


def test_a_letter_from_notice_to_delivery(archive: Archive) -> None:
    approve_all(archive)
    student, mother = make_student("Ana", "Torres"), make_person("Rosa", "Torres", language="es")
    make_right(mother, student)
    meeting = make_meeting(student, parent_device="un teléfono")
    make_notice(meeting, mother)
    client = signed_in(archive, "case.manager", role="facilitator")
    place = f"/meetings/{meeting.pk}/letter/"
    typed = {"person": str(mother.pk), "once": "a" * 32}
    page = check(client.post(place, typed, follow=True).content.decode())
    assert "Su aviso de que grabará una reunión sobre Ana Torres" in page.one("h1").text
    assert "un teléfono" in page.text
    letter = Letter.objects.get()
    file = client.get(f"/letters/{letter.pk}/letter.pdf")
    assert (file.headers["Content-Type"], file.content[:5]) == ("application/pdf", b"%PDF-")
    today = timezone.localdate().isoformat()
    client.post(f"/letters/{letter.pk}/delivery/", {"how": "by mail", "day": today, "once": "b" * 32})
    letter.refresh_from_db()
    assert letter.delivered_how == "by mail"
    again = client.post(f"/letters/{letter.pk}/delivery/", {"how": "x", "day": today, "once": "c" * 32})
    assert again.status_code == 422
    assert [entry.code for entry in Entry.objects.order_by("n")][-2:] == ["letter", "delivery"]
    assert not [entry for entry in Entry.objects.all() if "Torres" in entry.detail]


def make_notice(meeting: Meeting, given_by: Person | None) -> Notice:
    received = meeting.starts_at - timedelta(days=2)
    return Notice.objects.create(
        student=meeting.student,
        meeting=meeting,
        received_at=received,
        meeting_at=meeting.starts_at,
        given_by=given_by,
    )


def test_the_acknowledgment_goes_to_whoever_gave_notice_and_of_no_other_meeting(archive: Archive) -> None:
    """It says "we received your notice": to the father of the mother's, or where there was none, that is not so."""
    approve_all(archive)
    student, mother, father = make_student("Ana", "Torres"), make_person("Rosa"), make_person("Luis")
    make_right(mother, student)
    make_right(father, student)
    with_notice, without = make_meeting(student), make_meeting(student)
    make_notice(with_notice, mother)
    client = signed_in(archive, "case.manager", role="facilitator")
    for meeting, person in ((with_notice, father), (without, mother)):
        typed = {"person": str(person.pk), "once": "a" * 32}
        assert client.post(f"/meetings/{meeting.pk}/letter/", typed).status_code == 422
    assert not Letter.objects.exists()
    make_notice(with_notice, None)
    second = with_notice.notices.get(given_by=None)
    typed = {"person": str(father.pk), "notice": str(second.pk), "once": "b" * 32}
    assert client.post(f"/meetings/{with_notice.pk}/letter/", typed).status_code == 302


@pytest.mark.parametrize("change", ["moved", "canceled", "another facilitator"])
def test_the_acknowledgment_of_a_meeting_that_moved_says_that_it_is_overtaken(archive: Archive, change: str) -> None:
    user, meeting = make_user("case.manager", role="facilitator"), make_meeting()
    letter = make_letter(meeting.student, about_type="meeting", about_id=str(meeting.pk))
    if change == "canceled":
        cancel_meeting(meeting.pk, by=user)
    else:
        later = timedelta(days=change == "moved")
        times = (meeting.starts_at + later, meeting.ends_at + later)
        facts = MeetingFacts(MeetingKind.IEP, meeting.student, *times, meeting.room, "", user)
        change_meeting(meeting.pk, facts, 0, by=user)
    letter.refresh_from_db()
    assert (letter.overtaken_at is not None) is (change != "another facilitator")


def test_no_letter_was_delivered_before_it_was_made(archive: Archive) -> None:
    """Days for an answer count from the delivery: 45 about a destruction (34 CFR 300.624(a)), those of a hearing."""
    made_on = timezone.localdate() - timedelta(days=3)
    letter = make_letter(make_student())
    Letter.objects.update(made_at=timezone.now() - timedelta(days=3))
    client, there = signed_in(archive, "case.manager", role="facilitator"), f"/letters/{letter.pk}/delivery/"
    for number, back in enumerate((1, 365)):
        day = (made_on - timedelta(days=back)).isoformat()
        refused = client.post(there, {"how": "by mail", "day": day, "once": str(number) * 32})
        assert refused.status_code == 422
        assert "on no day before" in check(refused.content.decode()).text
    assert (Letter.objects.get().delivered_at, Entry.objects.filter(code="delivery").count()) == (None, 0)
    client.post(there, {"how": "by mail", "day": made_on.isoformat(), "once": "a" * 32})
    delivered = Letter.objects.get().delivered_at
    assert delivered is not None
    assert timezone.localdate(delivered) == made_on


def test_nobody_without_rights_is_offered_as_the_recipient(archive: Archive) -> None:
    approve_all(archive)
    student = make_student()
    stranger = make_person("Stranger")
    client = signed_in(archive, "case.manager", role="facilitator")
    typed = {"person": str(stranger.pk), "once": "a" * 32}
    assert client.post(f"/meetings/{make_meeting(student).pk}/letter/", typed).status_code == 422
    assert Letter.objects.count() == 0


def test_no_letter_reaches_who_is_barred_by_a_court_order(archive: Archive) -> None:
    approve_all(archive)
    student, father = make_student("Ana", "Torres"), make_person("Luis", "Torres")
    make_right(father, student)
    letter = make_letter(student)
    letter.person = father
    letter.save()
    client = signed_in(archive, "custodian", role="custodian")
    assert f"/letters/{letter.pk}/" in client.get("/today/").content.decode()
    make_bar(father, student)
    assert f"/letters/{letter.pk}/" not in client.get("/today/").content.decode()
    assert "Do not deliver it" in check(client.get("/letters/").content.decode()).text
    assert "Do not deliver this letter" in check(client.get(f"/letters/{letter.pk}/").content.decode()).text
    assert client.get(f"/letters/{letter.pk}/letter.pdf").status_code == 409
    values = dict.fromkeys(placeholders(LetterKind.ACKNOWLEDGMENT), "x")
    with pytest.raises(DeedError, match="court order bars Luis Torres"):
        deeds.make_letter(
            LetterKind.ACKNOWLEDGMENT,
            values,
            by=User.objects.get(username="custodian"),
            student=student,
            person=father,
            language="en",
            about=Subject.student(student.pk),
        )


def test_a_new_version_is_used_once_it_was_approved(archive: Archive) -> None:
    approve_all(archive)
    client = signed_in(archive, "custodian", role="custodian")
    typed = {
        "kind": "incident",
        "language": "en",
        "subject": "New",
        "body": "{{ meeting }} {{ reason }}",
        "once": "a" * 32,
    }
    there = client.post("/letters/texts/new/", typed).headers["Location"]
    assert deeds.approved(LetterKind.INCIDENT, "en").version == 1  # type: ignore[union-attr]  # approve_all made it
    assert "was approved" in client.post(there, {"once": "b" * 32}, follow=True).content.decode()
    assert deeds.approved(LetterKind.INCIDENT, "en").version == 2  # type: ignore[union-attr]  # the same
    check(client.get("/letters/texts/").content.decode())
