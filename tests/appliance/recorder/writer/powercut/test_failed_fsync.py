"""A ledger line whose fsync failed may be in the page cache and not on the disk: recovery must not build on it."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np

from appliance.contract.ids import new_recording_id
from appliance.recorder.storage.disk import Disk
from appliance.recorder.storage.spool import Spool
from appliance.recorder.writer import recovery
from appliance.recorder.writer.recording_file import Begin, RecordingFile
from tests.appliance.recorder.writer.test_spool_faults import BEFORE, SAMPLES, maker, parts
from tests.support.box.writer import RATE, Home, open_recording


class Forgetful(Disk):
    """Shows a ledger's cached end until its cache is dropped."""

    def __init__(self, durable: int) -> None:
        super().__init__()
        self.durable = durable

    def drop_cache(self, descriptor: int, path: Path) -> None:
        if path.name == "ledger.tsv" and self.durable:
            self.truncate(descriptor, self.durable, path)
            self.durable = 0
        super().drop_cache(descriptor, path)


def test_recovery_believes_the_disk_and_not_the_page_cache(tmp_path: Path) -> None:
    home, recording = Home(tmp_path), new_recording_id()
    spool = Spool(home.spool, Disk())
    spool.prepare()
    file = RecordingFile(spool, maker(home), Begin(recording, None, time.monotonic_ns()))
    file.begin()
    for fact in BEFORE:
        file.enter(fact)
    first, second, _ = parts()
    file.add(first)
    durable = (file.folder / "ledger.tsv").stat().st_size
    file.add(second)
    assert recovery.recover(Spool(home.spool, Forgetful(durable)), home.keys.box_signing) == [recording]
    opened = open_recording(home, recording)
    assert np.array_equal(opened.samples, SAMPLES[:RATE])
    assert opened.closing is not None
    assert [tail.segment for tail in opened.closing.unverified_tail] == [1]
