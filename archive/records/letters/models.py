"""Approved texts, and the letters that were made of them."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from archive.records.people.models import Language, Person, Student


class LetterKind(models.TextChoices):
    """What a letter is for."""

    ACKNOWLEDGMENT = "acknowledgment", _("acknowledgment of a notice")
    ACCESS_GRANTED = "access-granted", _("access granted")
    EXTENSION = "extension", _("extension")
    REFUSAL_TO_AMEND = "refusal-to-amend", _("refusal to amend, with the right to a hearing")
    HEARING_AMENDED = "hearing-amended", _("outcome of a hearing: the record is amended")
    HEARING_REFUSED = "hearing-refused", _("outcome of a hearing: not amended, with the right to a statement")
    INCIDENT = "incident", _("incident: the district's recording is missing or has gaps")
    DESTRUCTION = "destruction", _("a recording is no longer needed")
    SUBPOENA = "subpoena", _("a court or a subpoena asks for a recording")
    TRANSFER = "transfer", _("a recording goes to another school")
    ANNUAL_NOTICE = "annual-notice", _("annual notice")
    PUBLIC_RECORDS = "public-records", _("answer to a request for public records")


class Template(models.Model):
    """One version of an approved text. A new version is a new row: what was sent stays what it was."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=20, choices=LetterKind.choices)
    language = models.CharField(max_length=2, choices=Language.choices)
    version = models.PositiveIntegerField()
    """1, 2, 3, ... for each kind and language."""
    subject = models.CharField(max_length=200)
    """Its heading, with the same placeholders as the body."""
    body = models.TextField()
    """Paragraphs with placeholders in double braces, such as {{ student }}; letters/rules.py lists them."""
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    """Who approved it for the district; None for the text that the software ships, or while nobody did."""
    approved_at = models.DateTimeField(null=True, blank=True)
    """When; None: nobody has, and no letter is made of it."""
    shipped = models.BooleanField(default=False)
    """Whether it came with the software."""

    class Meta:
        """Newest version last."""

        ordering: ClassVar = ["kind", "language", "version"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["kind", "language", "version"], name="template_version_once")
        ]


class Letter(models.Model):
    """A letter as it was merged. Its text never changes afterwards."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    template = models.ForeignKey(Template, on_delete=models.PROTECT, related_name="letters")
    student = models.ForeignKey(Student, null=True, blank=True, on_delete=models.PROTECT, related_name="letters")
    person = models.ForeignKey(Person, null=True, blank=True, on_delete=models.PROTECT, related_name="letters")
    """To whom it goes."""
    about_type = models.CharField(max_length=12, blank=True)
    """Type of what it is about, as the custody log calls it (archive.custody.actors.SubjectType); empty for none."""
    about_id = models.CharField(max_length=64, blank=True)
    """Its identifier."""
    subject = models.CharField(max_length=400)
    """The heading, merged."""
    body = models.TextField()
    """The text, merged."""
    made_at = models.DateTimeField()
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    delivered_how = models.CharField(max_length=120, blank=True)
    """By mail, by hand, by e-mail; empty while it was not delivered."""
    delivered_at = models.DateTimeField(null=True, blank=True)
    overtaken_at = models.DateTimeField(null=True, blank=True)
    """When something that it says was corrected after it was made; None as long as nothing was."""

    class Meta:
        """Newest first."""

        ordering: ClassVar = ["-made_at", "pk"]
        indexes: ClassVar = [models.Index(fields=["about_type", "about_id"], name="letters_about")]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(delivered_at=None, delivered_how="") | Q(delivered_at__isnull=False) & ~Q(delivered_how=""),
                name="letter_delivered_somehow",
            )
        ]
