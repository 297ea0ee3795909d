"""Reviews of who has access. The grants themselves are archive.access's: one table decides."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models


class Review(models.Model):
    """Somebody went through all grants of a quarter (34 CFR 300.623; docs/records.md)."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    quarter = models.CharField(max_length=7)
    """Which: `2026-Q4`."""
    reviewed_at = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    grants = models.PositiveIntegerField()
    """How many there were."""
    ended = models.PositiveIntegerField()
    """How many were ended in it."""
    remarks = models.TextField(blank=True)

    class Meta:
        """Newest first; one a quarter."""

        ordering: ClassVar = ["-quarter"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["quarter"], name="one_review_a_quarter")]
