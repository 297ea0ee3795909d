"""The witnesses of the custody log: whether each has had a head lately."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from appliance.contract.check_result import CheckResult
from archive.configuration.services import Custody
from archive.custody.witnesses import Taken, late, read_state, witnesses


def look() -> dict[str, Taken]:
    """Return what each witness took last."""
    return read_state()


def check(chosen: Custody, taken: dict[str, Taken], now: datetime) -> Iterator[CheckResult]:
    """Yield what is wrong with the witnesses."""
    if not witnesses(chosen):
        found = "none: whoever holds this machine could write the custody log anew"
        yield CheckResult(
            "custody witnesses", "warning", found, "name one in [custody] of archive.toml (docs/running.md)"
        )
        return
    problems = list(late(chosen, taken, now))
    for sentence in problems:
        yield CheckResult("custody witnesses", "wrong", sentence, "look at it, and at the worker's log, which says why")
    if not problems:
        yield CheckResult("custody witnesses", "ok", "each took the head within two days")
