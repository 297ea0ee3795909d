"""The control page: many archives asked at once, what needs attention first, and a hostile answer harms nothing."""

from __future__ import annotations

import asyncio
import json
import re
import socketserver
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.staticfiles import finders
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from appliance.contract.errors import SettingsError, StorageError
from appliance.contract.times import parse_wall, wall
from archive.control import fetching
from archive.control.districts import ControlPage, District, load
from archive.control.fetching import Answer, ask_all, read_answer
from archive.control.judging import PROBLEMS, Look, judge, look
from archive.control.page import LOOK, as_html, read_look, write
from archive.control.summary import MOST_BYTES, Summary
from tests.archive.control.scenes import GOOD, NOW, changed, district, page_of
from tests.archive.pages import Node, parse
from tests.support.archives import SETTINGS, Archive
from tests.support.certificates import Authority

ROOT = Path(__file__).resolve().parents[3]
TOKEN = "c" * 64


def http(body: bytes, status: str = "200 OK", more: str = "") -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{more}\r\n".encode() + body


def as_json(**members: Any) -> bytes:
    return json.dumps(GOOD.model_dump(mode="json") | members).encode()


def shown(*answers: Answer, before: Look | None = None, now: datetime = NOW) -> tuple[Look, Node]:
    districts = [district(f"District-{number}") for number in range(len(answers))]
    found = look(districts, list(answers), before, now)
    return found, parse(as_html(found, page_of(*districts)))


def test_a_whole_answer_is_read() -> None:
    assert read_answer(http(GOOD.model_dump_json().encode())) == Answer(GOOD)


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        (b"", "unexpected"),
        (b"\x00" * 500, "unexpected"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 500 + b"\r\n", "unexpected"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: " + b"9" * 400 + b"\r\n\r\n{}", "unexpected"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"f" * 40 + b"\r\n{}", "unexpected"),
        (http(b"[" * 9000), "unexpected"),
        (http(b"<html><script>alert(1)</script></html>"), "unexpected"),
        (http(as_json()[:-1]), "unexpected"),
        (http(b"\xff\xfe"), "unexpected"),
        (http(as_json(software="plainsight <script>alert(1)</script>")), "unexpected"),
        (http(as_json(software="plainsight " + "1" * 4000)), "unexpected"),
        (http(as_json(rooms={"ready": -1, "not_ready": 0, "silent": 0})), "unexpected"),
        (http(as_json(rooms={"ready": "12", "not_ready": 0, "silent": 0})), "unexpected"),
        (http(as_json(rooms={"ready": 10**400, "not_ready": 0, "silent": 0})), "unexpected"),
        (http(as_json(free_bytes=1e300)), "unexpected"),
        (http(as_json(free_bytes=True)), "unexpected"),
        (http(as_json(at="0001-01-01T00:00:00.000Z")), "unexpected"),
        (http(as_json(at="9999-12-31T23:59:59.999Z")), "unexpected"),
        (http(as_json(failing=["worker"] * 6)), "unexpected"),
        (http(as_json(failing=["Room 12"])), "unexpected"),
        (http(as_json(student="Zyxa")), "unexpected"),
        (http(as_json(version=2, more="x")), "other-version"),
        (http(as_json(version="2")), "unexpected"),
        (http(b"", "302 Found", "Location: https://elsewhere.example/\r\n"), "unexpected"),
        (http(b"", "401 Unauthorized"), "refused"),
        (http(b"", "404 Not Found"), "off"),
        (http(b"", "503 Service Unavailable"), "failing"),
    ],
)
def test_an_answer_that_is_none_has_a_name_and_nothing_of_it_is_kept(said: bytes, problem: str) -> None:
    assert read_answer(said) == Answer(problem=problem)  # type: ignore[arg-type]  # pytest's parameters have no types


@examples(max_examples=60, deadline=None)
@given(st.binary(max_size=300) | st.binary(max_size=200).map(http))
def test_whatever_bytes_come_there_is_an_answer(said: bytes) -> None:
    answer = read_answer(said)
    assert (answer.summary is None) != (answer.problem is None)


@pytest.mark.parametrize(
    ("told", "verdict", "words"),
    [
        (changed(failing=("worker",)), "wrong", "Its worker does not work"),
        (changed(failing=("listener",), rooms={"ready": 0, "not_ready": 0, "silent": 9}), "wrong", "not hear its box"),
        (
            changed(certificates=({"whose": "pages", "ends_at": "2026-12-03T00:00:00.000Z", "verdict": "warning"},)),
            "warning",
            "The certificate of the pages ends on Thu Dec 3 2026.",
        ),
        (
            changed(certificates=({"whose": "broker", "ends_at": None, "verdict": "wrong"},)),
            "wrong",
            "The certificate of the broker cannot be read.",
        ),
        (changed(rooms={"ready": 9, "not_ready": 2, "silent": 0}), "warning", "2 rooms are not ready."),
        (changed(rooms={"ready": 9, "not_ready": 0, "silent": 1}), "warning", "1 room is silent."),
        (changed(packages={"damaged": 1, "overdue": 0, "oldest_check_s": 1}), "wrong", "1 package is not what"),
        (changed(packages={"damaged": 0, "overdue": 3, "oldest_check_s": 1}), "warning", "3 packages were not checked"),
        (changed(backup_s=None), "wrong", "No backup was ever made."),
        (changed(backup_s=26 * 3600), "warning", "1 day ago"),
        (changed(backup_s=8 * 86400), "wrong", "8 days ago"),
        (changed(free_bytes=361_000_000 * 99), "warning", "room for 99 hours"),
        (changed(free_bytes=361_000_000), "wrong", "room for 1 hour of"),
        (changed(free_bytes=None), "wrong", "Its disk cannot be read."),
        (changed(at=wall(NOW + timedelta(hours=1))), "warning", "1 h ahead of this one"),
        (changed(at=wall(NOW - timedelta(hours=1))), "warning", "1 h behind this one"),
    ],
)
def test_one_thing_that_needs_attention_is_told_by_one_sentence(told: Summary, verdict: str, words: str) -> None:
    (found,) = judge(told, NOW)
    assert found.verdict == verdict
    assert words in found.words


def test_what_needs_attention_comes_first_and_what_is_good_needs_none() -> None:
    found, page = shown(
        Answer(GOOD),
        Answer(changed(rooms={"ready": 1, "not_ready": 0, "silent": 1})),
        Answer(problem="unreachable"),
        Answer(changed(failing=("worker",), backup_s=None)),
    )
    assert [(one.name, one.sign) for one in found.archives] == [
        ("District-3", "at-fault"), ("District-2", "unknown"), ("District-1", "attention"), ("District-0", "ready"),
    ]  # fmt: skip
    assert found.archives[-1].findings == ()
    assert [row.all("a")[0].text for row in page.one("tbody").all("tr")] == [one.name for one in found.archives]
    assert "1 archive with something wrong, 1 does not answer, 1 worth a look, 1 good" in page.one("main").text


def test_who_does_not_answer_is_shown_as_such_with_since_when_until_it_answers() -> None:
    first, page = shown(Answer(GOOD))
    assert "Since" not in page.one("tbody").text
    later, page = shown(Answer(problem="unreachable"), before=first, now=NOW + timedelta(minutes=5))
    again, page = shown(Answer(problem="slow"), before=later, now=NOW + timedelta(hours=5))
    assert again.archives[0].since == wall(NOW + timedelta(minutes=5))
    said = page.one("tbody").text
    assert "Not known: it does not answer" in said
    assert "Since Thu Nov 26 2026, 3:10:00 pm CST. It answered last on Thu Nov 26 2026, 3:05:00 pm CST." in said
    assert said.count("not known") == 4, "nothing that it told before is shown as if it held now"
    back, page = shown(Answer(GOOD), before=again, now=NOW + timedelta(hours=6))
    assert (back.archives[0].since, back.archives[0].problem) == (None, None)
    _, page = shown(Answer(problem="off"))
    assert "It has never answered." in page.one("tbody").text


@pytest.mark.parametrize("problem", PROBLEMS)
def test_every_reason_why_nothing_is_known_is_told_in_words(problem: Any) -> None:
    _, page = shown(Answer(problem=problem))
    assert PROBLEMS[problem].split(":")[0] in page.one("tbody").text


def test_the_operator_s_own_words_are_words_on_the_page(tmp_path: Path) -> None:
    hostile = District(name="<script>alert('x')</script>", url="https://a.example", token_file=Path("/t"))
    found = look([hostile], [Answer(problem="slow")], None, NOW)
    html = as_html(found, ControlPage(title="<b>Us</b>", archives=(hostile,)))
    assert parse(html).all("script") == []
    assert "default-src 'none'" in html


def test_the_folder_holds_all_that_a_web_server_shows_and_what_the_next_look_begins_with(tmp_path: Path) -> None:
    one = district("Springfield")
    found = look([one], [Answer(GOOD)], None, NOW)
    write(tmp_path / "control", found, page_of(one))
    write(tmp_path / "control", found, page_of(one))
    assert read_look(tmp_path / "control") == found
    page = parse((tmp_path / "control" / "index.html").read_text())
    for link in page.all("link"):
        assert (tmp_path / "control" / link.get("href")).is_file()
    style = (tmp_path / "control" / "style.css").read_text()
    (imported,) = re.findall(r'@import url\("([^"]+)"\)', style)
    assert (tmp_path / "control" / imported).is_file()
    (tmp_path / "control" / LOOK).write_text("{")
    assert read_look(tmp_path / "control") is None
    (tmp_path / "file").touch()
    with pytest.raises(Exception, match="name a folder with -o"):
        write(tmp_path / "file", found, page_of(one))


def test_a_style_sheet_that_is_missing_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finders, "find", lambda _name: None)
    one = district("Springfield")
    with pytest.raises(StorageError, match=r"the style sheet style\.css: .* install the archive anew"):
        write(tmp_path, look([one], [Answer(GOOD)], None, NOW), page_of(one))


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("", "archives"),
        ("archives = []", "archives"),
        ('[[archives]]\nname = "A"\nurl = "https://a.example:99999"\ntoken_file = "/t"', "archives.0.url"),
        ('[[archives]]\nname = "A"\nurl = "http://a.example"\ntoken_file = "/t"', "archives.0.url"),
        ('[[archives]]\nname = "A"\nurl = "https://a.example/x"\ntoken_file = "/t"', "archives.0.url"),
        ('[[archives]]\nname = "A"\nurl = "https://u:p@a.example"\ntoken_file = "/t"', "archives.0.url"),
        ('[[archives]]\nname = ""\nurl = "https://a.example"\ntoken_file = "/t"', "archives.0.name"),
        ('[[archives]]\nname = "A\\nB"\nurl = "https://a.example"\ntoken_file = "/t"', "archives.0.name"),
        ('[[archives]]\nname = "A"\nurl = "https://a.example"', "archives.0.token_file"),
        ('[[archives]]\nname = "A"\nurl = "https://a.example"\ntoken_file = "/t"\nca = "x"', "archives.0.ca"),
        ("answer_s = 0\n" + '[[archives]]\nname = "A"\nurl = "https://a.example"\ntoken_file = "/t"', "answer_s"),
        ('time_zone = "Mars"\n[[archives]]\nname = "A"\nurl = "https://a.example"\ntoken_file = "/t"', "time_zone"),
    ],
)
def test_a_wrong_line_of_the_operator_s_file_is_named(tmp_path: Path, text: str, field: str) -> None:
    (tmp_path / "archives.toml").write_text(text)
    with pytest.raises(SettingsError) as told:
        load(tmp_path / "archives.toml")
    assert told.value.field == field
    assert "archives.toml" in told.value.message


def test_two_archives_of_one_name_are_told(tmp_path: Path) -> None:
    one = '[[archives]]\nname = "A"\nurl = "https://{}.example"\ntoken_file = "/t"\n'
    (tmp_path / "archives.toml").write_text(one.format("a") + one.format("b"))
    with pytest.raises(SettingsError, match="two archives have the name A"):
        load(tmp_path / "archives.toml")


def test_the_file_that_the_guide_shows_is_a_good_one(tmp_path: Path) -> None:
    (text,) = re.findall(r"```toml\n(title.*?)```", (ROOT / "docs" / "control.md").read_text(), re.DOTALL)
    (tmp_path / "archives.toml").write_text(text)
    assert len(load(tmp_path / "archives.toml").archives) == 2


class Liar(socketserver.BaseRequestHandler):
    """A server that answers what the test says, and keeps what it was asked."""

    said: Iterator[bytes]
    asked: list[bytes]

    def handle(self) -> None:
        self.asked.append(self.request.recv(65536))
        try:
            for part in self.server.said():  # type: ignore[attr-defined]  # set below
                self.request.sendall(part)
        except OSError:
            return


@contextmanager
def liar(said: Any) -> Iterator[tuple[str, list[bytes]]]:
    asked: list[bytes] = []
    handler = type("One", (Liar,), {"asked": asked})
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads, server.block_on_close = True, False
        server.said = said  # type: ignore[attr-defined]  # the handler's
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}", asked
        finally:
            server.shutdown()
            thread.join()


def test_one_that_sends_for_ever_or_never_costs_the_others_nothing(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text(TOKEN)

    def endless() -> Iterator[bytes]:
        yield b"HTTP/1.1 200 OK\r\n\r\n"
        while True:
            yield b"x" * MOST_BYTES

    never = threading.Event()

    def silent() -> Iterator[bytes]:
        never.wait(60)
        yield b""

    good = http(GOOD.model_dump_json().encode())
    with liar(endless) as huge, liar(silent) as slow, liar(lambda: iter([good])) as whole:
        asked = [
            district("Huge", huge[0], token),
            district("Slow", slow[0], token),
            district("Good", whole[0], token),
            district("Gone", "http://127.0.0.1:1", token),
            district("Tokenless", whole[0], tmp_path / "nowhere"),
        ]
        began = time.monotonic()
        answers = ask_all(asked, 3.0)
        never.set()
    assert [one.problem for one in answers] == ["unexpected", "slow", None, "unreachable", "not-asked"]
    assert answers[2].summary == GOOD
    assert f"Authorization: Bearer {TOKEN}\r\n".encode() in whole[1][0]
    assert len(whole[1]) == 1, "without a token nothing is asked"
    assert time.monotonic() - began < 30


def test_all_are_asked_within_one_time_however_many_hang(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "AT_ONCE", 1)

    async def hang(*_: Any) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(fetching, "_exchange", hang)
    (tmp_path / "token").write_text(TOKEN)
    asked = [district(f"Slow {number}", "http://127.0.0.1:1", tmp_path / "token") for number in range(50)]
    answers = ask_all(asked, 60.0, 0.05)
    assert [one.problem for one in answers] == ["slow"] * len(asked)
    assert "no time left" in answers[-1].detail


@pytest.mark.parametrize("token", ["", "short", "a b" * 20, "ü" * 40])
def test_what_is_no_token_is_sent_to_nobody(tmp_path: Path, token: str) -> None:
    (tmp_path / "token").write_text(token)
    (answer,) = ask_all([district("A", "http://127.0.0.1:1", tmp_path / "token")], 3.0)
    assert answer.problem == "not-asked"
    assert str(tmp_path) in answer.detail


def test_a_real_archive_answers_by_its_pinned_authority_alone(archive: Archive, tmp_path: Path) -> None:
    files, other = Authority.make().server(tmp_path / "own"), Authority.make().server(tmp_path / "other")
    (tmp_path / "token").write_text(TOKEN)
    archive.write_settings(
        f'{SETTINGS}[web]\ncertificate = "{files.certificate}"\nkey = "{files.key}"\n'
        f'[control]\ntoken_file = "{tmp_path / "token"}"\n'
    )
    (tmp_path / "stale").write_text("d" * 64)
    with archive.serving(workers=1, ca=files.ca) as address:
        lines = [
            f'[[archives]]\nname = "{name}"\nurl = "{where}"\nca = "{ca}"\ntoken_file = "{tmp_path / token}"'
            for name, where, ca, token in (
                ("Springfield", address, files.ca, "token"),
                ("Pinned elsewhere", address.replace("127.0.0.1", "localhost"), other.ca, "token"),
                ("Taken back", f"{address}/", files.ca, "stale"),
            )
        ]
        (tmp_path / "archives.toml").write_text("answer_s = 120\n" + "\n".join(lines[:2]))
        done = archive.run(
            "control-page", "--archives", str(tmp_path / "archives.toml"), "-o", str(tmp_path / "page"), "--json"
        )
        (tmp_path / "archives.toml").write_text("answer_s = 120\n" + lines[2])
        archive.run("control-page", "--archives", str(tmp_path / "archives.toml"), "-o", str(tmp_path / "page"))
    found = Look.model_validate_json(done.stdout)
    told = {one.name: one for one in found.archives}
    assert told["Pinned elsewhere"].problem == "untrusted"
    summary = told["Springfield"].summary
    assert summary is not None
    assert abs(parse_wall(summary.at) - datetime.now(UTC)) < timedelta(minutes=10)
    assert "Pinned elsewhere: It was not asked" in done.stderr
    kept = read_look(tmp_path / "page")
    assert kept is not None
    assert [(one.problem, one.answered_at) for one in kept.archives] == [("refused", found.made_at)]
