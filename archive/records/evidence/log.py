"""The custody log's part in a package: its signed head, and each entry about the recording with its proof."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Final

from appliance.contract.custody import CustodyHead, CustodyProof, proofs
from archive.custody.actors import Subject
from archive.custody.log import hashed
from archive.custody.models import Entry
from archive.custody.wording import rows

AT_ONCE: Final = 500
"""Entries that are in memory at once."""
_DIGESTS: Final = 20_000
"""Digests of the log that are asked for at once."""


class Extract:
    """The entries about one recording, as the log was when `head` was signed."""

    def __init__(self, subject: Subject, head: CustodyHead) -> None:
        """Find which entries they are."""
        self._about = Entry.objects.about(subject).filter(n__lt=head.entries)
        self.numbers = list(self._about.order_by("n").values_list("n", flat=True))
        self._head = head

    def proved(self) -> Iterator[bytes]:
        """Yield each entry with its proof, one line each."""
        paths = proofs(_digests(self._head.entries), self.numbers, self._head.entries)
        for entry in self._entries():
            line = CustodyProof(entry=hashed(entry), path=tuple(paths[entry.n]))
            yield line.model_dump_json().encode("utf-8") + b"\n"

    def in_words(self) -> Iterator[bytes]:
        """Yield each entry in words, one line each; names come from the accounts' table."""
        for batch in self._batches():
            for row in rows(batch):
                said = "; ".join(filter(None, (row.what, row.detail, row.references)))
                yield f"{row.n}\t{row.at:%Y-%m-%d %H:%M:%S} UTC\t{row.who}\t{said}\n".encode()

    def of(self, codes: tuple[str, ...], most: int) -> list[Entry]:
        """Return the newest entries of these kinds, oldest first."""
        return list(self._about.filter(code__in=codes).order_by("-n")[:most])[::-1]

    def _entries(self) -> Iterator[Entry]:
        return itertools.chain.from_iterable(self._batches())

    def _batches(self) -> Iterator[list[Entry]]:
        for first in range(0, len(self.numbers), AT_ONCE):
            yield list(Entry.objects.filter(n__in=self.numbers[first : first + AT_ONCE]).order_by("n"))


def _digests(count: int) -> Iterator[str]:
    """Yield the digest of every entry of the log, in order; no cursor stays open while somebody reads slowly."""
    for first in range(0, count, _DIGESTS):
        span = Entry.objects.filter(n__gte=first, n__lt=min(first + _DIGESTS, count)).order_by("n")
        yield from span.values_list("digest", flat=True)
