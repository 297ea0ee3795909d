"""The custody log's tables. Nothing but `archive.custody.log.record` writes here, and triggers refuse any change."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, Final

from django.db import models
from django.utils import timezone

from appliance.contract.times import parse_wall

from .actors import ActorType, Subject, SubjectType

BEGINNING: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""Before any entry."""


class Head(models.Model):
    """The end of the chain: one row, locked by whoever appends."""

    n = models.BigIntegerField()
    """Number of the next entry."""
    digest = models.CharField(max_length=64)
    """Digest of the last entry; before the first one, 64 zeros."""
    edge = models.BinaryField(default=b"")
    """Right edge of the tree over all entries, from which the next root is made (appliance.contract.custody)."""
    line = models.BinaryField()
    """The archive's signed statement of just that (CustodyHead); empty before the first entry."""
    latest = models.DateTimeField(default=BEGINNING)
    """The latest time of any entry since somebody last confirmed the clock (archive.custody.clock)."""


class SignedHead(models.Model):
    """A head that was published: the chain must go on holding against it."""

    n = models.BigIntegerField(primary_key=True)
    """How many entries there were."""
    line = models.BinaryField()
    """The signed statement."""

    class Meta:
        """Oldest first."""

        ordering: ClassVar = ["n"]


class TimeStamp(models.Model):
    """A head's time-stamp by an authority (RFC 3161), as it came."""

    n = models.BigIntegerField(primary_key=True)
    """How many entries there were."""
    line = models.BinaryField()
    """The signed head that was stamped."""
    response = models.BinaryField()
    """The authority's whole answer, a TimeStampResp in DER: `openssl ts -verify` reads it."""
    at = models.DateTimeField()
    """When, by the authority's clock."""

    class Meta:
        """Oldest first."""

        ordering: ClassVar = ["n"]

    def __str__(self) -> str:
        """Return how many entries there were."""
        return str(self.n)


class EntryQuerySet(models.QuerySet["Entry"]):
    """Entries by what they are about."""

    def about(self, subject: Subject) -> EntryQuerySet:
        """Return the entries about `subject`."""
        return self.filter(subject_type=subject.type, subject_id=subject.id)


class Entry(models.Model):
    """Something that was done, by whom, to what, and when. `digest` covers all other fields and the entry before."""

    n = models.BigIntegerField(primary_key=True)
    """0, 1, 2, ... without a hole."""
    version = models.PositiveSmallIntegerField()
    """Version of the hashed form: appliance.contract.custody.ENTRY_VERSION when it was written."""
    at = models.CharField(max_length=24)
    """When: UTC, as in docs/format.md section 1.4."""
    actor_type = models.CharField(max_length=12, choices=ActorType.choices)
    actor_id = models.CharField(max_length=64, blank=True)
    """Opaque: names stand in the accounts' table, where they can be erased."""
    subject_type = models.CharField(max_length=12, choices=SubjectType.choices, blank=True)
    subject_id = models.CharField(max_length=64, blank=True)
    """Opaque: a recording, a box, or the UUID of a user."""
    code = models.CharField(max_length=40, db_index=True)
    """What was done: archive.custody.kinds has all codes."""
    detail = models.TextField()
    """JSON object: what else there is to know; no name of a person, room or meeting."""
    prev = models.CharField(max_length=64)
    """Digest of entry n-1; for n = 0, 64 zeros."""
    digest = models.CharField(max_length=64)
    """SHA-256 of `archive.custody.log.canonical`."""

    objects: ClassVar = EntryQuerySet.as_manager()

    class Meta:
        """Newest last."""

        ordering: ClassVar = ["n"]
        indexes: ClassVar = [
            models.Index(fields=["subject_type", "subject_id", "n"], name="entry_by_subject"),
            models.Index(fields=["actor_type", "actor_id", "n"], name="entry_by_actor"),
        ]

    def member(self, name: str) -> Any:
        """Return a member of `detail`, or None."""
        return json.loads(self.detail).get(name)

    def is_younger_than(self, age: timedelta) -> bool:
        """Tell whether it was written less than `age` ago."""
        return timezone.now() - parse_wall(self.at) < age

    def __str__(self) -> str:
        """Return one line for logs and shells."""
        return f"{self.n} {self.at} {self.code} {self.actor_type}:{self.actor_id} {self.subject_id}"
