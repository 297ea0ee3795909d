"""A microphone that is away for longer than sound may wait: a short run of `./deploy/faults --unplugged`."""

from __future__ import annotations

import argparse

import pytest

from appliance.contract.errors import DeviceError
from tests.support.box.whole_box import SHORT

from . import unplugged


@pytest.mark.parametrize("text", ["", "5;40", "0", "-5", "nan", "5,1e9"])
def test_times_that_make_no_sense_are_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError):
        unplugged.times(text)


def test_a_microphone_that_was_away_longer_than_sound_may_wait_goes_on_inside_the_recording() -> None:
    try:
        report = unplugged.run([7.0, 4.0], settings=SHORT)
    except DeviceError as error:
        pytest.skip(f"this machine cannot build the test microphone: {error.message}")
    assert report.held, report
