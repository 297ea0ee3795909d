"""The store: whether it takes bytes, and for how many hours there is room."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from appliance.contract.check_result import CheckResult
from appliance.contract.errors import KeyFileError, PlainSightError
from archive.keystore.current import keystore
from archive.store.base import FEW_HOURS, HOUR, NO_HOURS
from archive.store.current import require_store, writable


@dataclass(frozen=True)
class StoreLook:
    """The store."""

    error: str
    """Why it took no bytes; empty if it did."""
    free: int | None
    """Free bytes; None if that cannot be told."""
    trust: str = ""
    """Why this store may not be trusted: it is another archive's, or a bucket that nobody proved; empty if it may."""


def look(home: Path) -> StoreLook:
    """Write and remove a few bytes, and ask for the room."""
    try:
        writable()
        error = ""
    except PlainSightError as failed:
        error = failed.message
    try:
        require_store(keystore().public)
        trust = ""
    except KeyFileError:
        # the look at the keys tells it
        trust = ""
    except PlainSightError as failed:
        trust = failed.message
    return StoreLook(error, free_bytes(home), trust)


def free_bytes(home: Path) -> int | None:
    """Return the free room on the archive's disk; None if that cannot be told."""
    try:
        return shutil.disk_usage(home).free
    except OSError:
        return None


def check(seen: StoreLook) -> Iterator[CheckResult]:
    """Yield what is wrong with the store."""
    if seen.error:
        remedy = "look at the disk and its mount; boxes keep what they could not send"
        yield CheckResult("store", "wrong", seen.error, remedy)
    else:
        yield CheckResult("store", "ok", "it takes bytes")
    if seen.trust:
        remedy = "do that; for a bucket, 'plainsight-archive check-store' says what gives way"
        yield CheckResult("whose store it is", "wrong", seen.trust, remedy)
    if seen.free is None:
        yield CheckResult("free space", "wrong", "not known", "look at the disk and its mount")
        return
    hours = seen.free // HOUR
    found = f"{seen.free / 1e9:.0f} GB, room for {hours} hours of audio"
    if hours < NO_HOURS:
        yield CheckResult("free space", "wrong", found, "enlarge the disk now: soon nothing more is taken")
    elif hours < FEW_HOURS:
        yield CheckResult("free space", "warning", found, "enlarge the disk")
    else:
        yield CheckResult("free space", "ok", found)
