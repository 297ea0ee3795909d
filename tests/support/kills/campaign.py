"""Several boxes at once, each through its share of the meetings; each waits most of the time."""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random
from types import TracebackType
from typing import Self

from appliance.simulator.microphone.device import SimulatedMicrophone
from tests.support.box.panel_server import PanelServer
from tests.support.box.whole_box import Box
from tests.support.box.writer import speech
from tests.support.lateness import Lateness

from .plan import Plan, draw
from .rounds import Life, Round

SLOW_S = 0.5
"""The promise about unacknowledged seconds holds while an fsync takes less, in seconds (README, promise 3)."""
_SPOKEN_S = 60


class Probe:
    """Tries an fsync of its own on the same disk now and then, to know when the disk is slow."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "probe"
        self._slow: deque[int] = deque(maxlen=1000)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="probe")

    def since(self, moment_ns: int) -> bool:
        """Tell whether an fsync took long that ended after `moment_ns`."""
        return any(ended >= moment_ns for ended in tuple(self._slow))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        with self._file.open("wb", buffering=0) as file:
            while not self._stop.wait(0.25):
                began = time.monotonic()
                file.write(b"x")
                os.fsync(file.fileno())
                if time.monotonic() - began >= SLOW_S:
                    self._slow.append(time.monotonic_ns())


def run(plans: list[list[Plan]], seed: int, told: Callable[[Round], None]) -> tuple[list[Round], list[str]]:
    """Let each box hold its meetings; return what was seen, and what went wrong altogether, in words."""
    rounds: list[Round] = []
    broken: list[str] = []
    lock = threading.Lock()
    folder = Path(tempfile.mkdtemp(prefix="kills-"))
    try:
        spoken = folder / "spoken.raw"
        spoken.write_bytes(speech(48000 * _SPOKEN_S).tobytes())
        with Probe(folder) as probe:
            building = threading.Lock()

            def one(number: int) -> None:
                home = folder / str(number)
                home.mkdir()
                with building:
                    microphone = SimulatedMicrophone(home, spoken, folder)
                with microphone, PanelServer(home) as panel, Lateness() as machine:
                    box = Box(home, panel, microphone, machine)
                    try:
                        life = Life(box, spoken, Random(f"{seed}-{number}"), probe.since)
                        for plan in plans[number]:
                            seen = life.meet(plan)
                            with lock:
                                rounds.append(seen)
                                told(seen)
                    except AssertionError as error:
                        with lock:
                            broken.append(f"box {number}, meeting {len(rounds)}: {error}")
                    finally:
                        box.stop()

            with ThreadPoolExecutor(len(plans), thread_name_prefix="box") as pool:
                list(pool.map(one, range(len(plans))))
    finally:
        shutil.rmtree(folder)
    return rounds, broken


def plans(count: int, boxes: int, seed: int) -> list[list[Plan]]:
    """Draw so many meetings, dealt to so many boxes."""
    random = Random(seed)
    drawn = [draw(random) for _ in range(count)]
    return [drawn[number::boxes] for number in range(min(boxes, count))]
