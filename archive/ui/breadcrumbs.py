"""The way to a page that stands below another one (ui/breadcrumbs.html)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Crumb:
    """One page above this one."""

    label: str
    """Its name, as its heading says it."""
    address: str
    """Its address."""
