"""Record series, and what the district decided about each on counsel's advice. Both are added to, never changed."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class CountsFrom(models.TextChoices):
    """From when a period counts."""

    MEETING = "meeting", _("the day of the meeting")
    SCHOOL_YEAR = "school-year", _("the end of its school year (June 30)")
    LEFT = "left", _("the day on which the student left the district")


class Series(models.Model):
    """A record series of the district's retention schedule, and the kinds of meetings whose recordings belong to it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    """Opaque, as it stands in addresses and in the custody log."""
    code = models.CharField(max_length=40, unique=True)
    """The code in the district's schedule."""
    title = models.CharField(max_length=200)
    """Its title there."""
    kinds = models.JSONField()
    """Kinds of meetings (MeetingKind) whose recordings belong to it."""
    entered_at = models.DateTimeField()
    entered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        """By code."""

        ordering: ClassVar = ["code", "pk"]

    def __str__(self) -> str:
        """Return code and title."""
        return f"{self.code}, {self.title}"


class Answer(models.Model):
    """What the district decided about a series, in writing and on advice. A new decision is a new row."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    series = models.ForeignKey(Series, on_delete=models.PROTECT, related_name="answers")
    number = models.PositiveIntegerField()
    """1, 2, 3, ... in each series."""
    permanent = models.BooleanField()
    """Whether the series is kept for good."""
    years = models.PositiveSmallIntegerField(null=True, blank=True)
    """Otherwise, for how many years."""
    counts_from = models.CharField(max_length=12, choices=CountsFrom.choices, blank=True)
    """From when they count; empty where it is permanent."""
    on_request = models.BooleanField(default=False)
    """Whether a parent may ask for its destruction before (34 CFR 300.624(b))."""
    citation = models.TextField()
    """Law, schedule and item that it rests on."""
    decided_by = models.CharField(max_length=200)
    """Who decided it for the district: the board, the superintendent."""
    decided_on = models.DateField()
    advice = models.TextField()
    """Whose advice, of which day, and where the paper is."""
    entry = models.BigIntegerField()
    """Number of its custody entry: what came before which recording, whatever a clock says."""
    entered_at = models.DateTimeField()
    entered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        """Oldest first."""

        ordering: ClassVar = ["series", "number"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["series", "number"], name="answer_number_once"),
            models.CheckConstraint(
                condition=Q(permanent=True, years=None, counts_from="")
                | Q(permanent=False, years__gte=1) & ~Q(counts_from=""),
                name="answer_is_permanent_or_counts_years",
            ),
            models.CheckConstraint(condition=~Q(citation="") & ~Q(advice=""), name="answer_cites_and_was_advised"),
        ]
