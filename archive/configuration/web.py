"""How people, boxes and monitors reach the archive."""

from __future__ import annotations

from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field

from .fields import SecretFile, Section


def _time_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"{name!r} is no IANA time zone, such as America/Chicago") from None
    return name


TimeZone = Annotated[str, AfterValidator(_time_zone)]
"""IANA name of a time zone."""


def _ip_address(text: str) -> str:
    return str(ip_address(text))


class Site(Section):
    """The archive as its users and boxes reach it."""

    url: Annotated[str, AfterValidator(str.lower), Field(pattern=r"^(?i:https?://[^/\s]+)$")] = "https://localhost:8443"
    """Where boxes and browsers find the archive, without a path. With `http://` cookies are not marked Secure: only for
    this machine."""
    hosts: list[Annotated[str, AfterValidator(str.lower), Field(pattern=r"^[A-Za-z0-9.:*\[\]-]{1,253}$")]] = Field(
        default=["localhost", "127.0.0.1", "[::1]"]
    )
    """Host names that are answered, and that stand in the certificates of the archive's own authority; all others are
    refused."""
    time_zone: TimeZone = "America/Chicago"
    """Time zone in which pages show times (IANA name)."""
    contact: Annotated[str, Field(max_length=200)] = ""
    """Whom people may ask, as the pages say it: "Pat Doe, 555-0100"; empty: "your administrator"."""


class Web(Section):
    """The web server (`plainsight-archive web`)."""

    address: str = "127.0.0.1:8443"
    """Where it listens, HOST:PORT."""
    workers: Annotated[int, Field(ge=1, le=64)] = 2
    """Worker processes."""
    threads: Annotated[int, Field(ge=1, le=64)] = 4
    """Threads in each worker that serve boxes, and as many others that serve people."""
    box_requests_a_minute: Annotated[int, Field(ge=60, le=60000)] = 600
    """Requests of one box that each worker serves within a minute; a meeting takes about 15, and 600 bring in an hour
    and a half of audio that waited on the box."""
    proxies: list[Annotated[str, AfterValidator(_ip_address)]] = Field(default=[])
    """Addresses of proxies in front, whose X-Forwarded-For is believed."""
    certificate: Path | None = None
    """TLS certificate chain (PEM); without it, a proxy in front does TLS."""
    key: Path | None = None
    """Its private key (PKCS#8 PEM)."""


class Boxes(Section):
    """A listener of its own for boxes, where the pages have a public certificate or a proxy (`web --boxes`)."""

    url: Annotated[str, AfterValidator(str.lower), Field(pattern=r"^(?i:https://[^/\s]+)$")] | None = None
    """Where boxes find the archive, without a path; None: where the pages are."""
    address: str = "127.0.0.1:8443"
    """Where `web --boxes` listens, HOST:PORT."""
    workers: Annotated[int, Field(ge=1, le=64)] = 2
    """Its worker processes."""
    certificate: Path | None = None
    """Its TLS certificate (PEM), from the district's own authority, which is the one that boxes believe."""
    key: Path | None = None
    """Its private key (PKCS#8 PEM)."""


class Logs(Section):
    """What the processes log, to the standard error. No name of a person, room or meeting is in it."""

    format: Literal["text", "json"] = "text"
    """`text` for people, as journalctl shows it; `json` for programs: one object a line."""


class Metrics(Section):
    """Figures for a monitor, at `/metrics`."""

    token_file: SecretFile | None = None
    """A file that holds the token of at least 32 characters that a monitor shows; None: nobody is answered."""


class Control(Section):
    """Counts for the control page of a co-operative, at `/control.json` (docs/control.md)."""

    token_file: SecretFile | None = None
    """A file that holds the token of at least 32 characters that the operator shows; None: nobody is answered."""
