"""Reads the commissioning record, which counts only with the box's own signature."""

from __future__ import annotations

from typing import ClassVar, Final

from appliance.contract.commissioning import Commissioning
from appliance.contract.errors import FormatError, PlainSightError
from appliance.contract.keys import SigningKey
from appliance.contract.signed import MAX_LINE

from .settings import RecorderSettings

FAULT: Final = "not-commissioned"
"""The amber code for a box without a record of its own."""


class RecordError(PlainSightError):
    """The box has no valid record."""

    code: ClassVar[str] = FAULT


def read_record(settings: RecorderSettings, public: str | None = None) -> Commissioning:
    """Return this box's record. It reads a disk.

    `public` is the box's own key where the caller has it; otherwise it is loaded. Raises RecordError if the record is
    missing, unreadable or another box's, KeyFileError if there is no key to check it with.
    """
    path = settings.box.commissioning
    key = public or SigningKey.load(settings.box.signing_key_path()).public
    try:
        with path.open("rb") as file:
            line = file.read(MAX_LINE + 1)
    except FileNotFoundError as error:
        raise RecordError(
            f"there is no record {path}: the box was not commissioned; run plainsight commission"
        ) from error
    except OSError as error:
        raise RecordError(
            f"cannot read the record {path}: {error.strerror}; make it readable, or commission again"
        ) from error
    try:
        record = Commissioning.read(line, key)
    except FormatError as error:
        # SignatureError is one of them
        raise RecordError(f"{path} is no record of this box: {error.message}; commission the box again") from error
    if (record.box, record.box_key) != (settings.box.id, key):
        raise RecordError(f"{path} is the record of {record.box}, not of this box; commission this one")
    return record
