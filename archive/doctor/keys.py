"""The keys: whether they can be read, and are those that signed and opened what is here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from django.db import DatabaseError

from appliance.contract.check_result import CheckResult
from appliance.contract.custody import CustodyHead
from appliance.contract.errors import DecryptionError, FormatError, PlainSightError
from archive.custody.models import Head
from archive.keystore.escrow import escrow_recipient
from archive.keystore.file import FileKeyStore
from archive.keystore.recording_keys import recording_keys

_ONE_BACKUP = "restore keys, database and recording-keys from one backup"
_TRIED = 3
"""Recordings' keys that are tried: they show whether the opening key fits."""


@dataclass(frozen=True)
class KeysLook:
    """The archive's keys."""

    error: str = ""
    """Why they cannot be read; empty if they can."""
    public: str = ""
    """Public half of the signing key."""
    signed_by: str = ""
    """Public half of the key that signed the custody log's head; empty if there is no entry yet."""
    recipient: str = ""
    """The archive's own age recipient."""
    escrow: str = ""
    """The escrow's; empty if there is none."""
    closed: int = 0
    """Of the recordings' keys that were tried, how many do not open."""
    tried: int = 0
    """How many were tried."""


def look(home: Path) -> KeysLook:
    """Read the keys anew, and try them."""
    try:
        keys = FileKeyStore.load(home / "keys")
    except PlainSightError as error:
        return KeysLook(error.message)
    try:
        escrow = escrow_recipient()
    except PlainSightError:
        escrow = ""
    tried = closed = 0
    try:
        for recording in islice(recording_keys().recordings(), _TRIED):
            tried += 1
            keys.decrypt_secret(recording_keys().read(recording))
    except DecryptionError:
        closed += 1
    except PlainSightError as error:
        return KeysLook(error.message)
    return KeysLook("", keys.public, _signed_by(), keys.recipient, escrow, closed, tried)


def _signed_by() -> str:
    try:
        head = Head.objects.filter(pk=1).first()
        return CustodyHead.read(bytes(head.line), None).archive_key if head and head.n else ""
    except (DatabaseError, FormatError):
        # told by the database's own check, and by check-custody
        return ""


def check(seen: KeysLook) -> Iterator[CheckResult]:
    """Yield what is wrong with the keys."""
    if seen.error:
        yield CheckResult("keys", "wrong", seen.error, "restore the keys from their backup; never make new ones")
        return
    if seen.signed_by not in ("", seen.public):
        yield CheckResult("keys", "wrong", "another key signed the custody log", _ONE_BACKUP)
    elif seen.closed:
        yield CheckResult("keys", "wrong", "the opening key does not open a recording that is here", _ONE_BACKUP)
    else:
        found = f"readable; {seen.tried} recordings tried, all open" if seen.tried else "readable"
        yield CheckResult("keys", "ok", found)
    if not seen.escrow:
        remedy = "name one: 'plainsight-archive make-keys --escrow RECIPIENT'"
        yield CheckResult("escrow", "wrong", "there is none, so no box can be enrolled", remedy)
    elif seen.escrow == seen.recipient:
        remedy = "make a second key that is kept elsewhere: 'plainsight-archive make-keys --escrow RECIPIENT'"
        yield CheckResult("escrow", "wrong", "it is the archive's own key, so nothing is left if that is lost", remedy)
    else:
        yield CheckResult("escrow", "ok", seen.escrow)
