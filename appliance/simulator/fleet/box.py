"""One simulated box: the real courier's uploader and status publisher, and meetings in place of a recorder.

Concurrency: the publisher has its thread, as in the courier. The uploader is driven by whoever calls `serve`, one
thread at a time. Meetings grow in the thread that calls `record`. What both need is replaced as a whole, never changed.
"""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ConfigDict

from appliance.contract.errors import PlainSightError
from appliance.contract.keys import SigningKey
from appliance.contract.settings_file import load_settings
from appliance.contract.status import RecorderStatus, SilentStatus
from appliance.contract.stop_signal import StopSignal
from appliance.contract.times import boot_id
from appliance.contract.version import software
from appliance.courier import settings as courier
from appliance.courier.mqtt.status_publisher import TURN_S, StatusPublisher
from appliance.courier.status_reader import StatusReader
from appliance.courier.upload.archive_client import ArchiveClient
from appliance.courier.upload.uploader import Uploader

from .plan import Meeting
from .recording import RATE, BoxKeys, SimulatedRecording

IDLE_TURN_S: Final = 5.0
"""How often the publisher of a box that never records looks at its status, in seconds: thousands share this machine's
cores, and nothing of theirs changes but the report that is due every half minute."""
IDLE_POLL_S: Final = 15.0
"""How often the spool of such a box is looked at, in seconds, for the same reason."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class _Keys(_Part):
    archive_recipient: str
    escrow_recipient: str
    archive_key: str


class _Recorder(_Part):
    """What the fleet takes from the settings that enrollment wrote."""

    keys: _Keys


class StatusInMemory(StatusReader):
    """The recorder's word without its file: thousands of boxes would write twice a second each."""

    def __init__(self, box: str) -> None:
        super().__init__(Path("/nonexistent"), box)
        self.now = RecorderStatus(
            box=box,
            boot_id=boot_id(),
            monotonic_ns=time.monotonic_ns(),
            state="idle",
            ready=True,
            recording=None,
            since_ns=time.monotonic_ns(),
            panel="simulated",
        )
        """What the box does; its time is that of the look."""

    def read(self) -> RecorderStatus | SilentStatus:
        """Return it as of now."""
        return self.now.model_copy(update={"monotonic_ns": time.monotonic_ns()})


@dataclass
class Tally:
    """What became of one box's meetings."""

    begun: int = 0
    frames: int = 0
    """Frames of the meetings that ended."""
    received: int = 0
    """Meetings with a receipt for exactly their bytes."""
    received_frames: int = 0
    """Frames in these."""
    problems: list[str] = field(default_factory=list)
    """Receipts that were for other bytes."""
    to_receipt_s: list[float] = field(default_factory=list)
    """From each meeting's end, or the network's return, to its receipt, in seconds."""
    behind_s: list[float] = field(default_factory=list)
    """While a meeting was held: how much of what was recorded the archive did not have yet, in seconds."""
    late_s: float = 0.0
    """How much later than due a second of audio was made, at most, in seconds: this machine's fault, not the archive's.
    """


class SimulatedBox:
    """One box. Its folder is as `plainsight enroll` leaves it."""

    def __init__(self, folder: Path, meetings: list[Meeting], probe_s: float, stop: StopSignal) -> None:
        """Read what enrollment wrote into `folder`; raise SettingsError or KeyFileError."""
        self.tally = Tally()
        self.meetings = meetings
        self._folder = folder
        settings = _settings(folder, probe_s, is_idle=not meetings)
        keys = load_settings(folder / "recorder.toml", _Recorder, "enroll the box again").keys
        self._keys = BoxKeys(
            settings.box.id,
            SigningKey.load(folder / "box.key"),
            [keys.archive_recipient, keys.escrow_recipient],
            keys.archive_key,
        )
        self._status = StatusInMemory(settings.box.id)
        self._client = ArchiveClient(settings, stop)
        turn_s = TURN_S if meetings else IDLE_TURN_S
        self.publisher = StatusPublisher(settings, self._status, software(), turn_s)
        self._uploader = Uploader(settings, self._client, self._status, self._on_event)
        self._left = list(meetings)
        self._current: SimulatedRecording | None = None
        self._meeting = Meeting(0.0, 1)
        self._waiting: dict[str, tuple[SimulatedRecording, float]] = {}
        """Meetings that ended and have no receipt, with when they ended or the network came back (CLOCK_MONOTONIC)."""

    @property
    def done(self) -> bool:
        """Whether every meeting was held and has its receipt."""
        return not self._left and self._current is None and not self._waiting

    def prepare_backlog(self) -> None:
        """Hold the meetings of the time without a network, all at once."""
        while self._left and self._left[0].backlog:
            meeting = self._left.pop(0)
            made = self._begin()
            for _ in range(meeting.length_s):
                made.add_second(time.monotonic_ns())
            self._end(made)

    def network_is_back(self, now: float) -> None:
        """Count the time to the receipts from `now` on."""
        self._waiting = {name: (made, now) for name, (made, _) in self._waiting.items()}

    def record(self, started: float, now: float) -> None:
        """Hold the meetings of the fleet that began at `started`, up to `now`, both of CLOCK_MONOTONIC in seconds."""
        if self._current is None and self._left and now >= started + self._left[0].begins_s:
            self._meeting = self._left.pop(0)
            self._current = self._begin()
        made = self._current
        if made is None:
            return
        due = min(int(now - started - self._meeting.begins_s), self._meeting.length_s)
        while made.frames < due * RATE:
            made.add_second(time.monotonic_ns())
            captured = started + self._meeting.begins_s + made.frames / RATE
            self.tally.late_s = max(self.tally.late_s, time.monotonic() - captured)
        self._say(state="recording", recording=made.id, frames=made.frames, acked_frame=made.frames)
        if due == self._meeting.length_s:
            self._end(made)
            self._current = None
            self._say(state="idle", recording=None)

    def serve(self) -> float:
        """Do one pass of the uploader, and return how long the next one can wait, in seconds."""
        pause = self._uploader.run_pass()
        made = self._current
        if made is not None:
            progress = self._uploader.recordings().get(made.id)
            self.tally.behind_s.append((made.frames - (progress.frames if progress else 0)) / RATE)
        return pause

    def close(self) -> None:
        """Close what is open; the publisher is stopped by its own `stop`."""
        self._client.close()

    def _begin(self) -> SimulatedRecording:
        self.tally.begun += 1
        return SimulatedRecording(self._folder / "spool", self._keys, time.monotonic_ns())

    def _end(self, made: SimulatedRecording) -> None:
        made.close(time.monotonic_ns())
        self.tally.frames += made.frames
        self._waiting[made.id] = (made, time.monotonic())

    def _say(self, **members: Any) -> None:
        made = self._current
        lines = made.lines if made is not None else 0
        since = self._status.now.since_ns if members["state"] == self._status.now.state else time.monotonic_ns()
        self._status.now = self._status.now.model_copy(update={**members, "acked_line": lines, "since_ns": since})

    def _on_event(self, kind: str, recording: str) -> None:
        """Take a receipt as a box's writer does: look whether it is for exactly these bytes, then delete them."""
        self.publisher.publish_event(kind, recording)
        found = self._waiting.get(recording)
        if kind != "sealed" or found is None:
            return
        made, since = found
        try:
            line = (self._folder / "inbox" / f"{recording}.tsv").read_bytes()
            problem = made.problem_with(line)
        except (OSError, PlainSightError) as error:
            problem = str(error)
        if problem:
            self.tally.problems.append(f"{recording}: {problem}")
            return
        self.tally.to_receipt_s.append(time.monotonic() - since)
        self.tally.received += 1
        self.tally.received_frames += made.frames
        shutil.rmtree(made.folder)
        del self._waiting[recording]


def _settings(folder: Path, probe_s: float, *, is_idle: bool) -> courier.CourierSettings:
    """Return the courier's settings as enrollment wrote them, with the folders of this box."""
    read = courier.load(folder / "courier.toml")
    mqtt = folder / "mqtt"
    for name in ("spool/recordings", "inbox", "courier"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    changed = {
        "spool": courier.Spool(
            path=folder / "spool", inbox=folder / "inbox", run=folder / "run", reports=folder / "reports"
        ),
        "state": courier.State(path=folder / "courier"),
        "broker": read.broker.model_copy(
            update={
                "address": mqtt / "broker.json",
                "ca": mqtt / "ca.pem",
                "certificate": mqtt / "client.pem",
                "key": mqtt / "client.key",
            }
        ),
        "times": courier.Times(probe_s=probe_s, **({"poll_s": min(IDLE_POLL_S, probe_s)} if is_idle else {})),
    }
    return read.model_copy(update=changed)
