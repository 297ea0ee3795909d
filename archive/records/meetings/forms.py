"""What people type about notices, meetings and filing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.conf import settings
from django.db.models import Q, QuerySet
from django.http import QueryDict
from django.utils import timezone

from archive.access.deeds import Deed
from archive.access.models import Grant
from archive.access.scopes import Reach
from archive.accounts.models import User
from archive.core.uploads import UploadField
from archive.recordings.models import Recording
from archive.records.people.choices import PersonChoice, StudentChoice
from archive.records.people.models import Student
from archive.records.people.search import reached
from archive.records.text import DayField, LineField, LinesField, OffsetField, time_input
from archive.rooms.models import Room

from .calendar_file import MAX_BYTES
from .calendar_joins import APART, Question
from .deeds import MeetingFacts, NoticeFacts
from .filing_deeds import Part
from .models import Meeting, MeetingKind, Notice, ParentRecords
from .rules import LONGEST


def moment(day: date, at: time) -> datetime:
    """Return a day and a time of it in the site's time zone; of the double hour in fall, the first one."""
    return timezone.make_aware(datetime.combine(day, at))


class NoticeForm(forms.Form):
    """A notice. Four fields and a button; whatever else is known may be added."""

    student = StudentChoice(label="Student")
    day = DayField(label="Date of the meeting")
    at = forms.TimeField(label="Time of the meeting", widget=time_input())
    room = forms.ModelChoiceField(Room.objects.all(), required=False, empty_label="another place, or not known")
    place = LineField(required=False, max_length=200, label="Place", help_text="If it is in no room of the list.")
    kind = forms.ChoiceField(choices=MeetingKind.choices, initial=MeetingKind.IEP, label="Kind of meeting")
    received_day = DayField(label="Notice received on", required=False)
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


class NoticeCorrectionForm(NoticeForm):
    """What a notice really says, and why it was logged otherwise."""

    received_day = DayField(label="Notice received on")
    received_at = forms.TimeField(label="Notice received at", widget=time_input())
    why = LinesField(
        rows=2,
        max_length=2000,
        label="Why it is corrected",
        help_text="What was typed wrongly, and how that was found. What was logged before stays beside the notice.",
    )
    version = forms.IntegerField(widget=forms.HiddenInput, initial=0)

    def __init__(self, notice: Notice, data: QueryDict | None = None) -> None:
        """Make the form for a notice; where and of what kind its meeting is, is the meeting's own."""
        super().__init__(data, initial=_notice_said(notice))
        for name in ("room", "place", "kind"):
            del self.fields[name]
        self._notice = notice

    def clean(self) -> dict[str, Any]:
        """Join days and times; what was not typed anew is not changed."""
        cleaned = super().clean()
        # who was known needs no telling apart from others of the same name
        people = {"student": self._notice.student, "given_by": self._notice.given_by}
        for name, row in people.items():
            if name in self.errors and row and self.data.get(name, "").strip() == self.initial[name]:
                del self.errors[name]
                cleaned[name] = row
        for name, day, at in (("meeting_at", "day", "at"), ("received", "received_day", "received_at")):
            if cleaned.get(day) and cleaned.get(at):
                known = self._notice.meeting_at if name == "meeting_at" else self._notice.received_at
                cleaned[name] = _typed(cleaned[day], cleaned[at], known)
        return cleaned

    def facts(self) -> NoticeFacts:
        """Return what was typed."""
        planned = self._notice.meeting
        self.cleaned_data |= {
            "room": planned.room if planned else None,
            "place": planned.place if planned else "",
            "kind": planned.kind if planned else MeetingKind.IEP,
        }
        return super().facts()


def _notice_said(notice: Notice) -> dict[str, Any]:
    (day, at), (received_day, received_at) = shown_moment(notice.meeting_at), shown_moment(notice.received_at)
    return {
        "student": notice.student.local_id or str(notice.student),
        "day": day,
        "at": at,
        "received_day": received_day,
        "received_at": received_at,
        "given_by": str(notice.given_by or ""),
        "device": notice.device,
        "reason": notice.reason,
        "version": notice.version,
    }


class MeetingForm(forms.Form):
    """A planned meeting."""

    student = StudentChoice(label="Student")
    kind = forms.ChoiceField(choices=MeetingKind.choices, initial=MeetingKind.IEP, label="Kind of meeting")
    day = DayField(label="Date")
    begin = forms.TimeField(label="From", widget=time_input())
    end = forms.TimeField(label="To", widget=time_input(), required=False)
    last_day = DayField(label="Ends on", required=False, help_text="Only if it ends on another day: after midnight.")
    room = forms.ModelChoiceField(Room.objects.all(), required=False, empty_label="another place")
    place = LineField(required=False, max_length=200, label="Place", help_text="Another site, or remote.")
    facilitator = forms.ModelChoiceField(
        User.objects.none(),
        required=False,
        empty_label="not known",
        label="Facilitator",
        help_text="Reads the opening.",
    )
    version = forms.IntegerField(widget=forms.HiddenInput, initial=0)

    def __init__(self, *args: Any, planned: Meeting | None = None, **options: Any) -> None:
        """Make the form; `planned` is the meeting that it changes, if it changes one."""
        super().__init__(*args, **options)
        field = self.fields["facilitator"]
        assert isinstance(field, forms.ModelChoiceField)  # noqa: S101 - told to the type checker
        field.queryset = _leaders(planned)
        self._begin = planned.starts_at if planned else None
        self._end = planned.ends_at if planned else None

    def clean(self) -> dict[str, Any]:
        """Join days and times."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        day, begin, end = cleaned.get("day"), cleaned.get("begin"), cleaned.get("end")
        last_day = cleaned.get("last_day")
        if last_day and not end:
            self.add_error("end", "Say when it ends on that day.")
        elif day and begin:
            starts = _typed(day, begin, self._begin)
            later = timedelta(minutes=settings.ARCHIVE.records.meeting_minutes)
            ends = _typed(last_day or day, end, self._end) if end else starts + later
            if ends <= starts:
                after_midnight = " If it ends after midnight, enter that day below." if not last_day else ""
                self.add_error("end", f"This is not after its begin.{after_midnight}")
            elif ends - starts > LONGEST:
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


def _leaders(planned: Meeting | None) -> QuerySet[User]:
    """Return the accounts that may lead a meeting, no parent's among them; and whoever leads this one by now."""
    found = Q(pk__in=Grant.objects.at(timezone.now()).filter(deed=Deed.CONDUCT).values("user"))
    return User.objects.filter(found | Q(pk=planned.facilitator_id) if planned and planned.facilitator_id else found)


def _typed(day: date, at: time, planned: datetime | None) -> datetime:
    # a form knows neither seconds nor which of a double hour is meant: what was not typed anew is not changed
    return planned if planned and shown_moment(planned) == (day, at) else moment(day, at)


def shown_moment(moment: datetime) -> tuple[date, time]:
    """Return a moment as a form shows it: day and minute in the site's time zone."""
    local = timezone.localtime(moment)
    return local.date(), time(local.hour, local.minute)


def meeting_initial(meeting: Meeting) -> dict[str, Any]:
    """Return what the form shows of a meeting."""
    (day, begin), (last_day, end) = shown_moment(meeting.starts_at), shown_moment(meeting.ends_at)
    return {
        "student": meeting.student.local_id or str(meeting.student),
        "kind": meeting.kind,
        "day": day,
        "begin": begin,
        "end": end,
        "last_day": last_day if last_day != day else None,
        "room": meeting.room,
        "place": meeting.place,
        "facilitator": meeting.facilitator,
        "version": meeting.version,
    }


def notice_initial(meeting: Meeting) -> dict[str, Any]:
    """Return what the form of a notice shows of the meeting that it is about."""
    shown = meeting_initial(meeting)
    return {name: shown[name] for name in ("student", "day", "room", "place", "kind")} | {"at": shown["begin"]}


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
    first = OffsetField(
        required=False,
        label="From",
        help_text="Only if the meeting is a part of the recording: h:mm:ss from its start.",
    )
    last = OffsetField(required=False, label="To", help_text="The same: h:mm:ss from its start.")

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

    file = UploadField(
        most=MAX_BYTES,
        label="Calendar",
        help_text="iCalendar (.ics) or CSV in UTF-8. Nothing changes before you have seen the difference.",
        widget=forms.ClearableFileInput(attrs={"accept": ".ics,.csv"}),
    )


class JoinsForm(forms.Form):
    """Which meetings the events of a calendar are, where more than one may be meant; each may be left open."""

    def __init__(self, data: QueryDict | None, asked: Sequence[Question]) -> None:
        """Ask these questions."""
        super().__init__(data)
        self._asked = asked
        for one in asked:
            self.fields[one.name] = forms.ChoiceField(required=False, label=one.words, choices=one.choices)

    def clean(self) -> dict[str, Any]:
        """Refuse the same meeting for two events."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        seen: set[str] = set()
        for one in self._asked:
            answer = cleaned.get(one.name)
            if answer and answer != APART and answer in seen:
                self.add_error(one.name, "Another event was said to be this meeting already.")
            seen.add(answer or "")
        return cleaned

    def answers(self) -> dict[str, str]:
        """Return what was answered, by event."""
        typed = self.cleaned_data
        return {one.source_id: typed[one.name] for one in self._asked if typed[one.name]}
