"""A file that arrives in pieces: each is encrypted before it touches a disk, and counts once it is committed.

Whatever is killed in between leaves the pieces before; the browser asks how far it got, and goes on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from django.db import models, transaction

from appliance.contract.encryption import encrypt
from appliance.contract.errors import PlainSightError, StorageError
from appliance.contract.signed import digest
from archive.records.errors import DeedError
from archive.store.current import store

from .in_pieces import FileInPieces, PieceOfFile
from .rules import OtherFileError, PieceError, check_piece

_OTHER: Final = "This is another file than the one whose begin is here. Choose that one, or give it up."
Row = TypeVar("Row", bound=FileInPieces)


@dataclass(frozen=True)
class Arrivals(Generic[Row]):
    """How files of one kind arrive."""

    find: Callable[[str, bool], Row]
    """Returns the file of this identifier, locked if wanted; raises DeedError unless it is arriving."""
    piece: Callable[[Row], PieceOfFile]
    """Returns a piece of the file, not saved."""
    pieces: Callable[[Row], models.QuerySet[Any]]
    """Returns the pieces that are here."""
    recipient: Callable[[Row], str]
    """Returns to whom pieces are encrypted."""
    longest: Callable[[], int]
    """Returns the most bytes of a file."""
    look: Callable[[bytes], object]
    """Looks at the first piece; raises DeedError for what is not taken in."""

    def add(self, pk: str, at: int, size: int, data: bytes) -> int:
        """Keep the piece at byte `at` of a file of `size` bytes; return how many bytes of it are here then.

        One that is here already is only compared. Raises PieceError, OtherFileError, StorageError, what `look` raises.
        """
        number = check_piece(at, size, len(data), self.longest())
        row = self.find(pk, False)
        if number == 0:
            self.look(data)
        if at < row.received:
            return self._same(row, number, size, data)
        _check_next(row, at, size)
        sealed = encrypt(data, [self.recipient(row)])
        stored = store().add_incoming(pk, f"piece-{number}", [sealed])
        piece = self.piece(row)
        piece.number, piece.stored, piece.size = number, stored, len(sealed)
        piece.sha256, piece.plain_sha256 = digest(sealed), digest(data)
        try:
            return self._count(pk, piece, at, size, len(data))
        except PlainSightError:
            # another request brought the same piece meanwhile
            store().remove_incoming(stored)
            raise

    def _count(self, pk: str, piece: PieceOfFile, at: int, size: int, length: int) -> int:
        with transaction.atomic():
            row = self.find(pk, True)
            _check_next(row, at, size)
            piece.save(force_insert=True)
            row.size, row.received = size, at + length
            row.save(update_fields=["size", "received"])
        return row.received

    def _same(self, row: Row, number: int, size: int, data: bytes) -> int:
        piece = self.pieces(row).filter(number=number).first()
        if piece is None:
            raise StorageError("a piece that arrived is missing in the database; give the file up, and bring it again")
        if row.size != size or piece.plain_sha256 != digest(data):
            raise OtherFileError(_OTHER)
        return row.received


def check_whole(row: FileInPieces) -> None:
    """Raise DeedError unless all bytes of a file are here."""
    if not row.size or row.received != row.size:
        raise DeedError("Not all of the file has arrived. Choose it again; what is here is not sent again.")


def _check_next(row: FileInPieces, at: int, size: int) -> None:
    if row.size and row.size != size:
        raise OtherFileError(_OTHER)
    if at != row.received:
        raise PieceError("A piece before this one is missing. Choose the file again; what arrived is kept.")
