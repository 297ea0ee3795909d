"""What an examination found: one check, its verdict, and what to do next."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

Verdict = Literal["ok", "warning", "wrong"]


@dataclass(frozen=True)
class CheckResult:
    """One check."""

    check: str
    """What was looked at; a fixed text."""
    verdict: Verdict
    found: str
    """What was found there, for the person who looks: paths and values, so it stays on the machine."""
    remedy: str = ""
    """What to do next; empty if nothing is wrong."""

    def as_json(self) -> dict[str, Any]:
        """Return it for a script."""
        return asdict(self)

    def as_text(self) -> str:
        """Return it for a person."""
        line = f"{_WORDS[self.verdict]}{self.check}: {self.found}"
        return f"{line}\n          -> {self.remedy}" if self.remedy else line


_WORDS = {"ok": "ok      ", "warning": "warning ", "wrong": "WRONG   "}
