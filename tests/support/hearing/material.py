"""What is to be heard in a room, a second at a time, in steps of 16 bits at a microphone of usual gain.

The room's own noise falls by 5 dB an octave, as a ventilated room's does (ASHRAE's room criteria). Noise is cut from a
minute that was drawn once, at a random place each second: drawing hours anew would take longer than judging them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt

from appliance.simulator.speech import speak

RATE: Final = 48000
Wave = npt.NDArray[np.float32]
Sound = Callable[[int], Iterator[Wave]]
"""Given a seed: the seconds of a sound, without end."""

ROOM: Final = 9.0
"""The quiet room's noise: -71 dB."""
CAPSULE: Final = 8.0
"""The microphone's own noise, white: -72 dB."""


@cache
def _minute(slope: float, seed: int) -> Wave:
    """A minute of noise with a standard deviation of 1, whose power falls by `slope` dB an octave above 40 Hz."""
    white = np.random.default_rng(seed).standard_normal(60 * RATE).astype(np.float32)
    if not slope:
        return white
    lines = np.fft.rfft(white)
    hertz = np.maximum(np.fft.rfftfreq(white.size, 1 / RATE), 40.0)
    wave = np.fft.irfft(lines * (hertz / 40.0) ** (-slope / 6.02), white.size)
    return np.asarray(wave / wave.std(), np.float32)


def noise(slope: float, random: np.random.Generator) -> Wave:
    minute = _minute(slope, 7)
    start = int(random.integers(0, minute.size - RATE))
    return minute[start : start + RATE]


def quiet(seed: int) -> Iterator[Wave]:
    random = np.random.default_rng(seed)
    while True:
        yield ROOM * noise(5.0, random)


@cache
def _spoken() -> Wave:
    return np.asarray(speak(), np.float32)


def speech(seed: int) -> Iterator[Wave]:
    """Sentences at table distance, with pauses of up to 2.4 s."""
    words = _spoken()
    at = int(np.random.default_rng(seed).integers(0, words.size))
    for second in quiet(seed):
        yield second + 0.4 * words.take(np.arange(at, at + RATE), mode="wrap")
        at += RATE


def noisy(seed: int) -> Iterator[Wave]:
    """The same beside a projector's fan, papers and a street."""
    random = np.random.default_rng(seed)
    for second in speech(seed):
        street = ROOM * 10 * (1 + random.random()) * noise(6.0, random)
        papers = 40 * noise(0.0, random) * (np.arange(RATE) % 9600 < 1500) * (random.random() < 0.2)
        yield second + street + 30 * noise(3.0, random) + papers.astype(np.float32)


_CHORDS: Final = ((220.0, 277.2, 329.6), (196.0, 246.9, 293.7), (174.6, 220.0, 261.6), (164.8, 207.7, 246.9))


def music(seed: int) -> Iterator[Wave]:
    """Chords with overtones that die away, a beat of noise, and a rest every ninth second."""
    random = np.random.default_rng(seed)
    time = np.arange(RATE) / RATE
    fade = np.exp(-1.5 * time)
    for number, second in enumerate(quiet(seed)):
        if number % 9 == 8:
            yield second
            continue
        chord = _CHORDS[number % 4]
        wave = sum(
            np.sin(2 * np.pi * hertz * 1.003 * overtone * time + random.random()) / overtone**1.5
            for hertz in chord
            for overtone in range(1, 9)
        )
        beat = noise(0.0, random) * np.exp(-40 * (time % 0.5)) * 400
        yield second + (900 * fade * wave + beat).astype(np.float32)


def radio(seed: int) -> Iterator[Wave]:
    """A radio in the next room: music and speech, hardly above the room."""
    for sung, said in zip(music(seed), speech(seed), strict=True):
        yield ROOM * noise(5.0, np.random.default_rng(seed)) + 0.05 * sung + 0.05 * said


def quieter(seed: int) -> Iterator[Wave]:
    """The quiet room at night: without the ventilation that ran when the floor was learned."""
    for second in quiet(seed):
        yield 0.3 * second


SOUNDS: Final[dict[str, Sound]] = {
    "quiet room": quiet,
    "quiet room at night": quieter,
    "spoken": speech,
    "noisy": noisy,
    "musical": music,
}

STILL: Final = ("quiet room", "quiet room at night")
"""Sounds in which nothing can clip."""


def meeting_with_long_pauses(seed: int) -> Iterator[tuple[Wave, bool]]:
    """Half a minute of speech, ten minutes of quiet, and so on; with each second whether somebody speaks.

    The room's level wanders by 2 dB within minutes, its ventilation comes on for a while, and now and then something
    creaks.
    """
    random = np.random.default_rng(seed)
    words, loudness = speech(seed), 1.0
    number = 0
    while True:
        if number % 630 == 0:
            # from across the table to a low voice at the far end of the room
            loudness = 10 ** (-random.uniform(0, 20) / 20)
        wander = 10 ** ((1.3 * np.sin(number / 97) + 0.7 * np.sin(number / 23)) / 20)
        fan = 2.2 if number % 2400 > 1900 else 1.0
        spoken = number % 630 < 30
        wave = ROOM * wander * fan * noise(5.0, random)
        if spoken:
            wave = wave + loudness * next(words)
        elif random.random() < 1 / 400:
            start = int(random.integers(0, RATE - 4800))
            wave = wave.copy()
            wave[start : start + 2400] += 400 * noise(3.0, random)[:2400]
        yield wave, spoken
        number += 1
