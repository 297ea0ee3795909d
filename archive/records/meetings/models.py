"""Notices, meetings, what was said at their opening, and which recordings are filed under them."""

from __future__ import annotations

import uuid
from typing import ClassVar, Final

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from archive.recordings.models import Recording
from archive.records.people.models import Person, Student
from archive.rooms.models import Room


class MeetingKind(models.TextChoices):
    """What a meeting is about."""

    IEP = "iep", _("IEP meeting")
    SECTION_504 = "504", _("Section 504 meeting")
    OTHER = "other", _("other meeting")


class ParentRecords(models.TextChoices):
    """Whether a parent records a meeting (docs/policy.md, guideline 6: the parent says so at the start)."""

    UNKNOWN = "", _("not said yet")
    YES = "yes", _("a parent records")
    NO = "no", _("no parent records")


class Meeting(models.Model):
    """One planned meeting. It is moved and cancelled, never deleted."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    """Opaque, as it stands in addresses and in the custody log."""
    kind = models.CharField(max_length=8, choices=MeetingKind.choices)
    kinds_before = models.JSONField(default=list, blank=True)
    """What its kind was before, each since a recording was filed under it: how long that is kept follows from all."""
    student = models.ForeignKey(Student, on_delete=models.PROTECT, related_name="meetings")
    room = models.ForeignKey(Room, null=True, blank=True, on_delete=models.PROTECT, related_name="meetings")
    place = models.CharField(max_length=200, blank=True)
    """Where it is if in no room of ours: another site, remote."""
    starts_at = models.DateTimeField()
    """Planned begin."""
    ends_at = models.DateTimeField()
    """Planned end."""
    moved_from = models.DateTimeField(null=True, blank=True)
    """Planned begin before the last move; None if it was never moved."""
    cancelled_at = models.DateTimeField(null=True, blank=True)
    """When it was cancelled; None if it was not."""
    facilitator = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="meetings"
    )
    """Who leads it and reads the opening."""
    parent_records = models.CharField(max_length=3, choices=ParentRecords.choices, blank=True)
    parent_device = models.CharField(max_length=200, blank=True)
    """What the parent records with, in the parent's words. The parent's recording itself is never an object here."""
    parent_records_said_at = models.DateTimeField(null=True, blank=True)
    """When that was said; what a tablet sends late replaces nothing that was said afterwards."""
    recording_destroyed = models.BooleanField(default=False)
    """Whether a recording of it was destroyed by decision: then nobody asks why there is none."""
    source = models.CharField(max_length=40, blank=True)
    """Where it came from (`icalendar`, `csv`); empty for what a person typed."""
    source_id = models.CharField(max_length=255, blank=True)
    """Its identifier there."""
    corrected = models.JSONField(default=list, blank=True)
    """Names of the fields that people changed here: an import keeps what they hold."""
    version = models.PositiveIntegerField(default=0)
    """Counts changes, so that of two people who edit at once the second one is told."""

    class Meta:
        """In order of time."""

        ordering: ClassVar = ["starts_at", "pk"]
        indexes: ClassVar = [
            models.Index(fields=["starts_at", "id"], name="meetings_by_time"),
            models.Index(fields=["room", "starts_at"], name="meetings_by_room"),
            models.Index(fields=["student", "starts_at"], name="meetings_by_student"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="meeting_ends_after_its_begin"),
            models.UniqueConstraint(
                fields=["source", "source_id"], condition=~Q(source=""), name="meeting_once_a_source"
            ),
        ]


class Notice(models.Model):
    """A parent told the district that they will record a meeting (docs/policy.md, guideline 1, RSMo 162.686).

    Nobody answers it with yes or no: it is noted, and acknowledged by a letter.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    student = models.ForeignKey(Student, on_delete=models.PROTECT, related_name="notices")
    meeting = models.ForeignKey(Meeting, null=True, blank=True, on_delete=models.PROTECT, related_name="notices")
    """The meeting that it is about, once that is known."""
    received_at = models.DateTimeField()
    """When it reached the district."""
    logged_at = models.DateTimeField(auto_now_add=True)
    """When it was entered here."""
    logged_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    meeting_at = models.DateTimeField()
    """When the meeting begins, as the notice or the plan says."""
    given_by = models.ForeignKey(Person, null=True, blank=True, on_delete=models.PROTECT, related_name="notices")
    """Who gave it, if that person is known here."""
    reason = models.TextField(blank=True)
    """Why, if the parent said so (docs/policy.md, guideline 2); empty is normal."""
    device = models.CharField(max_length=200, blank=True)
    """What the parent will record with, if the parent said so."""
    version = models.PositiveIntegerField(default=0)
    """Counts corrections, so that of two people who edit at once the second one is told."""

    class Meta:
        """Newest first."""

        ordering: ClassVar = ["-received_at", "pk"]


class NoticeCorrection(models.Model):
    """A notice was logged wrongly, and corrected: what it said before. Never changed, and shown beside the notice."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    notice = models.ForeignKey(Notice, on_delete=models.PROTECT, related_name="corrections")
    at = models.DateTimeField()
    """When it was corrected."""
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    why = models.TextField()
    """Why, in the words of whoever corrected it."""
    student = models.ForeignKey(Student, on_delete=models.PROTECT, related_name="+")
    meeting = models.ForeignKey(
        Meeting, null=True, blank=True, on_delete=models.PROTECT, related_name="notices_corrected"
    )
    """The meeting at which the notice stood until then."""
    received_at = models.DateTimeField()
    meeting_at = models.DateTimeField()
    given_by = models.ForeignKey(Person, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    reason = models.TextField(blank=True)
    device = models.CharField(max_length=200, blank=True)

    class Meta:
        """Newest first; none without a reason."""

        ordering: ClassVar = ["-at", "pk"]
        constraints: ClassVar = [models.CheckConstraint(condition=~Q(why=""), name="notice_correction_says_why")]


WAITS: Final = Q(ended_at=None) & (Q(confirmed_at=None) | Q(end_asked_at__isnull=False))
"""A filing that waits for a second person: to be confirmed, or for somebody who agrees that it is wrong."""


class Filing(models.Model):
    """A recording, or a part of it, belongs to a meeting.

    One person files, another one confirms; it is ended, never changed, so that a wrong one stays told.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    recording = models.ForeignKey(Recording, on_delete=models.PROTECT, related_name="filings")
    meeting = models.ForeignKey(Meeting, on_delete=models.PROTECT, related_name="filings")
    first_frame = models.PositiveBigIntegerField(null=True, blank=True)
    """Where its part begins; None: at the beginning of the recording."""
    last_frame = models.PositiveBigIntegerField(null=True, blank=True)
    """First frame behind its part; None: the recording's end."""
    filed_at = models.DateTimeField()
    filed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    """Who filed it; None where placement and time alone said so."""
    confirmed_at = models.DateTimeField(null=True, blank=True)
    """When a second person confirmed it; only from then on does anybody reach the recording through the meeting."""
    confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    end_asked_at = models.DateTimeField(null=True, blank=True)
    """When somebody said that it is wrong; access through it ends at once."""
    end_asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    ended_at = models.DateTimeField(null=True, blank=True)
    """When a second person agreed, and it ended."""
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    end_reason = models.TextField(blank=True)
    """Why it was wrong."""

    class Meta:
        """Oldest first; the same part of a recording is filed under a meeting once."""

        ordering: ClassVar = ["filed_at", "pk"]
        indexes: ClassVar = [
            models.Index(fields=["meeting", "ended_at"], name="filings_by_meeting"),
            models.Index(fields=["filed_at"], name="filings_that_wait", condition=WAITS),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["recording", "meeting"], condition=Q(ended_at=None), name="one_open_filing_of_a_pair"
            ),
            models.CheckConstraint(
                condition=Q(first_frame=None) | Q(last_frame=None) | Q(last_frame__gt=F("first_frame")),
                name="filed_part_has_a_length",
            ),
            models.CheckConstraint(
                condition=Q(confirmed_by=None) | Q(filed_by=None) | ~Q(confirmed_by=F("filed_by")),
                name="filing_needs_a_second_person",
            ),
        ]


class OpeningEventKind(models.TextChoices):
    """What the opening page notes."""

    OPENED = "opened", _("the opening was read")
    PARENT_RECORDS = "parent-records", _("a parent said whether they record, and with what")
    PRESENT = "present", _("somebody is present")
    TOLD = "told", _("somebody was told that the room is recorded")
    NOTE = "note", _("note")
    ENDED = "ended", _("the end was announced")


class Mode(models.TextChoices):
    """How somebody takes part."""

    ROOM = "room", _("in the room")
    PHONE = "phone", _("on the phone")
    VIDEO = "video", _("by video")


class OpeningEvent(models.Model):
    """One thing that the facilitator noted on the opening page.

    The page makes its identifier, so that what is sent twice is entered once.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    meeting = models.ForeignKey(Meeting, on_delete=models.PROTECT, related_name="events")
    kind = models.CharField(max_length=16, choices=OpeningEventKind.choices)
    at = models.DateTimeField()
    """When, by the tablet's clock, corrected by what it was off when it last reached the archive."""
    received_at = models.DateTimeField()
    """When it arrived here; the network may have been away."""
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    noted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    """Who noted it, by the tablet's word, where somebody else handed it in since that account has ended."""
    who = models.CharField(max_length=200, blank=True)
    """Name and role of who is present or was told, or who recorded."""
    mode = models.CharField(max_length=6, choices=Mode.choices, blank=True)
    """How that one takes part."""
    interpreter = models.CharField(max_length=120, blank=True)
    """Of an interpreter: language and mode (34 CFR 300.322(e))."""
    answer = models.CharField(max_length=3, blank=True)
    """`yes` or `no`, where something was asked."""
    text = models.TextField(blank=True)
    """The note, or the parent's device."""
    recording = models.ForeignKey(Recording, null=True, blank=True, on_delete=models.SET_NULL, related_name="events")
    """The recording that ran then, as far as the box's reports tell."""
    frame = models.PositiveBigIntegerField(null=True, blank=True)
    """Its offset into that recording, in frames; None if none ran or that is not known."""

    class Meta:
        """In order of time."""

        ordering: ClassVar = ["at", "pk"]
        indexes: ClassVar = [models.Index(fields=["meeting", "at"], name="events_by_meeting")]
