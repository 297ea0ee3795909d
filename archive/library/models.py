"""What the pages remember for themselves: which opened page was already listened to."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models

from archive.ingest.models import Recording


class PageView(models.Model):
    """One opening of a recording's page by one user; the address of its player carries the token."""

    token = models.CharField(primary_key=True, max_length=32)
    """128 random bits in hexadecimal."""
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    recording = models.ForeignKey(Recording, on_delete=models.CASCADE, related_name="+")
    opened_at = models.DateTimeField(auto_now_add=True, db_index=True)
    """When the page was made."""
    heard_at = models.DateTimeField(null=True, blank=True)
    """When its first audio was asked for; from then on its `listen` entry is in the custody log."""

    class Meta:
        """Oldest first, as they are dropped."""

        ordering: ClassVar = ["opened_at"]

    def __str__(self) -> str:
        """Return the token."""
        return self.token
