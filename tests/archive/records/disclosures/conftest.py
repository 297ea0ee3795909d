"""A recording of a meeting about Ana Torres, at whose opening two people were told, and somebody who discloses."""

from __future__ import annotations

import pytest

from archive.access.deeds import Deed
from archive.accounts.models import User
from archive.recordings.models import Recording
from archive.records.meetings.models import OpeningEvent
from tests.archive.page_fixtures import Arrive, make_user
from tests.archive.records.factories import (
    NOON,
    make_filing,
    make_meeting,
    make_person,
    make_right,
    make_student,
)
from tests.support.archives import Archive


@pytest.fixture
def ann(archive: Archive) -> User:
    return make_user("ann", Deed.DISCLOSE)


@pytest.fixture
def row(archive: Archive, sealed: Arrive) -> Recording:
    """A recording of a meeting about Ana Torres, at whose opening two people were told."""
    row = Recording.objects.get(pk=sealed(seconds=2).id)
    student = make_student("Ana", "Torres", local_id="S-17")
    make_right(make_person("Rosa", "Torres"), student)
    meeting = make_meeting(student)
    make_filing(row.pk, meeting)
    for who in ("Rosa Torres, mother", "Lee Park, therapist"):
        OpeningEvent.objects.create(meeting=meeting, kind="told", at=NOON, received_at=NOON, who=who)
    OpeningEvent.objects.create(meeting=meeting, kind="parent-records", at=NOON, received_at=NOON, who="Rosa Torres")
    return row
