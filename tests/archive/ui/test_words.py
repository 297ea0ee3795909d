"""Plain words exist for everything that the machines may say."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import get_args
from zoneinfo import ZoneInfo

import pytest
from django.utils import translation

from appliance.contract import ledger
from appliance.contract.amber_codes import TABLE
from appliance.contract.receipt import Outcome
from appliance.contract.times import Clock
from archive.custody.kinds import kinds
from archive.recordings.models import State
from archive.ui import words
from archive.ui.fault_words import CAUSES
from archive.ui.templatetags import plain


def test_every_amber_code_of_the_box_has_its_cause_and_its_remedy() -> None:
    for fault in TABLE:
        assert (words.fault(fault.code), words.remedy(fault.code)) == (fault.cause, fault.remedy)


def test_an_unknown_code_is_spelled_out() -> None:
    assert words.fault("new-trouble") == "New trouble."


CHICAGO = ZoneInfo("America/Chicago")


def test_times_are_those_of_a_wall_clock_with_its_zone() -> None:
    afternoon = datetime(2026, 11, 24, 13, 5, 7, tzinfo=CHICAGO)
    assert words.when(afternoon) == "Tue Nov 24 2026, 1:05:07 pm CST"
    assert words.when(datetime(2026, 7, 4, 0, 0, tzinfo=CHICAGO)) == "Sat Jul 4 2026, 12:00:00 am CDT"
    assert words.from_to(afternoon, afternoon + timedelta(minutes=75)) == "Tue Nov 24 2026, 1:05 to 2:20 pm CST"
    assert words.from_to(afternoon, afternoon + timedelta(seconds=20)) == "Tue Nov 24 2026, 1:05 pm CST"
    assert words.from_to(afternoon - timedelta(hours=2), afternoon) == "Tue Nov 24 2026, 11:05 am to 1:05 pm CST"
    assert words.from_to(afternoon, afternoon + timedelta(hours=12)) == (
        "Tue Nov 24 2026, 1:05 pm CST, to Wed Nov 25 2026, 1:05 am CST"
    )


def test_both_readings_of_the_double_hour_are_told_apart() -> None:
    first, second = (datetime(2026, 11, 1, 1, 30, fold=fold, tzinfo=CHICAGO) for fold in (0, 1))
    assert (words.when(first)[-3:], words.when(second)[-3:]) == ("CDT", "CST")
    assert words.from_to(first, second) == "Sun Nov 1 2026, 1:30 am CDT to 1:30 am CST"
    for said in (words.day_and_time, words.time_and_zone):
        assert [said(one).rpartition("1:30")[2][-3:] for one in (first, second)] == ["CDT", "CST"]


def test_no_template_says_a_time_without_its_own_zone() -> None:
    assert {"when", "day_and_time", "time_and_zone"} <= set(plain.register.filters)
    assert not {"time_of_day", "zone"} & {*plain.register.filters, *plain.register.tags}


@pytest.mark.parametrize("name", ["when", "day_and_time", "time_and_zone", "day"])
def test_a_moment_that_is_not_there_is_not_the_present_one(name: str) -> None:
    assert plain.register.filters[name](None) == ""


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.4, "just now"), (59, "59 s ago"), (245, "4 min ago"), (90000, "1 day ago"), (-5, "just now")],
)
def test_how_long_ago_something_was(seconds: float, text: str) -> None:
    assert words.ago(seconds) == text


def test_causes_reasons_outcomes_and_states_are_complete() -> None:
    assert set(words.CAUSES) == set(get_args(ledger.Cause))
    assert set(words.REASONS) == set(get_args(ledger.Reason))
    assert set(words.OUTCOMES) == set(get_args(Outcome))
    assert set(State.values) <= set(words.STATES)


def test_every_custody_kind_has_words() -> None:
    without = [code for code, kind in kinds().items() if not kind.words.strip() or kind.code != code]
    assert (without, bool(kinds())) == ([], True)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0:00"), (9.99, "0:09"), (60, "1:00"), (3599, "59:59"), (3600, "1:00:00"), (14400, "4:00:00")],
)
def test_offsets(seconds: float, text: str) -> None:
    assert words.clock_time(seconds) == text


@pytest.mark.parametrize(("seconds", "text"), [(0, "0 s"), (0.25, "0.2 s"), (61, "1 min 1 s"), (3600, "1 h")])
def test_lengths(seconds: float, text: str) -> None:
    assert words.spoken(seconds) == text


def test_a_clock_that_nothing_keeps_right_is_called_so() -> None:
    assert "may be wrong" in words.clock(Clock(synchronized=False, source="none", offset_ns=None))
    assert words.clock(Clock(synchronized=True, source="ntp", offset_ns=-1_500_000)) == (
        "kept right by ntp, 1.5 ms off when last checked"
    )


def test_policy_line_9_is_in_the_notice() -> None:
    assert "not part of the IEP" in words.NOTICE


def test_every_fault_s_sentence_is_gathered_for_translation() -> None:
    assert set(CAUSES) == {one.cause for one in TABLE}


def test_a_parent_reads_faults_in_spanish() -> None:
    with translation.override("es"):
        assert words.fault("microphone-missing") == "El micrófono no está conectado."
