"""The spoken meeting: speech in a room whose noise never repeats, in memory that does not grow with its length."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from appliance.simulator import speech
from appliance.simulator.speech import NOISE, RATE, speak, write_meeting

SECONDS = 75


def test_a_meeting_is_written_in_pieces_that_nobody_hears(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # the synthesizer does not always say the same sentence with the same samples
    said = speak()
    monkeypatch.setattr(speech, "speak", lambda: said)
    path = tmp_path / "spoken.raw"
    tracemalloc.start()
    try:
        write_meeting(path, SECONDS)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    spoken, frames = np.fromfile(path, "<i2"), SECONDS * RATE
    assert spoken.size == frames
    # the sentences go on across the pieces' ends, in a room whose noise never repeats
    noise = spoken - np.resize(said, frames)
    for first in range(0, frames, RATE):
        part = noise[first : first + RATE]
        assert 0.9 * NOISE < part.std() < 1.1 * NOISE, first
        assert not np.array_equal(np.rint(part), np.rint(noise[:RATE])) or first == 0
    again = tmp_path / "again.raw"
    write_meeting(again, SECONDS)
    assert np.array_equal(np.fromfile(again, "<i2"), spoken), "the same for the same length"
    assert most < 40e6, "one array of all frames alone would be 29 MB, and four of them were needed at once"
