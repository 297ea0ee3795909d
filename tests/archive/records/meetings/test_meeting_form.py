"""A meeting's form: whatever was planned can be opened and saved again, and only what was typed anew changes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.forms import ModelChoiceField
from django.http import QueryDict
from django.utils import timezone
from hypothesis import example, given
from hypothesis import strategies as st

from archive.access.deeds import Deed
from archive.accounts.models import User
from archive.records.meetings.forms import MeetingForm, meeting_initial
from archive.records.meetings.models import Meeting, MeetingKind
from archive.records.people.models import Student
from tests.archive.page_fixtures import make_user
from tests.archive.records.factories import (
    NOON,
    grant_student,
    make_account,
    make_meeting,
    make_person,
    make_student,
)
from tests.support.archives import Archive

DOUBLE_HOUR = datetime(2026, 11, 1, 6, 30, tzinfo=UTC)
"""1:30 am CDT in Chicago; an hour later it is 1:30 am CST."""


def sent(meeting: Meeting, **typed: str) -> MeetingForm:
    """The meeting's form as a browser sends it back, with what was `typed` anew; nothing is asked of the database."""
    shown = MeetingForm(initial=meeting_initial(meeting), planned=meeting)
    fields = QueryDict(mutable=True)
    for field in shown:
        value = field.field.widget.format_value(field.value())
        fields[field.html_name] = value[0] if isinstance(value, list) else value or ""
    fields.update({"place": "Room 3 of the annex", "student": "x", **typed})
    form = MeetingForm(fields, planned=meeting)
    for name in ("student", "room", "facilitator"):
        del form.fields[name]
    return form


@given(
    starts=st.datetimes(datetime(2026, 1, 1), datetime(2028, 1, 1)),  # noqa: DTZ001 - in UTC
    seconds=st.integers(60, 12 * 3600),
)
@example(starts=DOUBLE_HOUR.replace(tzinfo=None), seconds=3600)
@example(starts=datetime(2026, 11, 25, 5, 30), seconds=3600)  # noqa: DTZ001 - 11:30 pm to 12:30 am
@example(starts=datetime(2026, 3, 8, 7, 30), seconds=3600)  # noqa: DTZ001 - over the hour that is not there
def test_a_meeting_that_is_saved_as_it_is_shown_does_not_change(starts: datetime, seconds: int) -> None:
    starts = starts.replace(tzinfo=UTC)
    student = Student(given_name="Ana", family_name="Torres", local_id="S-1")
    planned = Meeting(
        kind=MeetingKind.IEP, student=student, starts_at=starts, ends_at=starts + timedelta(seconds=seconds)
    )
    form = sent(planned)
    form.is_valid()
    assert form.errors == {}
    assert (form.cleaned_data["starts_at"], form.cleaned_data["ends_at"]) == (planned.starts_at, planned.ends_at)


def test_only_the_time_that_is_typed_anew_changes() -> None:
    starts = DOUBLE_HOUR + timedelta(hours=1, seconds=20)
    student = Student(given_name="Ana", family_name="Torres", local_id="S-1")
    planned = Meeting(kind=MeetingKind.IEP, student=student, starts_at=starts, ends_at=starts + timedelta(hours=1))
    form = sent(planned, end="03:15")
    assert form.is_valid(), form.errors
    assert form.cleaned_data["starts_at"] == planned.starts_at
    assert form.cleaned_data["ends_at"] == datetime(2026, 11, 1, 9, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("typed", "field", "said"),
    [
        ({"end": "00:30"}, "end", "enter that day below"),
        ({"end": "00:30", "last_day": "2026-11-24"}, "end", "not after its begin."),
        ({"end": "00:30", "last_day": "2026-11-26"}, "end", "more than 12 hours"),
        ({"end": "", "last_day": "2026-11-25"}, "end", "Say when it ends"),
        ({"end": "23:30", "last_day": "yesterday"}, "last_day", "valid date"),
        ({"day": "9999-12-31"}, "day", "between"),
        ({"day": "0001-01-01"}, "day", "between"),
    ],
)
def test_times_that_fit_no_meeting_are_told_at_their_field(typed: dict[str, str], field: str, said: str) -> None:
    student = Student(given_name="Ana", family_name="Torres", local_id="S-1")
    planned = Meeting(kind=MeetingKind.IEP, student=student, starts_at=NOON, ends_at=NOON + timedelta(hours=1))
    form = sent(planned, begin="22:30", **typed)
    assert not form.is_valid()
    assert said in str(form.errors[field])


def test_a_meeting_over_midnight_is_moved_on_its_page(archive: Archive, custodian: Any) -> None:
    late = datetime(2026, 11, 25, 5, 30, tzinfo=UTC)
    row = make_meeting(make_student(local_id="S-9"), late)
    address = f"/meetings/{row.pk}/edit/"
    page = custodian.get(address).content.decode()
    assert 'value="2026-11-25"' in page, "the day on which it ends"
    typed = {"student": "S-9", "kind": "iep", "day": "2026-11-24", "begin": "23:00", "end": "00:30"}
    typed |= {"last_day": "2026-11-25", "room": str(row.room_id), "version": "0", "once": "0" * 32}
    assert custodian.post(address, typed).status_code == 302
    row.refresh_from_db()
    assert (row.starts_at, row.ends_at) == (late - timedelta(minutes=30), late + timedelta(hours=1))


def test_only_who_may_lead_a_meeting_is_offered_and_no_parent(archive: Archive) -> None:
    parent = make_account(make_person("Rosa"))
    grant_student(parent, make_student(), Deed.OWN)
    leader, gone = make_user("p.smith", role="facilitator"), make_user("left", role="facilitator")
    User.objects.filter(pk=gone.pk).update(active_until=timezone.now())

    def offered(planned: Meeting | None = None) -> set[User]:
        field = MeetingForm(planned=planned).fields["facilitator"]
        assert isinstance(field, ModelChoiceField)
        return set(field.queryset or ())

    assert offered() == {leader}
    assert offered(make_meeting(facilitator=gone)) == {leader, gone}, "who leads it by now stays"
