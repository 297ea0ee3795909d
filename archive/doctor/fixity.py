"""The packages: what their regular checks found."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from appliance.contract.check_result import CheckResult
from archive.recordings.fixity import FixityReport, report


def look(now: datetime) -> FixityReport:
    """Read what was found; nothing is checked."""
    return report(now)


def check(seen: FixityReport) -> Iterator[CheckResult]:
    """Yield what is wrong with the packages."""
    if seen.damaged:
        found = f"{len(seen.damaged)} are damaged: {', '.join(seen.damaged[:3])}"
        remedy = "restore them from their copy; 'plainsight-archive fixity' lists all"
        yield CheckResult("packages", "wrong", found, remedy)
    elif seen.overdue:
        found = f"{seen.overdue} of {seen.packages} were not checked for {seen.every_days} days"
        yield CheckResult("packages", "warning", found, "keep the worker running at night, or widen [fixity]")
    else:
        yield CheckResult("packages", "ok", f"{seen.packages}, each checked within {seen.every_days} days")
