"""Levels are those of the samples: nothing wraps, bands add up, and only a cut-off wave counts as clipped."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.recorder.microphone_monitor.levels import SILENCE, bands, measure
from tests.support.sounds import RATE, noise, pcm, tone


def decibels(levels: list[int]) -> float:
    """The sum of powers, in hundredths of a decibel."""
    return 1000 * math.log10(sum(10 ** (level / 1000) for level in levels))


@pytest.mark.parametrize("value", [-32768, -1, 0, 5, 32767])
def test_a_constant_is_no_sound_whatever_its_value(value: int) -> None:
    levels = measure(np.full(RATE, value, np.int16), RATE)
    assert levels.constant
    assert (levels.rms, set(levels.bands), levels.clipped) == (SILENCE, {SILENCE}, 0.0)


def test_the_loudest_wave_is_at_full_scale_and_does_not_wrap() -> None:
    square = np.where(np.arange(RATE) % 48 < 24, 32767, -32768).astype(np.int16)
    levels = measure(square, RATE)
    assert (levels.rms, levels.peak) == (0, 0)
    assert levels.clipped == 1.0


def test_a_sine_of_full_scale_is_3_db_below_it_and_falls_into_its_band() -> None:
    levels = measure(pcm(tone(3000, 32767)), RATE)
    assert levels.rms == pytest.approx(-301, abs=1)
    low_edges = [low for low, _ in bands(RATE)]
    assert max(range(len(levels.bands)), key=levels.bands.__getitem__) == low_edges.index(2000)
    assert levels.bands[low_edges.index(2000)] == pytest.approx(-301, abs=5)


def test_a_constant_part_is_no_sound() -> None:
    plain, shifted = noise(), (noise() + 9000).astype(np.int16)
    assert measure(shifted, RATE).rms == measure(plain, RATE).rms
    assert measure(shifted, RATE).bands == pytest.approx(measure(plain, RATE).bands, abs=2)


@given(strength=st.floats(2.0, 8000.0), rate=st.sampled_from([8000, 16000, 44100, 48000, 96000]))
def test_the_bands_of_white_noise_add_up_to_the_whole(strength: float, rate: int) -> None:
    levels = measure(noise(strength, rate=rate), rate)
    assert len(levels.bands) == len(bands(rate))
    assert decibels(list(levels.bands)) == pytest.approx(levels.rms, abs=30)
    expected = 2000 * math.log10(strength / 32768)
    assert levels.rms == pytest.approx(expected, abs=40)


@given(samples=st.lists(st.integers(-32768, 32767), min_size=1, max_size=3000))
def test_any_samples_have_levels_within_the_scale(samples: list[int]) -> None:
    levels = measure(np.asarray(samples, np.int16), RATE)
    assert all(SILENCE <= level <= 0 for level in (levels.rms, levels.peak, *levels.bands))
    assert 0.0 <= levels.clipped <= 1.0
    assert levels.constant == (len(set(samples)) == 1)


@pytest.mark.parametrize("offset", [-0.11, -0.05, 0.03, 0.5])
def test_a_quiet_room_on_a_constant_offset_is_not_clipped_and_a_wave_that_is_cut_off_there_is(offset: float) -> None:
    middle = offset * 32768
    assert measure(pcm(noise() + middle), RATE).clipped == 0.0
    assert measure(pcm(tone(220, 9000) + middle), RATE).clipped == 0.0
    assert measure(pcm(np.clip(tone(220, 9000), -6000, 6000) + middle), RATE).clipped > 0.1
    assert measure(pcm(tone(220, 40000) + middle), RATE).clipped > 0.1


def test_what_is_stuck_at_the_end_of_the_scale_is_cut_off_however_little_it_moves() -> None:
    assert measure(pcm(noise(3.0) - 32768.0), RATE).clipped > 0.4
    assert measure(pcm(noise(3.0) + 32767.0), RATE).clipped > 0.4


@pytest.mark.parametrize(("low_bits", "step"), [(0, 1), (4, 16), (8, 256)])
def test_a_card_whose_low_bits_are_always_zero_is_known_by_its_steps(low_bits: int, step: int) -> None:
    levels = measure((noise(2000.0).astype(int) >> low_bits << low_bits).astype(np.int16), RATE)
    assert levels.step == step
    assert not levels.only_rounding


@pytest.mark.parametrize("step", [1, 31, 100])
@pytest.mark.parametrize("strength", [0.0, 0.3])
def test_a_dead_input_that_moves_by_a_step_is_only_rounding(step: int, strength: float) -> None:
    flicker = np.random.default_rng(1).integers(-1, 1, RATE) + np.rint(noise(strength))
    assert measure((flicker * step).astype(np.int16), RATE).only_rounding == (strength == 0.0)
    assert not measure(pcm(noise(1.5) * float(step)), RATE).only_rounding


@pytest.mark.parametrize("gain", [1.0, 1.6, 4.0])
@pytest.mark.parametrize("ceiling", [32767, 16000, 6000])
def test_only_a_wave_that_is_cut_off_counts_as_clipped(gain: float, ceiling: int) -> None:
    wave = gain * (tone(220, ceiling * 0.6) + tone(331, ceiling * 0.39)) + noise(4.0)
    clipped = measure(pcm(np.clip(wave, -ceiling, ceiling)), RATE).clipped
    assert (clipped > 0.02) == (gain > 1.0)


def test_one_side_cut_off_is_clipped_too() -> None:
    wave = tone(220, 15000)
    assert measure(pcm(wave), RATE).clipped == 0.0
    assert measure(pcm(np.minimum(wave, 9000)), RATE).clipped > 0.1


@pytest.mark.parametrize("hertz", [50.3, 440, 6007, 11003])
def test_a_loud_clean_tone_is_not_clipped(hertz: float) -> None:
    # none that is locked to the card's clock, which hits the same few places of the wave for ever
    assert measure(pcm(tone(hertz, 32700)), RATE).clipped < 0.001
