"""The pins are the same wherever they are written down, and off until software says otherwise."""

from __future__ import annotations

from .pins import LINES, OUTPUTS, configured, in_settings, in_wiring

I2S = {18, 19, 20, 21}


def test_configuration_settings_and_wiring_page_agree() -> None:
    pins = in_settings()
    assert set(pins) == set(LINES)
    assert {line: pin for line, (pin, _) in configured().items()} == pins
    assert {line: pin for line, (pin, _) in in_wiring().items()} == pins


def test_promise_1_outputs_start_low_and_inputs_are_pulled_down() -> None:
    modes = {line: mode for line, (_, mode) in configured().items()}
    assert modes == {line: "op,dl" if line in OUTPUTS else "ip,pd" for line in LINES}


def test_the_wiring_page_has_the_directions_right() -> None:
    directions = {line: direction for line, (_, direction) in in_wiring().items()}
    assert directions == {line: "out" if line in OUTPUTS else "in" for line in LINES}


def test_pins_are_pulled_down_by_the_chip_and_clear_of_an_i2s_microphone() -> None:
    pins = set(in_settings().values())
    assert len(pins) == len(LINES)
    # BCM2835 and its successors pull GPIO 9 to 27 down at reset, 0 to 8 up
    assert pins <= set(range(9, 28)) - I2S
