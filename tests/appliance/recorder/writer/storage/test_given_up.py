"""What was given up on a failing disk stays given up, also when the disk is mended before the recording is closed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from appliance.recorder.ipc.messages import WriterFault
from appliance.recorder.storage.disk import FULL
from appliance.recorder.writer import recording_session as session_module
from tests.appliance.recorder.writer.test_recording_session import Case, segments
from tests.support.box.writer import RATE, open_recording, speech


def test_a_disk_mended_after_the_recording_was_given_up_leaves_no_hole_in_the_ledger(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_module, "_RETRY_NS", 5_000_000)
    monkeypatch.setattr(session_module, "_PATIENCE_NS", {FULL: 20_000_000})
    case = Case(tmp_path)
    samples = speech(RATE * 4)
    case.push(samples[:RATE])
    case.work(lambda: case.session.frames >= RATE)
    case.disk.refuses = segments
    case.disk.fault = FULL
    # a second and a half: one segment waits in the queue, half of the next in the timeline
    case.push(samples[RATE : RATE * 5 // 2])
    case.work(lambda: bool(case.told(WriterFault, fatal=True)))
    case.disk.refuses = lambda _: False
    case.close()
    case.end()
    opened = open_recording(case.home, case.recording)
    assert np.array_equal(opened.samples, samples[:RATE])
    assert opened.closing is not None
    assert opened.closing.reason == "button"
