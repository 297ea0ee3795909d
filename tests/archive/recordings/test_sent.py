"""How far people listened: what was really sent of a recording is in its custody log, and not what was asked for."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.test import override_settings
from django.utils import timezone

from appliance.contract.stop_signal import StopSignal
from archive.accounts.models import User
from archive.recordings import listens
from archive.recordings.models import PageView, Recording, Sending
from archive.recordings.parts import Part
from archive.recordings.ranges import Span
from archive.recordings.spans import MOST_TOLD
from archive.recordings.wav import WavFile
from tests.archive.page_fixtures import RATE, Arrive, entries, signed_in
from tests.archive.pages import check
from tests.support.archives import Archive
from tests.support.waiting import until

HEADER = 44


def player(client: Any, recording: Any) -> str:
    page = check(client.get(f"/recordings/{recording.id}/").content.decode())
    return page.one("audio").get("src")


def of(first_s: float, last_s: float) -> dict[str, str]:
    """The header that asks for these seconds."""
    return {"range": f"bytes={HEADER + int(2 * RATE * first_s)}-{HEADER + int(2 * RATE * last_s) - 1}"}


def heard(recording: Any) -> list[str]:
    return [entry.member("spans") for entry in entries(recording.id, "heard")]


def settled(client: Any, recording: Any) -> list[str]:
    client.get(f"/recordings/{recording.id}/custody/")
    return heard(recording)


def test_the_log_says_which_seconds_were_sent(custodian: Any, sealed: Arrive) -> None:
    made = sealed(seconds=30)
    source = player(custodian, made)
    for first, last in ((0, 4), (20, 22.5), (4, 6)):
        custodian.get(source, headers=of(first, last)).getvalue()
    (listen,) = entries(made.id, "listen")
    assert settled(custodian, made) == ["0-6 20-23"]
    (entry,) = entries(made.id, "heard")
    assert (entry.actor_id, entry.member("listen")) == (listen.actor_id, listen.n)
    page = check(custodian.get(f"/recordings/{made.id}/custody/").content.decode())
    assert "was sent sound of it" in page.text.lower()
    assert "0:00 to 0:06, 0:20 to 0:23" in page.text
    assert heard(made) == ["0-6 20-23"], "what is entered is entered once"


def test_of_an_answer_that_is_dropped_only_what_went_out_counts(custodian: Any, sealed: Arrive) -> None:
    made = sealed(seconds=30)
    answer = custodian.get(player(custodian, made), headers=of(10, 30))
    pieces = iter(answer.streaming_content)
    for _ in range(3):
        next(pieces)
    answer.close()
    assert settled(custodian, made) == ["10-13"]


def test_an_answer_of_which_nothing_is_taken_is_no_listening_to_anything(custodian: Any, sealed: Arrive) -> None:
    made = sealed(seconds=3)
    answer = custodian.get(player(custodian, made), headers=of(0, 3))
    answer.close()
    custodian.head(player(custodian, made))
    assert len(entries(made.id, "listen")) == 1
    assert settled(custodian, made) == []


def test_the_header_of_the_file_is_no_sound(custodian: Any, sealed: Arrive) -> None:
    made = sealed(seconds=3)
    custodian.get(player(custodian, made), headers={"range": "bytes=0-43"}).getvalue()
    assert settled(custodian, made) == []


def test_each_request_without_a_page_is_entered_with_what_it_sent(custodian: Any, sealed: Arrive) -> None:
    made = sealed(seconds=5)
    for first in (1, 3):
        custodian.get(f"/recordings/{made.id}/audio.wav", headers=of(first, first + 1)).getvalue()
    assert heard(made) == ["1-2", "3-4"], "at its end, without anybody looking"
    assert [one.member("listen") for one in entries(made.id, "heard")] == [one.n for one in entries(made.id, "listen")]


def test_what_goes_out_as_silence_is_none_of_the_recording(custodian: Any, sealed: Arrive) -> None:
    made = sealed(seconds=10)
    view = listens.enter(User.objects.get(username="m.jones"), Recording.objects.get(pk=made.id), "", 0)
    wav, parts = WavFile(10 * RATE, RATE), (Part(2 * RATE, 3 * RATE), Part(8 * RATE, None))
    span = Span(0, wav.size)
    pieces: Iterator[bytes] = iter([b"\0" * wav.size])
    assert sum(map(len, listens.Sent(view, pieces, span, frame_at=wav.frame_at, parts=parts))) == wav.size
    assert heard(made) == ["2-3 8-10"]


def test_what_goes_out_is_noted_before_it_does(custodian: Any, sealed: Arrive, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that is killed leaves a note of at least what it sent; it counts when nobody can end it any more."""
    monkeypatch.setattr(listens, "AHEAD", 4 * 2 * RATE)
    made = sealed(seconds=20)
    answer = custodian.get(player(custodian, made), headers=of(0, 20))
    pieces = iter(answer.streaming_content)
    noted = []
    for _ in range(6):
        next(pieces)
        row = Sending.objects.get()
        noted.append(row.last_frame // RATE)
    assert noted == [4, 4, 4, 4, 8, 8]
    assert settled(custodian, made) == [], "it goes on"
    Sending.objects.update(at=timezone.now() - 2 * listens.LOST)
    assert settled(custodian, made) == ["0-8"]
    assert not Sending.objects.exists()


def test_a_listening_is_entered_when_it_is_still(custodian: Any, sealed: Arrive) -> None:
    made = sealed(seconds=5)
    source = player(custodian, made)
    custodian.get(source, headers=of(0, 2)).getvalue()
    assert listens.settle_still(StopSignal()) == 0
    PageView.objects.update(sent_at=timezone.now() - 2 * listens.STILL)
    assert listens.settle_still(StopSignal()) == 1
    assert heard(made) == ["0-2"]
    custodian.get(source, headers=of(1, 3)).getvalue()
    PageView.objects.update(sent_at=timezone.now() - 2 * listens.STILL)
    assert (listens.settle_still(StopSignal()), heard(made)) == (1, ["0-2", "1-3"])
    assert listens.settle_still(StopSignal()) == 0


def test_however_often_somebody_seeks_and_looks_the_entries_stay_few(custodian: Any, sealed: Arrive) -> None:
    made = sealed(seconds=60)
    source = player(custodian, made)
    for number in range(listens.MOST_LOOKS + 5):
        custodian.get(source, headers=of(2 * number, 2 * number + 1)).getvalue()
        custodian.get(f"/recordings/{made.id}/custody/")
    assert len(heard(made)) == listens.MOST_LOOKS
    PageView.objects.update(sent_at=timezone.now() - 2 * listens.STILL)
    listens.settle_still(StopSignal())
    assert len(heard(made)) == listens.MOST_LOOKS + 1
    view = PageView.objects.exclude(spans=[])
    assert not view.exists()


def test_an_entry_names_at_most_so_many_spans_and_says_which_gaps_it_closed(custodian: Any, sealed: Arrive) -> None:
    made = sealed(seconds=1)
    player(custodian, made)
    view = PageView.objects.get()
    spans = [[number * 3 * RATE, (number * 3 + 1) * RATE] for number in range(2 * MOST_TOLD)]
    PageView.objects.update(spans=spans, sent_at=timezone.now())
    assert listens.settle([view.pk]) == 1
    (entry,) = entries(made.id, "heard")
    assert len(entry.member("spans").split()) <= MOST_TOLD
    assert entry.member("gaps_s") == 2


def test_what_waits_to_be_entered_outlasts_the_page(custodian: Any, sealed: Arrive) -> None:
    made = sealed(seconds=5)
    custodian.get(player(custodian, made), headers=of(0, 2)).getvalue()
    PageView.objects.update(opened_at=timezone.now() - 2 * listens.VALID)
    player(custodian, made)
    assert heard(made) == ["0-2"]
    player(custodian, made)
    assert not PageView.objects.filter(opened_at__lt=timezone.now() - timedelta(hours=1)).exists()


def session_of(archive: Archive, name: str) -> str:
    """A cookie of somebody who signed in at the real server."""
    secret = (archive.home / "keys" / "django.secret").read_text().strip()
    with override_settings(SECRET_KEY=secret):
        client = signed_in(archive, name, role="custodian")
    return "; ".join(f"{key}={morsel.value}" for key, morsel in client.cookies.items())


@pytest.mark.parametrize("way", ["range", "whole"])
def test_a_client_that_goes_away_in_the_middle_was_not_sent_the_rest(
    archive: Archive, sealed: Arrive, way: str
) -> None:
    """Through the real server: a browser drops an answer when its person seeks or closes the page."""
    made = sealed(seconds=400)
    cookie = session_of(archive, "m.jones")
    asked = "Range: bytes=44-\r\n" if way == "range" else ""
    with archive.serving(workers=1) as url:
        host = urlsplit(url)
        with socket.socket() as line:
            line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            line.connect((str(host.hostname), int(host.port or 0)))
            first = f"GET /recordings/{made.id}/audio.wav HTTP/1.1\r\nHost: {host.netloc}\r\n"
            line.sendall(f"{first}Cookie: {cookie}\r\n{asked}\r\n".encode())
            got = b""
            while len(got) < 60_000:
                got += line.recv(4096)
        assert got.startswith(b"HTTP/1.1 20")
        until(lambda: bool(heard(made)), "what was sent is entered")
    (spans,) = heard(made)
    first, _, last = spans.partition("-")
    assert int(first) == 0
    assert 3 <= int(last) < 60, "what was read was sent, and far from all that was asked for"
