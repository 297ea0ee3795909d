"""Witnesses: places off this machine that keep the log's signed head, so that nobody here can take it back.

Whoever holds this machine holds the database, the published heads and the key that signed them, and could write all of
it anew. What a witness has kept cannot be rewritten from here: `check-custody --against` holds the log against it.

A witness is a folder (of another machine, mounted here), a syslog server (RFC 5424 over UDP, RFC 5426), or an HTTPS
address. Each gets the head of each day, and again whatever it did not take. The worker calls this outside any
transaction, in a lane of its own: a server may be silent for `ANSWER_S` at a time; a share that hangs holds this lane
alone, but the worker's end as well, until the kernel or systemd gives up. Mount it `soft`.
"""

from __future__ import annotations

import json
import logging
import os
import socket
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from django.conf import settings

from appliance.contract.durable_files import replace
from appliance.contract.errors import PlainSightError, StorageError
from appliance.contract.times import now, parse_wall, wall
from archive.configuration import Custody, configuration

from .heads import FILE, signed_head

EVERY: Final = timedelta(days=1)
"""How often a witness gets the head."""
LATE: Final = timedelta(days=2)
"""A witness that took nothing for so long is told by the doctor."""
ANSWER_S: Final = 10.0
"""How long a witness may take, in seconds."""
STATE: Final = "custody-witnesses.json"
"""What each witness took last, in the archive's folder."""
_AUDIT_NOTICE: Final = 13 * 8 + 5
"""PRI of a syslog message: facility 13 (log audit), severity 5 (notice); RFC 5424 section 6.2.1."""
_log = logging.getLogger(__name__)


class WitnessError(PlainSightError):
    """A witness did not take the head."""


@dataclass(frozen=True)
class Witness:
    """A place that keeps heads."""

    name: str
    """What it is called in messages: its setting and its address, without a secret."""
    send: Callable[[bytes], None]
    """Gives it one signed line; raises WitnessError or OSError."""


@dataclass(frozen=True)
class Taken:
    """What a witness took last."""

    at: datetime
    """When."""
    line: str
    """The signed line."""


def witnesses(chosen: Custody) -> list[Witness]:
    """Return the witnesses of the settings."""
    found = []
    if chosen.folder is not None:
        found.append(Witness(f"custody.folder {chosen.folder}", partial(_append, chosen.folder)))
    if chosen.syslog is not None:
        found.append(Witness(f"custody.syslog {chosen.syslog}", partial(_syslog, chosen.syslog)))
    if chosen.url is not None:
        host = urlsplit(chosen.url).netloc.rpartition("@")[2]
        found.append(Witness(f"custody.url at {host}", partial(_post, chosen.url)))
    return found


def tell_witnesses() -> None:
    """Give the head to every witness that has not had one for a day, or refused the last: a job of the worker."""
    chosen = witnesses(configuration().custody)
    taken, moment = read_state(), parse_wall(now())
    due = [one for one in chosen if one.name not in taken or moment - taken[one.name].at >= EVERY]
    line = signed_head() if due else b""
    if not line:
        return
    for witness in due:
        try:
            witness.send(line)
        except (WitnessError, OSError, HTTPException) as error:
            _log.error("%s did not take the custody log's head: %s; it is tried again within the hour",
                       witness.name, error)  # fmt: skip
            continue
        taken[witness.name] = Taken(moment, line.decode("ascii"))
        _log.info("%s took the custody log's head", witness.name)
    _write_state({one.name: taken[one.name] for one in chosen if one.name in taken})


def late(chosen: Custody, taken: dict[str, Taken], moment: datetime) -> Iterator[str]:
    """Yield a sentence for each witness that has had no head for too long. Pure."""
    for witness in witnesses(chosen):
        last = taken.get(witness.name)
        if last is None:
            yield f"{witness.name} has never taken the custody log's head"
        elif moment - last.at > LATE:
            yield f"{witness.name} has taken no head of the custody log since {last.at:%Y-%m-%d}"


def read_state() -> dict[str, Taken]:
    """Return what each witness took last; nothing where that is not known."""
    path: Path = settings.ARCHIVE_HOME / STATE
    try:
        kept = json.loads(path.read_bytes())
        return {name: Taken(parse_wall(one["at"]), str(one["line"])) for name, one in kept.items()}
    except FileNotFoundError:
        return {}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        # each witness gets the head once more, which harms nothing
        _log.warning("%s cannot be understood and is written anew: %s", path, error)
        return {}


def _write_state(taken: dict[str, Taken]) -> None:
    path: Path = settings.ARCHIVE_HOME / STATE
    kept = {name: {"at": wall(one.at), "line": one.line} for name, one in taken.items()}
    try:
        replace(path, json.dumps(kept, indent=1).encode(), mode=0o640, durable=True)
    except OSError as error:
        raise StorageError(
            f"cannot write {path}: {error.strerror}; make room, or let the archive's user own it"
        ) from error


def _append(folder: Path, line: bytes) -> None:
    if not folder.is_dir():
        # without this, a share that is not mounted would be filled on this machine's own disk
        raise WitnessError(f"there is no folder {folder}; mount it")
    descriptor = os.open(folder / FILE, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o640)
    with os.fdopen(descriptor, "wb") as file:
        file.write(line)
        file.flush()
        os.fsync(descriptor)


def _syslog(address: str, line: bytes) -> None:
    host, _, port = address.rpartition(":")
    message = b"<%d>1 %s %s plainsight-archive - custody-head - %s" % (
        _AUDIT_NOTICE,
        now().encode("ascii"),
        socket.gethostname().encode("ascii", "replace")[:255] or b"-",
        line.rstrip(b"\n"),
    )
    family, kind, protocol, _, target = socket.getaddrinfo(host.strip("[]"), int(port), type=socket.SOCK_DGRAM)[0]
    with socket.socket(family, kind, protocol) as sender:
        sender.settimeout(ANSWER_S)
        sender.sendto(message, target)


def _post(url: str, line: bytes) -> None:
    parts = urlsplit(url)
    connection: HTTPConnection
    if parts.scheme == "https":
        connection = HTTPSConnection(
            parts.hostname or "", parts.port, timeout=ANSWER_S, context=ssl.create_default_context()
        )
    else:
        connection = HTTPConnection(parts.hostname or "", parts.port, timeout=ANSWER_S)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        connection.request("POST", target, body=line, headers={"Content-Type": "text/tab-separated-values"})
        status = connection.getresponse().status
    finally:
        connection.close()
    if not 200 <= status < 300:
        raise WitnessError(f"it answered {status}")
