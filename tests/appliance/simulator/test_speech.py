"""The spoken meeting: the same samples at each writing, in memory that does not grow with its length."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np

from appliance.simulator.speech import RATE, room, speak, write_meeting

SECONDS = 75


def test_a_meeting_is_written_in_pieces_that_nobody_hears(tmp_path: Path) -> None:
    path = tmp_path / "spoken.raw"
    tracemalloc.start()
    try:
        write_meeting(path, SECONDS)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    frames = SECONDS * RATE
    whole = np.clip(np.rint(np.resize(speak(), frames) + room(frames)), -32768, 32767).astype("<i2")
    assert path.read_bytes() == whole.tobytes()
    assert most < 40e6, "one array of all frames alone would be 29 MB, and four of them were needed at once"
