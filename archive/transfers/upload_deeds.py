"""Taking in an evidence package by the pages: it arrives in pieces, and the worker checks it and takes it in."""

from __future__ import annotations

import io
import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.utils import timezone

from appliance.contract.encryption import Identity, encrypt
from appliance.contract.errors import KeyFileError, PlainSightError, StorageError
from appliance.contract.keys import KeyRing
from appliance.contract.log_format import printable
from appliance.contract.stop_signal import StopSignal
from appliance.contract.verification.evidence_bag import looks_like_evidence
from archive.accounts.models import User
from archive.core.deeds import after_commit, one_deed
from archive.core.jobs import still_working
from archive.custody.actors import ARCHIVE, NOTHING, Actor
from archive.custody.log import record
from archive.keystore.current import keystore
from archive.records.errors import DeedError, UnknownRecordError
from archive.records.outside_recordings.piece_deeds import Arrivals, check_whole
from archive.records.outside_recordings.plain_file import PlainFile, places_of_pieces
from archive.store.base import BUFFER

from .clear_deeds import clear, clear_ended
from .custody_kinds import ARRIVED, BEGUN, GIVEN_UP, REFUSED
from .models import OPEN, State, Upload, UploadPiece
from .taking_in import Taken, take_in

LOOK_S: Final = 5.0
"""How often the worker looks for what arrived, in seconds."""
FIRST_PAUSE: Final = timedelta(minutes=1)
LAST_PAUSE: Final = timedelta(hours=1)
"""How long one that cannot be looked at waits at first, and at most: each time as long as it has waited in all."""
_log = logging.getLogger(__name__)


class NotEvidenceError(DeedError):
    """A file is no evidence package."""

    code = "not-evidence"
    status = 415


@dataclass(frozen=True)
class Said:
    """What whoever takes a package in says about it."""

    district: str
    ring: KeyRing
    """The other archive's keys, which came by another way than the package."""
    came_by: str


def longest() -> int:
    """Return the most bytes of a package that is taken in so."""
    return int(settings.ARCHIVE.records.longest_transfer_mib) << 20


def begin(said: Said, *, by: User) -> Upload:
    """Write down what is said about an evidence package; its file follows."""
    key = encrypt(Identity.generate().secret_line(), [keystore().recipient])
    with one_deed():
        row = Upload(
            district=said.district,
            key_ring=said.ring.model_dump_json(),
            came_by=said.came_by,
            begun_at=timezone.now(),
            begun_by=by,
            key=key,
        )
        record(BEGUN, actor=Actor.user(by.pk), subject=NOTHING, upload=row.pk)
        row.save(force_insert=True)
    return row


def add_piece(pk: str, at: int, size: int, data: bytes) -> int:
    """Keep the piece at byte `at` of a file of `size` bytes; return how many bytes of it are here then.

    Raises PieceError, OtherFileError, NotEvidenceError, StorageError.
    """
    return _ARRIVALS.add(pk, at, size, data)


def complete(pk: str, *, by: User) -> Upload:
    """Hand a package of which all bytes are here to the worker. Raises DeedError."""
    with one_deed():
        row = _arriving(pk, lock=True)
        check_whole(row)
        record(ARRIVED, actor=Actor.user(by.pk), subject=NOTHING, upload=pk, bytes=row.size)
        row.state, row.arrived_at, row.completed_by = State.ARRIVED, timezone.now(), by
        row.save(update_fields=["state", "arrived_at", "completed_by"])
    return row


def give_up(pk: str, *, by: User) -> Upload:
    """Give a package up before it is taken in; nothing of it is kept, nor of what was said about it."""
    with one_deed():
        row = Upload.objects.select_for_update().filter(pk=pk).first()
        if row is None:
            raise UnknownRecordError("there is no such package here")
        if row.state not in OPEN:
            raise DeedError("It was taken in, refused or given up already. Nothing was changed.")
        record(GIVEN_UP, actor=Actor.user(by.pk), subject=NOTHING, upload=pk)
        row.came_by = row.key_ring = row.problem = ""
        _end(row, State.GIVEN_UP)
    return row


def take_in_all(stop: StopSignal) -> None:
    """Take in what arrived, and clear what is left of the others: a job of the worker."""
    clear_ended()
    for row in list(Upload.objects.filter(state=State.ARRIVED).order_by("arrived_at").only("arrived_at", "tried_at")):
        if stop.is_set():
            return
        if row.tried_at is None or timezone.now() >= due_again(row.arrived_at or row.tried_at, row.tried_at):
            take_in_one(row.pk)


def due_again(arrived_at: datetime, tried_at: datetime) -> datetime:
    """Return when one that could not be looked at is looked at again."""
    return tried_at + min(max(tried_at - arrived_at, FIRST_PAUSE), LAST_PAUSE)


def take_in_one(pk: str) -> Upload:
    """Check one that arrived, and take it in or refuse it; one that cannot be looked at or kept is tried again."""
    row = find_upload(pk)
    if row.state != State.ARRIVED:
        return row
    actor = Actor.user(row.completed_by.pk) if row.completed_by is not None else ARCHIVE
    try:
        with _opened(row) as file:
            ring = KeyRing.model_validate_json(row.key_ring)
            taken = take_in(
                *(file, ring, row.district, actor),
                progress=lambda *_: still_working(),
                keeping=lambda recording: _keeping(pk, recording),
            )
    except (StorageError, KeyFileError) as error:
        _log.error("%(subject)s cannot be looked at: %(problem)s", {"subject": pk, "problem": error})
        return _put_off(pk, error.message)
    except PlainSightError as error:
        return _close(pk, None, error.message)
    except Exception:  # noqa: BLE001 - what one package sets off must not keep the others out
        _log.exception("%(subject)s cannot be taken in by a defect of this program", {"subject": pk})
        return _put_off(pk, "the archive's database or program failed; ask IT for what its log says of it")
    return _close(pk, taken, "")


def arriving() -> set[str]:
    """Return the identifiers whose pieces may be here."""
    return set(Upload.objects.filter(state__in=OPEN).values_list("pk", flat=True))


def find_upload(pk: str) -> Upload:
    """Return what was sent; raise UnknownRecordError."""
    row = Upload.objects.select_related("begun_by", "completed_by", "taken_in").filter(pk=pk).first()
    if row is None:
        raise UnknownRecordError("there is no such package here")
    return row


def _close(pk: str, taken: Taken | None, problem: str) -> Upload:
    with one_deed():
        row = Upload.objects.select_for_update().get(pk=pk)
        # one that was given up while it was taken in is here: its page must not say otherwise
        if row.state == State.ARRIVED or (taken is not None and row.state == State.GIVEN_UP):
            row.problem, row.taken_in = printable(problem), taken.row if taken is not None else None
            row.stored = row.stored if taken is None else ""
            if taken is None:
                record(REFUSED, actor=ARCHIVE, subject=NOTHING, upload=pk)
            _end(row, State.REFUSED if taken is None else State.TAKEN_IN)
    return row


def _keeping(pk: str, recording: str) -> None:
    """Note for which recording a key and a package are about to be kept: where no row follows, both are removed."""
    if not Upload.objects.filter(pk=pk, state=State.ARRIVED).update(stored=recording):
        raise DeedError("It was given up meanwhile.")


def _put_off(pk: str, problem: str) -> Upload:
    Upload.objects.filter(pk=pk, state=State.ARRIVED).update(problem=printable(problem), tried_at=timezone.now())
    return find_upload(pk)


def _end(row: Upload, state: State) -> None:
    """End a package in the transaction that is open; its key is forgotten with it."""
    row.state, row.ended_at, row.key = state, timezone.now(), b""
    row.save()
    after_commit(lambda: clear(row.pk))


def _opened(row: Upload) -> io.BufferedReader:
    places = places_of_pieces(row.pieces.order_by("number"))
    return io.BufferedReader(PlainFile(places, keystore().decrypt_secret(bytes(row.key)), row.size), BUFFER)


def _arriving(pk: str, lock: bool = False) -> Upload:
    rows = Upload.objects.select_for_update() if lock else Upload.objects.all()
    row = rows.filter(pk=pk).first()
    if row is None:
        raise UnknownRecordError("there is no such package here")
    if row.state != State.ARRIVING:
        raise DeedError("All of it is here, or it was given up. Load the page again.")
    return row


def _look(data: bytes) -> None:
    if not looks_like_evidence(io.BytesIO(data)):
        raise NotEvidenceError(
            "this is no evidence package; ask the other archive for a transfer, which its page 'Disclosures' makes, "
            "and give it the recipient that this page shows"
        )


_ARRIVALS: Final = Arrivals(
    find=_arriving,
    piece=lambda row: UploadPiece(upload=row),
    pieces=lambda row: row.pieces.all(),
    recipient=lambda row: keystore().decrypt_secret(bytes(row.key)).recipient,
    longest=longest,
    look=_look,
)
