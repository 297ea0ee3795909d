"""One fault under a whole recorder: struck, seen from outside, mended, and what is left compared sample for sample.

Runs in the caller's thread; besides the recorder's processes there are the panel's and the microphone's threads.
"""

from __future__ import annotations

import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np

from appliance.contract.chain import LedgerChecker
from appliance.contract.errors import DeviceError
from appliance.contract.header import Header
from appliance.contract.signed import split_lines
from appliance.recorder.ipc.ring import BLOCK_FRAMES
from appliance.simulator.demo import outside_view
from appliance.simulator.microphone.device import SimulatedMicrophone
from tests.support.box.panel_server import PanelServer
from tests.support.box.whole_box import Box
from tests.support.kills.comparison import lost
from tests.support.lateness import Lateness
from tests.support.waiting import until

from .shim import CannotError, Shim
from .volume import Volume

TELL_S = 5.0
"""The lights tell within so many seconds of the first failed or overdue call."""
STORAGE_CODES = {3, 4}
"""The amber codes for storage (docs/operator.md)."""


@dataclass(frozen=True)
class Lengths:
    """How long things take; short every day, as in the field in a campaign."""

    settings: str
    """Settings of the box, in TOML."""
    ride_s: float
    """How long a fault lasts that the ring rides out."""
    full_s: float
    """The same for a full disk, which is given up sooner."""
    before_s: float
    """So much is acknowledged before the fault."""
    end_s: float
    """A lasting fault ends the recording within so many seconds."""


ROOM = "[limits]\ncap_s = 120.0\nmin_free_bytes = 0\n"
SHORT = Lengths("[times]\nunsafe_s = 10.0\ndrain_s = 3.0\n" + ROOM, ride_s=4.0, full_s=2.0, before_s=2.0, end_s=14.0)
FULL = Lengths(ROOM, ride_s=20.0, full_s=4.0, before_s=10.0, end_s=32.0)


@dataclass
class Scene:
    """What a fault works on."""

    box: Box
    volume: Volume | None
    shim: Shim | None
    lengths: Lengths
    spoken: Path
    """What the microphone hears, over and over."""
    struck_ns: int = 0


@dataclass(frozen=True)
class Fault:
    """One fault."""

    name: str
    on: Literal["tmpfs", "ext4", "shim"]
    strike: Callable[[Scene], None]
    mend: Callable[[Scene], None]
    outcome: Literal["rides", "ends", "refuses", "unready"]
    """The recording goes on without loss, ends visibly, none begins because the disk was at fault before, or an idle
    box is not ready for a while."""
    by_hand: bool = False
    """The recorder has to be ended before it is mended, and started again."""
    full: bool = False
    """It is a full disk, which is given up sooner than a failing one."""
    lengths: Lengths | None = None
    """Lengths of its own, instead of those of the others."""


@dataclass(frozen=True)
class Result:
    """What was seen."""

    fault: str
    outcome: str
    detection_s: float
    """From the first failed or overdue call to amber with a storage code, by the panel's log and without what the
    machine was late."""
    dark_s: float | None
    """From there to the red lamp's going out; None: it stayed lit."""
    acknowledged_s: float
    """Seconds of audio that the status called acknowledged when the fault was over."""
    lost_s: float
    """Seconds of it that were not found, or otherwise than the microphone gave them; must be 0."""
    problems: tuple[str, ...]
    """What did not hold."""

    @property
    def held(self) -> bool:
        """Whether everything held."""
        return not self.problems


@dataclass(frozen=True)
class Workshop:
    """What the boxes share."""

    folder: Path
    """Where the microphone's plugin is built."""
    spoken: Path
    """What every microphone hears."""
    library: Path
    """The compiled shim."""
    setting_up: threading.Lock = field(default_factory=threading.Lock)
    """Plugins are built, and loop devices found and taken, one at a time."""


@contextmanager
def stage(fault: Fault, lengths: Lengths, shop: Workshop) -> Iterator[Scene]:
    """Set a box up on the disk that the fault needs, one at a time; leave nothing behind."""
    # short, because the sockets' paths may have 107 bytes
    folder = Path(tempfile.mkdtemp(prefix="disk-"))
    volume: Volume | None = None
    try:
        with shop.setting_up:
            try:
                microphone = SimulatedMicrophone(folder, shop.spoken, shop.folder)
            except DeviceError as error:
                raise CannotError(error.message) from error
        with microphone, PanelServer(folder) as panel, Lateness() as machine:
            box = Box(folder, panel, microphone, machine)
            try:
                shim = Shim(shop.library, folder, folder / "spool") if fault.on == "shim" else None
                if fault.outcome == "refuses":
                    # nothing fails by the shim; it tells when the recorder first asks for its disk
                    shim = Shim(shop.library, folder, folder / "spool")
                    shim.order("open", 0)
                if shim is not None:
                    box.environment = shim.environment
                if fault.on != "shim":
                    with shop.setting_up:
                        volume = Volume(fault.on, folder, folder / "spool")
                yield Scene(box, volume, shim, lengths, shop.spoken)
            finally:
                if volume is not None:
                    volume.thaw()
                box.stop()
    finally:
        if volume is not None:
            volume.close()
        shutil.rmtree(folder)


def play(fault: Fault, scene: Scene) -> Result:
    """Strike while a recording is made (or before), mend, and judge."""
    box = scene.box
    if fault.outcome == "refuses":
        return _before(fault, scene)
    box.start(scene.lengths.settings)
    if fault.outcome == "unready":
        return _idle(fault, scene)
    box.tap()
    until(lambda: box.shows("recording", green="on"), "safe")
    until(lambda: box.status()["acked_frame"] >= scene.lengths.before_s * 48000, "some seconds are safe")
    recording = str(box.status()["recording"])
    scene.struck_ns = time.monotonic_ns()
    fault.strike(scene)
    _await_amber(scene)
    acknowledged = 0
    dark_ns: int | None = None
    if fault.outcome == "rides":
        wait_s = scene.lengths.full_s if fault.full else scene.lengths.ride_s
        # the length of the fault, not a wait for something
        time.sleep(max(0.0, wait_s - (time.monotonic_ns() - scene.struck_ns) / 1e9))
        acknowledged = int(box.status()["acked_frame"])
        fault.mend(scene)
        until(lambda: not box.status()["faults"] and box.light("green") == "on", "safe again")
        acknowledged = max(acknowledged, int(box.status()["acked_frame"]))
        box.end()
    else:
        # the panel goes dark before its log says so
        until(lambda: _dark_ns(scene) is not None, "the recording ends visibly")
        dark_ns = _dark_ns(scene)
        acknowledged = int(box.status()["acked_frame"])
        _mend_after_the_end(fault, scene)
    return _judge(fault, scene, recording, acknowledged, dark_ns)


def _before(fault: Fault, scene: Scene) -> Result:
    """A disk that is at fault before the recorder starts: it is told, and nothing begins."""
    box, problems, shim = scene.box, list[str](), scene.shim
    assert shim is not None
    (box.folder / "spool" / "recordings").mkdir()
    fault.strike(scene)
    scene.struck_ns = time.monotonic_ns()
    box.launch(scene.lengths.settings)
    _await_amber(scene)
    detection = _seconds(box, _amber_ns(scene), until(shim.first_ns, "the recorder asked for its disk"))
    if detection > TELL_S:
        problems.append(f"the lights told after {detection} s")
    box.tap()
    time.sleep(0.5)  # a press that did something would have done it by now
    if any(entry.get("red") for entry in box.log("panel")) or outside_view.open_spans(box.log("microphone")):
        problems.append("a press lit the lamp or opened the microphone although nothing could be recorded")
    fault.mend(scene)
    until(lambda: box.status().get("ready") is True and not box.status()["faults"], "ready once mended")
    return Result(fault.name, "refused", detection, None, 0.0, 0.0, tuple(problems))


def _idle(fault: Fault, scene: Scene) -> Result:
    """A disk that hangs while nobody records: green must not say that the box is ready."""
    box, problems, shim = scene.box, list[str](), scene.shim
    assert shim is not None
    scene.struck_ns = time.monotonic_ns()
    fault.strike(scene)
    first_ns = until(shim.first_ns, "the idle box tries its disk")
    _await_amber(scene)
    detection = _seconds(box, _amber_ns(scene), first_ns)
    if detection > TELL_S:
        problems.append(f"the lights told after {detection} s")
    if box.panel.panel.green == "on":
        problems.append("green says ready while the disk hangs")
    until(lambda: box.status().get("ready") is True and not box.status()["faults"], "ready once it works")
    fault.mend(scene)
    return Result(fault.name, "not ready meanwhile", detection, None, 0.0, 0.0, tuple(problems))


def _mend_after_the_end(fault: Fault, scene: Scene) -> None:
    box = scene.box
    if fault.by_hand:
        box.stop()
        fault.mend(scene)
        (box.folder / "run" / "status.json").unlink()
        box.start(scene.lengths.settings)
    else:
        fault.mend(scene)
    until(lambda: box.status().get("ready") is True, "ready once mended")


def _await_amber(scene: Scene) -> None:
    until(lambda: _amber_ns(scene) is not None, "amber with a storage code")


def _dark_ns(scene: Scene) -> int | None:
    return next(
        (
            entry["t_ns"]
            for entry in reversed(scene.box.log("panel"))
            if entry["t_ns"] >= scene.struck_ns and entry.get("red") is False
        ),
        None,
    )


def _amber_ns(scene: Scene) -> int | None:
    return next(
        (
            entry["t_ns"]
            for entry in scene.box.log("panel")
            if entry["t_ns"] >= scene.struck_ns and entry.get("amber") == "slow" and entry["blinks"] in STORAGE_CODES
        ),
        None,
    )


def _seconds(box: Box, later: int | None, earlier: int) -> float:
    return float("inf") if later is None else round(box.machine.taken_ns(earlier, later) / 1e9, 3)


def _judge(fault: Fault, scene: Scene, recording: str, acknowledged: int, dark_ns: int | None) -> Result:
    box, problems = scene.box, list[str]()
    # without a shim, the strike itself comes before the first failed call: what is measured is too long, if anything
    first_ns = (scene.shim.first_ns() if scene.shim else None) or scene.struck_ns
    detection = _seconds(box, _amber_ns(scene), first_ns)
    if detection > TELL_S:
        problems.append(f"the lights told after {detection} s")
    dark_s = None if dark_ns is None else _seconds(box, dark_ns, first_ns)
    if dark_s is not None and dark_s > scene.lengths.end_s:
        problems.append(f"the recording ended visibly after {dark_s} s")
    if uncovered := box.uncovered():
        problems.append(f"the microphone was open in the dark: {uncovered}")
    folder = box.folder / "spool" / "recordings" / recording
    header_line = (folder / "header.tsv").read_bytes()
    checker = LedgerChecker(Header.read(header_line, box.key.public), header_line)
    for line in split_lines((folder / "ledger.tsv").read_bytes()):
        checker.check_line(line)
    closing = checker.closing
    if closing is None:
        problems.append("the recording was not closed")
    elif fault.outcome == "rides" and (closing.reason != "button" or closing.lost_frames != _starved(box, recording)):
        problems.append(f"closed as {closing.reason}, {closing.lost_frames} frames lost, though the ring rode it out")
    elif fault.outcome == "ends" and closing.reason not in ("fault", "interrupted", "disk-full"):
        problems.append(f"the recording was closed as {closing.reason}")
    if fault.outcome == "rides":
        problems += outside_view.lamp_covers_audio(box.log("panel"), box.log("microphone"), box.ledger(recording))
    missing, words = _lost(box, scene.spoken, recording, acknowledged)
    # where a stream starts anew, one block may hold frames of both sides, and nobody can tell where they meet
    if missing > BLOCK_FRAMES * (len(_started(box)) - 1):
        problems += words
    went = "ridden out" if fault.outcome == "rides" else "ended visibly"
    return Result(fault.name, went, detection, dark_s, acknowledged / 48000, missing / 48000, tuple(problems))


def _lost(box: Box, spoken: Path, recording: str, acknowledged: int) -> tuple[int, list[str]]:
    """Compare with what the microphone was given; return how many acknowledged frames are missing or wrong."""
    heard = np.concatenate([np.zeros(0, np.int16), *box.samples(recording)])
    raw = np.fromfile(spoken, "<i2")
    return lost(heard, box.ledger(recording), acknowledged, raw, _started(box))


def _started(box: Box) -> list[int]:
    return [entry["position"] for entry in box.log("microphone") if entry.get("device") == "started"]


def _starved(box: Box, recording: str) -> int:
    """Return how many frames the machine was too busy to fetch in time, by the microphone's own account.

    A stream that overruns starts anew; no disk is to blame for that, and the gap must be in the ledger.
    """
    entries = box.ledger(recording)
    gaps = [entry.frames for entry in entries if entry.kind == "gap" and box.machine.starves(entry.cause, entry.t_ns)]
    return sum(gaps) if len(gaps) < len(_started(box)) else 0
