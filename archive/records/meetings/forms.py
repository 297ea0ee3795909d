"""What people type about notices, meetings and filing."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any, Final
from uuid import UUID

from django import forms
from django.conf import settings
from django.utils import timezone

from archive.access.scopes import Reach
from archive.accounts.models import User
from archive.recordings.models import Recording
from archive.records.people.choices import PersonChoice, StudentChoice
from archive.records.people.models import Student
from archive.records.people.search import reached
from archive.records.text import LineField, LinesField, OffsetField, day_input, time_input
from archive.rooms.models import Room

from .deeds import MeetingFacts, NoticeFacts
from .filing_deeds import Part
from .models import Meeting, MeetingKind, ParentRecords

_LONGEST: Final = timedelta(hours=12)
"""No meeting is planned longer."""


def moment(day: date, at: time) -> datetime:
    """Return a day and a time of it in the site's time zone; of the double hour in fall, the first one."""
    return timezone.make_aware(datetime.combine(day, at))


class NoticeForm(forms.Form):
    """A notice. Four fields and a button; whatever else is known may be added."""

    student = StudentChoice(label="Student")
    day = forms.DateField(label="Date of the meeting", widget=day_input())
    at = forms.TimeField(label="Time of the meeting", widget=time_input())
    room = forms.ModelChoiceField(Room.objects.all(), required=False, empty_label="another place, or not known")
    place = LineField(required=False, max_length=200, label="Place", help_text="If it is in no room of the list.")
    kind = forms.ChoiceField(choices=MeetingKind.choices, initial=MeetingKind.IEP, label="Kind of meeting")
    received_day = forms.DateField(label="Notice received on", widget=day_input(), required=False)
    received_at = forms.TimeField(
        label="Notice received at", widget=time_input(), required=False, help_text="Empty: now."
    )
    given_by = PersonChoice(label="Given by", required=False)
    device = LineField(
        required=False, max_length=200, label="What the parent will record with", help_text="If the parent said so."
    )
    reason = LinesField(
        required=False,
        rows=2,
        max_length=2000,
        label="Reason",
        help_text="If the parent gave one. Leaving it empty is normal.",
    )

    def clean(self) -> dict[str, Any]:
        """Join days and times."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if cleaned.get("day") and cleaned.get("at"):
            cleaned["meeting_at"] = moment(cleaned["day"], cleaned["at"])
        now = timezone.localtime()
        day, at = cleaned.get("received_day"), cleaned.get("received_at")
        received = moment(day or now.date(), at) if at else moment(day, time(12)) if day and day != now.date() else now
        if received > now + timedelta(minutes=5):
            self.add_error(
                "received_at" if at else "received_day", "This is still to come; a notice was received already."
            )
        cleaned["received"] = received
        return cleaned

    def facts(self) -> NoticeFacts:
        """Return what was typed."""
        typed = self.cleaned_data
        return NoticeFacts(
            student=typed["student"],
            meeting_at=typed["meeting_at"],
            received_at=typed["received"],
            room=typed["room"],
            place=typed["place"],
            kind=MeetingKind(typed["kind"]),
            given_by=typed["given_by"],
            reason=typed["reason"],
            device=typed["device"],
        )


class MeetingForm(forms.Form):
    """A planned meeting."""

    student = StudentChoice(label="Student")
    kind = forms.ChoiceField(choices=MeetingKind.choices, initial=MeetingKind.IEP, label="Kind of meeting")
    day = forms.DateField(label="Date", widget=day_input())
    begin = forms.TimeField(label="From", widget=time_input())
    end = forms.TimeField(label="To", widget=time_input(), required=False)
    room = forms.ModelChoiceField(Room.objects.all(), required=False, empty_label="another place")
    place = LineField(required=False, max_length=200, label="Place", help_text="Another site, or remote.")
    facilitator = forms.ModelChoiceField(
        User.objects.all(), required=False, empty_label="not known", label="Facilitator", help_text="Reads the opening."
    )
    version = forms.IntegerField(widget=forms.HiddenInput, initial=0)

    def clean(self) -> dict[str, Any]:
        """Join day and times."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        day, begin, end = cleaned.get("day"), cleaned.get("begin"), cleaned.get("end")
        if day and begin:
            starts = moment(day, begin)
            ends = moment(day, end) if end else starts + timedelta(minutes=settings.ARCHIVE.records.meeting_minutes)
            if ends <= starts:
                self.add_error("end", "This is not after its begin.")
            elif ends - starts > _LONGEST:
                self.add_error("end", "No meeting is planned for more than 12 hours.")
            cleaned["starts_at"], cleaned["ends_at"] = starts, ends
        if not cleaned.get("room") and not cleaned.get("place"):
            self.add_error("room", "Choose a room, or write the place below.")
        return cleaned

    def facts(self) -> MeetingFacts:
        """Return what was typed."""
        typed = self.cleaned_data
        return MeetingFacts(
            MeetingKind(typed["kind"]),
            typed["student"],
            typed["starts_at"],
            typed["ends_at"],
            typed["room"],
            typed["place"],
            typed["facilitator"],
        )


def meeting_initial(meeting: Meeting) -> dict[str, Any]:
    """Return what the form shows of a meeting."""
    begin, end = timezone.localtime(meeting.starts_at), timezone.localtime(meeting.ends_at)
    return {
        "student": meeting.student.local_id or str(meeting.student),
        "kind": meeting.kind,
        "day": begin.date(),
        "begin": begin.time(),
        "end": end.time(),
        "room": meeting.room,
        "place": meeting.place,
        "facilitator": meeting.facilitator,
        "version": meeting.version,
    }


def bound_student(form: forms.Form, reach: Reach) -> None:
    """Let only students be chosen who lie in `reach`."""
    field = form.fields["student"]
    assert isinstance(field, StudentChoice)  # noqa: S101 - told to the type checker
    field.queryset = Student.objects.filter(reached(reach))


class ParentRecordsForm(forms.Form):
    """Whether a parent records, and with what."""

    answer = forms.ChoiceField(
        choices=[(one.value, one.label) for one in ParentRecords if one.value],
        widget=forms.RadioSelect,
        label="Does a parent record?",
    )
    device = LineField(required=False, max_length=200, label="With what", help_text="In the parent's words.")
    version = forms.IntegerField(widget=forms.HiddenInput, initial=0)


class CancelForm(forms.Form):
    """Nothing to type: the button says it."""


class FileForm(forms.Form):
    """A recording, or a part of it, belongs to a meeting."""

    meeting = forms.ChoiceField(widget=forms.RadioSelect, label="Meeting")
    first = OffsetField(required=False, label="From", help_text="If only a part is of it: h:mm:ss into the recording.")
    last = OffsetField(required=False, label="To")

    def __init__(self, recording: Recording, meetings: list[tuple[str, str]], *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._recording = recording
        field = self.fields["meeting"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - told to the type checker
        field.choices = meetings

    def clean_first(self) -> int | None:
        """Return the first frame, or None."""
        return self._frame("first")

    def clean_last(self) -> int | None:
        """Return the first frame behind the part, or None."""
        return self._frame("last")

    def _frame(self, name: str) -> int | None:
        seconds: int | None = self.cleaned_data[name]
        return None if seconds is None else seconds * self._recording.rate

    def chosen(self) -> tuple[UUID, Part]:
        """Return the meeting and the part."""
        typed = self.cleaned_data
        return UUID(typed["meeting"]), Part(typed["first"], typed["last"])


class WrongForm(forms.Form):
    """Why a filing is wrong."""

    reason = LinesField(rows=2, max_length=2000, label="Why it is wrong")


class CalendarForm(forms.Form):
    """A calendar."""

    file = forms.FileField(
        label="Calendar",
        help_text="iCalendar (.ics) or CSV in UTF-8. Nothing changes before you have seen the difference.",
        widget=forms.ClearableFileInput(attrs={"accept": ".ics,.csv"}),
    )
