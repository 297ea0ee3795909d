"""The sealed package: a BagIt bag (RFC 8493) in a ZIP of one exact shape (docs/format.md section 5)."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable, Iterable
from typing import Protocol

from .errors import StorageError
from .paths import HEADER, LEDGER, RECEIPT, segment_path
from .receipt import Outcome
from .signed import digest
from .zip_profile import Member, check_room, directory

BAGIT = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
TAG_FILES = ("bagit.txt", "bag-info.txt", "manifest-sha256.txt", "tagmanifest-sha256.txt", RECEIPT)
"""Members before the payload, in order."""
PAYLOAD = (f"data/{HEADER}", f"data/{LEDGER}", "data/arrivals.tsv", "data/events.json")
"""Members of the payload before the segments, in order."""
Members = Iterable[tuple[str, bytes]]


class Writer(Protocol):
    """Where a package is written to."""

    def write(self, data: bytes, /) -> int:
        """Append `data` and return its length."""


def segment_name(number: int, *, tail: bool = False) -> str:
    """Return a segment's place in the bag; `tail` is that of an unverified one."""
    return f"data/{segment_path(number, tail=tail)}"


def bag_info(recording: str, outcome: Outcome, sealed_at: str, sizes: Iterable[int]) -> bytes:
    """Return `bag-info.txt`; `sizes` are those of the payload's members, in bytes."""
    counted = list(sizes)
    lines = [
        "Source-Organization: Plain Sight archive",
        f"External-Identifier: {recording}",
        f"Bagging-Date: {sealed_at[:10]}",
        f"Payload-Oxum: {sum(counted)}.{len(counted)}",
        f"Outcome: {outcome}",
    ]
    return "".join(f"{line}\n" for line in lines).encode("ascii")


def manifest(digests: Iterable[tuple[str, str]]) -> bytes:
    """Return a BagIt manifest of (path, SHA-256) in the given order."""
    return "".join(f"{sha256}  {path}\n" for path, sha256 in digests).encode("ascii")


def tag_manifest(info: bytes, payload_manifest: bytes, receipt: bytes) -> bytes:
    """Return `tagmanifest-sha256.txt`, which covers every tag file but itself."""
    return manifest(
        [
            ("bagit.txt", digest(BAGIT)),
            ("bag-info.txt", digest(info)),
            ("manifest-sha256.txt", digest(payload_manifest)),
            (RECEIPT, digest(receipt)),
        ]
    )


def write_package(
    file: Writer,
    recording: str,
    members: Callable[[], Members],
    receipt: Callable[[str], bytes],
    *,
    outcome: Outcome,
    sealed_at: str,
) -> dict[str, int]:
    """Write the package of a box's recording, as `write_bag` does, and return where each member's bytes begin."""
    return write_bag(file, recording, members, receipt, lambda sizes: bag_info(recording, outcome, sealed_at, sizes))


def write_bag(
    file: Writer,
    recording: str,
    members: Callable[[], Members],
    receipt: Callable[[str], bytes],
    info_of: Callable[[list[int]], bytes],
) -> dict[str, int]:
    """Write a bag and return where each member's bytes begin, by path in the bag.

    `members` yields the payload in its order, the same at each call; it is called twice, so that no more than one
    member is in memory. `receipt` gets the digest of `manifest-sha256.txt` and returns the signed line, `info_of` gets
    the sizes of the payload's members and returns `bag-info.txt`.
    Raises TooLargeError before a byte is written, StorageError if `members` changed meanwhile.
    """
    facts = [(name, len(data), zlib.crc32(data), hashlib.sha256(data).hexdigest()) for name, data in members()]
    payload_manifest = manifest((name, sha256) for name, _, _, sha256 in facts)
    info = info_of([size for _, size, _, _ in facts])
    line = receipt(digest(payload_manifest))
    tags = (BAGIT, info, payload_manifest, tag_manifest(info, payload_manifest, line), line)
    sizes = [*zip(TAG_FILES, map(len, tags), strict=True), *((name, size) for name, size, _, _ in facts)]
    check_room((f"{recording}/{name}", size) for name, size in sizes)
    written: list[Member] = []
    for name, data in zip(TAG_FILES, tags, strict=True):
        _write(file, written, f"{recording}/{name}", data)
    for (name, data), (first, size, crc32, _) in zip(members(), facts, strict=True):
        member = _write(file, written, f"{recording}/{name}", data)
        if (name, member.size, member.crc32) != (first, size, crc32):
            raise StorageError(f"{name} changed while the package was written; try again")
    file.write(directory(written))
    return {member.name.partition("/")[2]: member.offset for member in written}


def _write(file: Writer, written: list[Member], name: str, data: bytes) -> Member:
    at = written[-1].offset + written[-1].size if written else 0
    member = Member(name, len(data), zlib.crc32(data), at)
    file.write(member.local())
    file.write(data)
    written.append(member)
    return member
