"""Opening segments in several processes gives what one would give: the same results, in order, and the same end."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import BrokenExecutor
from dataclasses import replace

import pytest

from appliance.contract.encryption import Identity, encrypt
from appliance.contract.segment import encode
from appliance.contract.verification.audio import Opened, Sealed, open_segment
from archive.recordings import segment_pool
from archive.recordings.segment_pool import in_processes
from tests.support.spools import noise
from tests.support.waiting import until


@pytest.fixture(autouse=True)
def _several(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segment_pool, "ALONE", 4)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})
    monkeypatch.setattr(os, "getloadavg", lambda: (0.9, 0.0, 0.0))


def segments(count: int, *, damaged: int = -1) -> list[Sealed]:
    identity = Identity.generate()
    made = []
    for number in range(count):
        data = encrypt(encode(noise(800, number), 8000), [identity.recipient])
        if number == damaged:
            data = data[:-1] + bytes([data[-1] ^ 1])
        made.append(Sealed(f"segment {number}", data, 800, 8000, (), identity.secret_line()))
    return made


@pytest.mark.parametrize("count", [0, 3, 4, 60])
def test_the_results_are_those_of_one_process_in_order(count: int) -> None:
    made = segments(count, damaged=count // 2)
    found = list(in_processes(open_segment, iter(made)))
    assert found == list(map(open_segment, made))
    assert [bool(one.problem) for one in found] == [number == count // 2 for number in range(count)]


def test_it_takes_no_more_segments_than_it_needs_to_keep_the_processes_busy() -> None:
    taken = 0

    def counted() -> Iterator[Sealed]:
        nonlocal taken
        for one in segments(200):
            taken += 1
            yield one

    results = in_processes(open_segment, counted())
    for _ in range(5):
        next(results)
    assert 4 < taken <= 5 + 6 * segment_pool.BATCH
    results.close()  # type: ignore[attr-defined]
    until(lambda: not multiprocessing.active_children(), "the processes have ended")


def test_what_goes_wrong_while_segments_are_read_ends_it_and_leaves_no_process() -> None:
    def broken() -> Iterator[Sealed]:
        yield from segments(60)
        raise ValueError("a digest is not the one in the ledger")

    with pytest.raises(ValueError, match="a digest"):
        list(in_processes(open_segment, broken()))
    assert not multiprocessing.active_children()


def die(_: Sealed) -> Opened:
    if multiprocessing.parent_process() is None:
        return Opened(b"", "")
    os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(60)
    raise AssertionError("it lives")


def test_a_process_that_is_killed_is_told_and_nothing_hangs() -> None:
    with pytest.raises(BrokenExecutor):
        list(in_processes(die, iter(segments(60))))


def test_a_process_that_is_killed_while_much_is_sent_to_it_hangs_nothing() -> None:
    """More than a pipe holds: who writes waits for the reader that is gone (CPython issue 94777)."""
    large = [replace(one, data=bytes(300_000)) for one in segments(60)]
    with pytest.raises(BrokenExecutor):
        list(in_processes(die, iter(large)))
    assert not multiprocessing.active_children()


@pytest.mark.parametrize(("cores", "load"), [({0}, 0.0), ({0, 1}, 1.0), ({0, 1, 2, 3}, 20.0)])
def test_a_machine_without_idle_cores_starts_no_process(
    monkeypatch: pytest.MonkeyPatch, cores: set[int], load: float
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: cores)
    monkeypatch.setattr(os, "getloadavg", lambda: (load, 0.0, 0.0))
    monkeypatch.setattr(segment_pool, "ProcessPoolExecutor", None)
    made = segments(20)
    assert list(in_processes(open_segment, iter(made))) == list(map(open_segment, made))
