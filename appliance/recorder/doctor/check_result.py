"""Checks of a box: how a finding of an amber code is worded, and what this user may not look at."""

from __future__ import annotations

from pathlib import Path

from appliance.contract import amber_codes
from appliance.contract.check_result import CheckResult, Verdict

AS_RECORDER = "run doctor as the recorder's user, or as root"
"""The remedy where it is this user who may not look."""


def not_readable(path: Path) -> bool:
    """Tell whether the file is there, as far as can be told, and this user may not read it."""
    try:
        path.open("rb").close()
    except PermissionError:
        return True
    except OSError:
        return False
    return False


def by_table(check: str, code: str, found: str, verdict: Verdict = "wrong") -> CheckResult:
    """Return the finding of an amber code, with the remedy of its table."""
    fault = amber_codes.find(code)
    return CheckResult(check, verdict, f"{found} (amber {fault.blinks}: {code})", fault.remedy)
