"""Custody entries as people read them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from appliance.contract.times import parse_wall

from .models import Entry

WORDS: Final[dict[str, str]] = {
    "ingest": "began to arrive",
    "close": "the closing record arrived",
    "refusal": "refused",
    "seal": "sealed, receipt signed",
    "rebuild": "the archive's row was made again from the package",
    "problem": "a problem was found",
    "look": "looked at a page",
    "listen": "listened",
    "download-package": "downloaded the sealed package",
    "download-flac": "downloaded the plain audio",
    "download-receipt": "downloaded the receipt",
    "export": "exported the package on the archive's host",
    "export-key": "exported the encrypted key on the archive's host",
    "verify": "verified the package",
}


@dataclass(frozen=True)
class Row:
    """One line of the custody table."""

    n: int
    """Number in the whole log."""
    at: datetime
    """When."""
    who: str
    """Who, in words."""
    what: str
    """What, in words."""
    detail: str
    """Whatever else the entry says, as `name: value` pairs."""


def rows(entries: Iterable[Entry]) -> list[Row]:
    """Return the table's lines for `entries`."""
    return [
        Row(entry.n, parse_wall(entry.at), _who(entry.actor), WORDS.get(entry.kind, entry.kind), _detail(entry.detail))
        for entry in entries
    ]


def _who(actor: str) -> str:
    kind, colon, name = actor.partition(":")
    if kind == "user" and colon:
        return name
    return f"box {name}" if kind == "box" and colon else "the archive" if actor == "archive" else actor


def _detail(text: str) -> str:
    members = json.loads(text)
    pairs = [(name.replace("_", " "), value) for name, value in members.items() if value not in ("", None)]
    return ", ".join(f"{name}: {_value(value)}" for name, value in pairs)


def _value(value: object) -> str:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)
