"""The lit-lamp token: without a lamp that burns there is none, and it turns void with the lamp (promise 1)."""

from __future__ import annotations

import time

import pytest

from appliance.recorder.panel.lamp_token import Lamp, LampError
from appliance.simulator.fakes import FakePanel

GRACE = 50_000_000


def make(*, sensed: bool) -> Lamp:
    return Lamp(FakePanel(lamp_sensed=sensed), GRACE)


def test_a_dark_lamp_gives_no_token() -> None:
    with pytest.raises(LampError):
        make(sensed=False).token()


def test_a_lamp_that_is_commanded_and_not_seen_gives_no_token() -> None:
    lamp = make(sensed=True)
    lamp.command(lit=True)
    with pytest.raises(LampError):
        lamp.token()
    lamp.sensed(seen=True, at_ns=time.monotonic_ns())
    assert lamp.token().valid


def test_without_a_sensor_commanded_is_enough() -> None:
    lamp = make(sensed=False)
    lamp.command(lit=True)
    assert lamp.token().valid


def test_a_token_is_void_once_the_lamp_was_switched_off_even_when_it_is_lit_again() -> None:
    lamp = make(sensed=False)
    lamp.command(lit=True)
    token = lamp.token()
    lamp.command(lit=False)
    assert not token.valid
    lamp.command(lit=True)
    with pytest.raises(LampError):
        token.require()


def test_a_token_survives_a_flicker_of_the_sensor_and_not_more() -> None:
    lamp = make(sensed=True)
    lamp.command(lit=True)
    lamp.sensed(seen=True, at_ns=time.monotonic_ns())
    token = lamp.token()
    lamp.sensed(seen=False, at_ns=time.monotonic_ns())
    assert token.valid
    lamp.sensed(seen=True, at_ns=time.monotonic_ns())
    lamp.sensed(seen=False, at_ns=time.monotonic_ns() - GRACE)
    assert not token.valid
