"""The ZIP profile of a package (docs/format.md section 5.4): stored members, no variation, every byte accounted for.

The layout is that of PKWARE's APPNOTE 6.3, sections 4.3.7 (local header), 4.3.12 (central directory) and 4.3.16 (end).
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import BinaryIO

from .errors import FormatError, TooLargeError

LOCAL = struct.Struct("<4sHHHHHIIIHH")
CENTRAL = struct.Struct("<4sHHHHHHIIIHHHHHII")
END = struct.Struct("<4sHHHHIIH")
VERSION = 20
MADE_BY = 788
DATE = 33
ATTRIBUTES = 0x81A40000
LOCAL_MAGIC, CENTRAL_MAGIC, END_MAGIC = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"
MAX_MEMBERS = 65534
MAX_BYTES = (1 << 32) - 1
MAX_NAME = 80
"""Bytes of the longest name that a package can have, and more."""
_MARKS = (
    *(
        b"/bagit.txt",
        b"/bag-info.txt",
        b"manifest-sha256.txt",
        b"/receipt.tsv",
        b"/data/header.tsv",
        b"/data/ledger.tsv",
    ),
    *(b"/data/arrivals.tsv", b"/data/events.json", b"/data/segments/", b"/data/tail/"),
)
_LOOK = 1 << 16
_MIN_BYTES = 100
"""Bytes of a file that is too short to tell what it was."""


@dataclass(frozen=True)
class Member:
    """One member of a package."""

    name: str
    """Path inside the ZIP, ASCII."""
    size: int
    """Bytes."""
    crc32: int
    """CRC-32 of the bytes."""
    header_offset: int
    """Where its local header begins."""

    @property
    def offset(self) -> int:
        """Where its bytes begin."""
        return self.header_offset + LOCAL.size + len(self.name)

    def local(self) -> bytes:
        """Return its local header."""
        fixed = LOCAL.pack(*(LOCAL_MAGIC, VERSION, 0, 0, 0, DATE, self.crc32, self.size, self.size, len(self.name), 0))
        return fixed + self.name.encode("ascii")

    def central(self) -> bytes:
        """Return its entry in the central directory."""
        fixed = CENTRAL.pack(
            *(CENTRAL_MAGIC, MADE_BY, VERSION, 0, 0, 0, DATE, self.crc32, self.size, self.size, len(self.name)),
            *(0, 0, 0, 0, ATTRIBUTES, self.header_offset),
        )
        return fixed + self.name.encode("ascii")


def directory(members: list[Member]) -> bytes:
    """Return everything behind the last member's bytes."""
    check_room((member.name, member.size) for member in members)
    return _packed(members)


def _packed(members: list[Member]) -> bytes:
    start = members[-1].offset + members[-1].size if members else 0
    central = b"".join(member.central() for member in members)
    return central + END.pack(END_MAGIC, 0, 0, len(members), len(members), len(central), start, 0)


def check_room(members: Iterable[tuple[str, int]]) -> None:
    """Raise TooLargeError if a ZIP of the profile cannot hold members of these names and sizes in bytes."""
    count, total = 0, END.size
    for name, size in members:
        count += 1
        total += LOCAL.size + CENTRAL.size + 2 * len(name) + size
    if count > MAX_MEMBERS or total > MAX_BYTES:
        raise TooLargeError("a package has at most 65534 members and 4 GiB; keep the recording in its stored form")


def looks_like_package(file: BinaryIO) -> bool:
    """Tell whether a file is a package, be it a damaged one, so that damage is not taken for another kind of file.

    A package names its members at both ends, and no single damage spoils all of those names.
    """
    size = file.seek(0, 2)
    file.seek(0)
    head = file.read(_LOOK)
    file.seek(max(0, size - _LOOK))
    tail = file.read(_LOOK)
    if head[:4] != LOCAL_MAGIC and tail[-END.size :][:4] != END_MAGIC:
        return False
    return len(head) < _MIN_BYTES or any(mark in part for mark in _MARKS for part in (head, tail))


def read_members(file: BinaryIO) -> list[Member]:
    """Return the members; raise FormatError naming the first byte that the profile does not demand.

    Members' own bytes are not read here; `read_member` checks them. What a file claims never decides how much memory
    is used: a directory is at most 8 MiB long.
    """
    size = file.seek(0, 2)
    if size < END.size:
        raise FormatError("byte 0: too short for a package")
    file.seek(size - END.size)
    end = file.read(END.size)
    magic, *_, count, central_size, start, _ = END.unpack(end)
    if magic != END_MAGIC:
        raise FormatError(f"byte {size - END.size}: the end record is damaged, or the file was cut off")
    if central_size > count * (CENTRAL.size + MAX_NAME):
        raise FormatError(f"byte {size - END.size}: the end record claims a directory that is too long")
    if not 0 < count <= MAX_MEMBERS or start + central_size + END.size != size:
        raise FormatError(f"byte {size - END.size}: the end record does not fit the file's {size} bytes")
    file.seek(start)
    central = file.read(central_size)
    members = _members(central, start)
    if len(members) != count:
        raise FormatError(f"byte {start}: the directory lists {len(members)} members, the end record {count}")
    _same(_packed(members), central + end, start, "the directory")
    for member in members:
        file.seek(member.header_offset)
        local = member.local()
        _same(local, file.read(len(local)), member.header_offset, f"the header of {member.name}")
    return members


def leading_members(file: BinaryIO, count: int) -> list[Member]:
    """Return the first `count` members by their local headers alone; raise FormatError where one is not of the profile.

    For a reader that wants what stands in front; only `read_members` looks at every byte.
    """
    members: list[Member] = []
    at = 0
    for _ in range(count):
        file.seek(at)
        fixed = file.read(LOCAL.size)
        if len(fixed) != LOCAL.size or fixed[:4] != LOCAL_MAGIC:
            raise FormatError(f"byte {at}: a member's header is damaged, or the file was cut off")
        fields = LOCAL.unpack(fixed)
        name = file.read(min(fields[9], MAX_NAME))
        member = Member(name.decode("ascii", "replace"), fields[8], fields[6], at)
        _same(member.local(), fixed + name, at, f"the header of {member.name}")
        members.append(member)
        at = member.offset + member.size
    return members


def read_member(file: BinaryIO, member: Member) -> bytes:
    """Return a member's bytes after their CRC-32 was checked."""
    file.seek(member.offset)
    data = file.read(member.size)
    if len(data) != member.size or zlib.crc32(data) != member.crc32:
        raise FormatError(f"{member.name}: its bytes do not have the CRC-32 that the ZIP states")
    return data


def _members(data: bytes, start: int) -> list[Member]:
    """Return the members that a directory at byte `start` lists, which must fill the file up to there."""
    members: list[Member] = []
    at, end = 0, 0
    while at < len(data):
        if len(data) - at < CENTRAL.size or data[at : at + 4] != CENTRAL_MAGIC:
            raise FormatError(f"byte {start + at}: the directory is damaged")
        fields = CENTRAL.unpack_from(data, at)
        length = fields[10]
        try:
            name = data[at + CENTRAL.size : at + CENTRAL.size + length].decode("ascii")
        except UnicodeDecodeError as error:
            raise FormatError(f"byte {start + at}: a name is not ASCII") from error
        member = Member(name, fields[9], fields[7], fields[16])
        if member.header_offset != end or member.offset + member.size > start:
            raise FormatError(f"byte {start + at}: {name} does not stand where the directory says")
        members.append(member)
        end = member.offset + member.size
        at += CENTRAL.size + length
    if end != start:
        raise FormatError(f"byte {end}: something stands between the last member and the directory")
    return members


def _same(expected: bytes, found: bytes, start: int, what: str) -> None:
    if expected == found:
        return
    pairs = zip(expected, found, strict=False)
    first = next((i for i, (one, other) in enumerate(pairs) if one != other), min(len(expected), len(found)))
    raise FormatError(f"byte {start + first}: {what} is not what the format demands")
