"""Plain words exist for everything that the machines may say."""

from __future__ import annotations

from typing import get_args

import pytest

from appliance.contract import ledger
from appliance.contract.amber_codes import TABLE
from appliance.contract.receipt import Outcome
from appliance.contract.times import Clock
from archive.custody.kinds import kinds
from archive.recordings.models import State
from archive.ui import words


def test_every_amber_code_of_the_box_is_told_in_the_words_of_its_table() -> None:
    assert words.fault("microphone-missing") == "the microphone is not there"
    for entry in TABLE:
        assert f"{words.fault(entry.code)}.".lower() == entry.cause.lower()


def test_an_unknown_code_is_spelt_out() -> None:
    assert words.fault("new-trouble") == "new trouble"


def test_causes_reasons_outcomes_and_states_are_complete() -> None:
    assert set(words.CAUSES) == set(get_args(ledger.Cause))
    assert set(words.REASONS) == set(get_args(ledger.Reason))
    assert set(words.OUTCOMES) == set(get_args(Outcome))
    assert set(State.values) <= set(words.STATES)


def test_every_custody_kind_has_words() -> None:
    assert len(kinds()) > 20
    assert all(kind.words and kind.code == code for code, kind in kinds().items())


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
        "kept right by ntp, 1.5 ms off at last look"
    )


def test_policy_line_9_is_in_the_notice() -> None:
    assert "not part of the IEP" in words.NOTICE
