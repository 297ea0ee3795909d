"""A process of the fleet: some of the boxes, with their couriers.

Concurrency: each box has its publisher's thread; each that records has a thread `uploads-N` for its uploader, as in the
courier, and the others share two, `idle-N`, since they only ask now and then. The main thread lets the meetings grow,
and starts and ends all of them.
"""

from __future__ import annotations

import heapq
import itertools
import logging
import sys
import threading
import time
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict

from appliance.contract import log_format
from appliance.contract.durable_files import replace
from appliance.contract.stop_signal import StopSignal

from .box import SimulatedBox
from .plan import GO, Plan, length_s, meetings

IDLE_THREADS: Final = 2
CONNECTS_A_SECOND: Final = 50
"""How many boxes a process brings to the broker in a second before the start; after an outage all come at once."""
CONNECTING: Final = 8
"""So many boxes of a process are on their way to the broker at once before the start: ten thousand handshakes that wait
for each other on a small machine all come too late, and are begun anew."""
CONNECT_S: Final = 120.0
"""So long the boxes get to connect before the start, in seconds; after it the others are counted as not connected."""
TICK_S: Final = 0.1


class Share(BaseModel):
    """What the process is told."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    plan: Plan
    boxes: list[int]
    """Their numbers; box N lies in the folder `boxes/N`."""
    folder: Path
    """The fleet's."""
    number: int
    """This process's."""

    @property
    def go(self) -> Path:
        """Appears when the fleet starts; holds the moment, in seconds of CLOCK_MONOTONIC."""
        return self.folder / GO

    @property
    def ready(self) -> Path:
        """Appears when this process is ready."""
        return self.folder / f"ready-{self.number}"

    @property
    def found(self) -> Path:
        """The result."""
        return self.folder / f"found-{self.number}.json"

    @property
    def over(self) -> Path:
        """Appears when this process's meetings all have their receipts, or their time is over."""
        return self.folder / f"over-{self.number}"


class Found(BaseModel):
    """What came of it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    begun: int
    frames: int
    received: int
    received_frames: int
    problems: list[str]
    to_receipt_s: list[float]
    behind_s: list[float]
    late_s: float
    turn_late_s: float
    """How late a turn of the main thread was, at most, in seconds: this machine's fault as well."""
    connected: int
    """Boxes that the broker took, when all was over."""
    connected_after_s: list[float]
    """When each came to the broker after the start, or came back to it, in seconds from the start."""
    drained_s: float
    """From the start to the last receipt, in seconds."""


class ShareOfFleet:
    """The boxes of one process."""

    def __init__(self, share: Share, stop: StopSignal) -> None:
        self._share = share
        self._stop = stop
        plan = share.plan
        self.boxes = [
            SimulatedBox(share.folder / "boxes" / str(number), meetings(plan, number), plan.probe_s, stop)
            for number in share.boxes
        ]
        self._connected = [False] * len(self.boxes)
        self._connected_after_s: list[float] = []
        self._turn_late_s = 0.0
        self._threads: list[threading.Thread] = []

    def run(self) -> Found:
        """Hold all meetings, and return what came of them."""
        plan, cut_off = self._share.plan, self._share.plan.scenario == "monday"
        for box in self.boxes:
            box.prepare_backlog()
        if not cut_off:
            self._connect(CONNECTS_A_SECOND)
        self._share.ready.touch()
        started = self._started()
        for box in self.boxes:
            box.network_is_back(started)
        if cut_off:
            # nobody was connected: what comes now is the network's return
            self._connect(0)
        self._start_uploads()
        limit = started + length_s(plan) + plan.drain_minutes * 60
        drained, due = started, time.monotonic()
        while not self._stop.is_set():
            now = time.monotonic()
            self._turn_late_s = max(self._turn_late_s, now - due)
            for box in self.boxes:
                if box.meetings:
                    box.record(started, now)
            self._note_connections(started)
            if not all(box.done for box in self.boxes):
                drained = time.monotonic()
            elif not self._share.over.exists() and now >= started + length_s(plan):
                self._share.over.touch()
            if now > limit and not self._share.over.exists():
                self._share.over.touch()
            due = max(now + TICK_S, time.monotonic())
            self._stop.wait(due - time.monotonic())
        for thread in self._threads:
            thread.join()
        return self._found(drained - started)

    def close(self) -> None:
        """End every connection; the brokers' ones at once, since each is waited for."""
        stopping = [threading.Thread(target=box.publisher.stop) for box in self.boxes]
        for thread in stopping:
            thread.start()
        for thread in stopping:
            thread.join()
        for box in self.boxes:
            box.close()

    def _connect(self, a_second: int) -> None:
        for number, box in enumerate(self.boxes):
            box.publisher.start()
            if a_second:
                self._stop.wait(1 / a_second)
                self._let_connect(self.boxes[: number + 1])
        if not a_second:
            return
        deadline = time.monotonic() + CONNECT_S
        while time.monotonic() < deadline and not all(box.publisher.connected for box in self.boxes):
            if self._stop.wait(TICK_S):
                break
        self._connected = [box.publisher.connected for box in self.boxes]

    def _let_connect(self, boxes: list[SimulatedBox]) -> None:
        """Wait until few of `boxes` are still on their way, or for CONNECT_S."""
        deadline = time.monotonic() + CONNECT_S
        while sum(not box.publisher.connected for box in boxes) >= CONNECTING and time.monotonic() < deadline:
            if self._stop.wait(TICK_S):
                return

    def _started(self) -> float:
        while not self._stop.is_set():
            if self._share.go.exists():
                return float(self._share.go.read_text())
            self._stop.wait(TICK_S)
        return time.monotonic()

    def _note_connections(self, started: float) -> None:
        now = [box.publisher.connected for box in self.boxes]
        came = sum(1 for before, after in zip(self._connected, now, strict=True) if after and not before)
        self._connected_after_s += [time.monotonic() - started] * came
        self._connected = now

    def _start_uploads(self) -> None:
        busy = [box for box in self.boxes if box.meetings]
        idle = [box for box in self.boxes if not box.meetings]
        served = [[box] for box in busy] + [idle[number::IDLE_THREADS] for number in range(IDLE_THREADS)]
        self._threads = [
            threading.Thread(target=self._serve, args=(boxes,), name=f"uploads-{number}")
            for number, boxes in enumerate(served)
            if boxes
        ]
        for thread in self._threads:
            thread.start()

    def _serve(self, boxes: list[SimulatedBox]) -> None:
        """Give each box its pass when it is due."""
        order = itertools.count()
        spread_s = self._share.plan.probe_s / len(boxes) if len(boxes) > 1 else 0.0
        began = time.monotonic()
        # couriers that start together ask together; those of a district did not start together
        due = [(began + number * spread_s, next(order), box.serve) for number, box in enumerate(boxes)]
        heapq.heapify(due)
        while not self._stop.is_set():
            at, _, serve = heapq.heappop(due)
            if at > time.monotonic():
                self._stop.wait(at - time.monotonic())
                if self._stop.is_set():
                    return
            heapq.heappush(due, (time.monotonic() + serve(), next(order), serve))

    def _found(self, drained_s: float) -> Found:
        tallies = [box.tally for box in self.boxes]
        return Found(
            begun=sum(one.begun for one in tallies),
            frames=sum(one.frames for one in tallies),
            received=sum(one.received for one in tallies),
            received_frames=sum(one.received_frames for one in tallies),
            problems=[problem for one in tallies for problem in one.problems],
            to_receipt_s=[seconds for one in tallies for seconds in one.to_receipt_s],
            behind_s=[seconds for one in tallies for seconds in one.behind_s],
            late_s=max((one.late_s for one in tallies), default=0.0),
            turn_late_s=self._turn_late_s,
            connected=sum(self._connected),
            connected_after_s=self._connected_after_s,
            drained_s=drained_s,
        )


def main() -> int:
    """Run the share that the file in the first argument describes."""
    share = Share.model_validate_json(Path(sys.argv[1]).read_bytes())
    logging.basicConfig(level=logging.WARNING, handlers=[log_format.handler("%(asctime)s %(threadName)s %(message)s")])
    stop = StopSignal()
    with stop.listening():
        fleet = ShareOfFleet(share, stop)
        found = fleet.run()
    replace(share.found, found.model_dump_json().encode(), mode=0o600, durable=False)
    fleet.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
