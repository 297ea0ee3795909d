"""What every process of the archive leaves behind, what it holds, and which forms were sent."""

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


class Lease(models.Model):
    """What one process does while several could (archive.core.leases)."""

    name = models.CharField(primary_key=True, max_length=100)
    """What it does."""
    holder = models.CharField(max_length=32)
    """Which process: a random number of its own."""
    until = models.DateTimeField()
    """Free from then on, by the database's clock."""

    def __str__(self) -> str:
        """Return its name."""
        return self.name


class SentForm(models.Model):
    """A form that was acted on, so that its second sending does nothing."""

    token = models.CharField(primary_key=True, max_length=32)
    """The token that the form carried."""
    leads_to = models.CharField(max_length=500, default="")
    """Address of the page that the deed leads to."""
    at = models.DateTimeField(db_index=True)
    """When."""

    def __str__(self) -> str:
        """Return its token."""
        return self.token
