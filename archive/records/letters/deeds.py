"""Writing and approving texts, making letters, noting their delivery: each with its custody entry."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from django.db.models import Max
from django.utils import timezone

from archive.accounts.models import User
from archive.core.deeds import one_deed
from archive.custody.actors import Actor, Subject
from archive.custody.log import record
from archive.records.errors import DeedError, UnknownRecordError
from archive.records.people.models import Language, Person, Student
from archive.records.people.reach import is_kept_away
from archive.ui import words

from .custody_kinds import DELIVERY, LETTER, OVERTAKEN, TEMPLATE, TEMPLATE_APPROVED
from .models import Letter, LetterKind, Template
from .rules import check_text, merge


def write_text(kind: LetterKind, language: Language, subject: str, body: str, *, by: User) -> Template:
    """Write a new version of a text; no letter is made of it before somebody approved it."""
    check_text(kind, subject, body)
    with one_deed():
        last = Template.objects.filter(kind=kind, language=language).aggregate(last=Max("version"))["last"] or 0
        template = Template(kind=kind, language=language, version=last + 1, subject=subject, body=body)
        record(
            TEMPLATE,
            actor=Actor.user(by.pk),
            subject=Subject.letter(template.pk),
            what=kind.value,
            language=language.value,
            version=template.version,
            sha256=_digest(template),
        )
        template.save(force_insert=True)
    return template


def approve_text(pk: UUID, *, by: User) -> Template:
    """Approve a text for the district; letters are made of the last approved version."""
    with one_deed():
        template = Template.objects.select_for_update().filter(pk=pk).first()
        if template is None:
            raise UnknownRecordError("there is no such text here")
        if template.approved_at is not None:
            raise DeedError("This text was approved already.")
        record(
            TEMPLATE_APPROVED, actor=Actor.user(by.pk), subject=Subject.letter(template.pk), sha256=_digest(template)
        )
        template.approved_at, template.approved_by = timezone.now(), by
        template.save(update_fields=["approved_at", "approved_by"])
    return template


def approved(kind: LetterKind, language: str) -> Template | None:
    """Return the last approved text, or None while there is none."""
    return Template.objects.filter(kind=kind, language=language, approved_at__isnull=False).last()


def make_letter(
    kind: LetterKind,
    values: Mapping[str, str],
    *,
    by: User,
    student: Student | None,
    person: Person | None,
    language: str,
    about: Subject,
) -> Letter:
    """Merge the approved text of a kind and keep the letter.

    Raises DeedError where nobody approved one, and for a person from whom a court order keeps what is about the student
    (34 CFR 99.4).
    """
    template = approved(kind, language)
    if template is None:
        label = Language(language).label
        raise DeedError(
            f"Nobody approved a text for this letter in {label} yet. The custodian does so under Letters.",
            field="language",
        )
    with one_deed():
        if student is not None and person is not None and is_kept_away(student.pk, person.pk):
            raise DeedError(f"A court order bars {person} from this student's records, so no letter goes there.")
        letter = Letter(
            template=template,
            student=student,
            person=person,
            about_type=about.type,
            about_id=about.id,
            subject=merge(template.subject, values),
            body=merge(template.body, values),
            made_at=timezone.now(),
            made_by=by,
        )
        record(
            LETTER,
            actor=Actor.user(by.pk),
            subject=Subject.letter(letter.pk),
            template=str(template.pk),
            about=about.type.value,
            about_id=about.id,
            sha256=hashlib.sha256(f"{letter.subject}\n{letter.body}".encode()).hexdigest(),
        )
        letter.save(force_insert=True)
    return letter


def note_delivery(pk: UUID, how: str, at: datetime, *, by: User) -> Letter:
    """Note how and when a letter was delivered; once, and on no day before it was made.

    Days are counted from its delivery: 45 for an answer about a destruction (34 CFR 300.624(a)), those of a hearing.
    """
    with one_deed():
        letter = Letter.objects.select_for_update().filter(pk=pk).first()
        if letter is None:
            raise UnknownRecordError("there is no such letter here")
        if letter.delivered_at is not None:
            raise DeedError("Its delivery was noted already.")
        made = timezone.localdate(letter.made_at)
        if timezone.localdate(at) < made:
            raise DeedError(
                f"The letter was made on {words.day(made)}; it was delivered on no day before.", field="day"
            )
        record(DELIVERY, actor=Actor.user(by.pk), subject=Subject.letter(pk))
        letter.delivered_how, letter.delivered_at = how, at
        letter.save(update_fields=["delivered_how", "delivered_at"])
    return letter


def mark_overtaken(kind: LetterKind, about: Subject, *, by: User) -> None:
    """Mark the letters of a kind about something as made before what they say was corrected; their texts stay."""
    with one_deed():
        rows = Letter.objects.select_for_update(of=("self",)).filter(
            template__kind=kind, about_type=about.type, about_id=about.id, overtaken_at=None
        )
        for letter in rows:
            record(OVERTAKEN, actor=Actor.user(by.pk), subject=Subject.letter(letter.pk))
            letter.overtaken_at = timezone.now()
            letter.save(update_fields=["overtaken_at"])


def _digest(template: Template) -> str:
    return hashlib.sha256(f"{template.subject}\n{template.body}".encode()).hexdigest()
