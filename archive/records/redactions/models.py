"""Redacted copies, their passages, and who listened to them. They go with their recording, never before."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from archive.recordings.models import Recording
from archive.records.people.models import Student

from .sound import How


class State(models.TextChoices):
    """Where a redacted copy stands."""

    DRAFT = "draft", "passages are entered"
    ASKED = "asked", "being made"
    FAILED = "failed", "could not be made"
    MADE = "made", "waits for a second listener"
    SIGNED = "signed", "signed off"
    WITHDRAWN = "withdrawn", "withdrawn"


class Basis(models.TextChoices):
    """On what legal basis a passage is taken out."""

    OTHER_STUDENT = "other-student", _("about another student (34 CFR 99.12(a), 300.615)")
    CLOSED = "closed", _("a closed record (RSMo 610.021)")
    NO_PART = "no-part", _("caught by accident: no part of the meeting, about no student (34 CFR 99.3)")
    PRIVILEGED = "privileged", _("advice of counsel, privileged (RSMo 610.021(1))")
    ORDERED = "ordered", _("a court's order; the reason names it")
    RESTRICTED = "restricted", _("restricted when the copy was made; nobody has decided yet who may hear it")
    OTHER = "other", _("another provision; the reason names it")


TYPED_BASES = [one for one in Basis if one != Basis.RESTRICTED]
"""What people choose from; that a passage is restricted the archive knows by itself."""


class Redaction(models.Model):
    """A derivative of one recording. Nothing of it leaves the archive before a second listener signed it off."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    """Opaque, as it stands in addresses, in the custody log, in the store, and on what is handed out."""
    recording = models.ForeignKey(Recording, on_delete=models.PROTECT, related_name="redactions")
    purpose = models.CharField(max_length=200)
    """What it is for, as lists call it."""
    student = models.ForeignKey(Student, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    """Whose parents it is made for: once it is signed off they hear nothing in its passages, also after it is withdrawn
    (reach.bounding). None: of nobody's."""
    state = models.CharField(max_length=10, choices=State.choices, default=State.DRAFT)
    begun_at = models.DateTimeField()
    begun_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    asked_at = models.DateTimeField(null=True, blank=True)
    """When the worker was told to make it; None while passages are entered."""
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    """Who made it, as far as a person does."""
    working_at = models.DateTimeField(null=True, blank=True)
    """When the worker that makes it last said so; None while none does."""
    done = models.PositiveIntegerField(default=0)
    """Pieces that are written or checked."""
    of = models.PositiveIntegerField(default=0)
    """Pieces to write and to check."""
    problem = models.TextField(blank=True)
    """Why it could not be made; empty if it could."""
    object = models.CharField(max_length=140, blank=True)
    """Its name in the store; empty until it is made."""
    size = models.PositiveBigIntegerField(default=0)
    """Its size in bytes."""
    sha256 = models.CharField(max_length=64, blank=True)
    """Its digest, as the custody log has it."""
    manifest_sha256 = models.CharField(max_length=64, blank=True)
    """Digest of its manifest, which names every piece's."""
    audio_md5 = models.CharField(max_length=32, blank=True)
    """MD5 of its samples, as FLAC has it: for the copies that are handed out."""
    outside = models.PositiveBigIntegerField(default=0)
    """Samples outside of its passages that were compared with the original, and are its."""
    inside = models.PositiveBigIntegerField(default=0)
    """Samples inside of them, of which none is the original's."""
    made_at = models.DateTimeField(null=True, blank=True)
    made_entry = models.BigIntegerField(null=True, blank=True)
    """Number of the custody entry that says that it was made: who listened to it did so afterwards."""
    signed_at = models.DateTimeField(null=True, blank=True)
    signed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    """Who listened to all of it and signed it off: nobody who made it."""
    heard_s = models.PositiveIntegerField(default=0)
    """How much that one was sent to listen to, in seconds."""
    took_s = models.PositiveIntegerField(default=0)
    """How long after its first sound that one signed it off, in seconds."""
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    withdrawn_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    withdrawn_reason = models.TextField(blank=True)
    lifted_at = models.DateTimeField(null=True, blank=True)
    """When a second person let the student's parents hear again what it left out; None while they hear silence."""
    lifted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        """Newest first."""

        ordering: ClassVar = ["-begun_at", "pk"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(signed_by=None) | Q(asked_by=None) | ~Q(signed_by=F("asked_by")),
                name="redaction_is_signed_off_by_another",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["made", "signed"]) | (~Q(sha256="") & ~Q(object="")),
                name="made_redaction_has_a_digest",
            ),
            models.CheckConstraint(
                condition=~Q(state="signed") | Q(signed_at__isnull=False), name="signed_redaction_has_its_day"
            ),
            models.CheckConstraint(
                condition=Q(lifted_by=None) | Q(withdrawn_by=None) | ~Q(lifted_by=F("withdrawn_by")),
                name="redaction_is_lifted_by_another",
            ),
        ]

    def __str__(self) -> str:
        """Return what it is for."""
        return self.purpose


class Passage(models.Model):
    """What is taken out of a redacted copy, and why."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    redaction = models.ForeignKey(Redaction, on_delete=models.PROTECT, related_name="passages")
    first_frame = models.PositiveBigIntegerField()
    last_frame = models.PositiveBigIntegerField()
    """First frame behind it."""
    how = models.CharField(max_length=4, choices=[(How.MUTE.value, _("silence")), (How.TONE.value, _("a quiet tone"))])
    basis = models.CharField(max_length=14, choices=Basis.choices)
    reason = models.TextField()
    """Why, in words."""
    entered_at = models.DateTimeField()
    entered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    """Who entered it; None of what the archive took out by itself."""
    by_archive = models.BooleanField(default=False)
    """Whether the archive took it out by itself, when the copy was asked for."""

    class Meta:
        """In order of the recording."""

        ordering: ClassVar = ["first_frame", "last_frame", "pk"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(last_frame__gt=F("first_frame")), name="redacted_passage_has_a_length"),
            models.UniqueConstraint(
                fields=["redaction", "first_frame", "last_frame", "basis", "how"], name="redacted_passage_once"
            ),
        ]


class Hearing(models.Model):
    """How much of a redacted copy somebody was sent to listen to."""

    redaction = models.ForeignKey(Redaction, on_delete=models.CASCADE, related_name="hearings")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    sha256 = models.CharField(max_length=64)
    """Digest of the copy: one that is made anew is listened to anew."""
    began_at = models.DateTimeField()
    """When its first sound was sent."""
    spans = models.JSONField(default=list)
    """What counts as heard: pairs of first frame and first frame behind it, in order."""

    class Meta:
        """One a listener and copy."""

        ordering: ClassVar = ["began_at", "pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["redaction", "user", "sha256"], name="hearing_once"),
        ]
