"""The archive's custody log as others can check it: its signed head, and proof that an entry is in it (section 9).

The entries are also the leaves of a Merkle tree, hashed as RFC 9162 section 2.1 says, whose root the head signs. So one
entry is proved by a few digests, and nobody has to be shown the others.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from .errors import DigestError
from .ids import Digest
from .keys import PublicKey
from .signed import SignedModel
from .times import WallTime

ENTRY_VERSION: Final = 1
"""Version of an entry's hashed form; it is the first thing that is hashed."""
HASH_BYTES: Final = 32
"""Bytes of one SHA-256."""
MAX_PATH: Final = 64
"""Longest proof: a log has at most 2 to the 63rd entries."""

EntryFields = tuple[int, int, str, str, str, str, str, str, str, str]
"""What is hashed of an entry: version, n, at, actor type and id, subject type and id, code, detail, prev."""


class CustodyHead(SignedModel):
    """The custody log has this many entries, and these digests (docs/format.md section 9.2)."""

    type: Literal["plainsight/custody-head/1"] = "plainsight/custody-head/1"
    archive_key: PublicKey
    entries: Annotated[int, Field(ge=1)]
    digest: Digest
    """Of the last entry."""
    root: Digest
    """Of the tree over all entries."""
    signed_at: WallTime


class CustodyProof(BaseModel):
    """One entry, and the digests that lead from it to the root that a head signs (docs/format.md section 9.3)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    entry: EntryFields
    path: Annotated[tuple[Digest, ...], Field(max_length=MAX_PATH)]

    @property
    def n(self) -> int:
        """Its number in the log."""
        return self.entry[1]

    @property
    def subject(self) -> tuple[str, str]:
        """What it is about: type and identifier."""
        return self.entry[5], self.entry[6]

    @property
    def digest(self) -> str:
        """Its digest."""
        return entry_digest(self.entry)

    def require(self, head: CustodyHead) -> None:
        """Raise DigestError unless the log that `head` signs holds this entry at its place."""
        found = root_from(bytes.fromhex(self.digest), self.n, head.entries, [bytes.fromhex(one) for one in self.path])
        if found is None or found.hex() != head.root:
            raise DigestError(f"custody entry {self.n} is not in the log that the archive signed")


def canonical(fields: EntryFields) -> bytes:
    """Return the bytes that an entry's digest covers: its fields as a JSON list (docs/format.md section 9.1)."""
    return json.dumps(fields, ensure_ascii=True, separators=(",", ":")).encode("ascii")


def entry_digest(fields: EntryFields) -> str:
    """Return an entry's digest."""
    return hashlib.sha256(canonical(fields)).hexdigest()


def _leaf(digest: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + digest).digest()


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


class Tree:
    """The tree over the entries so far: of each whole subtree on its right edge the hash, the largest first."""

    def __init__(self, size: int = 0, edge: bytes = b"") -> None:
        """Go on from `size` entries whose edge is `edge`, as `Tree.edge` returned it."""
        self.size = size
        self._edge = [edge[at : at + HASH_BYTES] for at in range(0, len(edge), HASH_BYTES)]

    @property
    def edge(self) -> bytes:
        """The hashes, one behind the other: 32 bytes for each 1 in the binary form of the size."""
        return b"".join(self._edge)

    def add(self, digest: str) -> list[tuple[int, int, bytes]]:
        """Add the next entry; return the whole subtrees that are complete now, as (level, place on it, hash)."""
        found = _leaf(bytes.fromhex(digest))
        level, place = 0, self.size
        complete = [(level, place, found)]
        while place & 1:
            found = _node(self._edge.pop(), found)
            level, place = level + 1, place >> 1
            complete.append((level, place, found))
        self._edge.append(found)
        self.size += 1
        return complete

    def root(self) -> str:
        """Return the root; that of nothing is the digest of nothing."""
        if not self._edge:
            return hashlib.sha256(b"").hexdigest()
        return _joined(self._edge).hex()


def _joined(parts: Sequence[bytes]) -> bytes:
    """Return the hash of neighboring whole subtrees, each smaller than the one before it."""
    found = parts[-1]
    for left in reversed(parts[:-1]):
        found = _node(left, found)
    return found


def proofs(digests: Iterable[str], wanted: Iterable[int], size: int) -> dict[int, list[str]]:
    """Return the path of each entry in `wanted` in the tree over the first `size` entries, whose digests are given.

    The digests are read once; of the tree only what the paths name is kept.
    """
    ways = {n: _siblings(n, size) for n in wanted}
    needed = {part for way in ways.values() for ragged in way for part in ragged}
    kept: dict[tuple[int, int], bytes] = {}
    tree = Tree()
    for digest in digests:
        for level, place, found in tree.add(digest):
            if (level, place) in needed:
                kept[level, place] = found
        if tree.size == size:
            break
    if tree.size != size:
        raise DigestError(f"the custody log has {tree.size} entries, and {size} were signed; keep it as it is")
    return {n: [_joined([kept[part] for part in ragged]).hex() for ragged in way] for n, way in ways.items()}


def _siblings(n: int, size: int) -> list[list[tuple[int, int]]]:
    """Return what stands beside the way from leaf `n` to the root, from below: each as whole subtrees, left to right.

    RFC 9162 section 2.1.3.1: a tree's left part is the largest whole one that is smaller than it.
    """
    way: list[list[tuple[int, int]]] = []
    first, last = 0, size
    while last - first > 1:
        level = (last - first - 1).bit_length() - 1
        middle = first + (1 << level)
        if n < middle:
            way.append(_whole(middle, last))
            last = middle
        else:
            way.append([(level, first >> level)])
            first = middle
    return way[::-1]


def _whole(first: int, last: int) -> list[tuple[int, int]]:
    """Return the whole subtrees, as (level, place), that leaves `first` to `last - 1` at a right edge consist of."""
    parts = []
    while first < last:
        level = (last - first).bit_length() - 1
        parts.append((level, first >> level))
        first += 1 << level
    return parts


def root_from(digest: bytes, n: int, size: int, path: Sequence[bytes]) -> bytes | None:
    """Return the root to which `path` leads from leaf `n` of `size`; None where the path does not fit the size.

    RFC 9162 section 2.1.3.2.
    """
    if not 0 <= n < size:
        return None
    place, last, found = n, size - 1, _leaf(digest)
    for beside in path:
        if last == 0:
            return None
        if place & 1 or place == last:
            found = _node(beside, found)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            found = _node(found, beside)
        place, last = place >> 1, last >> 1
    return found if last == 0 else None
