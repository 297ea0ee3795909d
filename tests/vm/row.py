"""One row of the table: what was held, what was not, how often the guest was started, how long it took."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, field


def progress(text: str) -> None:
    """Say what goes on, with the time."""
    print(f"{time.strftime('%H:%M:%S')}  {text}", file=sys.stderr, flush=True)


@dataclass
class Row:
    """One row. It goes on after something was not held, so that one run tells all."""

    name: str
    held: list[str] = field(default_factory=list)
    """What was held, in words, with its figures."""
    failed: list[str] = field(default_factory=list)
    """What was not."""
    boots: int = 0
    """How often the guest was started from its disk; going on from a snapshot is no boot."""
    seconds: float = 0.0
    """How long the row took, in seconds of the host."""

    def hold(self, truth: object, what: str, found: object = "") -> bool:
        """Enter `what` as held if it is true; `found` tells what was seen instead."""
        if truth:
            self.held.append(what)
        else:
            self.failed.append(f"{what}{': ' if found != '' else ''}{str(found)[-1500:]}")
        progress(f"{'held  ' if truth else 'FAILED'} {self.name}: {what}{'' if truth or found == '' else f': {found}'}")
        return bool(truth)
