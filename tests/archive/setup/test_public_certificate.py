"""A public certificate for the pages: boxes go on believing the district's own authority, and only what fits is taken.

Two real web servers with real TLS, as the two units run them.
"""

from __future__ import annotations

import os
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.client import HTTPSConnection
from pathlib import Path

import pytest
import requests

from appliance.contract.enrollment import NoAnswerError
from appliance.contract.errors import SettingsError
from appliance.enrollment.command import enroll
from appliance.simulator.demo.ports import free_port
from archive.authority.authority import Authority, Issued
from archive.setup import command, steps
from archive.setup.answers import Answers
from archive.setup.public_certificate import covers, read_public
from archive.setup.steps import Host
from archive.setup.written_settings import settings_text, site_url
from tests.support.archives import ROOT
from tests.support.waiting import until

HOST = "localhost"
NOW = datetime.now(UTC)


@pytest.fixture(scope="module", autouse=True)
def another_user() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Host, "is_root", False)
        patch.setenv("PYTHONPATH", str(ROOT))
        yield


@dataclass(frozen=True)
class Public:
    """A certificate authority that browsers know, and what it issued for the pages."""

    authority: Authority
    folder: Path

    def issue(self, names: list[str], now: datetime = NOW) -> tuple[Path, Path]:
        return self.write(self.authority.server(names, now))

    def write(self, issued: Issued) -> tuple[Path, Path]:
        certificate, key = self.folder / "fullchain.pem", self.folder / "privkey.pem"
        certificate.write_bytes(issued.certificate + self.authority.pem)
        key.write_bytes(issued.key)
        return certificate, key

    @property
    def root(self) -> Path:
        return self.folder / "authority.pem"


@pytest.fixture(scope="module")
def public(tmp_path_factory: pytest.TempPathFactory) -> Public:
    folder = tmp_path_factory.mktemp("public")
    return Public(Authority.make(folder, "A public authority", NOW), folder)


@pytest.fixture(scope="module")
def host(another_user: None, public: Public, tmp_path_factory: pytest.TempPathFactory) -> Host:
    """An archive that was set up with the public certificate."""
    folder = tmp_path_factory.mktemp("archive")
    certificate, key = public.issue([HOST])
    answers = Answers(
        host=HOST,
        port=free_port(),
        public_port=free_port(),
        user="m.jones",
        new_escrow=folder / "escrow.txt",
        public_certificate=certificate,
        public_key=key,
    )
    made = Host(folder / "home", folder / "broker", folder / "conf.d" / "plainsight.conf", folder / "port.conf")
    outcome = command.set_up(made, answers, lambda _: None)
    assert outcome.address == f"https://{HOST}:{answers.public_port}/"
    return made


@contextmanager
def serving(host: Host, section: str) -> Iterator[tuple[str, int]]:
    """One of the two servers: yields its address and process."""
    text = (host.home / "archive.toml").read_text()
    port = int(text.partition(f"[{section}]")[2].partition('address = "0.0.0.0:')[2].partition('"')[0])
    environment = {**os.environ, "ARCHIVE_HOME": str(host.home), "PYTHONPATH": str(ROOT)}
    option = ["--boxes"] if section == "boxes" else []
    process = subprocess.Popen([sys.executable, "-m", "archive.command", "web", *option], env=environment, cwd="/")
    try:
        until(lambda: listens(port), section, 60, alive=lambda: process.poll() is None)
        yield f"https://{HOST}:{port}", process.pid
    finally:
        process.terminate()
        process.wait(60)


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def status(url: str, authority: Path) -> int:
    with requests.Session() as session:
        session.trust_env = False
        return session.get(f"{url}/sign-in/", verify=str(authority), timeout=60).status_code


def answered(url: str, authority: Path) -> int:
    """Return the status of a request, sent again where its connection ended before a byte of an answer came.

    A worker that ends closes connections on which it has read nothing, and a client may find that out only after it
    wrote. Browsers and boxes then ask on another one, as RFC 9110 section 9.2.2 allows for what is idempotent.
    """
    trusted = ssl.create_default_context(cafile=str(authority))

    def asked() -> int | None:
        connection = HTTPSConnection(HOST, int(url.rpartition(":")[2]), context=trusted, timeout=60)
        with closing(connection):
            try:
                connection.request("GET", "/sign-in/")
                return connection.getresponse().status
            except ssl.SSLCertVerificationError:
                raise
            except (ssl.SSLError, ConnectionError):
                return None

    return until(asked, "an answer")


def served(url: str) -> str:
    port = int(url.rpartition(":")[2])

    def greeted() -> str | None:
        try:
            return ssl.get_server_certificate((HOST, port), timeout=60)
        except (ssl.SSLError, ConnectionError):
            return None

    return until(greeted, "a greeting")


def test_browsers_believe_the_pages_and_boxes_believe_their_own_authority(
    host: Host, public: Public, tmp_path: Path
) -> None:
    district = host.home / "keys" / "authority.pem"
    card = tmp_path / "card"
    card.mkdir()
    host.run("enroll", "Room 1", "-o", str(card), "--json")
    with serving(host, "web") as (pages, _), serving(host, "boxes") as (boxes, _):
        assert status(pages, public.root) == 200
        assert status(boxes, district) == 200
        with pytest.raises(requests.exceptions.SSLError):
            status(pages, district)
        assert f'url = "{boxes}"' in (card / "plainsight-claim.toml").read_text()
        assert enroll(card / "plainsight-claim.toml", tmp_path / "etc").box.startswith("box-")
        # what the two listeners are for: a claim that named the pages could not be used
        host.run("enroll", "Room 2", "-o", str(card), "--json")
        claim = card / "plainsight-claim.toml"
        claim.write_text(claim.read_text().replace(boxes, pages))
        with pytest.raises(NoAnswerError, match="not the archive of this claim"):
            enroll(claim, tmp_path / "other")


def test_renewed_certificates_are_taken_up_while_every_request_is_answered(host: Host, public: Public) -> None:
    district = host.home / "keys" / "authority.pem"
    with serving(host, "web") as (pages, pid), serving(host, "boxes") as (boxes, boxes_pid):
        before = served(pages), served(boxes)
        steps.take_certificate(host, *public.issue([HOST]))
        # another name for the site, so that the certificate is made anew; its file is never away
        settings = host.home / "archive.toml"
        named = settings.read_text().replace('"127.0.0.1"', '"127.0.0.1", "archive.example"', 1)
        assert named != settings.read_text()
        settings.write_text(named)
        assert "web" in host.run("make-certificates", "--json")["made"]
        # what plainsight-archive-certificates.path has systemd do
        for process in (pid, boxes_pid):
            os.kill(process, signal.SIGHUP)

        def taken_up() -> bool:
            assert (answered(pages, public.root), answered(boxes, district)) == (200, 200)
            return all(old != new for old, new in zip(before, (served(pages), served(boxes)), strict=True))

        until(taken_up, "both serve the new certificate", 60)


def test_what_does_not_fit_is_refused_and_the_old_one_stays(host: Host, public: Public) -> None:
    kept = (host.home / "keys" / "public.pem").read_bytes()
    certificate, key = public.issue(["other.example"])
    with pytest.raises(SettingsError, match=r"is for other\.example, and not for localhost"):
        steps.take_certificate(host, certificate, key)
    certificate, key = public.issue([HOST], NOW - timedelta(days=500))
    with pytest.raises(SettingsError, match="ended at"):
        steps.take_certificate(host, certificate, key)
    certificate, key = public.issue([HOST])
    key.write_bytes(public.authority.server([HOST], NOW).key)
    with pytest.raises(SettingsError, match="is not the key of"):
        steps.take_certificate(host, certificate, key)
    key.write_text("no key")
    with pytest.raises(SettingsError, match="cannot read the key"):
        read_public(certificate, key, HOST, NOW)
    certificate.write_text("no certificate")
    with pytest.raises(SettingsError, match="cannot read the certificate"):
        read_public(certificate, key, HOST, NOW)
    assert (host.home / "keys" / "public.pem").read_bytes() == kept


@pytest.mark.parametrize(
    ("names", "host_name", "good"),
    [
        ({"archive.example"}, "archive.example", True),
        ({"*.example"}, "archive.example", True),
        ({"*.example"}, "a.archive.example", False),
        ({"example"}, "archive.example", False),
        (set(), "archive.example", False),
    ],
)
def test_a_star_stands_for_one_label(names: set[str], host_name: str, good: bool) -> None:
    assert covers(names, host_name) is good


def test_only_a_port_below_1024_gets_the_one_capability(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Host, "is_root", True)
    host = Host(tmp_path, low_port=tmp_path / "unit.d" / "port.conf")
    given = {"host": HOST, "user": "x", "public_certificate": Path("/a"), "public_key": Path("/b")}
    steps.allow_low_port(host, Answers.model_validate({**given, "public_port": 8444}))
    assert not host.low_port.exists()
    steps.allow_low_port(host, Answers.model_validate(given))
    assert "AmbientCapabilities=CAP_NET_BIND_SERVICE" in host.low_port.read_text()


def test_behind_a_proxy_the_pages_are_plain_on_this_host_only(tmp_path: Path) -> None:
    near = Answers(host="archive.example", user="x", proxy="127.0.0.1")
    assert site_url(near) == "https://archive.example"
    text = settings_text(near, tmp_path, tmp_path)
    web = text.partition("[web]")[2].partition("[")[0]
    assert 'address = "127.0.0.1:8080"' in web
    assert "certificate" not in web
    assert 'url = "https://archive.example:8443"' in text.partition("[boxes]")[2]
    far = settings_text(Answers(host="archive.example", user="x", proxy="10.0.0.9"), tmp_path, tmp_path)
    assert "web.pem" in far.partition("[web]")[2].partition("[")[0], "what passes over a network is encrypted"


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"public_certificate": "/a.pem"}, "needs its key"),
        ({"public_certificate": "/a.pem", "public_key": "/a.key", "proxy": "10.0.0.9"}, "leave one of them out"),
        ({"proxy": "proxy.example"}, "does not appear to be an IPv4 or IPv6 address"),
    ],
)
def test_answers_that_contradict_each_other_are_refused(given: dict[str, str], told: str) -> None:
    options = command.parser().parse_args(
        ["--host", HOST, "--user", "x", *(f"--{k.replace('_', '-')}={v}" for k, v in given.items())]
    )
    with pytest.raises(SettingsError, match=told):
        command.read_answers(options, None)
