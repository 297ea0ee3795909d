"""A floor is learned from a quiet room, and from nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from appliance.recorder.microphone_monitor.levels import Levels, bands, measure
from appliance.recorder.microphone_monitor.noise_floor import FloorError, learn
from tests.support.sounds import RATE, noise, pcm, room, tone


def test_the_floor_is_the_rooms_noise() -> None:
    floor = learn(room(12))
    assert floor.rms == pytest.approx(-6873, abs=10)
    assert len(floor.bands) == len(bands(RATE))


def test_one_odd_second_does_not_make_it() -> None:
    plain = learn(room(19))
    cough = measure(pcm(tone(400, 9000) + noise()), RATE)
    silence = measure(np.zeros(RATE, np.int16), RATE)
    for odd in (cough, silence):
        assert learn([*room(19), odd]).bands == pytest.approx(plain.bands, abs=40)


def refused(levels: list[Levels]) -> str:
    with pytest.raises(FloorError) as caught:
        learn(levels)
    assert caught.value.code == "no-floor"
    return caught.value.message


def test_too_little_is_refused() -> None:
    assert "at least 5 s" in refused(room(4))
    assert "at least 5 s" in refused([])


def test_a_dead_input_is_refused() -> None:
    dead = measure(np.zeros(RATE, np.int16), RATE)
    assert "Switch it on" in refused([dead] * 10)
    assert "Switch it on" in refused([*room(4), *[dead] * 6])


def test_a_muted_input_is_refused() -> None:
    assert "muted" in refused(room(10, strength=0.4))


@pytest.mark.parametrize("offset", [-0.11, -0.05, 0.03])
def test_the_floor_is_the_same_on_a_constant_offset(offset: float) -> None:
    shifted = [measure(pcm(noise(seed=1000 + second) + offset * 32768), RATE) for second in range(12)]
    assert learn(shifted).rms == pytest.approx(learn(room(12)).rms, abs=2)


def test_a_card_whose_gain_raises_nothing_but_its_last_bit_is_refused_and_told_why() -> None:
    coarse = [measure((np.rint(noise(0.4, seed)) * 100).astype(np.int16), RATE) for seed in range(10)]
    assert "low bits are always zero, so that its steps are 100" in refused(coarse)


def test_a_clipping_input_is_refused() -> None:
    loud = measure(pcm(tone(100, 90000) + noise()), RATE)
    assert "lower its capture level" in refused([loud] * 10)


def test_a_loud_room_is_refused() -> None:
    assert "switch off what hums" in refused(room(10, strength=600))


def test_somebody_who_speaks_is_noticed() -> None:
    word = measure(pcm(tone(400, 300) + noise()), RATE)
    assert "not quiet" in refused([*room(7), *[word] * 3])
