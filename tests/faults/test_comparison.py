"""The comparison that tells lost sound from sound that is there: what a busy machine mixes in one block is no loss."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from appliance.contract.ledger import Gap
from appliance.recorder.ipc.ring import BLOCK_FRAMES
from tests.support.kills.comparison import lost

RAW = np.random.default_rng(7).integers(1, 30_000, 60_000).astype(np.int16)
GAP = 3_000


def recorded(old: int, new: int, skipped: int = 0) -> tuple[npt.NDArray[np.int16], list[Gap], list[int]]:
    """Two streams with a gap between them: `old` frames of the first behind it, `new` ones of the second before it."""
    first, second = RAW[:10_000], RAW[30_000:50_000]
    before = np.concatenate([first[: first.size - old], second[:new]])
    behind = np.concatenate([first[first.size - old :], second[new + skipped :]])
    heard = np.concatenate([before, np.zeros(GAP, np.int16), behind])
    return heard, [Gap(t_ns=0, first_frame=before.size, frames=GAP, cause="stall")], [0, 30_000]


@pytest.mark.parametrize(("old", "new"), [(0, 0), (0, 1), (0, BLOCK_FRAMES), (1, 0), (700, 0), (BLOCK_FRAMES, 0)])
def test_what_one_block_mixes_where_a_stream_starts_anew_is_told_from_a_loss(old: int, new: int) -> None:
    heard, facts, started = recorded(old, new)
    wrong, _ = lost(heard, facts, heard.size, RAW, started)
    assert wrong <= BLOCK_FRAMES


@pytest.mark.parametrize("skipped", [1, 100, BLOCK_FRAMES, BLOCK_FRAMES + 1, 9_000])
def test_what_is_missing_of_a_new_stream_is_counted(skipped: int) -> None:
    heard, facts, started = recorded(0, 0, skipped)
    wrong, problems = lost(heard, facts, heard.size, RAW, started)
    assert wrong >= skipped
    assert "are not what they must be" in problems[-1]


def test_one_sample_behind_a_mixed_block_is_found() -> None:
    heard, facts, started = recorded(0, 500)
    mixed, _ = lost(heard, facts, heard.size, RAW, started)
    heard[-100] ^= 1
    assert lost(heard, facts, heard.size, RAW, started)[0] == mixed + 1
