"""Opens a long recording's segments in several processes: decoding and decrypting are two thirds of a check's work."""

from __future__ import annotations

import multiprocessing
import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Future, ProcessPoolExecutor
from itertools import chain, islice
from typing import Final

from appliance.contract.verification.audio import Opened, Sealed

ALONE: Final = 900
"""Segments that are opened before others are started: a check of so many takes two seconds, as long as their start."""
MOST: Final = 4
"""So many processes at most: the archive's other work needs the machine as well."""
BATCH: Final = 8
"""Segments that go to a process at once; two of these wait for each, some 2 MB."""


def in_processes(work: Callable[[Sealed], Opened], segments: Iterator[Sealed]) -> Iterator[Opened]:
    """Apply `work`, a module's own function, to each segment; yield the results in order.

    Raises BrokenExecutor if a process was killed.
    """
    yield from map(work, islice(segments, ALONE))
    more = list(islice(segments, 1))
    rest = chain(more, segments)
    # on cores that have other work, processes only add what they cost: measured, a check then took half as long again
    workers = min(MOST, len(os.sched_getaffinity(0)) - int(os.getloadavg()[0]))
    if not more or workers < 2:
        yield from map(work, rest)
        return
    # this runs in a thread of the worker, whose locks a forked child would inherit
    with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn")) as pool:
        yield from _in_order(pool, workers, work, rest)


def _in_order(
    pool: ProcessPoolExecutor, workers: int, work: Callable[[Sealed], Opened], segments: Iterator[Sealed]
) -> Iterator[Opened]:
    waiting: deque[Future[list[Opened]]] = deque()
    try:
        while batch := list(islice(segments, BATCH)):
            waiting.append(pool.submit(_apply, work, batch))
            if len(waiting) > 2 * workers:
                yield from waiting.popleft().result()
        while waiting:
            yield from waiting.popleft().result()
    except BrokenExecutor:
        # Python before 3.11.5 (CPython issue 94777) waits for ever for what it still sends to the process that is gone
        pool._call_queue._reader.close()  # type: ignore[attr-defined]  # nothing public closes it
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _apply(work: Callable[[Sealed], Opened], batch: list[Sealed]) -> list[Opened]:
    return [work(one) for one in batch]
