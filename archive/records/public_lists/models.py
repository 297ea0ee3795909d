"""What people enter for the lists, and the lists as they were published. Names stand here, never in the log."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q

from .rules import PURPOSES, ListKind


class Holding(models.Model):
    """A type of education records, and where it is. It is ended, never changed: a new place is a new row."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    own = models.BooleanField(default=False)
    """Whether it is what this archive holds: its types follow from its rows, and only the place is entered."""
    what = models.CharField(max_length=200, blank=True)
    """The type, as a parent would say it; empty of what this archive holds."""
    location = models.CharField(max_length=200)
    """Building, room or system."""
    keeper = models.CharField(max_length=200)
    """Whom to ask: a position or an office."""
    entered_at = models.DateTimeField()
    entered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        """What this archive holds first, then by type."""

        ordering: ClassVar = ["-own", "what", "pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["own"], condition=Q(own=True, ended_at=None), name="one_place_of_this_archive"
            ),
            models.CheckConstraint(
                condition=Q(own=True, what="") | Q(own=False) & ~Q(what=""), name="holding_is_named"
            ),
        ]


class Position(models.Model):
    """What somebody's position is (34 CFR 300.623(d)); the newest counts."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="positions")
    position = models.CharField(max_length=120)
    entered_at = models.DateTimeField()
    entered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        """Oldest first."""

        ordering: ClassVar = ["entered_at", "pk"]


class Training(models.Model):
    """Somebody was trained or instructed in confidentiality (34 CFR 300.623(c))."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="trainings")
    held_on = models.DateField()
    what = models.CharField(max_length=200)
    """What was taught, and by whom."""
    entered_at = models.DateTimeField()
    entered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        """Oldest first; the same training once."""

        ordering: ClassVar = ["held_on", "pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "held_on", "what"], name="training_entered_once")
        ]


class Publication(models.Model):
    """A list as it was published: the district answers for it, and files are made of it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=16, choices=[(str(kind), purpose.heading) for kind, purpose in PURPOSES.items()])
    content = models.TextField()
    """The list in the form of rules.Table.canonical."""
    published_at = models.DateTimeField()
    published_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        """Newest first."""

        ordering: ClassVar = ["-published_at", "pk"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(kind__in=[str(kind) for kind in ListKind]), name="publication_of_a_list")
        ]
