"""Reading a file that was brought, by its pieces: each is held against its digest, and decrypted in memory only."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from appliance.contract.encryption import Identity
from appliance.contract.errors import DigestError, NotSealedError
from appliance.contract.outside_package import PIECE
from appliance.contract.signed import digest
from archive.recordings.secrets import secret_of
from archive.store.base import BUFFER
from archive.store.current import store

from .in_pieces import PieceOfFile
from .models import OutsideRecording, State

OUTSIDE: Final = "outside"
"""The folder of the store where packages of recordings that no box made lie."""
_ENTRY: Final = struct.Struct(">QI32s")


@dataclass(frozen=True)
class Place:
    """Where the bytes of an encrypted piece lie."""

    name: str
    """The object in the store."""
    offset: int
    size: int
    sha256: str

    def read(self) -> bytes:
        """Return the encrypted piece; raise DigestError where the store spoiled it."""
        data = store().read_range(self.name, self.offset, self.size)
        if digest(data) != self.sha256:
            raise DigestError(f"a piece in {self.name} is damaged in the store; restore it from a copy")
        return data


def outside_package(recording: str) -> str:
    """Return the name of its package in the store, apart from those of box recordings."""
    return f"{OUTSIDE}/{recording[:2]}/{recording}.zip"


def packed(places: list[Place]) -> bytes:
    """Return places in a package as the row keeps them."""
    return b"".join(_ENTRY.pack(one.offset, one.size, bytes.fromhex(one.sha256)) for one in places)


def places_of(row: OutsideRecording) -> list[Place]:
    """Return where the pieces lie: in the package, or before the seal each as an object of its own."""
    if row.state == State.SEALED:
        name = outside_package(row.pk)
        entries = _ENTRY.iter_unpack(bytes(row.index))
        return [Place(name, offset, size, sha256.hex()) for offset, size, sha256 in entries]
    return places_of_pieces(row.pieces.order_by("number"))


def places_of_pieces(pieces: Iterable[PieceOfFile]) -> list[Place]:
    """Return where pieces that arrived lie: each is an object of its own."""
    return [Place(one.stored, 0, one.size, one.sha256) for one in pieces]


class PlainFile(io.RawIOBase):
    """A file as it was brought. For one thread; it remembers the last piece, which ends with the request."""

    def __init__(self, places: list[Place], secret: Identity, size: int) -> None:
        super().__init__()
        self._places, self._secret, self._size = places, secret, size
        self._at = 0
        self._opened: tuple[int, bytes] = (-1, b"")

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move, and return where it stands now."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(base + offset, 0)
        return self._at

    def tell(self) -> int:
        """Return where it stands."""
        return self._at

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]  # typeshed wants any Buffer
        """Fill `buffer` with what comes next, and return how many bytes that were."""
        number, begin = divmod(self._at, PIECE)
        count = min(len(buffer), self._size - self._at, PIECE - begin)
        if count <= 0:
            return 0
        if self._opened[0] != number:
            self._opened = (number, self._piece(number))
        buffer[:count] = self._opened[1][begin : begin + count]
        self._at += count
        return count

    def _piece(self, number: int) -> bytes:
        return self._secret.decrypt(self._places[number].read())


def open_file(row: OutsideRecording) -> io.BufferedReader:
    """Return a reader of all that was brought; raise DecryptionError where its key is gone."""
    return io.BufferedReader(PlainFile(places_of(row), secret_of(row.pk), row.size), BUFFER)


def open_sealed(row: OutsideRecording) -> io.BufferedReader:
    """Return the same, for people: raise NotSealedError before the seal, as of any recording."""
    if row.state != State.SEALED:
        raise NotSealedError("nobody can listen to a recording or take a copy of it before it is sealed")
    return open_file(row)


def chunks(file: io.BufferedReader, first: int, stop: int) -> Iterator[bytes]:
    """Yield the bytes from `first` up to `stop`."""
    file.seek(first)
    left = stop - first
    while left > 0 and (data := file.read(min(left, BUFFER))):
        left -= len(data)
        yield data
