"""Transcripts of recordings, each version a row for good, and the drafts that were asked of the computer."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from archive.recordings.models import Recording


class Source(models.TextChoices):
    """Who wrote it down."""

    PERSON = "person", _("written by a person")
    CART = "cart", _("written live by a captioner (CART)")
    VENDOR = "vendor", _("written by a transcription service")
    MACHINE = "machine", _("written by a computer")


class Language(models.TextChoices):
    """In which language it is written."""

    EN = "en", _("English")
    ES = "es", _("Spanish")
    SEVERAL = "mul", _("several languages, or another one")


class Transcript(models.Model):
    """One version of what was written down of a recording. It is never overwritten, and it is no evidence."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    recording = models.ForeignKey(Recording, on_delete=models.PROTECT, related_name="transcripts")
    version = models.PositiveIntegerField()
    """Counted from 1 in each recording."""
    package_sha256 = models.CharField(max_length=64)
    """Digest of the sealed package that it was written from."""
    source = models.CharField(max_length=10, choices=Source.choices)
    language = models.CharField(max_length=3, choices=Language.choices)
    maker = models.CharField(max_length=200)
    """Who wrote it: a person, a service; of a computer, program and model."""
    file_sha256 = models.CharField(max_length=64, blank=True)
    """Digest of the file as it was brought; empty where nobody brought one."""
    sha256 = models.CharField(max_length=64)
    """Digest of what is kept of it: WebVTT of words and times alone."""
    cues = models.PositiveIntegerField()
    """How many cues it has."""
    encrypted = models.BinaryField()
    """What is kept, encrypted to the recording's own key, so that it ends with it."""
    brought_at = models.DateTimeField()
    brought_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    """Who brought it; None of the computer's."""
    answered_at = models.DateTimeField(null=True, blank=True)
    """When somebody answered for it; a draft until then."""
    answered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    answered_name = models.CharField(max_length=200, blank=True)
    """Name and position of whoever answers for it, as every copy says it."""
    set_aside_at = models.DateTimeField(null=True, blank=True)
    """When it was set aside as not of this recording; only those who bring transcripts see it from then on."""
    set_aside_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    set_aside_reason = models.TextField(blank=True)

    class Meta:
        """Newest first; each version once."""

        ordering: ClassVar = ["-version"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["recording", "version"], name="transcript_version_once"),
            models.CheckConstraint(
                condition=models.Q(answered_at=None, answered_name="")
                | (models.Q(answered_at__isnull=False) & ~models.Q(answered_name="")),
                name="transcript_is_answered_for_by_a_name",
            ),
        ]


class MachineDraft(models.Model):
    """A draft that the computer was asked for: waiting, being made, or done."""

    recording = models.OneToOneField(
        Recording, primary_key=True, on_delete=models.PROTECT, related_name="machine_draft"
    )
    asked_at = models.DateTimeField()
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    """Who asked; None where every recording gets one."""
    working_at = models.DateTimeField(null=True, blank=True)
    """When the worker that makes it last said so; None while none does."""
    done_s = models.PositiveIntegerField(default=0)
    """How far it got, in seconds of the recording."""
    finished_at = models.DateTimeField(null=True, blank=True)
    problem = models.CharField(max_length=40, blank=True)
    """Code of why there is none; empty if there is one."""

    def __str__(self) -> str:
        """Return the recording's identifier."""
        return self.recording_id
