"""Receipts and deletion: the only way a recording leaves the box (promise 3).

A receipt counts only if the pinned archive key signed it and it names exactly this recording's header, ledger, key,
segments and tail. Then it is kept in the spool, the recording's folder gets a name with a dot, and its files are
removed a few at a time, so that a press is never kept waiting. The inbox itself is the courier's: nothing is written
there, it is never listed, and nothing in it can keep the writer waiting.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Final

from appliance.contract import ledger
from appliance.contract.errors import FormatError, PlainSightError
from appliance.contract.header import Header
from appliance.contract.ids import RECORDING_PATTERN
from appliance.contract.paths import HEADER, KEY, LEDGER, SEGMENTS
from appliance.contract.receipt import Receipt, SealedFacts
from appliance.contract.signed import digest, split_lines
from appliance.recorder.storage.disk import DAMAGED, DiskError
from appliance.recorder.storage.spool import Spool, store

BAD_RECEIPT: Final = "bad-receipt"
"""The amber code for a receipt that does not fit."""
MAX_RECEIPT: Final = 64 << 10
_AT_ONCE: Final = 200
_RECORDING: Final = re.compile(RECORDING_PATTERN)
_log = logging.getLogger(__name__)


class ReceiptError(PlainSightError):
    """A receipt that deletes nothing, because it is not one for exactly these bytes."""

    code: ClassVar[str] = BAD_RECEIPT


@dataclass(frozen=True)
class Pinned:
    """Who may vouch for what."""

    boxes: Mapping[str, str]
    """Public key: the box that signs with it. This one, and those whose cards went on in this board."""
    archive_key: str
    """The one archive whose receipts count."""


class ReceiptInbox:
    """The courier's folder of receipts, and the deletions that follow from them.

    A recording that the disk does not give back stays, and keeps none of the others here.
    """

    def __init__(self, folder: Path, spool: Spool, pinned: Pinned) -> None:
        self._folder = folder
        self._spool = spool
        self._pinned = pinned
        self._refused: dict[str, bytes | None] = {}
        """What was told to be no receipt for these recordings; None: it could not even be read."""
        self._deleting: list[Path] = []
        self._durable = False
        """Whether the names of what is deleted are known to be durable: before that nothing of it may go."""
        self._unreadable: dict[str, DiskError] = {}

    @property
    def refused(self) -> bool:
        """Whether a receipt lies there that does not fit."""
        return bool(self._refused)

    @property
    def unreadable(self) -> bool:
        """Whether a receipt lies there for a recording that the disk did not give back."""
        return bool(self._unreadable)

    def resume(self) -> None:
        """Go on with deletions that a restart cut off; only where the receipt is kept."""
        disk, spool = self._spool.disk, self._spool
        for name in disk.names(spool.recordings):
            recording = name.removeprefix(".").removesuffix(".deleted")
            if name != f".{recording}.deleted":
                continue
            if disk.exists(spool.receipts / f"{recording}.tsv"):
                self._deleting.append(spool.recordings / name)
            else:
                spool.quarantine(spool.recordings / name)

    def step(self) -> bool:
        """Do a little work; return whether more is waiting. Raises DiskError, or ReceiptError once for each receipt.

        A DiskError with the code DAMAGED is about one recording, and comes when nothing is left to do for the others.
        """
        if self._deleting:
            if not self._durable:
                self._spool.disk.sync_folder(self._spool.recordings)
                self._durable = True
            self._delete(self._deleting[-1])
            return bool(self._deleting)
        recordings = [name for name in self._spool.disk.names(self._spool.recordings) if _RECORDING.fullmatch(name)]
        for gone in (self._refused.keys() | self._unreadable.keys()) - set(recordings):
            self._refused.pop(gone, None)
            self._unreadable.pop(gone, None)
        # those that could not be read come last: a bad sector takes its time
        if any(self._accept(recording) for recording in sorted(recordings, key=self._unreadable.__contains__)):
            return True
        for error in self._unreadable.values():
            raise error
        return False

    def _accept(self, recording: str) -> bool:
        line: bytes | None = None
        self._unreadable.pop(recording, None)
        try:
            line = self._spool.disk.read_of_another_user(self._folder / f"{recording}.tsv", MAX_RECEIPT)
            if line is None:
                self._refused.pop(recording, None)
                return False
            if self._refused.get(recording) == line:
                return False
            check(line, self._spool, self._pinned, recording)
        except DiskError as error:
            self._unreadable[recording] = DiskError(
                DAMAGED, f"{recording} cannot be read, and is not deleted: {error.message}"
            )
            return False
        except FormatError as error:
            if line is None and recording in self._refused and self._refused[recording] is None:
                return False
            self._refused[recording] = line
            raise ReceiptError(
                f"the receipt for {recording} does not fit and deletes nothing: {error.message}; "
                "ask the archive's administrator, and check keys.archive_key",
                field=error.field,
            ) from error
        self._refused.pop(recording, None)
        store(self._spool.disk, self._spool.receipts / f"{recording}.tsv", line)
        doomed = self._spool.recordings / f".{recording}.deleted"
        self._spool.disk.rename(self._spool.folder(recording), doomed)
        # first in the list: whatever the disk says next, this writer goes on with it
        self._deleting.append(doomed)
        self._durable = False
        return True

    def _delete(self, folder: Path) -> None:
        disk = self._spool.disk
        inner = folder / SEGMENTS
        place = inner if disk.exists(inner) else folder
        names = disk.names(place)
        for name in names[:_AT_ONCE]:
            disk.remove(place / name)
        if len(names) <= _AT_ONCE:
            disk.remove_folder(place)
            if place == folder:
                disk.sync_folder(self._spool.recordings)
                self._deleting.remove(folder)


def check(line: bytes, spool: Spool, pinned: Pinned, recording: str) -> Receipt:
    """Return the receipt if it is the archive's for exactly what the spool holds; raise FormatError otherwise."""
    receipt = Receipt.read(line, pinned.archive_key)
    folder, read = spool.folder(recording), spool.disk.read
    header_line = read(folder / HEADER)
    header = Header.read_own(header_line)
    if pinned.boxes.get(header.box_key) != header.box:
        raise FormatError("the recording is of another box", field="box_key")
    ledger_bytes = read(folder / LEDGER)
    lines = split_lines(ledger_bytes)
    last = ledger.Entry.read(lines[-1], header.box_key).fact if lines else None
    if not isinstance(last, ledger.Closing):
        raise FormatError("the recording is not closed", field="ledger_lines")
    if receipt.archive_key != pinned.archive_key:
        raise FormatError("the receipt names another key than the one that signed it", field="archive_key")
    receipt.require(
        SealedFacts(
            recording=recording,
            box=header.box,
            header_sha256=digest(header_line),
            ledger_lines=len(lines),
            ledger_sha256=digest(ledger_bytes),
            segments=last.segments,
            frames=last.frames,
            tail=len(last.unverified_tail),
            outcome="interrupted" if last.reason == "interrupted" else "complete",
            key_sha256=digest(read(folder / KEY)),
        )
    )
    return receipt
