"""Checks before any light is switched on: settings, key, folders, and a spool that writes fast enough."""

from __future__ import annotations

import os
from pathlib import Path

from appliance.contract.check_result import CheckResult
from appliance.recorder.device_checks import card_number, is_held
from appliance.recorder.doctor.check_result import by_table
from appliance.recorder.doctor.examination import examine_box
from appliance.recorder.panel.choose import DEVICES
from appliance.recorder.settings import RecorderSettings
from appliance.recorder.storage.disk import SLOW, SLOW_NS, Disk, DiskError
from appliance.recorder.storage.spool import Spool, store


def preflight(settings: RecorderSettings, devices: Path = DEVICES) -> list[CheckResult]:
    """Return all check results; it writes a small file into the spool and removes it."""
    found = examine_box(settings, devices)
    if all(finding.verdict != "wrong" for finding in found if finding.check == "spool"):
        found.append(_try_spool(settings))
    found.append(_dark(settings))
    return found


def _try_spool(settings: RecorderSettings) -> CheckResult:
    disk = Disk()
    spool = Spool(settings.spool.path, disk, mounted=settings.spool.mounted)
    probe = spool.root / ".probe"
    try:
        spool.require_mount()
        store(disk, probe, os.urandom(4096))
        disk.remove(probe)
    except DiskError as error:
        return by_table("spool's disk", error.fault, error.message)
    slowest_ns = disk.take_slowest_ns()
    found = f"an fsync takes {slowest_ns / 1e6:.0f} ms"
    return by_table("spool's disk", SLOW, found) if slowest_ns > SLOW_NS else CheckResult("spool's disk", "ok", found)


def _dark(settings: RecorderSettings) -> CheckResult:
    """Check that no program has the microphone open while the lamp is dark."""
    microphone = settings.microphone
    number = card_number(microphone) if microphone.card else None
    if number is not None and is_held(microphone.asound, number):
        return by_table("dark check", "microphone-open", f"card {microphone.card!r} is open")
    return CheckResult(
        "dark check", "ok", "no program has the microphone open" if number is not None else "no card to check"
    )
