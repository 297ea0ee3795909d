"""The courier's settings: one TOML file, every setting with its unit and default (courier.example.toml)."""

from __future__ import annotations

from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from appliance.contract.ids import BoxId
from appliance.contract.settings_file import AbsolutePath, Seconds, Section, load_settings
from appliance.contract.status import MAX_REPORT_S


def _safe_url(text: str) -> str:
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise ValueError(f"is no web address: {error}") from error
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("is written https://HOST or https://HOST:PORT")
    if parts.username or parts.password or parts.query or parts.fragment or port == 0:
        raise ValueError("takes a host, a port and a path, and nothing else")
    if parts.scheme == "http" and not _loopback(parts.hostname):
        raise ValueError("must begin with https://, because http:// is only safe to an address of this machine")
    return text.rstrip("/")


def _loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


class Box(Section):
    """Who this box is."""

    id: BoxId
    """The box's identifier, from enrollment; also the common name of its certificate. No default."""
    board: str = ""
    """Serial number of the board that the box was enrolled on; empty: not compared."""


class Spool(Section):
    """The folders that recorder and courier share."""

    path: AbsolutePath = Path("/var/lib/plainsight/spool")
    """The recorder's spool; only read here."""
    inbox: AbsolutePath = Path("/var/lib/plainsight/inbox")
    """Where the courier leaves receipts for the recorder."""
    run: AbsolutePath = Path("/run/plainsight")
    """The folder of the recorder's status.json."""
    reports: AbsolutePath = Path("/var/lib/plainsight/state")
    """Where commissioning and the daily doctor leave their reports; only read here."""


class State(Section):
    """The courier's own folder."""

    path: AbsolutePath = Path("/var/lib/plainsight-courier")
    """Progress and the session counter lie here."""


class Archive(Section):
    """Where recordings go."""

    url: Annotated[str, AfterValidator(_safe_url)]
    """The archive's address: https, or http to this machine only. No default."""
    ca: AbsolutePath | None = None
    """Certificate authority of the archive (PEM). Default: those that the system trusts."""
    key: AbsolutePath = Path("/etc/plainsight/courier.key")
    """The key that signs this box's requests (PEM), whose public half the archive was given at enrollment."""


class Broker(Section):
    """Where status goes."""

    host: Annotated[str, Field(min_length=1, max_length=253)]
    """Host name, as in the broker's certificate. No default."""
    port: Annotated[int, Field(ge=1, le=65535)] = 8883
    """Port of the broker."""
    address: AbsolutePath = Path("/etc/plainsight/mqtt/broker.json")
    """Where `plainsight renew` writes which broker the archive named last; while it is there, host and port say
    nothing."""
    ca: AbsolutePath = Path("/etc/plainsight/mqtt/ca.pem")
    """Certificate authority of the broker (PEM)."""
    certificate: AbsolutePath = Path("/etc/plainsight/mqtt/client.pem")
    """This box's certificate (PEM)."""
    key: AbsolutePath = Path("/etc/plainsight/mqtt/client.key")
    """Its private key (PEM)."""
    keepalive: Annotated[int, Field(ge=5, le=300)] = 15
    """Longest silence on the connection in seconds; after half as much again the broker publishes the Will."""


class Times(Section):
    """How often and how long; all in seconds."""

    poll_s: Seconds = 1.0
    """How often the spool is looked at."""
    gather_s: Seconds = 5.0
    """While a meeting is recorded, what was acknowledged gathers for this long before it is sent."""
    connect_s: Annotated[float, Field(gt=0, le=60)] = 5.0
    """A connection may take this long."""
    answer_s: Annotated[float, Field(gt=0, le=120)] = 30.0
    """An answer may take this long, and sending may stand still this long; well below WatchdogSec=180 of the unit."""
    retry_s: Seconds = 1.0
    """First pause when archive or broker is down; it doubles with each attempt."""
    retry_max_s: Seconds = 30.0
    """Longest such pause."""
    spread_s: Seconds = 5.0
    """After a connection to the broker was lost, the first attempt comes at a random moment within this, so that all
    boxes of a broker that was started again do not come back at once."""
    refused_s: Seconds = 30.0
    """First pause when the archive refuses a recording; it doubles with each attempt."""
    refused_max_s: Seconds = 900.0
    """Longest such pause."""
    receipt_s: Seconds = 0.3
    """How often the receipt is asked for at first."""
    receipt_quick_s: Seconds = 30.0
    """How long it is asked for so often; then the pause doubles."""
    receipt_max_s: Seconds = 60.0
    """Longest such pause."""
    probe_s: Seconds = 15.0
    """With nothing to send, how often the archive is asked whether it is there."""
    report_s: Annotated[float, Field(gt=0, le=MAX_REPORT_S)] = MAX_REPORT_S
    """How often the state is published without a change."""
    counting_s: Seconds = 2.0
    """How often it is published while only its counters change."""

    @model_validator(mode="after")
    def _order(self) -> Self:
        for first, most in (
            ("retry_s", "retry_max_s"),
            ("refused_s", "refused_max_s"),
            ("receipt_s", "receipt_max_s"),
        ):
            if getattr(self, first) > getattr(self, most):
                raise ValueError(f"{first} must not exceed {most}")
        return self


class Log(Section):
    """Messages on standard error, which systemd keeps in its journal."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    """The least serious messages that are kept."""


class CourierSettings(Section):
    """The whole file."""

    box: Box
    spool: Spool = Spool()
    state: State = State()
    archive: Archive
    broker: Broker
    times: Times = Times()
    log: Log = Log()


def load(path: Path) -> CourierSettings:
    """Read a settings file; raise SettingsError that names file, setting and, for a misspelled one, its likely name."""
    return load_settings(path, CourierSettings, "name the file with --config")
