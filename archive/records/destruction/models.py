"""Destructions, from the proposal to the certificate, and which parents were told. A tombstone holds no name."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from archive.records.letters.models import Letter
from archive.records.outside_recordings.either import OfEither, of_one_recording
from archive.records.people.models import Person, Student


class Basis(models.TextChoices):
    """Why a recording may be destroyed."""

    PERIOD = "period", _("its retention period is over")
    REQUEST = "request", _("a parent asked for it, and the district's decision allows that (34 CFR 300.624(b))")


class State(models.TextChoices):
    """Where a destruction stands."""

    PROPOSED = "proposed", _("proposed: parents are told, a second person must approve")
    APPROVED = "approved", _("approved by two people: a day of rest, then somebody may carry it out")
    CLOSING = "closing", _("being carried out")
    DONE = "done", _("carried out")
    WITHDRAWN = "withdrawn", _("withdrawn")


class Destruction(OfEither):
    """One recording, whoever made it, is to be destroyed, or was."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    """Opaque, as it stands in addresses, in the custody log, and on the certificate."""
    state = models.CharField(max_length=10, choices=State.choices, default=State.PROPOSED)
    basis = models.CharField(max_length=8, choices=Basis.choices)
    reason = models.TextField(blank=True)
    """Why, as the parents are told; empty once it is done."""
    asked_by = models.ForeignKey(Person, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    """The parent who asked for it; None otherwise, and once it is done."""
    series = models.TextField(blank=True)
    """The record series that let it go, as they were called when it was carried out."""
    proposed_at = models.DateTimeField()
    proposed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    approved_at = models.DateTimeField(null=True, blank=True)
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    """A second person."""
    closed_at = models.DateTimeField(null=True, blank=True)
    """When it was carried out: nobody hears the recording in this archive from then on."""
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    erased_at = models.DateTimeField(null=True, blank=True)
    """When identifiers were gone from the rows; the database's log may have had them longer."""
    finished_at = models.DateTimeField(null=True, blank=True)
    """When key, package and identifiers were gone, from the database's files as well."""
    generations = models.JSONField(default=list)
    """Copies of the key store that were there then, by their names."""
    forgotten_at = models.DateTimeField(null=True, blank=True)
    """When the last of them had been forgotten: no backup opens it from then on."""
    told_people = models.PositiveIntegerField(default=0)
    """How many rights-holders were told, counted when it was done."""
    removed = models.JSONField(default=dict)
    """What was removed with it: kind of row, and how many."""
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    withdrawn_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    withdrawn_reason = models.TextField(blank=True)
    """Empty once the recording was destroyed after all."""

    class Meta:
        """Newest first; one at a time of a recording, and two people for each."""

        ordering: ClassVar = ["-proposed_at", "pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["recording"], condition=~Q(state=State.WITHDRAWN), name="one_destruction_of_a_recording"
            ),
            models.UniqueConstraint(
                fields=["outside"], condition=~Q(state=State.WITHDRAWN), name="one_destruction_of_what_was_brought"
            ),
            of_one_recording("destruction_is_of_one_recording"),
            models.CheckConstraint(
                condition=Q(approved_by=None) | Q(proposed_by=None) | ~Q(approved_by=F("proposed_by")),
                name="destruction_needs_a_second_person",
            ),
            models.CheckConstraint(
                condition=Q(state__in=[State.PROPOSED, State.WITHDRAWN]) | Q(approved_at__isnull=False),
                name="destruction_is_approved_first",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=[State.CLOSING, State.DONE]) | Q(closed_at__isnull=False),
                name="destruction_says_when",
            ),
        ]


class Reply(models.TextChoices):
    """What a rights-holder answered."""

    AGREES = "agrees", _("agrees")
    HAS_COPY = "has-copy", _("wanted a copy, and has it")
    WANTS_COPY = "wants-copy", _("wants a copy first")
    OBJECTS = "objects", _("does not agree")
    SILENT = "silent", _("gave no answer in 45 days")


class Told(models.Model):
    """A rights-holder was told by a letter (34 CFR 300.624(a)), and what that person answered."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    destruction = models.ForeignKey(Destruction, on_delete=models.PROTECT, related_name="told")
    person = models.ForeignKey(Person, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    """None once it is done: a tombstone holds no name."""
    student = models.ForeignKey(Student, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    """None once it is done."""
    letter = models.ForeignKey(Letter, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    """Its text is erased with the rest; that and when it was delivered stays."""
    reply = models.CharField(max_length=10, choices=Reply.choices, blank=True)
    """Empty while no answer was entered; the last one, where several were."""
    replied_on = models.DateField(null=True, blank=True)
    remark = models.TextField(blank=True)
    """In the person's own words; empty once it is done."""

    class Meta:
        """One for each person and student."""

        ordering: ClassVar = ["pk"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["destruction", "person", "student"], name="told_once")]


class EarlierReply(models.Model):
    """An answer of a rights-holder that a later one took the place of: no objection goes without a trace."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    told = models.ForeignKey(Told, on_delete=models.PROTECT, related_name="earlier")
    reply = models.CharField(max_length=10, choices=Reply.choices)
    replied_on = models.DateField()
    remark = models.TextField(blank=True)
    """In the person's own words; empty once it is done."""
    replaced_at = models.DateTimeField()
    replaced_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        """In the order in which they were entered."""

        ordering: ClassVar = ["replaced_at", "pk"]
