"""What was tried, what held, and the figures."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from .root import NotHeldError, Root

Trial = Callable[[Root], str | None]
"""Raises NotHeldError for what does not hold; may return figures, in words."""


@dataclass(frozen=True)
class Row:
    """One trial."""

    name: str
    held: bool
    seconds: float
    found: str = ""
    why: str = ""


@dataclass
class Table:
    """All of them."""

    rows: list[Row] = field(default_factory=list)

    @property
    def held(self) -> bool:
        """Whether everything held."""
        return bool(self.rows) and all(row.held for row in self.rows)

    def try_on(self, root: Root, trial: Trial) -> bool:
        """Try one thing, enter it, and tell whether it held."""
        began, found, why = time.monotonic(), "", ""
        try:
            found = trial(root) or ""
        except (NotHeldError, OSError) as error:
            # a file that is not there is as good an answer
            why = str(error)
        row = Row(trial.__name__, not why, round(time.monotonic() - began, 1), found, why)
        self.rows.append(row)
        said = f"FAILED {row.name}: {why}" if why else f"held   {row.name} ({row.seconds} s) {found}"
        print(said.rstrip(), file=sys.stderr, flush=True)
        return row.held

    def as_json(self) -> str:
        """Return it for a script."""
        return json.dumps({"held": self.held, "rows": [vars(row) for row in self.rows]}, indent=1)
