"""The courier's side of a box: the folders that it reads, settings with fast times, and its uploading half driven
by hand."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from appliance.contract.status import CourierProgress, RecorderStatus
from appliance.contract.times import boot_id
from appliance.courier.settings import CourierSettings
from appliance.courier.status_reader import StatusReader
from appliance.courier.upload.archive_client import ArchiveClient
from appliance.courier.upload.uploader import Uploader
from tests.support.box.folder import BoxFolder
from tests.support.fake_archive import FakeArchive
from tests.support.spools import Recording, make_recording
from tests.support.waiting import PATIENCE_S, until

FAST = {
    "poll_s": 0.05,
    "gather_s": 0.05,
    "connect_s": 2.0,
    "answer_s": 2.0,
    "retry_s": 0.05,
    "retry_max_s": 0.2,
    "spread_s": 0.05,
    "refused_s": 0.2,
    "refused_max_s": 0.5,
    "receipt_s": 0.02,
    "receipt_max_s": 0.1,
    "probe_s": 0.1,
    "report_s": 2.0,
    "counting_s": 0.2,
}


class Box(BoxFolder):
    """One box as its courier finds it."""

    _said: dict[str, Any] | None = None

    def record(self, **options: Any) -> Recording:
        return make_recording(self.spool, self.keys, **options)

    def say(self, **members: Any) -> RecorderStatus:
        """Write status.json as the supervisor does."""
        self._said = members
        status = RecorderStatus.model_validate(
            {
                "box": self.keys.box,
                "boot_id": boot_id(),
                "monotonic_ns": time.monotonic_ns(),
                "state": "idle",
                "ready": True,
                "recording": None,
                "since_ns": 0,
                **members,
            }
        )
        new = self.run / ".status"
        new.write_text(status.model_dump_json())
        new.rename(self.run / "status.json")
        return status

    @contextmanager
    def saying(self, **members: Any) -> Iterator[None]:
        """Write status.json again and again meanwhile, since a word is stale after two seconds."""
        over = threading.Event()

        def repeat() -> None:
            while not over.wait(0.25):
                self.say(**members)

        self.say(**members)
        thread = threading.Thread(target=repeat, name="supervisor")
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def say_again(self) -> None:
        """Write what was said last as a word of now."""
        if self._said is not None:
            self.say(**self._said)

    def recording_until(self, recording: Recording, acked_line: int) -> None:
        self.say(state="recording", recording=recording.id, acked_line=acked_line)

    def settings(self, url: str, **broker: Any) -> CourierSettings:
        return CourierSettings.model_validate(self.members(url, **broker))

    def courier_key(self) -> Path:
        path = self.root / "courier.key"
        if not path.exists():
            self.keys.courier.save(path)
        return path

    def members(self, url: str, **broker: Any) -> dict[str, Any]:
        return {
            "box": {"id": self.keys.box},
            "spool": {
                "path": str(self.spool),
                "inbox": str(self.inbox),
                "run": str(self.root / "run"),
            },
            "state": {"path": str(self.state)},
            "archive": {"url": url, "key": str(self.courier_key())},
            "broker": {"host": "localhost", "address": str(self.root / "broker.json"), **broker},
            "times": FAST,
        }


class Courier:
    """The uploading half of a courier, driven pass by pass."""

    def __init__(self, box: Box, archive: FakeArchive) -> None:
        self.box = box
        self.archive = archive
        self.events: list[tuple[str, str]] = []
        self.start()

    def start(self) -> None:
        """Begin anew, with nothing remembered, as after a restart."""
        settings = self.box.settings(self.archive.url)
        self.uploader = Uploader(
            settings,
            ArchiveClient(settings),
            StatusReader(self.box.root / "run", self.box.keys.box),
            lambda kind, recording: self.events.append((kind, recording)),
        )

    def passes(self, count: int) -> None:
        for _ in range(count):
            self._pass()

    def until(self, condition: Callable[[], object], seconds: float = PATIENCE_S) -> None:
        """Run passes until `condition()` holds."""
        what = f"what the passes lead to; the archive was asked {self.archive.history[-5:]}"
        until(condition, what, seconds, pause=self._pass)

    def _pass(self) -> None:
        self.box.say_again()
        time.sleep(min(self.uploader.run_pass(), 0.02))

    def receipt(self, recording: Recording) -> Path:
        return self.box.inbox / f"{recording.id}.tsv"

    def send(self, *recordings: Recording) -> None:
        """Run until all receipts lie in the inbox."""
        for recording in recordings:
            self.archive.recordings[recording.id] = recording
        self.until(lambda: all(self.receipt(recording).exists() for recording in recordings))

    def state(self, recording: Recording) -> str | None:
        """What progress.json would say about a recording."""
        found = self.progress.recordings.get(recording.id)
        return found.state if found else None

    @property
    def progress(self) -> CourierProgress:
        return CourierProgress(
            monotonic_ns=0, broker="down", archive=self.uploader.archive, recordings=self.uploader.recordings()
        )
