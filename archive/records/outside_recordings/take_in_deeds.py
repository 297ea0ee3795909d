"""Taking in a file that was brought: what is said about it, its pieces, its end."""

from __future__ import annotations

import json
import logging
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Final

from django.conf import settings
from django.utils import timezone

from appliance.contract.encryption import Identity, encrypt
from appliance.contract.errors import ConflictError, PlainSightError
from appliance.contract.outside_package import LONGEST
from appliance.contract.stop_signal import StopSignal
from archive.accounts.models import User
from archive.core.deeds import after_commit, one_deed
from archive.custody.actors import Actor, Subject
from archive.custody.log import record
from archive.keystore.current import keystore
from archive.keystore.escrow import escrow_recipient
from archive.keystore.recording_keys import recording_keys, why_kept
from archive.recordings.secrets import secret_of
from archive.records.errors import DeedError, UnknownRecordError
from archive.store.current import store

from .custody_kinds import ARRIVED, BEGUN, GIVEN_UP
from .media import HEAD, claimed, examine
from .models import OutsideRecording, Piece, State
from .piece_deeds import Arrivals, check_whole
from .plain_file import open_file, outside_package
from .rules import Statement, check_statement

_log = logging.getLogger(__name__)

ERASED = "erased with the recording"
NAMING = ("place", "made_by", "made_with", "since", "brought_by")
"""What of a statement may name somebody."""


def begin(said: Statement, *, by: User) -> OutsideRecording:
    """Write down what is said about a recording that is brought; its file follows."""
    check_statement(said, timezone.localdate())
    with one_deed():
        row = OutsideRecording(begun_at=timezone.now(), begun_by=by, **asdict(said))
        record(BEGUN, actor=Actor.user(by.pk), subject=Subject.outside(row.pk))
        row.save(force_insert=True)
    return row


def longest() -> int:
    """Return the most bytes of a file that is taken in."""
    return min(LONGEST, int(settings.ARCHIVE.records.longest_brought_mib) << 20)


def add_piece(pk: str, at: int, size: int, data: bytes) -> int:
    """Keep the piece at byte `at` of a file of `size` bytes; return how many bytes of it are here then.

    One that is here already is only compared. Raises PieceError, OtherFileError, NotSoundError, StorageError.
    """
    return _ARRIVALS.add(pk, at, size, data)


@dataclass(frozen=True)
class Examined:
    """A file of which all bytes are here, looked at before the deed that closes it."""

    media_type: str
    seconds: float | None
    statement: bytes
    """What is said about it, encrypted to its own key."""


def examine_file(pk: str) -> Examined:
    """Look at a file of which all bytes are here. Raises DeedError, NotSoundError."""
    row = _arriving(pk)
    check_whole(row)
    with open_file(row) as file:
        found = examine(file)
    said = {name: str(getattr(row, name)) for name in ("origin", "made_on", "made_at", *NAMING, "brought_on")}
    statement = encrypt(json.dumps(said, ensure_ascii=True).encode(), [secret_of(pk).recipient])
    return Examined(found.type.value, found.seconds, statement)


def complete(pk: str, *, by: User, examined: Examined | None = None) -> OutsideRecording:
    """Close a file of which all bytes are here, if it is sound and nothing else. Raises DeedError, NotSoundError.

    `examined` is what `examine_file` said, where the caller is in a deed already: it reads from the store.
    """
    examined = examine_file(pk) if examined is None else examined
    with one_deed():
        row = _arriving(pk, lock=True)
        record(ARRIVED, actor=Actor.user(by.pk), subject=Subject.outside(pk), bytes=row.size)
        row.state, row.arrived_at, row.statement = State.ARRIVED, timezone.now(), examined.statement
        row.media_type, row.seconds = examined.media_type, examined.seconds
        row.save()
    return row


def give_up(pk: str, *, by: User) -> OutsideRecording:
    """Give a file up before it is sealed: what was said about it goes with the deed, key and pieces right after it.

    Where the store says no then, the worker goes on with `clear_all`. Raises DeedError for one that is sealed, was
    given up, or is on hold.
    """
    with one_deed():
        row = OutsideRecording.objects.select_for_update().filter(pk=pk).first()
        if row is None:
            raise UnknownRecordError("there is no such recording here")
        if row.state not in {State.ARRIVING, State.ARRIVED}:
            raise DeedError("It is sealed, or was given up already. Nothing was changed.")
        record(GIVEN_UP, actor=Actor.user(by.pk), subject=Subject.outside(pk))
        row.state, row.given_up_at, row.problem, row.statement = State.GIVEN_UP, timezone.now(), "", b""
        for name in NAMING:
            setattr(row, name, "")
        row.save()
        # what would keep its key is asked while all of this can still be undone
        if why := why_kept(pk):
            raise DeedError(f"It was not given up: {why}.")
        after_commit(lambda: clear(pk))
    return row


def is_cleared(pk: str) -> bool:
    """Tell whether nothing is left of a file that was given up."""
    return not recording_keys().exists(pk) and not Piece.objects.filter(outside=pk).exists()


def clear(pk: str) -> None:
    """Remove what is left of a file that was given up; it can be called again after a crash."""
    recording_keys().destroy_key(pk)
    store().drop_incoming(pk)
    # a seal that was killed before its entry may have left one; where it is locked, the rows below have it tried again
    store().remove(outside_package(pk))
    Piece.objects.filter(outside=pk).delete()


def clear_all(stop: StopSignal) -> None:
    """Remove what a crash left of all files that were given up, also a key that a late piece made."""
    given_up = OutsideRecording.objects.filter(state=State.GIVEN_UP)
    in_pieces = set(Piece.objects.filter(outside__in=given_up).values_list("outside", flat=True))
    for pk in list(given_up.values_list("pk", flat=True)):
        if stop.is_set():
            return
        if pk in in_pieces or recording_keys().exists(pk):
            try:
                clear(pk)
            except PlainSightError as error:
                # others wait for nothing of it
                _log.error("%(recording)s, which was given up: %(problem)s", {"recording": pk, "problem": error})


def _arriving(pk: str, lock: bool = False) -> OutsideRecording:
    rows = OutsideRecording.objects.select_for_update(of=("self",)) if lock else OutsideRecording.objects.all()
    row = rows.filter(pk=pk).first()
    if row is None:
        raise UnknownRecordError("there is no such recording here")
    if row.state != State.ARRIVING:
        raise DeedError("Its file is complete, or was given up. Load the page again.")
    return row


def _key(row: OutsideRecording) -> Identity:
    """Return the recording's own key, made with its first piece; it opens for archive and escrow alone.

    No transaction waits for the key store. A kill right after leaves a key that the next piece uses, or that
    `clear_all` removes where the file was given up.
    """
    if not recording_keys().exists(row.pk):
        secret = Identity.generate().secret_line()
        # two first pieces at once: the later one finds the other's
        with suppress(ConflictError):
            recording_keys().put_once(row.pk, encrypt(secret, [keystore().recipient, escrow_recipient()]))
    return secret_of(row.pk)


_ARRIVALS: Final = Arrivals(
    find=_arriving,
    piece=lambda row: Piece(outside=row),
    pieces=lambda row: row.pieces.all(),
    recipient=lambda row: _key(row).recipient,
    longest=longest,
    look=lambda data: claimed(data[:HEAD]),
)
