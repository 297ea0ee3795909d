"""docs/proxies.md: each set-up as printed there, with the real proxy, carries people and boxes."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import time
import tomllib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
import requests

from appliance.contract.request_signature import sign
from appliance.simulator.demo.ports import free_port
from archive.setup.answers import Answers
from archive.setup.written_settings import BEHIND_PROXY, settings_text
from tests.support.archives import Archive, archive_in
from tests.support.box_requests import BoxAuth, batches
from tests.support.certificates import Authority, Files
from tests.support.lateness import Lateness
from tests.support.spools import make_recording
from tests.support.waiting import until

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "proxies.md"
PROXIES = ("nginx", "caddy", "haproxy")
PAGES = f"127.0.0.1:{BEHIND_PROXY}"
"""Where set-up lets the pages listen for a proxy on the same host."""


def shown(language: str) -> str:
    """Return the set-up that the page shows for a proxy."""
    found = re.search(rf"```{language}\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    assert found, f"docs/proxies.md shows nothing for {language}"
    return found[1]


def test_the_settings_shown_are_those_that_set_up_writes_and_each_proxy_asks_there() -> None:
    answers = Answers(host="archive.example.org", user="m.jones", proxy="127.0.0.1")
    home = Path("/var/lib/plainsight-archive")
    written = tomllib.loads(settings_text(answers, home, Path("/var/lib/plainsight-broker")))
    for section, values in tomllib.loads(shown("toml")).items():
        assert values == {name: written[section][name] for name in values}
        assert section == "site" or values == written[section]
    for name in PROXIES:
        assert re.findall(r"127\.0\.0\.1:\d+", shown(name)) == [PAGES], name


HIDES = "proxy_hide_header Referrer-Policy; add_header Referrer-Policy no-referrer always;"
"""What a careful administrator writes into nginx, so that no address leaks."""


def command(name: str, folder: Path, port: int, inner: str, files: Files, *, more: str = "") -> list[str]:
    """Write the page's set-up for this machine's ports and certificate; return what starts it."""
    program = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")
    if program is None:
        pytest.skip(f"{name} is not installed, so docs/proxies.md is NOT tried with it; deploy/test installs it")
    text = shown(name).replace(PAGES, inner)
    path = folder / f"{name}.conf"
    if name == "nginx":
        text = text.replace("location / {", f"location / {{ {more}")
        text = text.replace("listen 443", f"listen 127.0.0.1:{port}").replace("archive.example.org", "localhost")
        text = text.replace("/etc/ssl/archive.pem", str(files.certificate))
        text = text.replace("/etc/ssl/archive.key", str(files.key))
        kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        places = "\n".join(f"{kind}_temp_path {folder}/{kind};" for kind in kinds)
        path.write_text(
            f"user root; daemon off; pid {folder}/pid; error_log stderr; events {{}}\n"
            f"http {{ access_log off; {places}\n{text} }}\n"
        )
        return [program, "-c", str(path), "-p", str(folder)]
    if name == "caddy":
        address = f"https://localhost:{port}"
        text = text.replace(
            "archive.example.org {", f"{address} {{\n    tls {files.certificate} {files.key}\n    bind 127.0.0.1"
        )
        path.write_text("{\n    admin off\n    auto_https disable_redirects\n}\n" + text)
        return [program, "run", "--adapter", "caddyfile", "--config", str(path)]
    both = folder / "both.pem"
    both.write_bytes(files.certificate.read_bytes() + files.key.read_bytes())
    path.write_text(
        text.replace("bind :443", f"bind 127.0.0.1:{port}").replace("/etc/ssl/archive-and-key.pem", str(both))
    )
    return [program, "-db", "-f", str(path)]


@contextmanager
def fronted(archive: Archive, name: str, folder: Path, more: str = "") -> Iterator[tuple[str, Path, int]]:
    """An archive behind the proxy `name`, set up with `more` than the page shows: yields address, authority, port."""
    port = free_port()
    files = Authority.make().server(folder / "tls")
    archive.write_settings(
        f'[site]\nurl = "https://localhost:{port}"\nhosts = ["localhost", "127.0.0.1"]\n'
        '[web]\nproxies = ["127.0.0.1"]\n[sign_in]\nsecond_factor = "optional"\n'
    )
    with archive.serving(workers=1) as inner:
        start = command(name, folder, port, inner.removeprefix("http://"), files, more=more)
        log = (folder / "proxy.log").open("wb")
        process = subprocess.Popen(start, stdout=log, stderr=subprocess.STDOUT, env={"HOME": str(folder)})
        try:
            until(lambda: opens(port), name, alive=lambda: process.poll() is None)
            yield f"https://localhost:{port}", files.ca, port
        finally:
            process.terminate()
            process.wait(60)
            log.close()


def opens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.parametrize("name", PROXIES)
def test_people_and_boxes_reach_the_archive_through_the_real_proxy(
    name: str, tmp_path: Path, machine: Lateness
) -> None:
    with archive_in(tmp_path / "archive") as archive, fronted(archive, name, tmp_path) as (url, ca, port):
        made = make_recording(tmp_path / "spool", archive.keys, seconds=10, rate=96000, segment_frames=96000)
        with requests.Session() as session:
            session.trust_env, session.verify = False, str(ca)
            page = session.get(f"{url}/sign-in/", timeout=60)
            assert page.status_code == 200
            assert "max-age" in page.headers["Strict-Transport-Security"]
            token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
            assert token
            form = {"csrfmiddlewaretoken": token[1], "username": "nobody", "password": "wrong"}
            answer = session.post(f"{url}/sign-in/", data=form, headers={"Referer": f"{url}/sign-in/"}, timeout=60)
            assert answer.status_code != 403, "the form was refused as if it came from elsewhere"
        with requests.Session() as box:
            box.trust_env, box.verify, box.auth = False, str(ca), BoxAuth(archive.keys, verify=str(ca))
            base = f"{url}/api/1/recordings/{made.id}"
            assert box.put(f"{base}/header", data=made.header_line, timeout=60).status_code == 201
            path = f"/api/1/recordings/{made.id}/key"
            signed = sign(archive.keys.courier, archive.keys.box, box.auth.nonce, "PUT", path, body=made.key)
            chunked = requests.put(f"{base}/key", data=iter([made.key]), headers=signed, verify=str(ca), timeout=60)
            assert chunked.status_code == 201, chunked.text
            bodies = [body for _, body in batches(made)]
            assert max(map(len, bodies)) > 1 << 20, "the largest is beyond the limit that proxies have by default"
            states = [box.post(f"{base}/lines", data=body, timeout=60).json()["state"] for body in bodies]
            assert states[-1] == "closed"
        with ExitStack() as stack:
            for _ in range(64):
                one = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
                one.send(b"\x16\x03\x01")
            began_ns = time.monotonic_ns()
            assert requests.get(f"{url}/sign-in/", verify=str(ca), timeout=60).status_code == 200
            assert machine.taken_ns(began_ns, time.monotonic_ns()) < 2_000_000_000


@pytest.mark.parametrize("name", PROXIES)
def test_a_scan_passes_the_real_proxy_and_lies_on_no_disk_of_it(name: str, tmp_path: Path) -> None:
    with archive_in(tmp_path / "archive") as archive, fronted(archive, name, tmp_path) as (url, ca, _):
        # these import models, and `archive_in` has set Django up
        from archive.access.deeds import Deed  # noqa: PLC0415
        from tests.archive.page_fixtures import make_user, sign_in_over_http  # noqa: PLC0415

        # where nginx would put what it keeps on a disk; without it, it answers 500
        shutil.rmtree(tmp_path / "client_body", ignore_errors=True)
        with requests.Session() as browser:
            browser.trust_env, browser.verify = False, str(ca)
            sign_in_over_http(browser, url, make_user("carol", Deed.CORRECT))
            for length, told in ((3, "has no column"), (11, "larger than 10 MB")):
                files = {"file": ("roster.csv", b"id,name\n" + b"1,x\n" * (length << 18), "text/csv")}
                answer = browser.post(f"{url}/rosters/", data={"once": "a" * 32}, files=files, timeout=60)
                assert (answer.status_code, told in answer.text) == (422, True), answer.text[-3000:]


def test_people_sign_in_with_a_real_browser_behind_a_proxy_that_hides_where_forms_come_from(tmp_path: Path) -> None:
    with archive_in(tmp_path / "archive") as archive, fronted(archive, "nginx", tmp_path, HIDES) as (url, ca, _):
        # these import models, and `archive_in` has set Django up
        from tests.archive.page_fixtures import PASSWORD  # noqa: PLC0415
        from tests.archive.ui.test_browser import chromium, real_user  # noqa: PLC0415

        assert requests.get(f"{url}/sign-in/", verify=str(ca), timeout=60).headers["Referrer-Policy"] == "no-referrer"
        real_user()
        with chromium(tmp_path / "profile", "--ignore-certificate-errors") as browser:
            browser.get(f"{url}/sign-in/")
            browser.find_element("name", "username").send_keys("m.jones")
            browser.find_element("name", "password").send_keys(PASSWORD)
            browser.find_element("name", "password").submit()
            until(lambda: "/sign-in/" not in browser.current_url, "signed in")
            assert "Please do that again" not in browser.page_source
