"""Which readiness reports were sent, so that none is sent twice."""

from __future__ import annotations

from django.db import models


class ReadinessReport(models.Model):
    """The report of one morning."""

    day = models.DateField(primary_key=True)
    """Its day, in the site's zone."""
    sent_at = models.DateTimeField()
    not_ready = models.PositiveIntegerField()
    """How many rooms were not ready."""

    def __str__(self) -> str:
        """Return the day."""
        return str(self.day)
