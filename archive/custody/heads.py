"""Signed heads: what the archive's key says about how many entries there are, and in which digest they end.

The head is signed with every entry, so that whoever holds the database and not the key cannot cut the log or append to
it. A head that was published (kept as a row, in a file beside the database, in receipts and exports) cannot be taken
back: a database that is put back to an older state no longer holds against it.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from django.conf import settings
from django.db import DatabaseError, close_old_connections, transaction

from appliance.contract.custody import CustodyHead
from appliance.contract.durable_files import sync_folder
from appliance.contract.errors import FormatError, SettingsError, StorageError
from appliance.contract.signed import split_lines
from appliance.contract.times import now
from archive.keystore.current import keystore

from .models import Head, SignedHead

_log = logging.getLogger(__name__)
PUBLISH_S: Final = 3600.0
"""How often the worker publishes the head, in seconds; what somebody does before that shows no later."""
_END: Final = 64 << 10
"""Bytes at the file's end among which the present head stands, if it was published: about a hundred of them."""
FILE: Final = "custody-heads.tsv"
"""Published heads, oldest first, in the archive's folder: apart from the database on purpose."""


def sign(entries: int, digest: str, root: str) -> bytes:
    """Return the signed line that says where the log ends; raise KeyFileError if the key cannot be read."""
    keys = keystore()
    head = CustodyHead(archive_key=keys.public, entries=entries, digest=digest, root=root, signed_at=now())
    return keys.sign(head)


def require_own(line: bytes) -> None:
    """Raise SettingsError if another archive's key signed this end of the log: the database is that archive's.

    A line that is damaged says nothing about that; the check of the log tells it.
    """
    ours = keystore().public
    try:
        whose = CustodyHead.read(line, None).archive_key if line else ours
    except FormatError:
        return
    if whose != ours:
        raise SettingsError(
            f"the database is another archive's: its custody log is signed with {whose}, and this archive's key is "
            f"{ours}. Two archives never share a database; name this one's own in [database], or restore the keys that "
            "belong to this one",
            field="database.name",
        )


def require_own_log() -> None:
    """Raise SettingsError if the database is another archive's; one that does not answer is only told."""
    try:
        head = Head.objects.filter(pk=1).first()
    except DatabaseError as error:
        _log.warning("whose the database is cannot be seen now: %(problem)s", {"problem": error})
        close_old_connections()
        return
    if head is not None:
        require_own(bytes(head.line))


def signed_head() -> bytes:
    """Publish the present head and return its signed line; empty if the log has no entry yet.

    Call it outside a transaction: what may yet be rolled back must not be published.
    """
    with transaction.atomic(durable=True):
        head = Head.objects.select_for_update().filter(pk=1).first()
        if head is None or head.n == 0:
            return b""
        line = bytes(head.line)
        SignedHead.objects.get_or_create(pk=head.n, defaults={"line": line})
    _keep_in_file(settings.ARCHIVE_HOME / FILE, line)
    return line


def _keep_in_file(path: Path, line: bytes) -> None:
    """Append `line` unless the file ends with it; the row says nothing of that: a crash may have come between them."""
    try:
        end = _end_of(path)
        if b"\n" + line in b"\n" + end:
            return
        # what a crash cut off stays a line of its own, which is no head
        torn = b"" if not end or end.endswith(b"\n") else b"\n"
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o640)
        with os.fdopen(descriptor, "wb") as file:
            file.write(torn + line)
            file.flush()
            os.fsync(file.fileno())
        if not end:
            sync_folder(path.parent)
    except OSError as error:
        raise StorageError(
            f"cannot write {path}: {error.strerror}; make room, or let the archive's user own it"
        ) from error


def _end_of(path: Path) -> bytes:
    if not path.exists():
        return b""
    with path.open("rb") as file:
        file.seek(max(path.stat().st_size - _END, 0))
        return file.read()


def published() -> Iterator[tuple[str, bytes]]:
    """Return every published head that is kept here, and where it is kept."""
    yield from (("the table of signed heads", bytes(row.line)) for row in SignedHead.objects.iterator())
    path: Path = settings.ARCHIVE_HOME / FILE
    if path.exists():
        yield from lines_of(path)


def lines_of(path: Path) -> Iterator[tuple[str, bytes]]:
    """Return the signed heads in a file; what a crash cut off, within the file or at its end, is not one.

    A line that is no head at all is told in the log, and is no break: whoever could write it could as well have taken
    a head away. Of a file in which no line is one, the first line is returned, so that it does not pass for heads.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise StorageError(f"cannot read {path}: {error.strerror}") from error
    lines = [line for line in split_lines(data) if line != b"\n"]
    heads = [line for line in lines if _is_head(line)]
    if len(heads) < len(lines):
        told = {"path": path, "count": len(lines) - len(heads)}
        _log.warning("%(path)s has %(count)d lines that are no heads; a crash may have cut them off", told)
    yield from ((str(path), line) for line in heads or lines[:1])


def _is_head(line: bytes) -> bool:
    """Tell whether a line has the form of a head, whoever signed it."""
    try:
        CustodyHead.read(line, None)
    except FormatError:
        return False
    return True
