"""Receipts, where the recorder's writer finds them (docs/architecture.md, inbox)."""

from __future__ import annotations

import re
from pathlib import Path

from appliance.contract.durable_files import read_bounded, replace, sync_folder
from appliance.contract.errors import StorageError
from appliance.contract.ids import RECORDING_PATTERN

_MAX_BYTES = 64 << 10
_NAME = re.compile(RECORDING_PATTERN.rstrip("$") + r"\.tsv$")


class ReceiptInbox:
    """The inbox. It belongs to the uploading thread."""

    def __init__(self, folder: Path) -> None:
        """Keep receipts in `folder`, which must exist."""
        self._folder = folder

    def read(self, recording: str) -> bytes | None:
        """Return the receipt that is there, or None."""
        try:
            return read_bounded(self._path(recording), _MAX_BYTES)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._failure("read", error) from error

    def store(self, recording: str, receipt: bytes) -> None:
        """Write a receipt, durably, in place of an older one."""
        try:
            replace(self._path(recording), receipt, mode=0o644, durable=True)
        except OSError as error:
            raise self._failure("write into", error) from error

    def remove_finished(self, present: set[str]) -> None:
        """Remove the receipts of recordings that are gone from the spool."""
        try:
            done = [path for path in self._folder.iterdir() if _NAME.match(path.name) and path.stem not in present]
            for path in done:
                path.unlink(missing_ok=True)
            if done:
                sync_folder(self._folder)
        except OSError as error:
            raise self._failure("clean up", error) from error

    def _path(self, recording: str) -> Path:
        return self._folder / f"{recording}.tsv"

    def _failure(self, what: str, error: OSError) -> StorageError:
        return StorageError(
            f"cannot {what} the inbox {self._folder}: {error.strerror or error}; receipts cannot be handed over"
        )
