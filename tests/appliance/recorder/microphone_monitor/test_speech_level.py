"""Somebody who speaks is loud enough in what is recorded, or the installer is told by how much it is not."""

from __future__ import annotations

import numpy as np
import pytest

from appliance.contract.commissioning import Floor
from appliance.recorder.capture.conversion import Converter
from appliance.recorder.capture.input_format import InputFormat
from appliance.recorder.microphone_monitor import Gain, Levels, SpeechError, bands, check_speech, learn, measure

RATE = 48000


def spoken(rms: int, seconds: int = 8) -> list[Levels]:
    return [Levels(rms, (rms,) * len(bands(RATE)), min(0, rms + 1500), 0.0, constant=False)] * seconds


def floor(rms: int) -> Floor:
    return Floor(rms=rms, bands=[rms] * len(bands(RATE)))


def test_speech_that_is_loud_enough_passes_and_its_level_is_told() -> None:
    assert check_speech(spoken(-3800), floor(-6500), Gain()) == -3800


def test_quiet_speech_is_refused_with_the_gain_that_is_missing() -> None:
    with pytest.raises(SpeechError, match=r"raise microphone\.gain_db \(now 0\) by about 36 dB"):
        check_speech(spoken(-7100), floor(-8800), Gain(up="raise microphone.gain_db (now 0)"))


def test_speech_that_the_room_drowns_is_not_called_too_quiet() -> None:
    with pytest.raises(SpeechError, match="nobody was heard"):
        check_speech(spoken(-4600), floor(-5000), Gain())


@pytest.mark.parametrize("offset", [0.0, -0.05, -0.11])
def test_the_wiring_of_the_documents_works_an_i2s_microphone_with_gain_has_a_floor_and_speech(offset: float) -> None:
    # 24 bits in 32, left channel only; self-noise at -88 dB and speech at -71 dB of full scale, on the constant offsets
    # that are reported of SPH0645LM4H
    chance = np.random.default_rng(1)

    def heard(level_db: float, gain_db: float, seconds: int = 8) -> list[Levels]:
        scale = 10 ** (level_db / 20) * 2**31
        left = np.rint((chance.normal(0, scale, RATE * seconds) + offset * 2**31) / 256) * 256
        data = np.column_stack([left, np.zeros_like(left)]).astype("<i4").tobytes()
        converter = Converter(InputFormat(channels=2, bits=32, gain_db=gain_db), RATE)
        kept = np.frombuffer(
            b"".join(converter.convert(data[at : at + 32768]) for at in range(0, len(data), 32768)), "<i2"
        )
        return [measure(kept[at : at + RATE].copy(), RATE) for at in range(0, kept.size, RATE)]

    gain = Gain(up="raise microphone.gain_db (now 0)")
    with pytest.raises(SpeechError, match="by about 36 dB"):
        check_speech(heard(-71, 0), learn(heard(-88, 0), gain), gain)
    quiet = learn(heard(-88, 36), gain)
    assert abs(quiet.rms + 5200) < 50
    assert abs(check_speech(heard(-71, 36), quiet, gain) + 3500) < 50
