"""Incident records: why the district's copy of a meeting is missing or has gaps, and what was done about it."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from archive.recordings.models import Recording
from archive.records.letters.models import Letter
from archive.records.meetings.models import Meeting
from archive.records.people.models import Person


class Missing(models.TextChoices):
    """What the district does not have."""

    ALL = "all", _("all of it: no box recorded")
    PART = "part", _("a part of it: the recording has gaps, or ended early")


class Incident(models.Model):
    """One for a meeting. It is corrected, never closed by a clock, and deleted with its destroyed recording alone."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    meeting = models.OneToOneField(Meeting, on_delete=models.PROTECT, related_name="incident")
    missing = models.CharField(max_length=4, choices=Missing.choices)
    recording = models.ForeignKey(Recording, null=True, blank=True, on_delete=models.PROTECT, related_name="incidents")
    """The recording that has gaps; None where there is none."""
    found = models.TextField(blank=True)
    """What the archive itself knew when it was entered: the ledger's gaps and how the recording ended, one a line."""
    cause = models.CharField(max_length=40)
    """A code of rules.CAUSES, or an amber code of the box."""
    explanation = models.TextField()
    told = models.TextField()
    """Who was told, when and how."""
    done = models.TextField()
    """What was done, for this meeting and so that it does not happen again."""
    entered_at = models.DateTimeField()
    entered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    version = models.PositiveIntegerField(default=0)
    """Counts changes, so that of two people who edit at once the second one is told."""

    class Meta:
        """Newest first."""

        ordering: ClassVar = ["-entered_at", "pk"]


class IncidentLetter(models.Model):
    """A rights-holder was written to about it."""

    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="letters")
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    letter = models.OneToOneField(Letter, on_delete=models.PROTECT, related_name="+")

    class Meta:
        """Oldest first; one for each person."""

        ordering: ClassVar = ["pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["incident", "person"], name="incident_letter_once"),
        ]


class LookAgain(models.Model):
    """A meeting of which something changed that tells whether it lacks its incident record; triggers make the rows.

    One that has no row was looked at since its last change and lacks nothing (look_deeds.py). So a page looks at few
    meetings, and not at all that ever were.
    """

    # a check that the meeting is there would lock it from within every deed that a trigger follows
    meeting = models.ForeignKey(Meeting, on_delete=models.CASCADE, related_name="look_again", db_constraint=False)

    class Meta:
        """Oldest change first."""

        ordering: ClassVar = ["pk"]
