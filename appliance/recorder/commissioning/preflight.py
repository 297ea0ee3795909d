"""What must be right before anything is lit: settings, key, folders, and a spool that writes in time."""

from __future__ import annotations

import os
from pathlib import Path

from ..checks import card_number, is_held
from ..disk import Disk, DiskError
from ..examination import examine_box
from ..finding import Finding, by_table
from ..health import SLOW, SLOW_NS
from ..panel.choose import DEVICES
from ..settings import RecorderSettings
from ..spool import Spool, store


def preflight(settings: RecorderSettings, devices: Path = DEVICES) -> list[Finding]:
    """Return every finding; it writes a small file into the spool and removes it."""
    found = examine_box(settings, devices)
    if all(finding.verdict != "wrong" for finding in found if finding.check == "spool"):
        found.append(_try_spool(settings))
    found.append(_dark(settings))
    return found


def _try_spool(settings: RecorderSettings) -> Finding:
    disk = Disk()
    spool = Spool(settings.spool.path, disk, mounted=settings.spool.mounted)
    probe = spool.root / ".probe"
    try:
        spool.stand_on_its_disk()
        store(disk, probe, os.urandom(4096))
        disk.remove(probe)
    except DiskError as error:
        return by_table("spool's disk", error.fault, error.message)
    slowest_ns = disk.take_slowest_ns()
    found = f"an fsync takes {slowest_ns / 1e6:.0f} ms"
    return by_table("spool's disk", SLOW, found) if slowest_ns > SLOW_NS else Finding("spool's disk", "ok", found)


def _dark(settings: RecorderSettings) -> Finding:
    """Make the dark check: while the lamp is dark nobody has the microphone open."""
    microphone = settings.microphone
    number = card_number(microphone) if microphone.card else None
    if number is not None and is_held(microphone.asound, number):
        return by_table("dark check", "microphone-open", f"card {microphone.card!r} is open")
    return Finding("dark check", "ok", "nobody has the microphone open" if number is not None else "no card to look at")
