"""The audio for the player: exact bytes, right ranges, and no sound without a custody entry."""

from __future__ import annotations

import io
import json
import threading
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
import soundfile
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext

from archive.custody.models import Head
from archive.recordings.models import PageView
from archive.recordings.views import audio
from archive.sealing.seal import seal
from archive.store.local import LocalStore
from tests.archive.page_fixtures import RATE, Arrive, entries, signed_in, who
from tests.archive.pages import check
from tests.support.archives import Archive
from tests.support.box_requests import send
from tests.support.spools import Recording, noise


def address(recording: Recording) -> str:
    return f"/recordings/{recording.id}/audio.wav"


def body(answer: Any) -> bytes:
    return bytes(answer.getvalue() if answer.streaming else answer.content)


def expected(recording: Recording) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, recording.samples, recording.rate, format="WAV", subtype="PCM_16")
    return file.getvalue()


def player(client: Any, recording: Recording) -> str:
    page = check(client.get(f"/recordings/{recording.id}/").content.decode())
    return page.one("audio").get("src")


def test_the_whole_file_is_the_recording_sample_for_sample(custodian: Any, sealed: Arrive) -> None:
    made = sealed(seconds=3)
    answer = custodian.get(address(made))
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "audio/wav")
    data = body(answer)
    assert answer.headers["Content-Length"] == str(len(data)) == str(44 + 2 * made.frames)
    assert answer.headers["Accept-Ranges"] == "bytes"
    assert answer.headers["Cache-Control"] == "no-store"
    assert data == expected(made)
    samples, rate = soundfile.read(io.BytesIO(data), dtype="int16")
    assert rate == RATE
    assert np.array_equal(samples, made.samples)


@pytest.mark.parametrize(
    ("field", "start", "stop"),
    [
        ("bytes=0-", 0, 48044),
        ("bytes=0-43", 0, 44),
        ("bytes=43-45", 43, 46),
        ("bytes=16043-16044", 16043, 16045),
        ("bytes=20001-40000", 20001, 40001),
        ("bytes=48043-", 48043, 48044),
        ("bytes=-1", 48043, 48044),
        ("bytes=-999999", 0, 48044),
        ("bytes=100-199,200-299", 100, 300),
    ],
)
def test_a_range_is_that_part_of_the_file(custodian: Any, sealed: Arrive, field: str, start: int, stop: int) -> None:
    made = sealed(seconds=3)
    answer = custodian.get(address(made), headers={"range": field})
    assert answer.status_code == 206
    assert answer.headers["Content-Range"] == f"bytes {start}-{stop - 1}/48044"
    assert answer.headers["Content-Length"] == str(stop - start)
    assert body(answer) == expected(made)[start:stop]


def test_listening_to_any_length_costs_one_query_for_the_places_of_its_segments(custodian: Any, sealed: Arrive) -> None:
    made = sealed(seconds=22)
    view = player(custodian, made)
    body(custodian.get(view, headers={"range": "bytes=0-99"}))
    counts = []
    for seconds in (1, 22):
        with CaptureQueriesContext(connection) as queries:
            body(custodian.get(view, headers={"range": f"bytes=44-{43 + 2 * RATE * seconds}"}))
        counts.append(len(queries))
        indexes = [one for one in queries.captured_queries if "recordings_packageindex" in one["sql"]]
        assert len(indexes) == 1
        assert not [one for one in queries.captured_queries if "recordings_storedarrival" in one["sql"]]
    # who asks and what of it that person may hear: orders of courts, grants, filings, restricted passages
    # and what of it is sent: noted before, taken back afterwards
    assert counts[0] == counts[1] <= 20 + connection.features.has_select_for_update, "the lock of the log's end"


def test_segments_of_odd_lengths_join_without_a_seam(custodian: Any, archive: Archive, tmp_path: Any) -> None:

    made = Recording(tmp_path, archive.keys, rate=RATE, segment_frames=RATE)
    made.begin()
    for number, frames in enumerate([RATE, 1, 777, RATE, 7999]):
        made.segment(noise(frames, seed=number))
    made.close()
    send(archive.client(), made)
    seal(made.id)
    whole = expected(made)
    assert body(custodian.get(address(made))) == whole
    for start in range(44, len(whole), 3001):
        answer = custodian.get(address(made), headers={"range": f"bytes={start}-{start + 4000}"})
        assert body(answer) == whole[start : start + 4001]


def test_only_the_segments_of_a_range_are_opened(
    custodian: Any, sealed: Arrive, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = sealed(seconds=10)
    reads: list[int] = []
    original = LocalStore.read_range

    def watched(self: LocalStore, name: str, offset: int, size: int) -> bytes:
        reads.append(offset)
        return original(self, name, offset, size)

    monkeypatch.setattr(LocalStore, "read_range", watched)
    start = 44 + 2 * (4 * RATE + 100)
    answer = custodian.get(address(made), headers={"range": f"bytes={start}-{start + 2 * RATE - 1}"})
    assert body(answer) == expected(made)[start : start + 2 * RATE]
    assert len(reads) == len(set(reads)) == 3, "two segments, and the manifest with their digests, once"
    assert 0 in reads


def test_a_part_is_cut_short_so_that_no_player_holds_a_connection_for_hours(
    custodian: Any, sealed: Arrive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audio, "MOST", 1000)
    made = sealed(seconds=3)
    answer = custodian.get(address(made), headers={"range": "bytes=44-"})
    assert answer.headers["Content-Range"] == "bytes 44-1043/48044"
    assert body(answer) == expected(made)[44:1044]


@pytest.mark.parametrize("field", ["bytes=48044-", "bytes=99999-100000", "bytes=-0"])
def test_a_range_beyond_the_end_is_416(custodian: Any, sealed: Arrive, field: str) -> None:
    made = sealed(seconds=3)
    answer = custodian.get(address(made), headers={"range": field})
    assert answer.status_code == 416
    assert answer.headers["Content-Range"] == "bytes */48044"
    assert not entries(made.id, "listen")


@pytest.mark.parametrize("field", ["seconds=1-2", "bytes=5-1", "bytes=x", "bytes=0-1,10-11"])
def test_a_range_that_makes_no_sense_is_ignored(custodian: Any, sealed: Arrive, field: str) -> None:
    answer = custodian.get(address(sealed(seconds=1)), headers={"range": field})
    assert answer.status_code == 200
    assert len(body(answer)) == 44 + 2 * RATE


def test_if_range_and_conditions(custodian: Any, sealed: Arrive) -> None:
    made = sealed(seconds=1)
    tag = custodian.head(address(made)).headers["ETag"]
    assert tag.startswith('"')
    cases = {tag: 206, '"other"': 200, f"W/{tag}": 200, "Tue, 24 Nov 2026 10:00:00 GMT": 200}
    for value, status in cases.items():
        answer = custodian.get(address(made), headers={"range": "bytes=0-9", "if-range": value})
        assert answer.status_code == status, value
    assert custodian.get(address(made), headers={"if-none-match": tag}).status_code == 304
    assert custodian.get(address(made), headers={"if-match": '"other"'}).status_code == 412


def test_head_tells_the_size_and_is_no_listening(custodian: Any, sealed: Arrive) -> None:
    made = sealed(seconds=3)
    answer = custodian.head(address(made), headers={"range": "bytes=0-9"})
    assert (answer.status_code, answer.headers["Content-Length"], body(answer)) == (200, "48044", b"")
    assert "Content-Range" not in answer.headers
    assert not entries(made.id, "listen")


def test_other_methods_are_refused(custodian: Any, sealed: Arrive) -> None:
    assert custodian.post(address(sealed(seconds=1))).status_code == 405


def test_one_entry_for_each_page_that_was_listened_to(custodian: Any, sealed: Arrive) -> None:
    made = sealed(seconds=3)
    first, second = player(custodian, made), player(custodian, made)
    assert not entries(made.id, "listen"), "opening a page is no listening"
    for field in ("bytes=16044-", "bytes=0-", "bytes=100-200"):
        custodian.get(first, headers={"range": field})
    (entry,) = entries(made.id, "listen")
    assert who(entry) == "user:m.jones"
    assert json.loads(entry.detail) == {"from_second": 1, "how": "player"}
    custodian.get(second, headers={"range": "bytes=0-"})
    assert len(entries(made.id, "listen")) == 2


def test_without_a_page_every_request_is_an_entry(custodian: Any, sealed: Arrive) -> None:
    made = sealed(seconds=1)
    for query in ("", "?view=", f"?view={'0' * 32}"):
        custodian.get(address(made) + query, headers={"range": "bytes=0-9"})
    assert [json.loads(entry.detail)["how"] for entry in entries(made.id, "listen")] == ["direct address"] * 3


def test_another_persons_or_recordings_page_does_not_count(archive: Archive, custodian: Any, sealed: Arrive) -> None:
    made, other = sealed(seconds=1), sealed(seconds=1)
    colleague = signed_in(archive, "p.smith", role="custodian")
    token = player(custodian, made).partition("?")[2]
    custodian.get(f"{address(made)}?{token}")
    colleague.get(f"{address(made)}?{token}")
    custodian.get(f"{address(other)}?{token}")
    assert [who(entry) for entry in entries(made.id, "listen")] == ["user:m.jones", "user:p.smith"]
    assert len(entries(other.id, "listen")) == 1


def test_a_page_of_yesterday_does_not_count(custodian: Any, sealed: Arrive) -> None:

    made = sealed(seconds=1)
    source = player(custodian, made)
    custodian.get(source)
    view = PageView.objects.get()
    PageView.objects.update(opened_at=view.opened_at - timedelta(days=1))
    custodian.get(source)
    assert len(entries(made.id, "listen")) == 2
    player(custodian, made)
    assert PageView.objects.filter(once=False).count() == 1, "old ones are dropped"


def test_of_many_requests_at_once_one_is_the_first(archive: Archive, custodian: Any, sealed: Arrive) -> None:
    made = sealed(seconds=1)
    source = player(custodian, made)
    cookies = custodian.cookies
    statuses: list[int] = []

    def ask() -> None:
        one = archive.client()
        one.cookies = cookies
        statuses.append(one.get(source, headers={"range": "bytes=0-99"}).status_code)
        connections.close_all()

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert statuses == [206] * 6
    assert len(entries(made.id, "listen")) == 1


def test_nobody_listens_before_the_seal(custodian: Any, arrive: Arrive) -> None:
    made = arrive(seconds=1)
    answer = custodian.get(address(made))
    assert answer.status_code == 404
    assert check(answer.content.decode()).one("h1").text == "Not sealed yet"
    assert not entries(made.id, "listen")


def test_without_the_key_nothing_is_played_and_nothing_entered(
    archive: Archive, custodian: Any, sealed: Arrive
) -> None:
    made = sealed(seconds=1)
    (archive.home / "recording-keys" / f"{made.id}.age").unlink()
    answer = custodian.get(address(made))
    assert answer.status_code == 400
    assert check(answer.content.decode()).one("h1").text == "This recording cannot be opened"
    assert not entries(made.id, "listen")


def test_without_an_entry_nothing_is_played(custodian: Any, sealed: Arrive) -> None:
    made = sealed(seconds=1)
    source = player(custodian, made)
    Head.objects.all().delete()
    answer = custodian.get(source)
    assert answer.status_code == 503
    assert not answer.streaming


def test_nothing_decrypted_touches_a_disk(archive: Archive, custodian: Any, sealed: Arrive) -> None:
    made = sealed(seconds=2)
    whole = body(custodian.get(address(made)))
    body(custodian.get(f"/recordings/{made.id}/audio.flac"))
    needle = whole[1000:1200]
    for path in archive.home.rglob("*"):
        assert not path.is_file() or needle not in path.read_bytes(), path
