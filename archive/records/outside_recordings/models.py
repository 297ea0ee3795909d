"""Recordings that no box made, where they belong, and who may not hear them. They are no rows of box recordings.

What is brought was outside of the district's hands: nobody can say that it is whole. So it has a table, a list and
words of its own, and its identifier stands beside those of box recordings only where keys, holds and grants ask for it.
"""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from appliance.contract.ids import new_recording_id
from archive.records.meetings.models import Meeting

from .in_pieces import FileInPieces, PieceOfFile


class Origin(models.TextChoices):
    """How a recording came to be without a box."""

    OFF_SITE = "off-site", _("made at another place")
    REMOTE = "remote", _("made by a video conference's own recorder")
    SPARE = "spare", _("made with a spare recorder, because the box failed")
    OTHER = "other", _("made in another way")


class State(models.TextChoices):
    """Where a file that is brought is on its way."""

    ARRIVING = "arriving", _("not all of it has arrived")
    ARRIVED = "arrived", _("all of it arrived; it is about to be sealed")
    SEALED = "sealed", _("sealed")
    GIVEN_UP = "given-up", _("given up before it was sealed")


class OutsideRecording(FileInPieces):
    """One file, and what was said about it. Neither is changed afterwards."""

    id = models.CharField(primary_key=True, max_length=32, default=new_recording_id, editable=False)
    """32 hexadecimal digits, as a box recording has them: key store and holds know both by these alone."""
    origin = models.CharField(max_length=8, choices=Origin.choices)
    made_on = models.DateField()
    """Day on which it was made, as whoever brings it says."""
    made_at = models.TimeField(null=True, blank=True)
    """Time of day of its begin, in the site's zone; None if nobody knows."""
    place = models.CharField(max_length=200)
    made_by = models.CharField(max_length=200)
    """Who made it: name and part in the meeting."""
    made_with = models.CharField(max_length=200)
    """Device or program."""
    since = models.TextField()
    """What was done with it since it was made."""
    brought_by = models.CharField(max_length=200)
    """Who says all this: name and part in the meeting."""
    brought_on = models.DateField()
    begun_at = models.DateTimeField()
    begun_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    """Who wrote the statement down and takes the file in."""

    sealed_by = models.CharField(max_length=200, blank=True)
    """Of one that came from another district: whose archive sealed it. Empty: this archive."""

    state = models.CharField(max_length=8, choices=State.choices, default=State.ARRIVING)
    media_type = models.CharField(max_length=12, blank=True)
    """What its bytes say that it is (media.MediaType)."""
    seconds = models.FloatField(null=True, blank=True)
    """Its length as the file itself says; None where it does not."""
    statement = models.BinaryField(default=b"")
    """What was said about it, encrypted to the recording's key: the member of the package."""
    arrived_at = models.DateTimeField(null=True, blank=True)
    sealing_at = models.DateTimeField(null=True, blank=True)
    """The moment that the package carries; set once, so that a second attempt makes the same bytes."""
    sealed_at = models.DateTimeField(null=True, blank=True)
    problem = models.TextField(blank=True)
    """Why sealing fails, in words; empty if it does not."""
    sha256 = models.CharField(max_length=64, blank=True, db_index=True)
    """Of the file that was brought."""
    package_size = models.PositiveBigIntegerField(default=0)
    package_sha256 = models.CharField(max_length=64, blank=True)
    index = models.BinaryField(default=b"")
    """Of each piece in the package: place (64 bits), size (32 bits) and SHA-256, big-endian."""
    receipt = models.BinaryField(null=True, blank=True)
    """The signed receipt line."""
    checked_at = models.DateTimeField(null=True, blank=True)
    """When it was last held against its seal; None if it was not since."""
    damage = models.TextField(blank=True)
    """What was found then, where that is not what was sealed."""
    given_up_at = models.DateTimeField(null=True, blank=True)
    destroyed_at = models.DateTimeField(null=True, blank=True)
    """When it was destroyed; the row is its tombstone from then on."""

    class Meta:
        """Newest first."""

        ordering: ClassVar = ["-begun_at", "-pk"]

    def __str__(self) -> str:
        """Return the identifier."""
        return self.id


class Piece(PieceOfFile):
    """A piece that arrived; dropped once the package holds it."""

    outside = models.ForeignKey(OutsideRecording, on_delete=models.CASCADE, related_name="pieces")

    class Meta:
        """In order; each once."""

        ordering: ClassVar = ["outside", "number"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["outside", "number"], name="piece_once")]


class OutsideFiling(models.Model):
    """It belongs to a meeting: one person says so, another confirms. One person's doubt ends it, and it begins anew."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    outside = models.ForeignKey(OutsideRecording, on_delete=models.PROTECT, related_name="filings")
    meeting = models.ForeignKey(Meeting, on_delete=models.PROTECT, related_name="outside_filings")
    filed_at = models.DateTimeField()
    filed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    confirmed_at = models.DateTimeField(null=True, blank=True)
    """When a second person confirmed it; only from then on does anybody reach it through the meeting."""
    confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    ended_at = models.DateTimeField(null=True, blank=True)
    """When somebody called it wrong; access through it ended then."""
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    end_reason = models.TextField(blank=True)

    class Meta:
        """Oldest first. A file that was brought cannot be cut, so it is one meeting's at a time (34 CFR 99.12(a))."""

        ordering: ClassVar = ["filed_at", "pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["outside"], condition=Q(ended_at=None), name="outside_filed_once"),
            models.CheckConstraint(
                condition=Q(confirmed_by=None) | Q(filed_by=None) | ~Q(confirmed_by=F("filed_by")),
                name="outside_filing_needs_a_second_person",
            ),
        ]


class OutsideRestriction(models.Model):
    """Fewer people may hear it: all of it, since nothing can be silenced in bytes that are kept as they came."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    outside = models.ForeignKey(OutsideRecording, on_delete=models.PROTECT, related_name="restrictions")
    reason = models.TextField()
    made_at = models.DateTimeField()
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    lifted_at = models.DateTimeField(null=True, blank=True)
    """When a second person lifted it; None while it holds."""
    lifted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    lift_reason = models.TextField(blank=True)

    class Meta:
        """Oldest first; one at a time."""

        ordering: ClassVar = ["made_at", "pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["outside"], condition=Q(lifted_at=None), name="outside_restricted_once"),
            models.CheckConstraint(
                condition=Q(lifted_by=None) | Q(made_by=None) | ~Q(lifted_by=F("made_by")),
                name="outside_restriction_is_lifted_by_another",
            ),
        ]


class OutsideView(models.Model):
    """One opening of its page by one user; the address of its player carries the token."""

    token = models.CharField(primary_key=True, max_length=32)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    outside = models.ForeignKey(OutsideRecording, on_delete=models.CASCADE, related_name="+")
    opened_at = models.DateTimeField(auto_now_add=True, db_index=True)
    heard_at = models.DateTimeField(null=True, blank=True)
    """When its first audio was asked for; from then on its `listen` entry is in the custody log."""

    class Meta:
        """Oldest first, as they are dropped."""

        ordering: ClassVar = ["opened_at"]

    def __str__(self) -> str:
        """Return the token."""
        return self.token
