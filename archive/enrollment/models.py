"""Claims, what is known of the board behind each box, and attempts that failed."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from django.db import models
from django.db.models import Q

from archive.devices.models import Box
from archive.rooms.models import Room


class ClaimState(StrEnum):
    """What became of a claim."""

    OPEN = "open"
    USED = "used"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


class Claim(models.Model):
    """A one-time permission for one new box, or for one board that takes a box's place.

    Only a digest of its text is kept: a stolen database enrolls nobody.
    """

    sha256 = models.CharField(max_length=64, unique=True)
    """SHA-256 of the claim as it was given out."""
    room = models.ForeignKey(Room, on_delete=models.PROTECT, related_name="claims")
    """Where the box will stand."""
    for_box = models.ForeignKey(
        Box, null=True, blank=True, on_delete=models.PROTECT, related_name="claims_for_its_card"
    )
    """The box whose card goes on in another board; none: the claim is for a new box."""
    made_at = models.DateTimeField()
    """When it was given out."""
    expires_at = models.DateTimeField()
    """First moment at which it is no longer taken."""
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    """Since when it is no longer taken although it had not expired."""
    used_at = models.DateTimeField(null=True, blank=True)
    """When a box used it."""
    box = models.OneToOneField(Box, null=True, blank=True, on_delete=models.PROTECT, related_name="claim")
    """The box that it made."""
    board = models.CharField(max_length=64, blank=True)
    """Serial number of the board that used it; empty where it has none."""
    model = models.CharField(max_length=100, blank=True)
    """What that board calls itself."""
    certificate_ends_at = models.DateTimeField(null=True, blank=True)
    """When the last certificate of its box ends, at which the broker no longer takes it."""

    class Meta:
        """Newest first; used means used by a box."""

        ordering: ClassVar = ["-made_at", "-pk"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(used_at=None, box=None) | Q(used_at__isnull=False, box__isnull=False),
                name="a_used_claim_names_its_box",
            ),
        ]

    def state(self, now: datetime) -> ClaimState:
        """Return what can still be done with it."""
        if self.used_at is not None:
            return ClaimState.USED
        if self.withdrawn_at is not None:
            return ClaimState.WITHDRAWN
        return ClaimState.EXPIRED if now >= self.expires_at else ClaimState.OPEN

    def __str__(self) -> str:
        """Return its number; its text is known to nobody here."""
        return f"claim {self.pk}"


class FailedAttempt(models.Model):
    """An enrollment or a renewal that was refused; kept as long as it counts (archive.enrollment.throttle)."""

    address = models.CharField(max_length=45)
    """Client's address."""
    at = models.DateTimeField(db_index=True)
    """When."""

    class Meta:
        """As the throttle asks."""

        indexes: ClassVar = [models.Index(fields=["address", "at"], name="failed_attempts_by_address")]
