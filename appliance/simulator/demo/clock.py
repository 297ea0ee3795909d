"""A clock that is ahead, for what a story cannot wait for: a day of rest, and the weeks until keys are forgotten."""

from __future__ import annotations

import platform
from pathlib import Path

from .services import DemoError


def ahead(hours: int) -> list[str]:
    """Return what stands before a command that shall see the time in so many hours; raise DemoError if it cannot.

    What it measures by CLOCK_MONOTONIC stays as it is, or it would think that it had slept so long.
    """
    if not hours:
        return []
    libraries = sorted(Path("/usr/lib").glob(f"{platform.machine()}-linux-*/faketime/libfaketime.so.1"))
    if not libraries:
        raise DemoError("the story needs libfaketime to let a day pass; install it: apt install faketime")
    # through env, after the change of the user: the library keeps a semaphore, which must be that user's
    return ["env", f"LD_PRELOAD={libraries[0]}", f"FAKETIME=+{hours}h", "FAKETIME_DONT_FAKE_MONOTONIC=1"]
