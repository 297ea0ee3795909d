"""Somebody outside who reads the status file all the time, and keeps what was published as acknowledged, and when."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

_EVERY_S = 0.01


@dataclass(frozen=True)
class Sample:
    """What the status file said."""

    seen_ns: int
    """When it was read, on CLOCK_MONOTONIC."""
    recording: str | None
    acked_frame: int


class Observer:
    """Reads `status` in a thread of its own while it is entered."""

    def __init__(self, status: Path) -> None:
        self._status = status
        self._lock = threading.Lock()
        self._samples: list[Sample] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="observer")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()

    def take(self) -> list[Sample]:
        """Return what was read since the last time."""
        with self._lock:
            samples, self._samples = self._samples, []
        return samples

    def _run(self) -> None:
        while not self._stop.wait(_EVERY_S):
            try:
                said = json.loads(self._status.read_bytes())
            except FileNotFoundError:
                continue  # a recorder that was killed is started with a fresh file
            sample = Sample(time.monotonic_ns(), said["recording"], said["acked_frame"])
            with self._lock:
                last = self._samples[-1] if self._samples else None
                if last is None or (last.recording, last.acked_frame) != (sample.recording, sample.acked_frame):
                    self._samples.append(sample)


def acknowledged(samples: list[Sample], recording: str, until_ns: int | None = None) -> int:
    """Return the frames of a recording that were published as acknowledged, up to a moment."""
    return max(
        (
            one.acked_frame
            for one in samples
            if one.recording == recording and (not until_ns or one.seen_ns <= until_ns)
        ),
        default=0,
    )


def taken_back(samples: list[Sample]) -> list[str]:
    """Return where less was acknowledged than before, in words."""
    most: dict[str | None, int] = {}
    problems = []
    for one in samples:
        if one.recording is not None and one.acked_frame < most.get(one.recording, 0):
            problems.append(f"{most[one.recording]} frames were acknowledged, and later only {one.acked_frame}")
        most[one.recording] = max(most.get(one.recording, 0), one.acked_frame)
    return problems
