"""Passages of a recording that fewer people may hear. The recording itself is never touched."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from archive.recordings.models import Recording


class Restriction(models.Model):
    """A passage: staff who talked on after the meeting, something confidential. It is lifted, never deleted."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    recording = models.ForeignKey(Recording, on_delete=models.PROTECT, related_name="restrictions")
    first_frame = models.PositiveBigIntegerField()
    """Where it begins."""
    last_frame = models.PositiveBigIntegerField(null=True, blank=True)
    """First frame behind it; None: the recording's end."""
    reason = models.TextField()
    made_at = models.DateTimeField()
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    lifted_at = models.DateTimeField(null=True, blank=True)
    """When a second person lifted it; None while it holds."""
    lifted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    lift_reason = models.TextField(blank=True)

    class Meta:
        """In order of the recording."""

        ordering: ClassVar = ["first_frame", "pk"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(last_frame=None) | Q(last_frame__gt=F("first_frame")), name="restriction_has_a_length"
            ),
            models.CheckConstraint(
                condition=Q(lifted_by=None) | Q(made_by=None) | ~Q(lifted_by=F("made_by")),
                name="restriction_is_lifted_by_another",
            ),
        ]
