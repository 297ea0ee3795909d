"""What is said of a card that does not open as set, without a card."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pyaudio
import pytest

from appliance.recorder.capture.input_format import InputFormat
from appliance.recorder.capture.stream import Stream

FORMATS = {16: pyaudio.paInt16, 32: pyaudio.paInt32}


class Card:
    """A card that opens in these ways, each channels, bits and rate."""

    def __init__(self, *ways: tuple[int, int, int]) -> None:
        self._ways = {(channels, FORMATS[bits], rate) for channels, bits, rate in ways}

    def is_format_supported(self, rate: int, *, input_device: int, input_channels: int, input_format: int) -> bool:
        assert input_device == 3
        if (input_channels, input_format, rate) in self._ways:
            return True
        raise ValueError("Invalid sample rate", -9997)


def stream() -> Stream:
    ring: Any = SimpleNamespace(rate=48000)
    return Stream(ring, cast("Any", None), InputFormat())


def said_of(card: Card) -> str:
    return stream()._what_it_can_do(cast("Any", card), "USB", 3)


@pytest.mark.parametrize(
    ("ways", "said"),
    [
        ([(1, 16, 44100)], "channels = 1, bits = 16, rate = 44100: set"),
        ([(2, 32, 44100), (2, 32, 192000)], "with channels = 2, bits = 32, rate = 44100 or 192000: set"),
        (
            [(1, 32, 16000), (2, 16, 96000)],
            "channels = 1, bits = 32, rate = 16000; or with channels = 2, bits = 16, rate = 96000: set",
        ),
    ],
)
def test_a_card_that_does_not_open_as_set_says_all_that_it_can_do(ways: list[tuple[int, int, int]], said: str) -> None:
    told = said_of(Card(*ways))
    assert "does not open with channels = 1, bits = 16, rate = 48000" in told
    assert said in told


def test_a_card_that_opens_in_no_way_is_told() -> None:
    assert "opens at no rate that is known here" in said_of(Card())


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (OSError(-9985, "Device unavailable"), "device-busy"),
        (OSError(-9997, "Invalid sample rate"), "not-supported"),
        (ValueError("Invalid number of channels", -9998), "not-supported"),
        (OSError(-9999, "Unanticipated host error"), "device-failed"),
    ],
)
def test_each_way_in_which_opening_fails_has_its_reason(error: OSError | ValueError, reason: str) -> None:
    assert stream()._opening_error(cast("Any", Card()), "USB", 3, error).reason == reason
