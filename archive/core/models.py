"""What every process of the archive leaves behind."""

from __future__ import annotations

from django.db import models


class SignOfLife(models.Model):
    """When a process last said that it works."""

    part = models.CharField(primary_key=True, max_length=20)
    """Which process, for example `worker`."""
    at = models.DateTimeField()
    """When."""

    def __str__(self) -> str:
        """Return its name."""
        return self.part
