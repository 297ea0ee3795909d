"""One run of the fleet: makes the site, lets the boxes go, waits, adds up, and leaves nothing behind.

Concurrency: one thread, which starts processes and looks at them once a second.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from appliance.contract import durable_files
from appliance.contract.errors import PlainSightError, SettingsError
from appliance.contract.problems import explain, location
from appliance.contract.stop_signal import StopSignal

from . import watching
from .parts import FleetError, Part
from .plan import GO, Plan, length_s, shares
from .report import Cost, in_words, report
from .share import CONNECT_S, Found, Share
from .site import START_S, Site, machine, program
from .watching import Seen

A_PROCESS: Final = 400
"""Boxes of one process: paho waits with select(2), which ends at descriptor 1024, and a box has two connections."""
RECORDING_A_PROCESS: Final = 50
"""Recording boxes of one process."""
OPTIONS: Final = {"probe_s": "probe", "drain_minutes": "drain"}
"""Options that are called otherwise than what they set."""
RESULT_S: Final = 300.0
"""So long a process may take to end its requests and to write what it found, in seconds."""
LOOK_S: Final = 1.0
MEASURE_S: Final = 5.0
"""How often CPU and memory are looked at, in seconds."""
TELL_S: Final = 15.0


def run(options: argparse.Namespace) -> int:
    """Run, print the result, and return the exit status."""
    try:
        plan = plan_of(options)
        folder = _folder(options.keep)
    except SettingsError as error:
        tell(f"[--{error.field}] {error.message}" if error.field else error.message)
        return 2
    stop = StopSignal()
    try:
        with stop.listening(hangup=True):
            result = Fleet(plan, folder, stop, postgresql=options.postgresql).run()
    except SettingsError as error:
        tell(error.message)
        return 2
    except PlainSightError as error:
        tell(error.message)
        return 1
    except KeyboardInterrupt:
        return 130
    finally:
        if options.keep is None:
            shutil.rmtree(folder, ignore_errors=True)
        else:
            tell(f"what it made, keys and logs included, lies in {folder}")
    print(json.dumps(result) if options.json else in_words(result), flush=True)  # noqa: T201 - the command's result
    return 0 if result["lost"] == result["twice"] == 0 and not result["problems"] else 1


def plan_of(options: argparse.Namespace) -> Plan:
    """Return what is to be simulated; raise SettingsError that names the option."""
    given = {name: value for name, value in vars(options).items() if name in Plan.model_fields}
    try:
        plan = Plan.model_validate(given)
    except ValidationError as error:
        where = location(error)
        raise SettingsError(explain(error), field=OPTIONS.get(where, where)) from error
    if plan.recording > plan.boxes:
        raise SettingsError(f"of {plan.boxes} boxes not more than all can record", field="recording")
    return plan


def tell(text: str) -> None:
    """Say something on the standard error."""
    # a terminal that was closed reads nothing more, and what was started has to be ended all the same
    with suppress(OSError):
        sys.stderr.write("".join(f"fleet: {line}\n" for line in text.splitlines()))
        sys.stderr.flush()


def _folder(keep: Path | None) -> Path:
    if keep is None:
        return Path(tempfile.mkdtemp(prefix="plainsight-fleet-"))
    try:
        keep.mkdir(parents=True)
    except OSError as error:
        raise SettingsError(f"cannot make {keep}: {error.strerror}; name a new folder", field="keep") from error
    return keep.resolve()


class Fleet:
    """A run."""

    def __init__(self, plan: Plan, folder: Path, stop: StopSignal, *, postgresql: bool) -> None:
        self._plan = plan
        self._folder = folder
        self._stop = stop
        self._site = Site(folder, plan, stop, tell, postgresql=postgresql)
        self._postgresql = postgresql
        dealt = shares(plan, A_PROCESS, RECORDING_A_PROCESS)
        self._shares = [
            Share(plan=plan, boxes=boxes, folder=folder, number=number) for number, boxes in enumerate(dealt)
        ]
        self._boxes: list[Part] = []

    def run(self) -> dict[str, Any]:
        """Do all of it; raise PlainSightError if a part would not start or ended."""
        load = os.getloadavg()[0]
        try:
            self._site.start()
            watcher = self._site.add("watching", [*program(f"{__package__}.watching"), str(self._folder)])
            watcher.start()
            self._start_boxes()
            self._until((self._folder / watching.READY).exists, START_S, "the look into the database")
            before = self._costs()
            started = time.monotonic()
            durable_files.replace(self._folder / GO, str(started).encode(), mode=0o600, durable=False)
            self._watch(started)
            elapsed_s = time.monotonic() - started
            after = self._costs()
            for part in (*self._boxes, watcher):
                if part.process is not None:
                    part.process.send_signal(signal.SIGTERM)
            found = [Found.model_validate_json(self._result(share.found)) for share in self._shares]
            seen = Seen.model_validate_json(self._result(self._folder / watching.SEEN))
        finally:
            for part in self._boxes:
                part.stop()
            self._site.stop()
        costs = {name: replace(used, cpu_s=used.cpu_s - before[name].cpu_s) for name, used in after.items()}
        about = {
            "plan": self._plan.model_dump(),
            "database": "postgresql" if self._postgresql else "sqlite",
            "machine": machine(),
            # what else runs here counts as much as the machine
            "load": {"before": round(load, 1), "after": round(os.getloadavg()[0], 1)},
        }
        return about | report(self._plan, found, seen, costs, elapsed_s)

    def _start_boxes(self) -> None:
        tell(f"starting {self._plan.boxes} boxes in {len(self._shares)} processes")
        for share in self._shares:
            path = self._folder / f"share-{share.number}.json"
            path.write_text(share.model_dump_json())
            command = [*program(f"{__package__}.share"), str(path)]
            log = self._folder / "logs" / f"boxes-{share.number}.log"
            self._boxes.append(Part(f"boxes-{share.number}", command, log, self._site.environment, has_children=False))
            self._boxes[-1].start()
        limit = START_S + CONNECT_S + self._plan.boxes + self._plan.recording * self._plan.minutes * 60
        self._until(lambda: all(share.ready.exists() for share in self._shares), limit, "the boxes to be ready")

    def _watch(self, started: float) -> None:
        """Look at everything until the boxes say that all is over."""
        told = measured = started
        half = started + length_s(self._plan) / 2
        storm_is_due = self._plan.scenario == "storm"
        while not all(share.over.exists() for share in self._shares):
            self._require_running()
            now = time.monotonic()
            if now - measured >= MEASURE_S:
                measured = now
                self._costs()
            if storm_is_due and now >= half:
                storm_is_due = False
                tell("the broker is started again")
                self._site.restart_broker()
            if now - told >= TELL_S:
                told = now
                over = sum(share.over.exists() for share in self._shares)
                tell(f"{now - started:.0f} s; {over} of {len(self._shares)} processes have all their receipts")
            if self._stop.wait(LOOK_S):
                raise KeyboardInterrupt

    def _costs(self) -> dict[str, Cost]:
        """Return what each part used so far; the boxes are one."""
        for part in (*self._site.parts.values(), *self._boxes):
            part.measure()
        ours = [*self._boxes, self._site.parts["watching"]]
        parts = {name: [part] for name, part in self._site.parts.items() if name != "watching"} | {"fleet": ours}
        return {
            name: Cost(
                sum(part.cpu_s for part in all_of_it),
                sum(part.memory for part in all_of_it),
                max(part.largest for part in all_of_it),
            )
            for name, all_of_it in parts.items()
        }

    def _result(self, path: Path) -> bytes:
        # what writes it ends just then, and with status 0
        self._until(path.exists, RESULT_S, path.name, alive=False)
        return path.read_bytes()

    def _until(self, condition: Callable[[], bool], seconds: float, what: str, *, alive: bool = True) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            if alive:
                self._require_running()
            if time.monotonic() > deadline:
                raise FleetError(f"waited {seconds:.0f} s in vain for {what}")
            if self._stop.wait(0.1):
                raise KeyboardInterrupt

    def _require_running(self) -> None:
        for part in (*self._site.parts.values(), *self._boxes):
            part.require_running()
