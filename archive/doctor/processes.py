"""What runs: systemd's units, the worker's and the listener's own signs of life, the clock."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from django.db import DatabaseError

from appliance.contract.check_result import CheckResult
from appliance.contract.kernel_clock import read_clock
from archive.configuration.file import Configuration
from archive.core.database_clock import SLACK
from archive.core.health import LATE as WORKER_LATE
from archive.core.jobs import WORKER
from archive.core.models import SignOfLife
from archive.devices.listener import LATE as LISTENER_LATE
from archive.devices.listener import standing
from archive.setup.steps import units

SYSTEMD: Final = Path("/run/systemd/system")
"""There only while systemd is the first process (sd_booted(3))."""
_SHOW_S: Final = 10.0


@dataclass(frozen=True)
class UnitLook:
    """One of our units."""

    name: str
    loaded: bool
    """Whether systemd knows it."""
    active: str
    """`active`, `inactive`, `failed`, `activating`."""
    enabled: str
    """`enabled` if it starts at every boot."""
    restarts: int
    """How often systemd had to start it again."""


@dataclass(frozen=True)
class ProcessesLook:
    """What runs."""

    units: tuple[UnitLook, ...] | None
    """None where systemd does not run, or does not answer."""
    worker_at: datetime | None
    """The worker's last sign of life."""
    listener_at: datetime | None
    """The listener's."""
    connected: bool
    """Whether the listener was connected to every broker then."""
    synchronized: bool
    """Whether the clock is kept right."""


def look(settings: Configuration, systemd: Path = SYSTEMD) -> ProcessesLook:
    """Ask systemd, the database and the kernel."""
    try:
        worker = SignOfLife.objects.filter(part=WORKER).values_list("at", flat=True).first()
        listener = standing()
        listener_at, connected = listener.alive_at, not listener.lost
    except DatabaseError:
        # the database's own check tells it
        worker = listener_at = None
        connected = False
    return ProcessesLook(
        _units(units(broker=_has_broker(settings), boxes=settings.boxes.url is not None)) if systemd.exists() else None,
        worker,
        listener_at,
        connected,
        read_clock().synchronized,
    )


def _has_broker(settings: Configuration) -> bool:
    folders = [broker.broker_folder for broker in settings.mqtt.brokers]
    return any(folder is not None and folder.is_dir() for folder in folders)


def _units(names: list[str]) -> tuple[UnitLook, ...] | None:
    command = [shutil.which("systemctl") or "systemctl", "show"]
    wanted = "--property=Id,LoadState,ActiveState,UnitFileState,NRestarts"
    try:
        done = subprocess.run([*command, wanted, *names], capture_output=True, text=True, timeout=_SHOW_S, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return tuple(read_unit(block) for block in done.stdout.strip().split("\n\n"))


def read_unit(block: str) -> UnitLook:
    """Return what `systemctl show` says about one unit."""
    said = dict(line.partition("=")[::2] for line in block.splitlines())
    return UnitLook(
        said.get("Id", ""),
        said.get("LoadState") == "loaded",
        said.get("ActiveState", ""),
        said.get("UnitFileState", ""),
        int(said.get("NRestarts") or 0),
    )


def check(seen: ProcessesLook, now: datetime) -> Iterator[CheckResult]:
    """Yield what is wrong with what runs."""
    for unit in seen.units or ():
        yield _unit(unit)
    if seen.units is None:
        yield CheckResult("services", "ok", "systemd does not run or answer here: they are looked after otherwise")
    yield _alive("worker", seen.worker_at, now, WORKER_LATE, "nothing is sealed, no receipt is signed")
    yield _alive("listener", seen.listener_at, now, LISTENER_LATE, "the rooms' states are not known")
    if seen.listener_at is not None and not seen.connected:
        remedy = "see the checks of the brokers"
        yield CheckResult("listener's connection", "wrong", "it is not connected to every broker", remedy)
    if seen.synchronized:
        yield CheckResult("clock", "ok", "synchronized")
    else:
        remedy = "install and start a time service (systemd-timesyncd, chrony); arrivals are signed with this time"
        yield CheckResult("clock", "warning", "nothing keeps it right", remedy)


def _unit(unit: UnitLook) -> CheckResult:
    if not unit.loaded:
        return CheckResult(unit.name, "wrong", "systemd does not know it", "install the package plainsight-archive")
    if unit.active not in {"active", "reloading"}:
        return CheckResult(unit.name, "wrong", unit.active, f"journalctl -u {unit.name}; systemctl start {unit.name}")
    if unit.enabled != "enabled":
        return CheckResult(unit.name, "warning", "it will not start at a boot", f"systemctl enable {unit.name}")
    again = f", started again {unit.restarts} times" if unit.restarts else ""
    return CheckResult(unit.name, "warning" if again else "ok", f"{unit.active}{again}", again and _journal(unit.name))


def _journal(name: str) -> str:
    return f"journalctl -u {name} says why it ended"


def _alive(part: str, at: datetime | None, now: datetime, late: timedelta, loss: str) -> CheckResult:
    remedy = f"systemctl start plainsight-archive-{'listen' if part == 'listener' else part}, and read its journal"
    if at is None:
        return CheckResult(part, "wrong", f"it never ran here: {loss}", remedy)
    silent = now - at
    if silent < -SLACK:
        problem = f"its last sign of life is of a time to come, so the clock was put back since: {loss}"
        return CheckResult(part, "wrong", problem, remedy)
    if silent > late:
        return CheckResult(part, "wrong", f"silent for {silent.total_seconds():.0f} s: {loss}", remedy)
    return CheckResult(part, "ok", "it says that it works")
