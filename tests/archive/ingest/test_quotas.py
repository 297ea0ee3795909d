"""What one box may promise and break: it costs the others nothing, and the custody log a handful of entries."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from archive.custody.actors import Subject
from archive.custody.models import Entry
from archive.ingest import quotas
from archive.recordings.models import Recording, StoredArrival, TailSegment
from tests.archive.ingest.test_refusals import refused
from tests.support.archives import Archive, add_segment_that_does_not_open, batches, send, send_lines, send_start
from tests.support.spools import Recording as Made
from tests.support.spools import make_recording


def closed(client: Any, made: Made) -> Any:
    ((_, body),) = batches(made)
    return send_lines(client, made, body)


def test_recordings_whose_tail_never_comes_count_like_those_that_are_open(
    archive: Archive, client: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A header, a key and one closing line made one without a second of audio: 2.3 million rows an hour."""
    monkeypatch.setattr(quotas, "OPEN", 2)
    for number in range(2):
        made = make_recording(tmp_path / str(number), archive.keys, seconds=1, reason="interrupted", tail=1)
        send_start(client, made)
        assert closed(client, made).status_code == 200
    third = make_recording(tmp_path / "third", archive.keys, seconds=1)
    refused(client.put(f"/api/1/recordings/{third.id}/header", third.header_line, "text/plain"), 429, "quota")


def test_segments_that_are_promised_and_do_not_come_are_bounded(
    archive: Archive, client: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quotas, "TAIL", 3)
    first, second = (
        make_recording(tmp_path / name, archive.keys, seconds=1, reason="interrupted", tail=2) for name in ("a", "b")
    )
    send_start(client, first)
    send_start(client, second)
    assert closed(client, first).status_code == 200
    refused(closed(client, second), 429, "quota")
    assert Recording.objects.get(pk=second.id).state == "receiving"
    assert TailSegment.objects.count() == 2
    # what was promised comes, and then the other one is welcome: nothing is lost
    for number, data in first.tail.items():
        assert client.put(f"/api/1/recordings/{first.id}/tail/{number}", data, "text/plain").status_code == 201
    assert closed(client, second).status_code == 200


def test_a_box_whose_segments_do_not_open_makes_one_entry_for_each_thing_that_is_wrong(
    archive: Archive, client: Any, tmp_path: Path
) -> None:
    """An entry a second would fill the log for good; what is wrong with each segment stands in the signed arrivals."""
    made = make_recording(tmp_path, archive.keys, seconds=1, reason=None)
    for _ in range(30):
        add_segment_that_does_not_open(made)
        made.samples = np.concatenate([made.samples, np.zeros(48000, np.int16)])
    send(client, made)
    entries = Entry.objects.about(Subject.recording(made.id)).filter(code="problem")
    assert entries.count() == 1
    verdicts = {number for arrival in StoredArrival.objects.all() for number in arrival.verdicts}
    assert len(verdicts) == 30
