"""The host's clock: whether the custody log speaks against it."""

from __future__ import annotations

from collections.abc import Iterator

from appliance.contract.check_result import CheckResult
from archive.custody.clock import doubt


def look() -> str:
    """Return what speaks against the clock, or nothing."""
    return doubt()


def check(why: str) -> Iterator[CheckResult]:
    """Yield what is wrong with the clock."""
    if not why:
        yield CheckResult("clock", "ok", "the custody log does not speak against it")
        return
    remedy = (
        "set it right, then run 'plainsight-archive confirm-clock' with today's date; until then nothing is destroyed"
    )
    yield CheckResult("clock", "wrong", why, remedy)
