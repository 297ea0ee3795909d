"""Checking the custody log: its chain, its signed heads, and whether the other tables say what its entries say."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from django.conf import settings
from django.db.models import Max

from appliance.contract.custody import ENTRY_VERSION, CustodyHead, Tree, entry_digest
from appliance.contract.errors import FormatError
from appliance.contract.stop_signal import StopSignal
from archive.keystore.current import keystore

from . import time_stamps
from .heads import published
from .log import hashed
from .models import Entry, Head

CHECK_S: Final = 24 * 3600.0
"""How often the worker checks the log, in seconds."""
_log = logging.getLogger(__name__)
START: Final = "0" * 64
"""Stands before the first entry."""
Comparison = Callable[[], Iterator[str]]
"""Yields a sentence for each row that does not say what the log says."""
_comparisons: Final[list[Comparison]] = []


@dataclass(frozen=True)
class Signed:
    """What a signed head says of so many entries."""

    digest: str
    """Of the last of them."""
    root: str
    """Of the tree over them."""
    place: str
    """Where the head is kept, in words."""


@dataclass(frozen=True)
class Break:
    """Where the log does not hold."""

    n: int
    """Number of the entry."""
    problem: str
    """What is wrong there, in words."""


def compare_with_log(comparison: Comparison) -> Comparison:
    """Register what compares an app's rows with the log; use it as a decorator in the app's `custody_kinds`."""
    _comparisons.append(comparison)
    return comparison


def check(kept: Iterable[tuple[str, bytes]] = ()) -> Break | None:
    """Return the first place where the log does not hold, or None.

    `kept` are signed heads from elsewhere (receipts, exports, a file on another machine), each with a word on where it
    comes from; those that the archive published itself are always looked at.
    """
    # while this takes its time entries are made: what was published before the end is read stands before that end
    elsewhere = [*published(), *kept]
    head = Head.objects.filter(pk=1).first()
    if head is None:
        return Break(0, "the head of the log is missing")
    signed: dict[int, Signed] = {}
    present = [("the head of the log", bytes(head.line))] if head.n or head.line else []
    for place, line in [*present, *elsewhere]:
        statement = _read(line)
        if isinstance(statement, str):
            return Break(head.n, f"{place}: {statement}")
        said = Signed(statement.digest, statement.root, place)
        known = signed.setdefault(statement.entries, said)
        if (known.digest, known.root) != (said.digest, said.root):
            return Break(statement.entries - 1, f"{place} and {known.place} name different digests")
    if head.n and (head.n not in signed or signed[head.n].digest != head.digest):
        return Break(head.n - 1, "the archive's key signed another end of the log")
    entries = Entry.objects.filter(n__lt=head.n).order_by("n")
    return check_chain(entries.iterator(chunk_size=1000), head.n, head.digest, signed) or _beyond()


def _beyond() -> Break | None:
    """Return the first entry that stands behind the end of the log."""
    last = Entry.objects.aggregate(n=Max("n"))["n"]
    # read after it: an entry and the end that counts it come at once
    head = Head.objects.filter(pk=1).first()
    if head is None or last is None or last < head.n:
        return None
    return Break(head.n, f"the log ends after {head.n} entries, and there is an entry {last}, which no head counts")


def _read(line: bytes) -> CustodyHead | str:
    key = keystore().public
    try:
        return CustodyHead.read(line, key)
    except FormatError as error:
        return f"a head that this archive's key did not sign: {error.message}"


def check_chain(
    entries: Iterable[Entry], count: int, last: str, signed: dict[int, Signed] | None = None
) -> Break | None:
    """Return the first break in `entries`, which must be `count` many and end in the digest `last`.

    `signed` maps a number of entries to what a signed head says of them.
    """
    signed = signed or {}
    prev, n, tree = START, 0, Tree()
    for entry in entries:
        problem = _problem(entry, n, prev)
        if problem is not None:
            return Break(n, problem)
        prev, n = entry.digest, n + 1
        tree.add(prev)
        if n in signed and signed[n].digest != prev:
            return Break(n - 1, f"it is not what {signed[n].place} says: the log was written anew")
        if n in signed and signed[n].root != tree.root():
            return Break(n - 1, f"the tree up to it is not what {signed[n].place} says; no proof leads there")
    if n != count or prev != last:
        return Break(n, f"the log ends after {n} entries, but {count} were written")
    longest = max(signed, default=0)
    if longest > n:
        return Break(
            n, f"the log ends after {n} entries, but {signed[longest].place} says {longest}: its end was cut off"
        )
    return None


def _problem(entry: Entry, n: int, prev: str) -> str | None:
    if entry.n != n:
        return f"entry {n} is missing"
    if entry.version != ENTRY_VERSION:
        return f"it has version {entry.version}, which this software does not know"
    if entry.prev != prev:
        return "it does not follow on the entry before it"
    if entry_digest(hashed(entry)) != entry.digest:
        return "it was changed after it was written"
    return None


def tell(stop: StopSignal) -> None:
    """Log where the log does not hold, or is contradicted: a job of the worker, so that nobody needs to ask."""
    stamps = list(time_stamps.kept(settings.ARCHIVE.custody.authority_certificates))
    broken = check((one.where, one.line) for one in stamps)
    for one in stamps:
        if one.problem:
            _log.error(
                "the custody log is not proved by a time-stamp: %(problem)s", {"problem": f"{one.where}: {one.problem}"}
            )
    if broken is not None:
        _log.error(
            "the custody log is broken at entry %(entry)d: %(problem)s; keep this database as it is",
            {"entry": broken.n, "problem": broken.problem},
        )
    elif not stop.is_set():
        for sentence in contradictions():
            _log.error("the custody log is contradicted: %(problem)s", {"problem": sentence})


def contradictions() -> list[str]:
    """Return where rows of other tables do not say what the log says; only worth asking while the log holds.

    Entries and rows are read one after the other, and people work meanwhile: what does not fit is asked once more, and
    only what still does not is told.
    """
    return [sentence for comparison in _comparisons for sentence in _told_twice(comparison)]


def _told_twice(comparison: Comparison) -> list[str]:
    first = list(comparison())
    still = set(comparison()) if first else set[str]()
    return [sentence for sentence in first if sentence in still]
