"""What one box may promise and break: it costs the others nothing, and the custody log a handful of entries."""

from __future__ import annotations

import asyncio
import base64
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.db import connection
from django.test.utils import CaptureQueriesContext

from appliance.contract import package_room
from appliance.contract.request_signature import sign
from archive.core.edge import Edge
from archive.custody.actors import Subject
from archive.custody.models import Entry
from archive.ingest import authentication, limits, quotas
from archive.ingest.request_rate import RequestRate
from archive.recordings.models import Recording, StoredArrival, TailSegment
from archive.store.current import store
from tests.support.archives import Archive
from tests.support.box_requests import add_segment_that_does_not_open, batches, send, send_lines, send_start
from tests.support.spools import Keys, make_recording
from tests.support.spools import Recording as Made

from .asked import contents, refused


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


@pytest.mark.parametrize(("limit", "value"), [("OPEN", 2), ("AN_HOUR", 2), ("BYTES_A_DAY", 300_000)])
def test_what_one_box_can_hand_in_is_bounded_and_others_go_on(
    archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, value: int
) -> None:
    client = archive.client()
    monkeypatch.setattr(quotas, limit, value)
    for number in range(2):
        one = make_recording(tmp_path / str(number), archive.keys, seconds=2)
        if limit == "OPEN":
            send_start(client, one)
        else:
            send(client, one)
    third = make_recording(tmp_path / "third", archive.keys, seconds=1)
    refused(client.put(f"/api/1/recordings/{third.id}/header", third.header_line, "text/plain"), 429, "quota")
    assert client.put(f"/api/1/recordings/{one.id}/header", one.header_line, "text/plain").status_code == 200
    other = Keys(box="box-another-one")
    archive.enroll(other)
    client.signer = other
    theirs = make_recording(tmp_path / "theirs", other, seconds=1)
    assert client.put(f"/api/1/recordings/{theirs.id}/header", theirs.header_line, "text/plain").status_code == 201


def test_what_was_begun_already_is_bounded_by_the_day_as_well(
    archive: Archive, client: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # many recordings that are open fill a store as well as new ones do
    monkeypatch.setattr(quotas, "LOOK_BYTES", 1000)
    monkeypatch.setattr(quotas, "BYTES_A_DAY", 350_000)
    one, two = (make_recording(tmp_path / name, archive.keys, seconds=3) for name in ("one", "two"))
    for made in (one, two):
        send_start(client, made)
    (_, first), (_, second), *_ = batches(one, 1)
    (_, third), (_, fourth), *_ = batches(two, 1)
    for made, body in ((one, first), (two, third), (one, second)):
        assert send_lines(client, made, body).status_code == 200
    before = contents()
    answer = send_lines(client, two, fourth)
    refused(answer, 429, "quota")
    assert answer["Retry-After"] == "300"
    assert contents() == before
    other = Keys(box="box-another-one")
    archive.enroll(other)
    client.signer = other
    theirs = make_recording(tmp_path / "theirs", other, seconds=2)
    send(client, theirs)
    client.signer = archive.keys
    Recording.objects.filter(pk=one.id).update(last_arrival_at=datetime.now(UTC) - timedelta(hours=25))
    assert send_lines(client, two, fourth).status_code == 200, "a day later it goes on where it was"


def test_a_day_is_counted_in_the_bytes_that_segments_take_here(archive: Archive, client: Any, made: Made) -> None:
    for _, body in batches(made):
        assert send_lines(client, made, body).status_code == 200
    row = Recording.objects.get(pk=made.id)
    assert row.taken_bytes == sum(store().size(name) for name in store().names("incoming"))


def test_a_box_that_asks_too_often_is_told_when_to_ask_again_and_others_go_on(
    archive: Archive, client: Any, made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [1000.0]
    monkeypatch.setattr(authentication, "_rate", RequestRate(lambda: clock[0]))
    web = settings.ARCHIVE.web.model_copy(update={"box_requests_a_minute": 60})
    monkeypatch.setattr(settings, "ARCHIVE", settings.ARCHIVE.model_copy(update={"web": web}))
    before = contents()
    for _ in range(60):
        assert client.get(f"/api/1/recordings/{made.id}").status_code == 200
    answer = send_lines(client, made, batches(made)[0][1])
    assert "1 s" in refused(answer, 429, "too-many-requests")
    assert answer.headers["Retry-After"] == "1"
    assert contents() == before
    assert not Entry.objects.filter(code="refusal").exists(), "it is no refusal, and nobody fills the log with it"
    other = Keys(box="box-another-one")
    archive.enroll(other)
    client.signer = other
    refused(client.get(f"/api/1/recordings/{'0' * 32}"), 404, "unknown-recording")
    client.signer = archive.keys
    clock[0] += float(answer.headers["Retry-After"])
    assert send_lines(client, made, batches(made)[0][1]).status_code == 200


def test_a_stranger_uses_up_no_boxs_requests(
    archive: Archive, client: Any, made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    rate = RequestRate()
    monkeypatch.setattr(authentication, "_rate", rate)
    client.signer = Keys(box=archive.keys.box)
    for _ in range(5):
        refused(client.get(f"/api/1/recordings/{made.id}"), 401, "unsigned")
    assert rate._buckets == {}


def test_a_request_behind_the_edge_is_signed_for_and_counted_once(
    archive: Archive, made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    rate = RequestRate()
    monkeypatch.setattr(authentication, "_rate", rate)
    path, body = f"/api/1/recordings/{made.id}/lines", batches(made)[0][1]
    signed = sign(archive.keys.courier, archive.keys.box, authentication.new_nonce(), "POST", path, body=body)
    headers = [(name.lower().encode(), value.encode()) for name, value in signed.items()]
    headers += [(b"host", b"testserver"), (b"content-length", str(len(body)).encode())]
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": path, "query_string": b"", "http_version": "1.1"}
    edge = Edge(get_wsgi_application(), threads=1, scheme="http", admit=authentication.admit)
    asyncio.run(edge({**scope, "headers": headers, "client": ("127.0.0.1", 1)}, receive, send))
    assert sent[0]["status"] == 200, sent
    ((left, _),) = rate._buckets.values()
    assert left == settings.ARCHIVE.web.box_requests_a_minute - 1


def test_a_quota_tells_when_to_ask_again(
    archive: Archive, client: Any, made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quotas, "OPEN", 1)
    more = make_recording(tmp_path / "more", archive.keys, seconds=1)
    answer = client.put(f"/api/1/recordings/{more.id}/header", more.header_line, "text/plain")
    refused(answer, 429, "quota")
    assert int(answer.headers["Retry-After"]) > 0


def test_an_unsigned_header_as_large_as_can_be_costs_milliseconds(client: Any) -> None:
    names = ",".join(f'"{n:03x}":0' for n in range(1600))
    line = ('{"type":"x",' + names + "}").encode() + b"\t" + base64.b64encode(bytes(64)) + b"\n"
    assert len(line) < limits.HEADER
    began = time.process_time()
    for _ in range(10):
        refused(client.put(f"/api/1/recordings/{'0' * 32}/header", line, "text/plain"), 400, "bad-format")
    assert time.process_time() - began < 1.0


def test_more_segments_than_a_package_holds(
    archive: Archive, client: Any, made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(package_room, "MAX_SEGMENTS", 2)
    before = contents()
    refused(send_lines(client, made, batches(made)[0][1]), 413, "unsealable")
    assert contents() == before


def test_more_bytes_than_a_package_holds(
    archive: Archive, client: Any, made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(package_room, "MAX_BYTES", 300_000)
    first, *others = batches(made, 1)
    assert send_lines(client, made, first[1]).status_code == 200
    before = contents()
    refused(send_lines(client, made, b"".join(body for _, body in others)), 413, "unsealable")
    assert contents() == before


@pytest.mark.parametrize(
    "shape",
    [
        {"rate": 192000, "segment_frames": 192000, "max_frames": 4 * 3600 * 192000},
        {"rate": 48000, "segment_frames": 1000, "max_frames": 4 * 3600 * 48000},
        {"rate": 48000, "segment_frames": 48000, "max_frames": (1 << 40) - 1},
    ],
    ids=["four hours at 192 kHz", "four hours in segments of 21 ms", "as long as a header can say"],
)
def test_a_recording_that_can_never_be_sealed_is_refused_at_its_first_line(
    archive: Archive, client: Any, tmp_path: Path, shape: dict[str, Any]
) -> None:
    made = make_recording(tmp_path, archive.keys, seconds=1, **shape)
    answer = client.put(f"/api/1/recordings/{made.id}/header", made.header_line, "text/plain")
    assert "limits.cap_s" in refused(answer, 413, "unsealable")
    assert answer.json()["error"]["field"] == "audio.max_frames"
    assert not Recording.objects.exists()


def test_what_a_request_costs_does_not_grow_with_the_ledger_or_the_boxes(
    archive: Archive, client: Any, tmp_path: Path
) -> None:
    many = [make_recording(tmp_path / str(number), archive.keys, seconds=6, segment_frames=2000) for number in range(5)]
    for one in many:
        send_start(client, one)
    counts: list[list[int]] = []
    for turn in range(6):
        counts.append([])
        for one in many:
            with CaptureQueriesContext(connection) as queries:
                assert send_lines(client, one, batches(one, 1)[turn][1]).status_code == 200
            counts[-1].append(len(queries))
            assert not [
                query for query in queries if query["sql"].startswith("SELECT") and "storedarrival" in query["sql"]
            ]
    assert max(map(max, counts[1:-1])) == min(map(min, counts[1:-1]))
