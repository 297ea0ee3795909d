"""Bad input: an archive that refuses or answers nonsense never counts as a success."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from appliance.contract.errors import SettingsError
from appliance.contract.keys import SigningKey
from appliance.courier.settings import CourierSettings
from appliance.courier.upload.archive_client import (
    MAX_ANSWER_BYTES,
    MAX_WAIT_S,
    NOBODY,
    ArchiveClient,
    DownError,
    RefusedError,
    SlowDownError,
)
from tests.support.box.courier import Box, Courier
from tests.support.certificates import Authority
from tests.support.fake_archive import PORTAL, Answer, FakeArchive, refusal, running_archive


@pytest.fixture
def client(box: Box, archive: FakeArchive) -> ArchiveClient:
    return ArchiveClient(box.settings(archive.url))


NONSENSE = {
    "captive portal": PORTAL,
    "redirect": Answer(302, b"", {"Location": "http://127.0.0.1:9/sign-in"}),
    "empty": Answer(200),
    "other JSON": Answer(200, b"[1, 2, 3]"),
    "other object": Answer(200, b'{"ok": true}'),
    "half an answer": Answer(200, b'{"recording": "'),
    "state of another": Answer(
        200, json.dumps({"recording": "f" * 32, "state": "sealed", "next_line": 9, "frames": 9}).encode()
    ),
    "unknown state": Answer(200, json.dumps({"state": "fine", "next_line": 0, "frames": 0}).encode()),
    "404 of a web server": Answer(404, b"<h1>Not Found</h1>"),
    "403 of a proxy": Answer(403, b"<h1>Forbidden</h1>"),
    "error without a code": Answer(400, b'{"error": {"message": "no"}}'),
    "error that is a text": Answer(400, b'{"error": "no"}'),
    "error without a name": Answer(400, b'["no"]'),
    "endless": Answer(200, b"x" * (2 << 20)),
    "deep": Answer(200, b"[" * 100_000),
    "receipt": Answer(200, b"garbage\n"),
    "500": Answer(500, b"Internal Server Error"),
    "cut": Answer(cut=True),
}


@pytest.mark.parametrize("name", NONSENSE)
def test_nonsense_is_no_success_and_loses_nothing(
    name: str, box: Box, courier: Courier, caplog: pytest.LogCaptureFixture
) -> None:
    recording = box.record(seconds=12, reason="interrupted", tail=1, rate=8000, segment_frames=1000)
    courier.archive.recordings[recording.id] = recording
    courier.archive.rule = lambda _: NONSENSE[name]
    courier.passes(6)
    assert courier.progress.archive == "down"
    assert list(box.inbox.iterdir()) == []
    assert courier.state(recording) == "receiving"
    assert "archive" in caplog.text
    courier.archive.rule = lambda _: None
    courier.until(courier.receipt(recording).exists)
    assert courier.archive.kept[recording.id].lines == recording.lines


@pytest.mark.parametrize("what", ["header", "key", "lines", "tail/12", "state", "receipt"])
def test_a_portal_in_the_place_of_any_one_answer_is_no_success(what: str, box: Box, courier: Courier) -> None:
    """A sign-in page answers 200 to a PUT as well: only the archive's own word about what it has counts."""
    recording = box.record(seconds=12, reason="interrupted", tail=1, rate=8000, segment_frames=1000)
    courier.archive.recordings[recording.id] = recording
    left = [5]

    def sometimes(request: object) -> Answer | None:
        if request.what == what and left[0]:  # type: ignore[attr-defined]
            left[0] -= 1
            return PORTAL
        return None

    courier.archive.rule = sometimes
    courier.until(courier.receipt(recording).exists)
    assert left == [0]
    kept = courier.archive.kept[recording.id]
    assert (kept.key, kept.lines, kept.tail) == (recording.key, recording.lines, recording.tail)


def bad_receipts(box: Box) -> dict[str, Callable[[], bytes]]:
    recording, other = box.record(), box.record()
    good = recording.receipt()
    bad: dict[str, Callable[[], bytes]] = {
        "of another recording": other.receipt,
        "of another box": lambda: recording.receipt(box="box-0000"),
        "changed": lambda: good.replace(b'"segments":3', b'"segments":4'),
        "signed by another than it names": lambda: recording.receipt(archive_key=SigningKey.generate().public),
        "two lines": lambda: good + good,
        "cut": lambda: good[:-10],
        "a header instead": lambda: recording.header_line,
    }
    return {**bad, "": recording.id.encode}


@pytest.mark.parametrize(
    "name",
    ["of another recording", "of another box", "changed", "signed by another than it names", "two lines", "cut"],
)
def test_what_is_no_receipt_for_this_recording_never_reaches_the_inbox(
    name: str, box: Box, client: ArchiveClient, archive: FakeArchive
) -> None:
    receipts = bad_receipts(box)
    recording = receipts[""]().decode()
    archive.rule = lambda _: Answer(200, receipts[name]())
    with pytest.raises(DownError, match="receipt"):
        client.receipt(recording)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed_wherever_it_leads(
    status: int, box: Box, client: ArchiveClient, archive: FakeArchive
) -> None:
    """Whoever answers in the archive's place must not be able to send recordings somewhere else."""
    with running_archive() as elsewhere:
        state = {"recording": NOBODY, "state": "sealed", "next_line": 9, "frames": 9}
        elsewhere.rule = lambda _: Answer(200, json.dumps(state).encode())
        archive.rule = lambda request: Answer(
            status, b"", {"Location": f"{elsewhere.url}/api/1/recordings/{NOBODY}/{request.what}"}
        )
        for ask in (
            lambda: client.state(NOBODY),
            lambda: client.put_header(NOBODY, b"x"),
            lambda: client.post_lines(NOBODY, b"x"),
            lambda: client.receipt(NOBODY),
        ):
            with pytest.raises(DownError, match="redirects elsewhere"):
                ask()
        assert elsewhere.history == []


def test_not_sealed_is_no_error(client: ArchiveClient, archive: FakeArchive) -> None:
    archive.rule = lambda _: refusal("not-sealed", 404)
    assert client.receipt("0" * 32) is None


def test_a_refusal_carries_the_archives_code(client: ArchiveClient, archive: FakeArchive) -> None:
    archive.rule = lambda _: refusal("not-enrolled", 403, "enroll it")
    with pytest.raises(RefusedError, match="enroll it") as caught:
        client.put_header("0" * 32, b"x")
    assert caught.value.answer_code == "not-enrolled"


@pytest.mark.parametrize(("length", "error"), [(MAX_ANSWER_BYTES, RefusedError), (MAX_ANSWER_BYTES + 1, DownError)])
def test_an_answer_has_at_most_a_megabyte(
    client: ArchiveClient, archive: FakeArchive, length: int, error: type[Exception]
) -> None:
    archive.rule = lambda _: Answer(403, refusal("not-enrolled", 403).body.ljust(length))
    with pytest.raises(error):
        client.put_header("0" * 32, b"x")


@pytest.mark.parametrize(("length", "error"), [(60, RefusedError), (61, DownError)])
def test_a_code_has_at_most_60_letters(
    client: ArchiveClient, archive: FakeArchive, length: int, error: type[Exception]
) -> None:
    archive.rule = lambda _: refusal("a" * length, 403)
    with pytest.raises(error):
        client.put_header("0" * 32, b"x")


@pytest.mark.parametrize(
    ("retry_after", "wait_s"),
    [
        ("7", 7.0),
        ("999999999", MAX_WAIT_S),
        ("", 0.0),
        ("-3", 0.0),
        ("1e9", 0.0),
        ("Fri, 31 Dec 2027 23:59:59 GMT", 0.0),
    ],
)
@pytest.mark.parametrize("body", [refusal("too-many-requests", 429).body, b"<h1>Too Many Requests</h1>"])
def test_whoever_asks_the_box_to_slow_down_is_told_from_a_refusal(
    client: ArchiveClient, archive: FakeArchive, retry_after: str, wait_s: float, body: bytes
) -> None:
    archive.rule = lambda _: Answer(429, body, {"Retry-After": retry_after} if retry_after else {})
    with pytest.raises(SlowDownError) as caught:
        client.post_lines("0" * 32, b"x")
    assert caught.value.wait_s == wait_s


def test_a_quota_is_a_refusal_that_says_when_to_ask_again(client: ArchiveClient, archive: FakeArchive) -> None:
    archive.rule = lambda _: Answer(429, refusal("quota", 429).body, {"Retry-After": "300"})
    with pytest.raises(RefusedError) as caught:
        client.put_header("0" * 32, b"x")
    assert (caught.value.answer_code, caught.value.wait_s) == ("quota", 300.0)


def test_an_archive_that_hangs_is_given_up(box: Box, archive: FakeArchive) -> None:
    members = box.members(archive.url)
    members["times"] = {**members["times"], "answer_s": 0.2}
    client = ArchiveClient(type(box.settings(archive.url)).model_validate(members))
    archive.rule = lambda _: Answer(200, hang_s=1.0)
    with pytest.raises(DownError, match=r"(?i)timed out"):
        client.probe()


def test_proxies_of_the_environment_are_not_asked(
    box: Box, archive: FakeArchive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    ArchiveClient(box.settings(archive.url)).probe()
    assert archive.history


def test_another_authority_is_not_believed_by_a_box_that_was_given_its_own(box: Box, tmp_path: Path) -> None:
    own = Authority.make().server(tmp_path / "own", ["127.0.0.1"])
    other = Authority.make().server(tmp_path / "other", ["127.0.0.1"])
    with running_archive(tls=other) as archive:
        members = box.members(archive.url)
        # without one of its own, those that the system trusts
        for given in ({"ca": str(own.ca)}, {}):
            client = ArchiveClient(CourierSettings.model_validate({**members, "archive": members["archive"] | given}))
            with pytest.raises(DownError, match="CERTIFICATE_VERIFY_FAILED"):
                client.probe()
            client.close()
    assert archive.history == []


def test_an_unusable_authority_is_named_before_anything_starts(box: Box, tmp_path: Path) -> None:
    members = box.members("https://archive.example")
    for text in (None, "no certificate"):
        path = tmp_path / "ca.pem"
        if text is not None:
            path.write_text(text)
        members["archive"]["ca"] = str(path)
        with pytest.raises(SettingsError, match=r"ca\.pem") as caught:
            ArchiveClient(type(box.settings("https://a.example")).model_validate(members))
        assert caught.value.field == "archive.ca"


@pytest.mark.parametrize(("cuts", "asked"), [(0, 1), (1, 2), (2, 2)])
def test_a_connection_that_was_closed_without_a_word_is_made_anew_once(
    cuts: int, asked: int, client: ArchiveClient, archive: FakeArchive
) -> None:
    state = {"recording": NOBODY, "state": "receiving", "next_line": 1, "frames": 1}

    def rule(_: object) -> Answer:
        # the request at hand is not in the history yet
        return Answer(cut=True) if len(archive.history) < cuts else Answer(200, json.dumps(state).encode())

    archive.rule = rule
    if cuts < 2:
        assert client.state(NOBODY).next_line == 1
    else:
        with pytest.raises(DownError, match="cannot be reached"):
            client.state(NOBODY)
    assert len(archive.history) == asked


@pytest.mark.parametrize("status", [500, 503])
def test_an_archive_that_says_why_it_cannot_work_is_asked_again(
    client: ArchiveClient, archive: FakeArchive, status: int
) -> None:
    archive.rule = lambda _: refusal("storage", status, "the disk is full")
    with pytest.raises(DownError, match="the disk is full"):
        client.post_lines("0" * 32, b"x")
