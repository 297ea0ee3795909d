"""docs/proxies.md, HAProxy before two hosts: each of the two may die, or be taken out, at any moment."""

from __future__ import annotations

import csv
import os
import re
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pytest
import requests

from appliance.contract.request_signature import sign
from appliance.courier.mqtt.status_publisher import StatusPublisher
from appliance.courier.settings import CourierSettings
from appliance.courier.status_reader import StatusReader
from appliance.courier.upload.archive_client import ArchiveClient
from appliance.courier.upload.uploader import Uploader
from appliance.simulator.demo.ports import free_port
from archive.authority.authority import Authority
from tests.support.archives import Archive, Served, archive_in
from tests.support.box.courier import Box
from tests.support.box_requests import BoxAuth, batches
from tests.support.certificates import Authority as District
from tests.support.mosquitto import Broker
from tests.support.waiting import until

from .test_proxies import DOCUMENT

HAPROXY: Final = Path("/usr/sbin/haproxy")
NAMES: Final = ("one", "two")
PORTS: Final = {"pages": 443, "boxes": 8443, "broker": 8883}
INNER: Final = {"pages": 8080, "boxes": 8443, "broker": 8883}


def shown() -> str:
    """Return the set-up that the page shows for two hosts."""
    found: list[str] = re.findall(r"```haproxy\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    assert len(found) == 2
    return found[1]


@dataclass(frozen=True)
class Proxy:
    """A running HAProxy with the page's set-up."""

    folder: Path
    ports: dict[str, int]
    """Where it listens, by what the page calls it."""
    inner: dict[str, dict[str, int]]
    """Where it passes on to, for each host."""

    def start(self) -> subprocess.Popen[bytes]:
        """Write its settings for this machine's ports, and start it."""
        text = shown().replace("archive.district.example", "localhost").replace("/etc/haproxy/", f"{self.folder}/")
        for name, port in self.ports.items():
            text = text.replace(f"bind :{PORTS[name]}\n", f"bind 127.0.0.1:{port}\n")
            text = text.replace(f"bind :{PORTS[name]} ", f"bind 127.0.0.1:{port} ")
        sections = re.split(r"(?m)^(?=\w)", text)
        for number, section in enumerate(sections):
            name = section.split("\n", 1)[0].split(" ")[-1]
            for host, address in zip(NAMES, ("10.20.0.11", "10.20.0.12"), strict=True):
                if name in INNER:
                    sections[number] = sections[number].replace(
                        f"server {host} {address}:{INNER[name]}", f"server {host} 127.0.0.1:{self.inner[host][name]}"
                    )
        text = "".join(sections)
        assert "10.20.0" not in text
        path = self.folder / "haproxy.cfg"
        path.write_text(text.replace("global\n", f"global\n    stats socket {self.folder}/stats level admin\n"))
        with (self.folder / "haproxy.log").open("wb") as log:
            process = subprocess.Popen([str(HAPROXY), "-db", "-f", str(path)], stdout=log, stderr=log)
        until((self.folder / "stats").exists, "the proxy", alive=lambda: process.poll() is None)
        return process

    def say(self, words: str) -> str:
        """Tell or ask it something; return what it answers."""
        with socket.socket(socket.AF_UNIX) as asked:
            asked.connect(f"{self.folder}/stats")
            asked.sendall(f"{words}\n".encode())
            with asked.makefile() as answer:
                return answer.read()

    def _rows(self, backend: str) -> dict[str, dict[str, str]]:
        rows = csv.DictReader(self.say("show stat").lstrip("# ").splitlines())
        return {row["svname"]: row for row in rows if row["pxname"] == backend}

    def up(self, backend: str) -> set[str]:
        """Return the hosts to which it passes on."""
        # a server that was not looked at yet counts as up with HAProxy, and not here
        return {
            name for name, row in self._rows(backend).items()
            if name in NAMES and row["status"].startswith("UP") and row["check_status"].startswith("L")
        }  # fmt: skip

    def figure(self, backend: str, host: str, name: str) -> int:
        """Return one of its figures about a host, such as `scur`: sessions now."""
        return int(self._rows(backend)[host][name])

    def url(self, name: str) -> str:
        """Return the address of the pages, or of the boxes' interface."""
        return f"https://localhost:{self.ports[name]}"


@contextmanager
def ended(process: subprocess.Popen[bytes]) -> Iterator[None]:
    try:
        yield
    finally:
        process.terminate()
        process.wait(60)


def kill(host: Served) -> None:
    """End all processes of a web server as a power cut does."""
    for pid in [host.pid, *host.workers()]:
        os.kill(pid, signal.SIGKILL)


@dataclass
class Site:
    """One archive as two hosts have it, and the proxy before them."""

    homes: dict[str, Archive]
    """The archive, as each host sees it."""
    proxy: Proxy
    ca: Path
    """The district's authority."""
    running: dict[str, Served]
    """Web servers that run."""
    stack: ExitStack

    def start(self) -> None:
        """Start what does not run, and return when the proxy passes on to both."""
        for name in set(NAMES) - set(self.running):
            port = self.proxy.inner[name]["pages"]
            served = self.homes[name].serving(workers=1, ca=self.ca, port=port)
            self.running[name] = self.stack.enter_context(served)
        self.wait_for("pages", *NAMES)
        self.wait_for("boxes", *NAMES)

    def wait_for(self, backend: str, *names: str) -> None:
        """Wait until the proxy passes on to these hosts and no other."""
        until(lambda: self.proxy.up(backend) == set(names), f"{backend} to be passed on to {names}")

    def kill(self, name: str) -> None:
        """Let a host die."""
        kill(self.running.pop(name))

    def page(self) -> int:
        """Ask for a page as a browser does, and return the status."""
        with requests.Session() as browser:
            browser.trust_env, browser.verify = False, str(self.ca)
            return browser.get(f"{self.proxy.url('pages')}/sign-in/", timeout=60).status_code


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Two hosts and their proxy; each test begins with both of them up."""
    if not HAPROXY.exists():
        pytest.skip("haproxy is not installed, so docs/proxies.md is NOT tried with it; deploy/test installs it")
    folder = tmp_path_factory.mktemp("site")
    with archive_in(folder / "one") as archive, ExitStack() as stack:
        keys, now = archive.home / "keys", datetime.now(UTC)
        issued = Authority.make(keys, "A district", now).server(["localhost", "127.0.0.1"], now)
        (keys / "web.pem").write_bytes(issued.certificate)
        (keys / "web.key").write_bytes(issued.key)
        (folder / "plainsight-authority.pem").write_bytes((keys / "authority.pem").read_bytes())
        (folder / "plainsight-pages.pem").write_bytes(issued.certificate + issued.key)
        inner = {name: {"pages": (web := free_port()), "boxes": web, "broker": free_port()} for name in NAMES}
        proxy = Proxy(folder, {name: free_port() for name in PORTS}, inner)
        archive.write_settings(
            f'[site]\nurl = "{proxy.url("pages")}"\nhosts = ["localhost", "127.0.0.1"]\n'
            f'[web]\nproxies = ["127.0.0.1"]\ncertificate = "{keys}/web.pem"\nkey = "{keys}/web.key"\n'
            f'[boxes]\nurl = "{proxy.url("boxes")}"\n'
        )
        for shared in ("store", "recording-keys"):
            (archive.home / shared).mkdir(exist_ok=True)
        stack.enter_context(ended(proxy.start()))
        homes = {"one": archive, "two": as_mounted(archive, folder / "two")}
        yield Site(homes, proxy, keys / "authority.pem", {}, stack)


def as_mounted(archive: Archive, home: Path) -> Archive:
    """Return the same archive as another host has it, where what is shared is mounted."""
    home.mkdir()
    for path in archive.home.iterdir():
        (home / path.name).symlink_to(path)
    return replace(archive, home=home)


def test_a_host_that_is_not_ready_gets_nobody_until_it_is_ready_again(site: Site) -> None:
    site.start()
    store = site.homes["two"].home / "store"
    there = store.readlink()
    with requests.Session() as box:
        box.trust_env, box.verify = False, str(site.ca)
        box.auth = BoxAuth(site.homes["one"].keys, verify=str(site.ca))
        unknown = f"{site.proxy.url('boxes')}/api/1/recordings/{'0' * 32}"
        known = box.get(unknown, timeout=60).status_code
        store.unlink()
        store.write_text("the mount is away")
        for backend in ("pages", "boxes"):
            site.wait_for(backend, "one")
        assert [site.page() for _ in range(4)] == [200] * 4
        assert box.get(unknown, timeout=60).status_code == known
        store.unlink()
        store.symlink_to(there)
        site.start()


def test_a_host_that_dies_in_the_middle_of_an_upload_costs_the_box_one_request_and_nothing_else(
    site: Site, tmp_path: Path
) -> None:
    # these import models, and `archive_in` has set Django up
    from archive.custody.models import Entry  # noqa: PLC0415
    from archive.recordings.models import Recording  # noqa: PLC0415
    from archive.sealing.seal import seal  # noqa: PLC0415

    site.start()
    archive = site.homes["one"]
    box = Box(tmp_path / "box", archive.keys)
    made = box.record(seconds=30)
    bodies = [body for _, body in batches(made)]
    assert len(bodies) > 2
    base = f"{site.proxy.url('boxes')}/api/1/recordings/{made.id}"
    site.proxy.say("set server boxes/two state maint")
    auth = BoxAuth(archive.keys, verify=str(site.ca))
    with requests.Session() as session:
        session.trust_env, session.verify, session.auth = False, str(site.ca), auth
        assert session.put(f"{base}/header", data=made.header_line, timeout=60).status_code == 201
        assert session.put(f"{base}/key", data=made.key, timeout=60).status_code == 201
        assert session.post(f"{base}/lines", data=bodies[0], timeout=60).status_code == 200

    def broken_off() -> Iterator[bytes]:
        half = len(bodies[1]) // 2
        yield bodies[1][:half]
        site.proxy.say("set server boxes/two state ready")
        site.kill("one")
        yield bodies[1][half:]

    path = f"/api/1/recordings/{made.id}/lines"
    signed = sign(archive.keys.courier, archive.keys.box, auth.nonce, "POST", path, body=bodies[1])
    with pytest.raises(requests.RequestException):
        requests.post(f"{base}/lines", data=broken_off(), headers=signed, verify=str(site.ca), timeout=60)

    members = box.members(site.proxy.url("boxes"))
    members["archive"]["ca"] = str(site.ca)
    members["times"] = {**members["times"], "connect_s": 30.0, "answer_s": 30.0}
    settings = CourierSettings.model_validate(members)
    status = StatusReader(box.run, box.keys.box)
    uploader = Uploader(settings, ArchiveClient(settings), status, lambda *_: None)
    row = Recording.objects.filter(pk=made.id)

    def one_pass() -> None:
        time.sleep(min(uploader.run_pass(), 0.05))

    until(lambda: row.get().state == "closed", "the rest at the other host", pause=one_pass)
    assert row.get().next_line == len(made.lines)
    seal(made.id)
    until((box.inbox / f"{made.id}.tsv").exists, "the receipt", pause=one_pass)
    assert Entry.objects.filter(code="seal", subject_id=made.id).count() == 1


def test_a_host_that_dies_in_the_middle_of_a_page_costs_people_nothing(site: Site) -> None:
    site.start()
    two = site.running["two"]
    for pid in two.workers():
        os.kill(pid, signal.SIGSTOP)
    with ThreadPoolExecutor(4) as browsers:
        asked = [browsers.submit(site.page) for _ in range(4)]
        until(lambda: site.proxy.figure("pages", "two", "scur") > 0, "a page to wait for the host that stands still")
        site.kill("two")
        assert [one.result(60) for one in asked] == [200] * 4
    assert [site.page() for _ in range(4)] == [200] * 4, "also before the proxy has seen that the host is gone"


def test_the_brokers_port_is_passed_on_with_the_boxes_certificates(site: Site, tmp_path: Path) -> None:
    district = District.make()
    brokers = {
        name: Broker(tmp_path / name, district, port=site.proxy.inner[name]["broker"]) for name in NAMES
    }  # fmt: skip
    box = Box(tmp_path / "box", site.homes["one"].keys)
    files = district.client(tmp_path / "tls", box.keys.box)
    settings = box.settings(
        "http://127.0.0.1:9",
        port=site.proxy.ports["broker"],
        ca=str(files.ca),
        certificate=str(files.certificate),
        key=str(files.key),
    )
    publisher = StatusPublisher(settings, StatusReader(box.run, box.keys.box), "plainsight test")
    try:
        for broker in brokers.values():
            broker.start()
        site.wait_for("broker", *NAMES)
        publisher.start()
        until(lambda: publisher.connected)
        assert refuses_without_certificate(site.proxy.ports["broker"], files.ca)
        until(lambda: [site.proxy.figure("broker", name, "scur") for name in NAMES] == [1, 0])
        brokers["one"].stop(kill=True)
        until(lambda: site.proxy.figure("broker", "two", "scur") == 1 and publisher.connected)
        # whoever stayed at the second one would not be heard by who comes to the first one from now on
        brokers["one"].start()
        until(lambda: [site.proxy.figure("broker", name, "scur") for name in NAMES] == [1, 0] and publisher.connected)
    finally:
        publisher.stop()
        for broker in brokers.values():
            broker.stop()


def refuses_without_certificate(port: int, ca: Path) -> bool:
    """Tell whether what answers there has the district's certificate, and ends a connection that shows none."""
    context = ssl.create_default_context(cafile=str(ca))
    with socket.create_connection(("localhost", port), timeout=60) as plain:
        try:
            with context.wrap_socket(plain, server_hostname="localhost") as connection:
                connection.sendall(b"\x10\x00")
                return connection.recv(1) == b""
        except ssl.SSLCertVerificationError:
            return False
        except (ssl.SSLError, ConnectionError):
            return True
