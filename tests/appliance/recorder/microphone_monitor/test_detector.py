"""When a fault of the microphone is raised and cleared, and what counts as a quiet room."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from appliance.contract import amber_codes
from appliance.recorder.microphone_monitor import CODES, Detector, Levels, learn, measure
from appliance.recorder.microphone_monitor.detector import CLIPPING, MUTED, QUIET_AFTER_S, SILENT, SOUNDS_WITHIN_S
from tests.support.sounds import RATE, noise, pcm, room, tone

FLOOR = learn(room(12))
STILL = measure(noise(seed=5), RATE)
WORD = measure(pcm(tone(700, 300) + noise(seed=6)), RATE)
OFF = measure(noise(3.0), RATE)
ZEROS = measure(np.zeros(RATE, np.int16), RATE)
TORN = measure(pcm(tone(300, 90000) + noise()), RATE)


def add_seconds(detector: Detector, second: Levels, times: int) -> list[frozenset[str]]:
    return [detector.add_second(second).codes for _ in range(times)]


def quiet() -> Detector:
    detector = Detector(FLOOR)
    add_seconds(detector, STILL, QUIET_AFTER_S)
    assert detector.verdict.quiet
    return detector


def test_every_code_is_in_the_table_and_lets_a_press_record() -> None:
    assert all(amber_codes.known(code) and amber_codes.find(code).press == "records" for code in CODES)


@pytest.mark.parametrize(("second", "code"), [(ZEROS, SILENT), (OFF, MUTED), (TORN, CLIPPING)])
def test_a_fault_is_raised_after_a_few_seconds_and_not_by_a_single_one(second: Levels, code: str) -> None:
    detector = Detector(FLOOR)
    add_seconds(detector, STILL, 5)
    assert add_seconds(detector, second, 3)[-1] == frozenset()
    assert add_seconds(detector, STILL, 8)[-1] == frozenset()
    assert add_seconds(detector, second, 6)[-1] == {code}


FLICKER = np.random.default_rng(1).integers(-1, 1, RATE)
"""What a card of 32 bits gives whose input is dead, cut to 16: 0 and -1."""


@pytest.mark.parametrize("dead", [np.zeros(RATE), np.full(RATE, -3600), FLICKER, FLICKER * 100, FLICKER * 100 - 3600])
def test_a_dead_input_is_noticed_without_a_record_of_commissioning(dead: np.ndarray[tuple[int], Any]) -> None:
    second = measure(dead.astype(np.int16), RATE)
    detector = Detector(None)
    assert add_seconds(detector, STILL, 5)[-1] == frozenset()
    assert add_seconds(detector, second, 3)[-1] == frozenset()
    assert add_seconds(detector, second, 3)[-1] == {SILENT}
    assert add_seconds(detector, STILL, 3)[-1] == frozenset()


@pytest.mark.parametrize("offset", [-0.11, -0.05])
def test_a_constant_offset_is_no_fault_with_a_record_of_commissioning_or_without(offset: float) -> None:
    quiet, word = (
        measure(pcm(wave + offset * 32768), RATE) for wave in (noise(seed=5), tone(700, 300) + noise(seed=6))
    )
    for floor in (FLOOR, None):
        detector = Detector(floor)
        told = add_seconds(detector, quiet, 20) + add_seconds(detector, word, 20)
        assert set(told) == {frozenset()}


def test_one_click_does_not_hide_a_mute() -> None:
    detector = Detector(FLOOR)
    add_seconds(detector, OFF, 4)
    add_seconds(detector, WORD, 1)
    assert add_seconds(detector, OFF, 3)[-1] == {MUTED}


def test_a_mute_that_passes_is_cleared_within_seconds_and_clipping_only_after_a_minute() -> None:
    detector = Detector(FLOOR)
    add_seconds(detector, OFF, 6)
    assert add_seconds(detector, WORD, 3) == [{MUTED}, {MUTED}, frozenset()]
    add_seconds(detector, TORN, 6)
    assert add_seconds(detector, WORD, 60)[-2:] == [{CLIPPING}, frozenset()], (
        "pauses in loud speech don't show in the ledger"
    )


def test_promise_7_a_voice_that_leaks_through_the_switch_does_not_take_a_mute_back() -> None:
    detector = Detector(FLOOR)
    add_seconds(detector, OFF, 7)
    leak = measure(pcm(tone(700, 300) + tone(1500, 40) + noise(3.0)), RATE)
    assert add_seconds(detector, leak, 10)[-1] == {MUTED}
    assert add_seconds(detector, STILL, 3)[-1] == frozenset()


def test_without_a_floor_only_silence_and_clipping_are_found_and_nothing_is_quiet() -> None:
    detector = Detector(None)
    add_seconds(detector, STILL, 60)
    assert not detector.verdict.quiet
    assert add_seconds(detector, OFF, 20)[-1] == frozenset()
    assert add_seconds(detector, ZEROS, 6)[-1] == {SILENT}
    assert CLIPPING in add_seconds(detector, TORN, 6)[-1]


def test_a_microphone_at_fault_is_never_quiet() -> None:
    for second in (OFF, ZEROS):
        detector = quiet()
        detector.add_second(second)
        assert not detector.verdict.quiet
        add_seconds(detector, second, 60)
        assert not detector.verdict.quiet


def test_one_creak_leaves_it_quiet_and_a_word_does_not() -> None:
    detector = quiet()
    add_seconds(detector, WORD, 1)
    add_seconds(detector, STILL, SOUNDS_WITHIN_S)
    add_seconds(detector, WORD, 1)
    add_seconds(detector, STILL, SOUNDS_WITHIN_S - 2)
    assert detector.verdict.quiet
    add_seconds(detector, WORD, 1)
    assert not detector.verdict.quiet
    add_seconds(detector, STILL, QUIET_AFTER_S - 1)
    assert not detector.verdict.quiet


def test_a_room_that_is_quieter_than_at_commissioning_is_quiet() -> None:
    detector = Detector(FLOOR)
    add_seconds(detector, measure(noise(8.0), RATE), 20)
    assert detector.verdict.quiet
    assert detector.verdict.codes == frozenset()


def test_after_an_interruption_a_fault_stays_until_it_is_refuted_and_a_quiet_does_not() -> None:
    detector = quiet()
    detector.interrupt()
    assert not detector.verdict.quiet
    add_seconds(detector, OFF, 6)
    detector.interrupt()
    assert detector.verdict.codes == {MUTED}
    assert add_seconds(detector, STILL, 3)[-1] == frozenset()
    add_seconds(detector, OFF, 5)
    detector.interrupt()
    assert add_seconds(detector, OFF, 5)[-1] == frozenset(), "seconds before and after are not added up"


def test_an_automatic_gain_that_comes_back_is_no_mute() -> None:
    detector = Detector(FLOOR)
    rising = [measure(noise(2.0 * 1.1**n, n), RATE) for n in range(16)]
    assert all(detector.add_second(second).codes == frozenset() for second in rising)


@pytest.mark.parametrize("rate", [8000, 16000, 44100, 48000])
def test_a_mute_is_found_at_any_rate(rate: int) -> None:
    floor = learn([measure(noise(seed=n, rate=rate), rate) for n in range(10)])
    detector = Detector(floor, rate)
    add_seconds(detector, measure(noise(3.0, rate=rate), rate), 6)
    assert detector.verdict.codes == {MUTED}


def test_a_floor_near_the_converters_steps_is_judged_by_its_whole() -> None:
    floor = learn(room(10, strength=0.9))
    detector = Detector(floor)
    add_seconds(detector, measure(noise(0.9, 77), RATE), 30)
    assert detector.verdict.codes == frozenset()
    add_seconds(detector, measure(noise(0.3, 78), RATE), 6)
    assert detector.verdict.codes == {MUTED}
