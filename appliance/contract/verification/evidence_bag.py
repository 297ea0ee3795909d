"""The bag of an evidence package (docs/format.md section 10): its ZIP, and its manifests, which name all its files."""

from __future__ import annotations

import hashlib
import io
import re
import struct
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import BinaryIO, Final

from appliance.contract.errors import DigestError, FormatError
from appliance.contract.evidence_package import ALGORITHMS, TAG_MANIFESTS, TAGS
from appliance.contract.package import BAGIT
from appliance.contract.zip_profile import LOCAL, LOCAL_MAGIC

MAX_SMALL: Final = 16 << 20
"""Most bytes of a member that is read into memory: a manifest, a signed line, a key."""
MAX_DIRECTORY: Final = 4 << 20
"""Most bytes of the ZIP's directory."""
MAX_MEMBERS: Final = 10_000
_BUFFER: Final = 1 << 20
_ROOT: Final = re.compile(r"evidence-([0-9a-f]{32})")
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)*")
_LINE: Final = re.compile(r"([0-9a-f]{64}|[0-9a-f]{128})  (\S+)")
_END: Final = struct.Struct("<4s8xIIH")
_END64: Final = struct.Struct("<4s36xQQ")
_DESCRIPTORS: Final = (16, 24)
"""Bytes of a data descriptor, without and with sizes of 64 bits."""
_NONE: Final = (1 << 32) - 1


def looks_like_evidence(file: BinaryIO) -> bool:
    """Tell whether a file is an evidence package, be it a damaged one."""
    file.seek(0)
    head = file.read(LOCAL.size + len("evidence-"))
    size = file.seek(0, 2)
    file.seek(max(0, size - (1 << 16)))
    tail = file.read(1 << 16)
    file.seek(0)
    return head[LOCAL.size :] == b"evidence-" or (b"/evidence.tsv" in tail and b"evidence-" in tail)


class Window(io.RawIOBase):
    """A part of a file that reads like a file of its own."""

    def __init__(self, file: BinaryIO, start: int, size: int) -> None:
        super().__init__()
        self._file, self._start, self._size, self._at = file, start, size, 0

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def seekable(self) -> bool:
        """Tell that it can be read from any place."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place in the part."""
        self._at = max(0, {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence] + offset)
        return self._at

    def tell(self) -> int:
        """Return the place."""
        return self._at

    def readinto(self, buffer: object) -> int:
        """Fill `buffer` from the place on."""
        view = memoryview(buffer).cast("B")  # type: ignore[arg-type]  # typeshed wants a Buffer
        self._file.seek(self._start + self._at)
        data = self._file.read(min(len(view), max(self._size - self._at, 0)))
        view[: len(data)] = data
        self._at += len(data)
        return len(data)


@dataclass
class EvidenceBag:
    """An open evidence package."""

    file: BinaryIO
    recording: str
    members: dict[str, tuple[int, int]]
    """By path in the bag: where its bytes begin, and how many there are."""
    manifests: dict[str, dict[str, str]] = field(default_factory=dict)
    """By algorithm: digest of each file of the payload."""

    def open(self, name: str) -> BinaryIO:
        """Return a member as a file; raise FormatError if it is missing."""
        if name not in self.members:
            raise FormatError(f"{name} is missing")
        return io.BufferedReader(Window(self.file, *self.members[name]), _BUFFER)

    def read(self, name: str) -> bytes:
        """Return a small member's bytes; raise FormatError if it is missing or too large."""
        if name in self.members and self.members[name][1] > MAX_SMALL:
            raise FormatError(f"{name}: {self.members[name][1]} bytes are more than it can have")
        with self.open(name) as member:
            return member.read()

    def payload(self) -> list[str]:
        """Return the paths of the payload, in the ZIP's order."""
        return [name for name in self.members if name.startswith("data/")]


def open_bag(file: BinaryIO) -> EvidenceBag:
    """Open the ZIP of an evidence package; raise FormatError for anything that the format does not demand."""
    directory = _check_directory(file)
    try:
        with zipfile.ZipFile(file) as archive:
            infos = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OverflowError, struct.error) as error:
        raise FormatError(f"the ZIP's directory cannot be read: {error}") from error
    if not 0 < len(infos) <= MAX_MEMBERS:
        raise FormatError(f"the ZIP has {len(infos)} members")
    found = _ROOT.match(infos[0].filename)
    if found is None or infos[0].filename != f"{found[0]}/bagit.txt":
        raise FormatError("the first member is not evidence-RECORDING/bagit.txt")
    members: dict[str, tuple[int, int]] = {}
    ends = [info.header_offset for info in infos[1:]] + [directory]
    for info, end in zip(infos, ends, strict=True):
        root, _, name = info.filename.partition("/")
        if root != found[0] or not _NAME.fullmatch(name) or name in members:
            raise FormatError(f"{info.filename!r} has no place in an evidence package")
        if info.compress_type != zipfile.ZIP_STORED or info.file_size != info.compress_size or info.flag_bits & ~8:
            raise FormatError(f"{name}: it is not stored as it is")
        members[name] = (_begin(file, info), info.file_size)
        _check_end(file, name, sum(members[name]), end)
    return EvidenceBag(file, found[1], members)


def _check_directory(file: BinaryIO) -> int:
    """Return where the directory begins; raise FormatError for one that nobody should read into memory."""
    size = file.seek(0, 2)
    if size < _END.size:
        raise FormatError("it is too short for a package")
    file.seek(size - _END.size)
    magic, length, start, comment = _END.unpack(file.read(_END.size))
    if magic != b"PK\x05\x06" or comment:
        raise FormatError("the ZIP's end record is damaged, or the file was cut off")
    if _NONE in (length, start) and size >= 98:
        file.seek(size - 98)
        magic, length, start = _END64.unpack(file.read(_END64.size))
        if magic != b"PK\x06\x06":
            raise FormatError("the ZIP's end record is damaged, or the file was cut off")
    if length > MAX_DIRECTORY or start + length > size:
        raise FormatError("the ZIP's end record claims a directory that cannot be")
    return int(start)


def _check_end(file: BinaryIO, name: str, at: int, end: int) -> None:
    """Raise FormatError unless nothing but its data descriptor (APPNOTE 6.3 section 4.3.9) follows on a member."""
    file.seek(at)
    if end - at not in _DESCRIPTORS or file.read(4) != b"PK\x07\x08":
        raise FormatError(f"{name}: bytes follow on it that belong to no member")


def _begin(file: BinaryIO, info: zipfile.ZipInfo) -> int:
    """Return where a member's bytes begin: behind its local header, which must be its own."""
    file.seek(info.header_offset)
    fixed = file.read(LOCAL.size)
    if len(fixed) != LOCAL.size or fixed[:4] != LOCAL_MAGIC:
        raise FormatError(f"{info.filename}: its header is damaged")
    name, extra = LOCAL.unpack(fixed)[9:11]
    if file.read(name) != info.filename.encode("ascii"):
        raise FormatError(f"{info.filename}: its header names another file")
    return info.header_offset + LOCAL.size + int(name) + int(extra)


def check_manifests(bag: EvidenceBag) -> str:
    """Check the declaration and what the manifests name; return what was checked. `check_payload` checks digests."""
    others = [name for name in bag.members if not name.startswith("data/")]
    if sorted(others) != sorted([*TAGS, *TAG_MANIFESTS]):
        raise FormatError(f"the tag files are {', '.join(others)}")
    if bag.read("bagit.txt") != BAGIT:
        raise FormatError("bagit.txt does not declare BagIt 1.0")
    for algorithm in ALGORITHMS:
        tags = _listed(bag, f"tagmanifest-{algorithm}.txt")
        if sorted(tags) != sorted(TAGS):
            raise FormatError(f"tagmanifest-{algorithm}.txt does not name exactly the tag files")
        for name, promised in tags.items():
            if hashlib.new(algorithm, bag.read(name)).hexdigest() != promised:
                raise DigestError(f"{name}: its digest is not the one in tagmanifest-{algorithm}.txt")
        bag.manifests[algorithm] = _listed(bag, f"manifest-{algorithm}.txt")
        missing = set(bag.manifests[algorithm]).symmetric_difference(bag.payload())
        if missing:
            raise FormatError(f"manifest-{algorithm}.txt and the files that are here differ: {min(missing)}")
    return f"the BagIt manifests name exactly the {len(bag.payload())} files of the evidence package"


def _listed(bag: EvidenceBag, name: str) -> dict[str, str]:
    try:
        # each line ends with a line feed and nothing else: no other byte that ends a line somewhere may stand for it
        *lines, rest = bag.read(name).decode("ascii").split("\n")
    except UnicodeDecodeError as error:
        raise FormatError(f"{name} is not text") from error
    if rest:
        raise FormatError(f"{name}: its last line does not end")
    listed: dict[str, str] = {}
    for line in lines:
        found = _LINE.fullmatch(line)
        if found is None or found[2] in listed:
            raise FormatError(f"{name}: {line[:80]!r} is no line of a manifest")
        listed[found[2]] = found[1]
    return listed


def check_payload(bag: EvidenceBag, tell: Callable[[int, int], None]) -> None:
    """Hold every file of the payload against its digests. `tell` gets how many megabytes of how many are read."""
    total = sum(size for _, size in bag.members.values()) >> 20
    done = 0
    for name in bag.payload():
        hashes = {algorithm: hashlib.new(algorithm) for algorithm in ALGORITHMS}
        for piece in _pieces(bag, name):
            for one in hashes.values():
                one.update(piece)
            done += len(piece)
            tell(done >> 20, total)
        for algorithm, one in hashes.items():
            if one.hexdigest() != bag.manifests[algorithm][name]:
                raise DigestError(f"{name}: its digest is not the one in manifest-{algorithm}.txt")


def _pieces(bag: EvidenceBag, name: str) -> Iterator[bytes]:
    with bag.open(name) as member:
        yield from iter(lambda: member.read(_BUFFER), b"")
