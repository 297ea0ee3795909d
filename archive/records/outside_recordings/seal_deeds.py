"""Sealing a file that was brought: a job of the worker. Every step can be repeated, and then makes the same bytes."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator
from typing import BinaryIO, Final, cast

from django.db import transaction

from appliance.contract.errors import DigestError, FormatError, PlainSightError
from appliance.contract.outside_package import STATEMENT, MediaType, OutsideReceipt, outside_info, piece_name, pieces
from appliance.contract.package import TAG_FILES, write_bag
from appliance.contract.signed import digest
from appliance.contract.stop_signal import StopSignal
from appliance.contract.times import now, parse_wall, wall
from appliance.contract.zip_profile import read_member, read_members
from archive.core.deeds import one_deed
from archive.core.jobs import still_working
from archive.custody.actors import ARCHIVE, Subject
from archive.custody.log import record
from archive.keystore.current import keystore
from archive.store.base import open_object
from archive.store.current import store

from .custody_kinds import SEALED
from .models import OutsideRecording, Piece, State
from .plain_file import Place, open_file, outside_package, packed, places_of
from .take_in_deeds import clear_all

LOOK_S: Final = 5.0
"""How often the worker looks for what is complete, in seconds."""
_log = logging.getLogger(__name__)


def seal_all(stop: StopSignal) -> None:
    """Seal what is complete, and clear what was given up."""
    clear_all(stop)
    for pk in list(OutsideRecording.objects.filter(state=State.ARRIVED).values_list("pk", flat=True)):
        if stop.is_set():
            return
        try:
            seal_outside(pk)
        except PlainSightError as error:
            _log.error("%(recording)s cannot be sealed: %(problem)s", {"recording": pk, "problem": error})
            OutsideRecording.objects.filter(pk=pk, state=State.ARRIVED).update(problem=error.message)


def seal_outside(pk: str) -> OutsideRecording:
    """Seal one, and return it; raise DigestError, DecryptionError or StorageError, and then nothing is changed."""
    with transaction.atomic():
        row = OutsideRecording.objects.select_for_update().get(pk=pk)
        if row.state != State.ARRIVED:
            return row
        if row.sealing_at is None:
            row.sealing_at = parse_wall(now())
            row.save(update_fields=["sealing_at"])
    sha256, receipts = _whole(row), []

    def receipt(manifest_sha256: str) -> bytes:
        receipts.append(_receipt(row, sha256, manifest_sha256))
        return receipts[0]

    draft = store().draft(outside_package(pk))
    try:
        offsets = write_bag(draft, pk, lambda: _members(row), receipt, lambda sizes: outside_info(pk, _at(row), sizes))
        with draft.reader() as file:
            require_same(file, row)
        draft.publish()
    finally:
        draft.discard()
    return _take_over(row, sha256, receipts[0], offsets)


def _whole(row: OutsideRecording) -> str:
    """Return the digest of the whole file, after each piece was opened."""
    whole = hashlib.sha256()
    with open_file(row) as file:
        while data := file.read(1 << 20):
            still_working()
            whole.update(data)
        if file.tell() != row.size or row.pieces.count() != pieces(row.size):
            raise DigestError("the pieces that arrived are not the whole file; give it up, and bring it again")
    return whole.hexdigest()


def _members(row: OutsideRecording) -> Iterator[tuple[str, bytes]]:
    yield STATEMENT, bytes(row.statement)
    for number, place in enumerate(places_of(row)):
        still_working()
        yield piece_name(number), place.read()


def _receipt(row: OutsideRecording, sha256: str, manifest_sha256: str) -> bytes:
    return keystore().sign(
        OutsideReceipt(
            recording=row.pk,
            archive_key=keystore().public,
            media_type=cast("MediaType", row.media_type),
            size=row.size,
            sha256=sha256,
            manifest_sha256=manifest_sha256,
            sealed_at=_at(row),
        )
    )


def require_same(file: BinaryIO, row: OutsideRecording) -> None:
    """Read a package back; raise FormatError or DigestError unless it holds what arrived, and nothing else."""
    found = read_members(file)
    expected = [STATEMENT, *(piece_name(number) for number in range(pieces(row.size)))]
    if [one.name for one in found[len(TAG_FILES) :]] != [f"{row.pk}/{name}" for name in expected]:
        raise FormatError("the package does not hold the pieces that arrived")
    digests = [digest(bytes(row.statement)), *(place.sha256 for place in places_of(row))]
    for member, sha256 in zip(found[len(TAG_FILES) :], digests, strict=True):
        still_working()
        if digest(read_member(file, member)) != sha256:
            raise DigestError(f"{member.name} was written otherwise than it arrived")


def _take_over(row: OutsideRecording, sha256: str, receipt: bytes, offsets: dict[str, int]) -> OutsideRecording:
    name = outside_package(row.pk)
    with open_object(store(), name) as file:
        # the buffered reader has readinto, which typeshed's BinaryIO does not promise
        package_sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    size = store().size(name)
    with one_deed():
        row = OutsideRecording.objects.select_for_update().get(pk=row.pk)
        if row.state == State.ARRIVED:
            placed = [
                Place(name, offsets[piece_name(number)], one.size, one.sha256)
                for number, one in enumerate(places_of(row))
            ]
            record(SEALED, actor=ARCHIVE, subject=Subject.outside(row.pk), sha256=sha256, package_sha256=package_sha256)
            row.index, row.sha256, row.receipt = packed(placed), sha256, receipt
            row.package_size, row.package_sha256 = size, package_sha256
            row.state, row.sealed_at, row.problem = State.SEALED, row.sealing_at, ""
            row.save()
            Piece.objects.filter(outside=row).delete()
    store().drop_incoming(row.pk)
    if row.state == State.GIVEN_UP:
        # while it was being sealed
        store().remove(name)
    return row


def _at(row: OutsideRecording) -> str:
    assert row.sealing_at is not None  # noqa: S101 - set before anything is written
    return wall(row.sealing_at)
