"""The edge alone: threads never wait for a client, and what one client can take is bounded."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from appliance.contract.enrollment import MAX_MESSAGE
from appliance.contract.outside_package import PIECE
from archive import asgi
from archive.access.routes import ROUTES
from archive.core import edge
from archive.core.edge import Edge
from archive.core.uploads import FORM, FORM_WITH_FILE, LARGEST
from archive.ingest import limits
from archive.records.meetings import opening_views
from tests.support.waiting import PATIENCE_S

BOX = "/api/1/recordings/x/lines"


class Client:
    """One connection: what it sends, what it was sent, and how fast it reads."""

    def __init__(self, path: str, parts: list[bytes] | None = None, **headers: str) -> None:
        self.scope = {
            "type": "http",
            "method": "POST" if parts else "GET",
            "path": path,
            "query_string": b"",
            "http_version": "1.1",
            "client": ("192.0.2.7", 1234),
            "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()],
        }
        self.parts = parts if parts is not None else [b""]
        self.sent: list[dict[str, Any]] = []
        self.reads = asyncio.Event()
        self.reads.set()
        self.leaves = asyncio.Event()

    async def receive(self) -> dict[str, Any]:
        if not self.parts:
            await self.leaves.wait()
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": self.parts.pop(0), "more_body": bool(self.parts)}

    async def send(self, message: dict[str, Any]) -> None:
        await self.reads.wait()
        self.sent.append(message)

    async def ask(self, served: Edge) -> None:
        await served(self.scope, self.receive, self.send)

    @property
    def status(self) -> int:
        return int(self.sent[0]["status"])

    @property
    def body(self) -> bytes:
        return b"".join(one.get("body", b"") for one in self.sent[1:])


class Stream:
    """An answer in a hundred parts, as Django streams one."""

    streaming = True

    def __init__(self) -> None:
        self.given = 0
        self.closed = threading.Event()

    def __iter__(self) -> Iterator[bytes]:
        for _ in range(100):
            self.given += 1
            yield b"x" * 1000

    def close(self) -> None:
        self.closed.set()


def application(environ: dict[str, Any], start: Callable[..., Any]) -> Any:
    """Answer with what arrived, or a stream for /stream."""
    start("200 OK", [("Content-Type", "text/plain")])
    if environ["PATH_INFO"].startswith("/stream"):
        environ["wsgi.stream"] = Stream()
        return environ["wsgi.stream"]
    text = {name: value for name, value in environ.items() if isinstance(value, str)}
    return [json.dumps({**text, "body": environ["wsgi.input"].read().decode()}).encode()]


def serve(**options: Any) -> Edge:
    return Edge(application, **{"threads": 1, "scheme": "https", **options})


def run(story: Any) -> None:
    asyncio.run(asyncio.wait_for(story, 20))


def test_slow_readers_hold_no_thread() -> None:
    async def story() -> None:
        served = serve()
        slow = [Client("/stream") for _ in range(64)]
        for one in slow:
            one.reads.clear()
        tasks = [asyncio.create_task(one.ask(served)) for one in slow]
        quick = Client("/sign-in/")
        await quick.ask(served)
        assert quick.status == 200
        for one in slow:
            one.reads.set()
        await asyncio.gather(*tasks)
        assert all(len(one.body) == 100_000 for one in slow)

    run(story())


def test_slow_senders_hold_no_thread_and_are_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edge, "BODY_S", 0.2)

    async def story() -> None:
        served = serve()
        slow = [Client(BOX, [b"x"], content_length="50000") for _ in range(64)]
        for one in slow:
            one.parts = []
            one.scope["headers"] = [(b"content-length", b"50000")]
        tasks = [asyncio.create_task(_never_ends(one, served)) for one in slow]
        quick = Client(BOX, [b"abc"])
        await quick.ask(served)
        assert json.loads(quick.body)["body"] == "abc"
        await asyncio.gather(*tasks)
        assert {(one.status, json.loads(one.body)["error"]["code"]) for one in slow} == {(408, "too-slow")}

    run(story())


async def _never_ends(client: Client, served: Edge) -> None:
    async def receive() -> dict[str, Any]:
        await asyncio.sleep(0.01)
        return {"type": "http.request", "body": b"", "more_body": True}

    await served(client.scope, receive, client.send)


def test_a_client_that_goes_away_ends_its_stream() -> None:
    made: list[Stream] = []

    def watched(environ: dict[str, Any], start: Callable[..., Any]) -> Any:
        made.append(application(environ, start))
        return made[0]

    async def story() -> None:
        served = Edge(watched, threads=1, scheme="https")
        client = Client("/stream")
        client.reads.clear()
        task = asyncio.create_task(client.ask(served))
        while not made:
            await asyncio.sleep(0.01)
        client.leaves.set()
        await asyncio.sleep(0.01)
        client.reads.set()
        await task
        assert made[0].closed.is_set()
        assert made[0].given < 100

    run(story())


def test_a_reader_that_takes_nothing_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edge, "CHUNK_S", 0.1)

    async def story() -> None:
        client = Client("/stream")
        client.reads.clear()
        await client.ask(serve())
        assert client.sent == []

    run(story())


def test_people_who_fill_their_threads_leave_those_of_boxes() -> None:
    release = threading.Event()

    def blocks(environ: dict[str, Any], start: Callable[..., Any]) -> Any:
        if not environ["PATH_INFO"].startswith("/api/"):
            release.wait(60)
        return application(environ, start)

    async def story() -> None:
        served = Edge(blocks, threads=2, scheme="https")
        people = [asyncio.create_task(Client("/rooms/").ask(served)) for _ in range(20)]
        box = Client(BOX, [b"abc"])
        await box.ask(served)
        assert box.status == 200
        release.set()
        await asyncio.gather(*people)

    run(story())


@pytest.mark.parametrize("parts", [[b"x" * (edge.MAX_BODY + 1)], [b"x" * (1 << 20)] * 17])
def test_more_than_any_request_has_is_refused(parts: list[bytes]) -> None:
    async def story() -> None:
        client = Client(BOX, parts)
        await client.ask(serve())
        assert (client.status, json.loads(client.body)["error"]["code"]) == (413, "too-large")

    run(story())


@pytest.mark.parametrize("length", [str(1 << 40), "9" * 30, "-1", "x"])
def test_an_announced_length_that_cannot_be_is_refused_before_anything_is_read(length: str) -> None:
    async def story() -> None:
        client = Client(BOX, [b"never read"], content_length=length)
        await client.ask(serve())
        assert client.status == 413
        assert client.parts == [b"never read"]

    run(story())


@pytest.mark.parametrize(
    ("path", "most"),
    [
        ("/api/1/enroll", MAX_MESSAGE),
        ("/api/1/renew", MAX_MESSAGE),
        (f"/api/1/recordings/{'0' * 32}/header", limits.HEADER),
        (f"/api/1/recordings/{'0' * 32}/key", limits.KEY),
        ("/sign-in/", FORM),
        ("/nowhere/", FORM),
        (f"/recordings/{'0' * 32}/consents/new/", FORM_WITH_FILE),
        (f"/recordings/{'0' * 32}/transcripts/new/", FORM_WITH_FILE),
        ("/rosters/", FORM_WITH_FILE),
        (BOX, limits.LINES),
    ],
)
def test_no_more_is_read_than_an_address_takes(path: str, most: int) -> None:
    served = serve(longest=asgi.application._longest)
    told, counted, fits = (
        Client(path, [b"x"], content_length=str(most + 1)),
        Client(path, [b"x" * most, b"x"]),
        Client(path, [b"x" * most]),
    )
    for client in (told, counted, fits):
        asyncio.run(client.ask(served))
    assert [told.status, counted.status, fits.status] == [413, 413, 200]
    assert told.parts == [b"x"], "refused before anything is read"


def test_every_form_with_a_file_arrives_as_a_whole_and_no_file_is_larger_than_its_address_takes() -> None:
    """A browser sends a file in one go: where the edge took less than the form, nothing would ever arrive."""
    takes = {name for name, route in ROUTES.items() if route.longest >= FORM_WITH_FILE}
    consents = {"pages:consent-new", "pages:consent-new-outside"}
    assert takes == {"pages:roster", "pages:calendar-import", "pages:transcript-new", *consents}
    assert LARGEST + FORM < FORM_WITH_FILE <= edge.MAX_BODY
    assert ROUTES["pages:outside-piece"].longest == PIECE
    assert ROUTES["pages:opening-events"].longest >= opening_views.MAX_BODY


def test_a_person_is_refused_in_words_and_a_box_in_json() -> None:
    person, box = Client("/rosters/", [b"x"], content_length=str(1 << 30)), Client(BOX, [b"x" * (17 << 20)])
    piece = Client(f"/outside-recordings/{'0' * 32}/pieces.json", [b"x"], content_length=str(1 << 30))
    for client in (person, box, piece):
        asyncio.run(client.ask(serve()))
    assert [person.status, box.status, piece.status] == [413, 413, 413]
    assert person.body.decode().startswith("The archive did not take this: a request here has at most 16777216 bytes")
    for client in (box, piece):
        assert json.loads(client.body)["error"]["code"] == "too-large"


def test_what_all_requests_hold_together_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edge, "MAX_BODIES", 1000)

    async def story() -> None:
        served = serve()
        client = Client(BOX, [b"x" * 2000])
        await client.ask(served)
        assert (client.status, json.loads(client.body)["error"]["code"]) == (503, "busy")
        again = Client(BOX, [b"x" * 900])
        await again.ask(served)
        assert again.status == 200, "what was refused is no longer counted"

    run(story())


def test_what_strangers_send_slowly_takes_no_room_from_boxes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A form is read before anybody signs in; a box's signature is looked at before its body."""
    monkeypatch.setattr(edge, "MAX_BODIES", 1000)

    class Stalls(Client):
        async def receive(self) -> dict[str, Any]:
            if len(self.parts) == 1:
                await self.leaves.wait()
            return await super().receive()

    async def story() -> None:
        served = serve()
        stranger, box, person = (
            Stalls("/sign-in/", [b"x" * 900, b"y"]),
            Client(BOX, [b"x" * 900]),
            Client("/sign-in/", [b"x" * 900]),
        )
        task = asyncio.create_task(stranger.ask(served))
        while len(stranger.parts) > 1:
            await asyncio.sleep(0)
        await box.ask(served)
        await person.ask(served)
        assert (box.status, person.status) == (200, 503)
        stranger.leaves.set()
        await task
        assert stranger.status == 200

    run(story())


def test_no_more_requests_arrive_at_once_than_have_a_place_and_the_others_wait(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Two hundred couriers that are behind send a megabyte each: what waits for a thread would fill the memory."""
    monkeypatch.setattr(edge, "PLACES", 1)
    monkeypatch.setattr(edge, "PLACE_S", PATIENCE_S)
    working, may_end = threading.Semaphore(0), threading.Event()

    def works(environ: dict[str, Any], start: Callable[..., Any]) -> Any:
        working.release()
        may_end.wait(PATIENCE_S)
        return application(environ, start)

    async def story() -> None:
        served = Edge(works, threads=1, scheme="https")
        boxes = [Client(BOX, [b"x" * 100, b"y"]) for _ in range(6)]
        person = Client("/sign-in/", [b"x"])
        tasks = [asyncio.create_task(one.ask(served)) for one in boxes]
        while not working.acquire(blocking=False):
            await asyncio.sleep(0)
        for _ in range(20):
            await asyncio.sleep(0)
        assert sum(not one.parts for one in boxes) == 2, "one has the thread, one waits for it"
        may_end.set()
        await asyncio.gather(*tasks, person.ask(served))
        assert [one.status for one in (*boxes, person)] == [200] * 7

    run(story())


def test_what_arrives_slowly_keeps_no_place_and_whoever_gets_none_is_told_to_come_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(edge, "PLACES", 0)
    monkeypatch.setattr(edge, "PLACE_S", PATIENCE_S)
    monkeypatch.setattr(edge, "QUICK_S", 0.01)

    class Slow(Client):
        async def receive(self) -> dict[str, Any]:
            if len(self.parts) == 1:
                await self.leaves.wait()
            return await super().receive()

    async def story() -> None:
        served = serve()
        slow, other = Slow(BOX, [b"x", b"y"]), Client(BOX, [b"x"])
        task = asyncio.create_task(slow.ask(served))
        await asyncio.sleep(0)
        await other.ask(served)
        assert (other.status, slow.sent) == (200, []), "it did not wait for the slow one"
        slow.leaves.set()
        await task
        assert slow.status == 200
        # one that is quick and has the place for longer
        monkeypatch.setattr(edge, "QUICK_S", PATIENCE_S)
        monkeypatch.setattr(edge, "PLACE_S", 0.01)
        keeps, refused = Slow(BOX, [b"x", b"y"]), Client(BOX, [b"x"])
        task = asyncio.create_task(keeps.ask(served))
        while len(keeps.parts) > 1:
            await asyncio.sleep(0)
        await refused.ask(served)
        assert (refused.status, json.loads(refused.body)["error"]["code"]) == (503, "busy")
        assert refused.parts == [b"x"], "nothing of it was read"
        keeps.leaves.set()
        await task
        assert keeps.status == 200

    run(story())


def test_requests_that_wait_for_their_signature_check_are_bounded_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """A flood of strangers' requests waits in no queue without an end before anybody looked at a signature."""
    monkeypatch.setattr(edge, "MAX_WAITING", 3)
    checked, looks = threading.Event(), list[str]()

    def admit(environ: dict[str, Any]) -> None:
        looks.append(environ["PATH_INFO"])
        checked.wait(PATIENCE_S)

    async def story() -> None:
        served = serve(admit=admit)
        clients = [Client(BOX, [b"x"]) for _ in range(10)]
        tasks = [asyncio.create_task(client.ask(served)) for client in clients]
        while sum(bool(client.sent) for client in clients) < 7:
            await asyncio.sleep(0)  # the ten have one thread and one loop
        checked.set()
        await asyncio.gather(*tasks)
        assert sorted(client.status for client in clients) == [200] * 3 + [503] * 7
        assert len(looks) == 3
        again = Client(BOX, [b"x"])
        await again.ask(served)
        assert again.status == 200, "whose answer was given keeps no place"

    run(story())


def test_chunks_are_joined_and_counted() -> None:
    async def story() -> None:
        client = Client(BOX, [b"ab", b"", b"c"], transfer_encoding="chunked")
        await client.ask(serve())
        seen = json.loads(client.body)
        assert (seen["body"], seen["CONTENT_LENGTH"]) == ("abc", "3")

    run(story())


def test_a_header_with_an_underscore_never_passes_for_another() -> None:
    async def story() -> None:
        client = Client("/x")
        client.scope["headers"] = [(b"x_forwarded_for", b"198.51.100.1")]
        await client.ask(serve())
        assert "HTTP_X_FORWARDED_FOR" not in json.loads(client.body)

    run(story())


@pytest.mark.parametrize(
    ("proxies", "claimed", "address"),
    [
        ([], "198.51.100.1", "192.0.2.7"),
        (["192.0.2.7"], "203.0.113.9, 198.51.100.1", "198.51.100.1"),
        (["192.0.2.7"], "nonsense", "192.0.2.7"),
    ],
)
def test_only_a_known_proxy_is_believed_about_addresses(proxies: list[str], claimed: str, address: str) -> None:
    async def story() -> None:
        client = Client("/x", x_forwarded_for=claimed)
        await client.ask(serve(proxies=proxies))
        assert json.loads(client.body)["REMOTE_ADDR"] == address

    run(story())


def test_the_site_is_https_whatever_the_last_hop_speaks() -> None:
    async def story() -> None:
        client = Client("/x")
        await client.ask(serve())
        assert json.loads(client.body)["wsgi.url_scheme"] == "https"

    run(story())
