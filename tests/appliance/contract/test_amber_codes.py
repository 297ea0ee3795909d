"""The amber codes: every code that the program can raise is in the table, and each tells cause and remedy."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import appliance.recorder
from appliance.contract import amber_codes
from appliance.contract.status import FaultMessage

SOURCES = sorted(Path(appliance.recorder.__file__).parent.rglob("*.py"))
RAISED = re.compile(r'(?:raise_own\(|raise_code\(|lose_capture\("[a-z-]+", |fault_code = |found\.add\()"([a-z-]+)"')


@pytest.mark.parametrize("fault", amber_codes.TABLE, ids=lambda fault: fault.code)
def test_each_code_has_cause_and_remedy_and_a_countable_number_of_blinks(fault: amber_codes.AmberCode) -> None:
    FaultMessage(code=fault.code, since_ns=0)
    assert 1 <= fault.blinks <= 9
    assert fault.cause.endswith(".")
    assert fault.remedy.endswith(".")


def test_a_remedy_sends_only_the_owner_of_a_mixer_to_the_mixer() -> None:
    named = [fault.remedy for fault in amber_codes.TABLE if "alsamixer" in fault.remedy]
    assert named
    assert all("with alsamixer if its card has a mixer" in remedy for remedy in named)


def test_each_code_stands_once() -> None:
    assert len({fault.code for fault in amber_codes.TABLE}) == len(amber_codes.TABLE)


def test_every_code_that_is_raised_is_in_the_table() -> None:
    raised = {code for path in SOURCES for code in RAISED.findall(path.read_text())}
    assert {"lamp-dark", "microphone-stalled", "microphone-wrong", "spool-failed"} <= raised
    assert {code for code in raised if not amber_codes.known(code)} == set()


def test_the_worst_code_is_shown_and_an_unknown_one_still_blinks() -> None:
    assert amber_codes.blinks(["clock", "microphone-missing", "spool-low"]) == 1
    # a lamp that must be replaced goes before a gain that was too high
    assert (
        amber_codes.blinks(["microphone-clipping", "lamp-dark", "recording-ended"])
        == amber_codes.find("lamp-dark").blinks
    )
    assert amber_codes.blinks(["never-heard-of"]) == amber_codes.find("software").blinks
    assert amber_codes.blinks([]) == 0


def test_a_press_is_refused_only_for_what_makes_recording_impossible() -> None:
    assert amber_codes.press(["clock", "spool-low"]) == "records"
    assert amber_codes.press(["clock", "lamp-dark"]) == "tests"
    assert amber_codes.press(["lamp-dark", "microphone-missing"]) == "refused"
