"""A recording of either kind, one that a box made or one that was brought, where the same rules hold for both.

How long it is kept, to whom it is disclosed and how it is destroyed is asked of both alike. Identifiers are random, so
one alone says which of the two it is.
"""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _

from archive.access.scopes import Reach
from archive.custody.actors import Subject
from archive.recordings.find import about, check_not_destroyed, find
from archive.recordings.models import Recording
from archive.recordings.models import State as RecordingState
from archive.records.errors import DeedError
from archive.records.meetings.models import Filing, Meeting
from archive.records.meetings.reach import in_force
from archive.records.people.models import Student
from archive.store.base import package_name
from archive.ui.templatetags.plain import when

from .describe import called
from .models import OutsideFiling, OutsideRecording, State
from .plain_file import outside_package
from .reach import check_kept, find_outside, outside_in
from .reach import in_force as outside_in_force

Either = Recording | OutsideRecording
"""A recording, whoever made it."""


class OfEither(models.Model):
    """A row about one recording of either kind: one of both columns says which, and a constraint holds it so."""

    recording = models.ForeignKey(Recording, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    outside = models.ForeignKey(OutsideRecording, null=True, blank=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        """No table of its own."""

        abstract = True

    @property
    def about(self) -> Either:
        """Return the recording."""
        row = self.recording or self.outside
        assert row is not None  # noqa: S101 - the constraint of_one_recording
        return row

    @property
    def about_pk(self) -> str:
        """Return the recording's identifier."""
        return self.recording_id or self.outside_id or ""

    @property
    def subject(self) -> Subject:
        """Return the recording as the custody log names it."""
        return Subject.outside(self.outside_id) if self.outside_id else Subject.recording(self.recording_id or "")

    @property
    def called(self) -> str:
        """Return what a person calls the recording."""
        return called_either(self.about)

    @property
    def page(self) -> str:
        """Return the address of the recording's page."""
        return page_of(self.about)


def of_one_recording(name: str) -> models.CheckConstraint:
    """Return the constraint, called `name`, that a row is about one recording of one kind."""
    box, brought = Q(recording__isnull=False, outside=None), Q(recording=None, outside__isnull=False)
    return models.CheckConstraint(condition=box | brought, name=name)


def columns_of(row: Either) -> dict[str, Any]:
    """Return the columns of OfEither that name a recording."""
    return {"outside": row} if isinstance(row, OutsideRecording) else {"recording": row}


def named(pk: str) -> Q:
    """Return the condition that a row of OfEither is about this recording."""
    return Q(recording=pk) | Q(outside=pk)


def about_either(reach: Reach) -> Q:
    """Return the condition that the recording that a row of OfEither names lies in `reach`."""
    brought = OutsideRecording.objects.filter(outside_in(reach), pk=OuterRef("outside"))
    return Q(about(reach)) | Q(Exists(brought))


def find_named(recording: str = "", outside: str = "") -> Either:
    """Return the recording that an address names, of the kind that it names it as; raise one of two errors."""
    return find_outside(outside) if outside else find(recording)


def find_either(pk: str, *, lock: bool = False) -> Either:
    """Return a recording of either kind; raise UnknownRecordingError. `lock` lasts until the transaction ends."""
    if OutsideRecording.objects.filter(pk=pk).exists():
        return find_outside(pk, lock=lock)
    return find(pk, lock=lock)


def find_kept(pk: str, *, lock: bool = False) -> Either:
    """Return a recording that is here; raise DestroyedError or GivenUpError for one that is gone."""
    row = find_either(pk, lock=lock)
    check_either_kept(row)
    return row


def find_sealed(pk: str) -> Either:
    """Lock a recording, and return it; raise DestroyedError, and DeedError where it is not sealed."""
    row = find_kept(pk, lock=True)
    if not is_sealed(row):
        raise DeedError("It is not sealed yet.")
    return row


def check_either_kept(row: Either) -> None:
    """Raise DestroyedError if it was destroyed, GivenUpError for one that was given up while it was brought."""
    if isinstance(row, OutsideRecording):
        check_kept(row)
    else:
        check_not_destroyed(row)


def is_sealed(row: Either) -> bool:
    """Tell whether it was sealed, destroyed or not."""
    return row.state == (State.SEALED if isinstance(row, OutsideRecording) else RecordingState.SEALED)


def subject_of(row: Either) -> Subject:
    """Return it as the custody log names it."""
    return Subject.outside(row.pk) if isinstance(row, OutsideRecording) else Subject.recording(row.pk)


def called_either(row: Either) -> str:
    """Return what a person calls it; no name is in it."""
    if isinstance(row, OutsideRecording):
        return called(row)
    return _("Recording of {at}").format(at=when(row.listed_at))


def page_of(row: Either) -> str:
    """Return the address of its page."""
    return reverse("pages:outside" if isinstance(row, OutsideRecording) else "pages:recording", args=[row.pk])


def package_of(row: Either) -> str:
    """Return the name of its package in the store."""
    return outside_package(row.pk) if isinstance(row, OutsideRecording) else package_name(row.pk)


def open_filings(row: Either) -> QuerySet[Filing] | QuerySet[OutsideFiling]:
    """Return the filings of it that nobody ended, confirmed or not."""
    if isinstance(row, OutsideRecording):
        return OutsideFiling.objects.filter(outside=row, ended_at=None)
    return Filing.objects.filter(recording=row, ended_at=None)


def students_of(pk: str) -> QuerySet[Student]:
    """Return whose record it is, as far as two people settled that."""
    filed = in_force().filter(recording=pk).values("meeting__student")
    brought = outside_in_force().filter(outside=pk).values("meeting__student")
    return Student.objects.filter(Q(pk__in=filed) | Q(pk__in=brought))


def meetings_of(pk: str) -> QuerySet[Meeting]:
    """Return the meetings under which it is surely filed."""
    filed = in_force().filter(recording=pk).values("meeting")
    brought = outside_in_force().filter(outside=pk).values("meeting")
    return Meeting.objects.filter(Q(pk__in=filed) | Q(pk__in=brought))
