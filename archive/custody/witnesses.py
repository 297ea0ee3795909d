"""Witnesses: places off this machine that keep the log's signed head, so that nobody here can take it back.

Whoever holds this machine holds the database, the published heads and the key that signed them, and could write all of
it anew. What a witness has kept cannot be rewritten from here: `check-custody --against` holds the log against it.

A witness is a folder (of another machine, mounted here), a syslog server (RFC 5424 over UDP, RFC 5426), an HTTPS
address, or a time-stamp authority (RFC 3161), whose token is kept here. Each gets the head of each day, and again
whatever it did not take. The worker calls this outside any transaction, in a lane of its own; whatever a witness does,
it is waited for no longer than delivery.py says, and never beyond the worker's end.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from django.conf import settings
from django.db import DatabaseError

from appliance.contract.durable_files import replace
from appliance.contract.errors import SettingsError, StorageError
from appliance.contract.stop_signal import StopSignal
from appliance.contract.times import now, parse_wall, wall
from archive.configuration.file import configuration
from archive.configuration.services import Custody
from archive.core.database_clock import SLACK

from .delivery import DeliveryError, deliver
from .heads import FILE, signed_head
from .time_stamps import stamp

EVERY: Final = timedelta(days=1)
"""How often a witness gets the head."""
LATE: Final = timedelta(days=2)
"""A witness that took nothing for so long is told by the doctor."""
STATE: Final = "custody-witnesses.json"
"""What each witness took last, in the archive's folder."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Witness:
    """A place that keeps heads."""

    name: str
    """What it is called in messages: its setting and its address, without a secret."""
    send: Callable[[bytes, StopSignal], object]
    """Gives it one signed line; raises DeliveryError or SettingsError, at the latest when the worker is to stop."""


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
        to = partial(_deliver, "folder", str(chosen.folder / FILE))
        found.append(Witness(f"custody.folder {chosen.folder}", to))
    if chosen.syslog is not None:
        found.append(Witness(f"custody.syslog {chosen.syslog}", partial(_deliver, "syslog", chosen.syslog)))
    if chosen.url is not None:
        found.append(Witness(f"custody.url at {_host(chosen.url)}", partial(_deliver, "post", chosen.url)))
    if chosen.authority_url is not None and chosen.authority_certificates is not None:
        to = partial(stamp, chosen.authority_url, chosen.authority_certificates)
        found.append(Witness(f"custody.authority_url at {_host(chosen.authority_url)}", to))
    return found


def _host(url: str) -> str:
    return urlsplit(url).netloc.rpartition("@")[2]


def _deliver(how: str, target: str, line: bytes, stop: StopSignal) -> None:
    deliver(how, target, line, stop, "text/tab-separated-values")


def tell_witnesses(stop: StopSignal) -> None:
    """Give the head to every witness that has not had one for a day, or refused the last: a job of the worker."""
    chosen = witnesses(configuration().custody)
    taken, moment = read_state(), parse_wall(now())
    due = [one for one in chosen if one.name not in taken or not timedelta(0) <= moment - taken[one.name].at < EVERY]
    line = signed_head() if due else b""
    if not line:
        return
    for witness in due:
        if stop.is_set():
            break
        try:
            witness.send(line, stop)
        except (DeliveryError, SettingsError, DatabaseError) as error:
            told = {"witness": witness.name, "problem": error}
            _log.error(
                "%(witness)s did not take the custody log's head: %(problem)s; tried again within the hour", told
            )
            continue
        taken[witness.name] = Taken(moment, line.decode("ascii"))
        _log.info("%(witness)s took the custody log's head", {"witness": witness.name})
    _write_state({one.name: taken[one.name] for one in chosen if one.name in taken})


def late(chosen: Custody, taken: dict[str, Taken], moment: datetime) -> Iterator[str]:
    """Yield a sentence for each witness that has had no head for too long. Pure."""
    for witness in witnesses(chosen):
        last = taken.get(witness.name)
        if last is None:
            yield f"{witness.name} has never taken the custody log's head"
        elif last.at - moment > SLACK:
            yield f"{witness.name} took its last head at a time to come: the clock was put back since"
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
        _log.warning("%(path)s cannot be understood and is written anew: %(problem)s", {"path": path, "problem": error})
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
