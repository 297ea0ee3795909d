"""What a doctor found: one check, its verdict, and what to do next. Box and archive tell it the same way."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

Verdict = Literal["ok", "warning", "wrong"]
_WORDS = {"ok": "ok      ", "warning": "warning ", "wrong": "WRONG   "}


@dataclass(frozen=True)
class CheckResult:
    """One check."""

    check: str
    """What was looked at."""
    verdict: Verdict
    found: str
    """What was found, as part of a sentence."""
    remedy: str = ""
    """What to do about it; empty if all is well."""

    def as_json(self) -> dict[str, Any]:
        """Return it for a script."""
        return asdict(self)

    def as_text(self) -> str:
        """Return it for a person."""
        line = f"{_WORDS[self.verdict]}{self.check}: {self.found}"
        return f"{line}\n          -> {self.remedy}" if self.remedy else line
