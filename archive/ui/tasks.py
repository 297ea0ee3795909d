"""What somebody should do, as the pages called Today list it (ui/tasks.html)."""

from __future__ import annotations

from dataclasses import dataclass

from .signs import SignCode


@dataclass(frozen=True)
class Task:
    """One thing to do."""

    title: str
    """What to do, as a person would say it; the link's words."""
    address: str
    """Where it is done; empty where nothing but to know it is left to do."""
    due: str = ""
    """By when, in words; empty where nothing is due."""
    detail: str = ""
    """One sentence more; empty where the title says all."""
    sign: SignCode | None = None
    """The state, where one of the signs says it; late is `attention`."""
    state: str = ""
    """The state in words; it stands beside the sign."""
