"""The custody log's table. Nothing but `archive.custody.log.record` writes here, and triggers refuse any change."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class Head(models.Model):
    """The end of the chain: one row, locked by whoever appends."""

    n = models.BigIntegerField()
    """Number of the next entry."""
    digest = models.CharField(max_length=64)
    """Digest of the last entry; of nothing, 64 zeros."""


class Entry(models.Model):
    """Something that was done, by whom, and when. `digest` covers all other fields and the entry before."""

    n = models.BigIntegerField(primary_key=True)
    """0, 1, 2, ... without a hole."""
    at = models.CharField(max_length=24)
    """When: UTC, as in docs/format.md section 1.4."""
    kind = models.CharField(max_length=40, db_index=True)
    """One of archive.custody.kinds.Kind."""
    actor = models.CharField(max_length=200)
    """Who: `user:NAME`, `box:ID`, or `archive` for the archive's own processes."""
    recording = models.CharField(max_length=32, blank=True, db_index=True)
    """The recording's identifier; empty if it concerns none."""
    detail = models.TextField()
    """JSON object: what else there is to know."""
    prev = models.CharField(max_length=64)
    """Digest of entry n-1; for n = 0, 64 zeros."""
    digest = models.CharField(max_length=64)
    """SHA-256 of `archive.custody.log.canonical`."""

    class Meta:
        """Newest last."""

        ordering: ClassVar = ["n"]

    def __str__(self) -> str:
        """Return one line for logs and shells."""
        return f"{self.n} {self.at} {self.kind} {self.actor} {self.recording}"
