"""The settings: whether the addresses that people and boxes are told are ones that the archive answers for."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from django.http.request import validate_host

from appliance.contract.check_result import CheckResult
from appliance.contract.version import software
from archive.configuration.file import Configuration


@dataclass(frozen=True)
class SiteLook:
    """The settings."""

    file: Path
    """Where they stand."""
    exists: bool
    """Whether the file is there; the defaults are for this machine alone."""
    settings: Configuration
    software: str
    """The version that runs."""


def look(settings: Configuration, home: Path) -> SiteLook:
    """Return what is to be looked at; the file itself was read and found good, or nothing would run."""
    file = Path(os.environ.get("ARCHIVE_CONFIG") or home / "archive.toml")
    return SiteLook(file, file.exists(), settings, software())


def check(seen: SiteLook) -> Iterator[CheckResult]:
    """Yield what is wrong with the settings."""
    settings = seen.settings
    yield CheckResult("version", "ok", seen.software)
    if not seen.exists:
        yield CheckResult("settings", "wrong", f"there is no {seen.file}", "run 'plainsight-archive setup'")
        return
    yield CheckResult("settings", "ok", str(seen.file))
    yield from _address("site.url", settings.site.url, settings)
    if settings.boxes.url is not None:
        yield from _address("boxes.url", settings.boxes.url, settings)
    if not settings.site.contact:
        remedy = "set site.contact, such as 'the IT help desk, 555-0100': the pages tell people whom to ask"
        yield CheckResult("contact", "warning", "the pages say 'your administrator'", remedy)
    else:
        yield CheckResult("contact", "ok", settings.site.contact)
    mail = settings.mail
    yield CheckResult("mail", "ok", f"sent through {mail.host}" if mail else "off: nothing is sent")
    if settings.web.certificate is None and settings.site.url.startswith("https://") and not settings.web.proxies:
        remedy = "name the certificate in [web], or the proxy in web.proxies (docs/certificates.md)"
        yield CheckResult("pages", "warning", "they have no certificate, and no proxy is named that has one", remedy)


def _address(name: str, url: str, settings: Configuration) -> Iterator[CheckResult]:
    host = str(urlsplit(url).hostname)
    if not url.startswith("https://"):
        found = f"{url} is for this machine alone"
        yield CheckResult(name, "warning", found, f"set {name} to an https:// address, so that boxes can be enrolled")
    elif not validate_host(f"[{host}]" if ":" in host else host, settings.site.hosts):
        remedy = f"add {host} to site.hosts, and restart the web server"
        yield CheckResult(name, "wrong", f"{host} is not in site.hosts: whoever asks there is refused", remedy)
    else:
        yield CheckResult(name, "ok", url)
