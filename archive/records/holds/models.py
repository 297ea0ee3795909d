"""Holds belong to matters: a lawsuit, a complaint, a records request. A day that passes ends none of them."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from archive.recordings.models import Recording
from archive.records.outside_recordings.models import OutsideRecording
from archive.records.people.models import Student


class Matter(models.Model):
    """Why things are held, by whom, from when, and until when as far as anybody knows. It is ended, never deleted."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    """Opaque, as it stands in addresses and in the custody log."""
    title = models.CharField(max_length=200)
    """What people call it; names may stand here."""
    reason = models.TextField()
    """Why nothing of it may be destroyed."""
    owner = models.CharField(max_length=200)
    """Who answers for it, and who is asked before it ends."""
    valid_from = models.DateField()
    """Since when the district must keep everything."""
    valid_until = models.DateField(null=True, blank=True)
    """When it is looked at again. The hold goes on afterwards, until a person ends it."""
    opened_at = models.DateTimeField()
    opened_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    released_at = models.DateTimeField(null=True, blank=True)
    """When a person ended it; None while it holds."""
    released_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    release_reason = models.TextField(blank=True)
    version = models.PositiveIntegerField(default=0)
    """Counts changes, so that of two people who edit at once the second one is told."""

    class Meta:
        """Newest first."""

        ordering: ClassVar = ["-opened_at", "pk"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(valid_until=None) | Q(valid_until__gte=F("valid_from")),
                name="matter_is_looked_at_after_its_begin",
            ),
            models.CheckConstraint(
                condition=Q(released_at=None, release_reason="") | Q(released_at__isnull=False) & ~Q(release_reason=""),
                name="ended_matter_has_a_reason",
            ),
        ]

    def __str__(self) -> str:
        """Return its title."""
        return self.title


class Held(models.Model):
    """What a matter holds: a recording that a box made or not, or all of a student, those to come as well."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    matter = models.ForeignKey(Matter, on_delete=models.PROTECT, related_name="items")
    recording = models.ForeignKey(Recording, null=True, blank=True, on_delete=models.PROTECT, related_name="holds")
    outside = models.ForeignKey(OutsideRecording, null=True, blank=True, on_delete=models.PROTECT, related_name="holds")
    student = models.ForeignKey(Student, null=True, blank=True, on_delete=models.PROTECT, related_name="holds")
    added_at = models.DateTimeField()
    added_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    released_at = models.DateTimeField(null=True, blank=True)
    """When a person took it out of the matter; None while it holds. It ends with the matter as well."""
    released_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    release_reason = models.TextField(blank=True)

    class Meta:
        """Oldest first; each once in a matter."""

        ordering: ClassVar = ["added_at", "pk"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(recording=None, outside=None, student__isnull=False)
                | Q(recording__isnull=False, outside=None, student=None)
                | Q(recording=None, outside__isnull=False, student=None),
                name="hold_is_of_one_thing",
            ),
            models.CheckConstraint(
                condition=Q(released_at=None, release_reason="") | Q(released_at__isnull=False) & ~Q(release_reason=""),
                name="released_hold_has_a_reason",
            ),
            models.UniqueConstraint(
                fields=["matter", "recording"], condition=Q(released_at=None), name="recording_held_once_a_matter"
            ),
            models.UniqueConstraint(
                fields=["matter", "outside"], condition=Q(released_at=None), name="outside_held_once_a_matter"
            ),
            models.UniqueConstraint(
                fields=["matter", "student"], condition=Q(released_at=None), name="student_held_once_a_matter"
            ),
        ]
