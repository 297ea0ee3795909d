"""Promises 1 and 3 when processes are killed or stopped: a handful of the strikes of `./deploy/faults --kills`, and a
comparison that finds what is lost."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from appliance.contract.errors import DeviceError
from tests.support.box.writer import speech
from tests.support.kills import campaign, comparison
from tests.support.kills.observer import Sample, acknowledged, taken_back
from tests.support.kills.plan import Plan
from tests.support.kills.rounds import CLOSED_S, Round

RAW = speech(20_000)
STRIKES = [
    Plan("supervisor", "SIGKILL", 2.4, None, 0.0, all_killed=False, after_s=0.0, acknowledged_first=True),
    Plan("capture", "SIGKILL", 2.2, None, 0.0, all_killed=False, after_s=0.6, acknowledged_first=True),
    Plan("writer", "SIGKILL", 2.6, 0.5, 0.0, all_killed=False, after_s=0.0, acknowledged_first=True),
    Plan("supervisor", "SIGSTOP", 2.3, None, 1.2, all_killed=True, after_s=0.0, acknowledged_first=True),
]


@pytest.fixture(scope="module")
def rounds() -> list[Round]:
    try:
        seen, broken = campaign.run([[plan] for plan in STRIKES], 1, lambda _: None)
    except DeviceError as error:
        pytest.skip(f"this machine cannot build the test microphone: {error.message}")
    assert broken == []
    return seen


@pytest.mark.parametrize("plan", STRIKES, ids=lambda plan: f"{plan.process}-{plan.signal}")
def test_promises_1_and_3_nothing_acknowledged_is_lost_and_the_device_is_closed(
    rounds: list[Round], plan: Plan
) -> None:
    seen = next(one for one in rounds if one.plan == plan)
    assert seen.problems == ()
    assert (seen.lost_s, seen.uncovered) == (0.0, 0)
    assert seen.found_s >= seen.acknowledged_s > 0
    assert seen.closed_s is None or seen.closed_s <= CLOSED_S


def gap(first: int, frames: int) -> Any:
    return SimpleNamespace(kind="gap", first_frame=first, frames=frames)


def pause(frame: int) -> Any:
    return SimpleNamespace(kind="pause", frame=frame)


def test_the_comparison_follows_gaps_and_pauses() -> None:
    heard = np.concatenate([RAW[100:400], np.zeros(50, np.int16), RAW[900:1200], RAW[3000:3100]])
    entries = [gap(300, 50), pause(650), pause(650)]
    assert comparison.lost(heard, entries, heard.size, RAW, [100, 900, 3000]) == (0, [])
    # a loss inside one stream: it goes on where the silence says
    heard = np.concatenate([RAW[100:400], np.zeros(50, np.int16), RAW[450:600]])
    assert comparison.lost(heard, [gap(300, 50)], heard.size, RAW, [100]) == (0, [])


def test_the_comparison_finds_missing_changed_and_moved_frames() -> None:
    whole = RAW[100:1100].copy()
    assert comparison.lost(whole, [], 1000, RAW, [100]) == (0, [])
    assert comparison.lost(whole[:-1], [], 1000, RAW, [100])[0] == 1
    changed = whole.copy()
    changed[500] += 1
    assert comparison.lost(changed, [], 1000, RAW, [100])[0] == 1
    moved = np.concatenate([whole[:500], whole[501:], RAW[1100:1101]])
    assert comparison.lost(moved, [], 1000, RAW, [100])[0] > 400
    # an undeclared silence is a loss, and so is sound where the ledger says silence
    silent = whole.copy()
    silent[200:300] = 0
    assert comparison.lost(silent, [], 1000, RAW, [100])[0] == 100
    assert comparison.lost(whole, [gap(200, 100)], 1000, RAW, [100])[0] >= 99
    assert comparison.lost(RAW[5000:6000], [], 1000, RAW, [100])[0] == 1000


def test_the_observer_sees_what_is_taken_back() -> None:
    samples = [Sample(1, "a", 10), Sample(2, "a", 30), Sample(3, "b", 5), Sample(4, "a", 20)]
    assert acknowledged(samples, "a") == 30
    assert acknowledged(samples, "a", until_ns=1) == 10
    assert len(taken_back(samples)) == 1


def test_what_the_microphone_gave_is_counted_up_to_the_strike() -> None:
    second = 1_000_000_000
    log = [
        {"t_ns": 0, "device": "open", "handle": 1},
        {"t_ns": second, "device": "started", "handle": 1},
        {"t_ns": 2 * second, "device": "closed", "handle": 1},
        {"t_ns": 4 * second, "device": "started", "handle": 2},
        {"t_ns": 9 * second, "device": "closed", "handle": 2},
    ]
    assert comparison.captured(log, 5 * second) == 2 * comparison.RATE
