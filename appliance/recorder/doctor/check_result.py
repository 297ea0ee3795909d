"""What an examination found: one check, its verdict, and what to do next."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from appliance.contract import amber_codes

Verdict = Literal["ok", "warning", "wrong"]
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


@dataclass(frozen=True)
class CheckResult:
    """One check."""

    check: str
    verdict: Verdict
    found: str
    remedy: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return it for a script."""
        return asdict(self)

    def as_text(self) -> str:
        """Return it for a person."""
        line = f"{_WORDS[self.verdict]}{self.check}: {self.found}"
        return f"{line}\n          -> {self.remedy}" if self.remedy else line


_WORDS = {"ok": "ok      ", "warning": "warning ", "wrong": "WRONG   "}


def by_table(check: str, code: str, found: str, verdict: Verdict = "wrong") -> CheckResult:
    """Return the finding of an amber code, with the remedy of its table."""
    fault = amber_codes.find(code)
    return CheckResult(check, verdict, f"{found} (amber {fault.blinks}: {code})", fault.remedy)
