"""Times of notices, the duty to record, and which meeting a recording fits: RSMo 162.686, guidelines 1 and 5."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.records.meetings.rules import GRACE, NOTICE, RecordingDuty, fitting, notice_timing, recording_duty

CHICAGO = ZoneInfo("America/Chicago")
FIRST, LAST = datetime.fromisoformat("2020-01-01"), datetime.fromisoformat("2040-01-01")


def local(text: str, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=CHICAGO, fold=fold)


def test_the_24_hours_are_read_both_ways() -> None:
    timing = notice_timing(local("2026-11-23T13:00"), local("2026-11-24T14:00"), CHICAGO)
    assert (timing.before_time, timing.before_day) == (timedelta(hours=25), timedelta(hours=11))
    assert (timing.late("time"), timing.late("day")) == (False, True)


@pytest.mark.parametrize(
    ("received", "meeting", "hours"),
    [
        ("2026-03-07T10:00", "2026-03-08T10:00", 23),
        ("2026-10-31T10:00", "2026-11-01T10:00", 25),
        ("2026-11-23T10:00", "2026-11-24T10:00", 24),
    ],
)
def test_hours_are_hours_also_when_the_clocks_change(received: str, meeting: str, hours: int) -> None:
    timing = notice_timing(local(received), local(meeting), CHICAGO)
    assert timing.before_time == timedelta(hours=hours)
    assert timing.late("time") is (hours < 24)


def test_exactly_24_hours_is_not_late() -> None:
    at = local("2026-11-24T10:00")
    assert not notice_timing(at - NOTICE, at, CHICAGO).late("time")
    assert notice_timing(at - NOTICE + timedelta(seconds=1), at, CHICAGO).late("time")


@given(
    st.datetimes(FIRST, LAST, timezones=st.just(CHICAGO)),
    st.timedeltas(timedelta(-10), timedelta(10)),
)
def test_what_is_late_by_the_time_is_late_by_the_day(meeting: datetime, before: timedelta) -> None:
    timing = notice_timing(meeting - before, meeting, CHICAGO)
    assert timing.before_day <= timing.before_time
    assert timing.late("day") or not timing.late("time")


@pytest.mark.parametrize(
    ("parent", "recorded", "flawed", "explained", "cancelled", "minutes", "duty"),
    [
        (False, False, False, False, False, 60, RecordingDuty.NONE),
        (True, False, False, False, True, 60, RecordingDuty.NONE),
        (True, True, False, False, False, 60, RecordingDuty.MET),
        (True, True, True, False, False, 60, RecordingDuty.FLAWED),
        (True, True, True, True, False, 60, RecordingDuty.EXPLAINED),
        (True, False, False, False, False, -60, RecordingDuty.AHEAD),
        (True, False, False, False, False, 9, RecordingDuty.AHEAD),
        (True, False, False, False, False, 10, RecordingDuty.UNMET),
        (True, False, False, False, False, 60 * 24 * 365 * 9, RecordingDuty.UNMET),
        (True, False, False, True, False, 60, RecordingDuty.EXPLAINED),
    ],
)
def test_guideline_5_the_district_records_when_a_parent_does(  # noqa: PLR0917 - the table's columns
    parent: bool, recorded: bool, flawed: bool, explained: bool, cancelled: bool, minutes: int, duty: RecordingDuty
) -> None:
    begin = local("2026-11-24T13:00")
    found = recording_duty(
        parent_records=parent,
        starts_at=begin,
        recorded=recorded,
        flawed=flawed,
        explained=explained,
        cancelled=cancelled,
        now=begin + timedelta(minutes=minutes),
    )
    assert found == duty
    assert timedelta(minutes=10) == GRACE


@dataclass(frozen=True)
class Plan:
    starts_at: datetime
    ends_at: datetime


def plan(first: str, last: str) -> Plan:
    return Plan(local(f"2026-11-24T{first}"), local(f"2026-11-24T{last}"))


@pytest.mark.parametrize(
    ("meetings", "began", "ended", "fits"),
    [
        ([("13:00", "14:00")], "13:05", "14:10", [0]),
        ([("13:00", "14:00")], "12:35", "12:50", [0]),
        ([("13:00", "14:00")], "14:05", "15:00", [0]),
        ([("13:00", "14:00")], "16:30", "17:00", []),
        ([("13:00", "14:00")], "11:00", "12:00", []),
        ([("13:00", "14:00"), ("14:00", "15:00")], "13:05", "13:55", [0]),
        ([("13:00", "14:00"), ("14:00", "15:00")], "13:05", "14:20", [0, 1]),
        ([("13:00", "14:00"), ("13:00", "14:00")], "13:05", "13:55", [0, 1]),
        ([], "13:05", "13:55", []),
    ],
)
def test_a_recording_fits_the_meetings_of_its_time(
    meetings: list[tuple[str, str]], began: str, ended: str, fits: list[int]
) -> None:
    plans = [plan(*one) for one in meetings]
    found = fitting(plans, local(f"2026-11-24T{began}"), local(f"2026-11-24T{ended}"))
    assert [one is plans[number] for one, number in zip(found, fits, strict=True)] == [True] * len(fits)
