"""The ZIP profile of a package (docs/format.md section 5.4): stored members, no variation, every byte accounted for.

The layout is that of PKWARE's APPNOTE 6.3, sections 4.3.7 (local header), 4.3.12 (central directory) and 4.3.16 (end).
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
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
CHUNK = 1 << 20


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
    start = members[-1].offset + members[-1].size if members else 0
    central = b"".join(member.central() for member in members)
    if len(members) > MAX_MEMBERS or start + len(central) + END.size > MAX_BYTES:
        raise TooLargeError("a package has at most 65534 members and 4 GiB; export the recording in its stored form")
    return central + END.pack(END_MAGIC, 0, 0, len(members), len(members), len(central), start, 0)


def looks_like_one(file: BinaryIO) -> bool:
    """Tell whether a file begins or ends as a ZIP does, so that damage to it is damage and not another kind of file."""
    size = file.seek(0, 2)
    file.seek(0)
    head = file.read(4)
    file.seek(max(0, size - END.size))
    return head == LOCAL_MAGIC or file.read(4) == END_MAGIC


def read_members(file: BinaryIO) -> list[Member]:
    """Return the members; raise FormatError naming the first byte that the profile does not demand.

    Members' own bytes are not read here; `read_member` checks them.
    """
    size = file.seek(0, 2)
    if size < END.size:
        raise FormatError("byte 0: too short for a package")
    file.seek(size - END.size)
    end = file.read(END.size)
    magic, *_, count, central_size, start, _ = END.unpack(end)
    if magic != END_MAGIC or start + central_size + END.size != size:
        raise FormatError(f"byte {size - END.size}: the end record is damaged, or the file was cut off")
    file.seek(start)
    members = list(_central_entries(file.read(central_size), start))
    expected = directory(members)
    file.seek(start)
    _same(expected, file.read(), start, "the directory")
    if len(members) != count or not members:
        raise FormatError(f"byte {start}: the directory lists {len(members)} members, the end record {count}")
    at = 0
    for member in members:
        if member.header_offset != at:
            raise FormatError(f"byte {at}: {member.name} does not follow on the member before it")
        file.seek(at)
        local = member.local()
        _same(local, file.read(len(local)), at, f"the header of {member.name}")
        at = member.offset + member.size
    if at != start:
        raise FormatError(f"byte {at}: something stands between the last member and the directory")
    return members


def read_member(file: BinaryIO, member: Member) -> bytes:
    """Return a member's bytes after their CRC-32 was checked."""
    file.seek(member.offset)
    data = file.read(member.size)
    if len(data) != member.size or zlib.crc32(data) != member.crc32:
        raise FormatError(f"{member.name}: its bytes do not have the CRC-32 that the ZIP states")
    return data


def _central_entries(data: bytes, start: int) -> Iterator[Member]:
    at = 0
    while at < len(data):
        if len(data) - at < CENTRAL.size or data[at : at + 4] != CENTRAL_MAGIC:
            raise FormatError(f"byte {start + at}: the directory is damaged")
        fields = CENTRAL.unpack_from(data, at)
        length = fields[10]
        try:
            name = data[at + CENTRAL.size : at + CENTRAL.size + length].decode("ascii")
        except UnicodeDecodeError as error:
            raise FormatError(f"byte {start + at}: a name is not ASCII") from error
        yield Member(name, fields[9], fields[7], fields[16])
        at += CENTRAL.size + length


def _same(expected: bytes, found: bytes, start: int, what: str) -> None:
    if expected == found:
        return
    pairs = zip(expected, found, strict=False)
    first = next((i for i, (one, other) in enumerate(pairs) if one != other), min(len(expected), len(found)))
    raise FormatError(f"byte {start + first}: {what} is not what the format demands")
