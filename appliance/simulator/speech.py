"""A spoken meeting as raw audio: espeak-ng, pauses, and the low noise of a room."""

from __future__ import annotations

import io
import shutil
import subprocess
import wave
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from appliance.contract.errors import DeviceError

RATE: Final = 48000
NOISE: Final = 12.0
"""Standard deviation of the room's noise in steps of 16 bits: about -69 dB below full scale."""
SENTENCES: Final = (
    "Good morning, everyone. Thank you for coming.",
    "Before we begin: a family member is recording this meeting, so the district records it as well.",
    "The device is on the table, where everybody can see it.",
    "Let us look at the goals that we wrote last spring.",
    "Reading has come along well. The second goal needs more time.",
    "Could you say a little more about the mornings?",
    "We will try the quiet corner for two weeks, and then meet again.",
    "Does anybody have a question before we go on?",
    "Let us write that down as an accommodation.",
    "Thank you. That is all for today.",
)
_PIECE: Final = 10 * RATE
"""So many frames are made at a time: a meeting of hours in one array would take gigabytes."""
PAUSES_S: Final = (0.4, 0.8, 0.5, 1.6, 0.6, 0.9, 2.4, 0.7, 1.1, 0.5)


def write_meeting(path: Path, seconds: float) -> None:
    """Write `seconds` of a meeting to `path` (mono, 16-bit little-endian, 48 kHz); raise DeviceError if that fails."""
    total = int(seconds * RATE)
    spoken, noise = speak(), _room()
    with path.open("wb") as file:
        for first in range(0, total, _PIECE):
            frames = min(_PIECE, total - first)
            said = np.take(spoken, np.arange(first, first + frames), mode="wrap")
            # never the same samples at two places, or an offset could not be told from another
            audio = said + noise.normal(0.0, NOISE, frames)
            file.write(np.clip(np.rint(audio), -32768, 32767).astype("<i2").tobytes())


def room(frames: int) -> npt.NDArray[np.float64]:
    """Return the noise of the room in which nobody speaks, in steps of 16 bits."""
    return _room().normal(0.0, NOISE, frames)


def _room() -> np.random.Generator:
    return np.random.default_rng(20240501)


def speak() -> npt.NDArray[np.float64]:
    """Return all sentences once, with their pauses, in steps of 16 bits; raise DeviceError if nobody can speak."""
    return np.concatenate([piece for index in range(len(SENTENCES)) for piece in (_speak(index), _pause(index))])


def _pause(index: int) -> npt.NDArray[np.float64]:
    return np.zeros(int(PAUSES_S[index] * RATE))


def _speak(index: int) -> npt.NDArray[np.float64]:
    program = shutil.which("espeak-ng")
    if program is None:
        raise DeviceError("nobody can speak here; install the Debian package espeak-ng")
    voice = ("en-us", "en-us+f3", "en-us+m4")[index % 3]
    result = subprocess.run(
        [program, "--stdout", "-v", voice, "-s", "165", SENTENCES[index]], capture_output=True, check=False
    )
    if result.returncode or not result.stdout:
        raise DeviceError(f"espeak-ng failed: {result.stderr.decode(errors='replace').strip()[-500:]}")
    with wave.open(io.BytesIO(result.stdout)) as file:
        rate = file.getframerate()
        # espeak-ng cannot know the length when it writes the header, so everything behind it counts
        audio = np.frombuffer(file.readframes(len(result.stdout)), "<i2").astype(np.float64)
    positions = np.arange(0, len(audio) - 1, rate / RATE)
    return np.asarray(np.interp(positions, np.arange(len(audio)), audio) * 0.6)
