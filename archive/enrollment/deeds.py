"""Giving claims out, using them, and renewing certificates: each locks, writes its custody entry, and changes."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from django.conf import settings

from appliance.contract.enrollment import (
    CLAIM_HOURS,
    BrokerAddress,
    ClaimError,
    Enrolled,
    EnrollRequest,
    Renewed,
    RenewRequest,
    new_claim,
    read_claim,
)
from appliance.contract.errors import NotEnrolledError, PlainSightError, SettingsError, SignatureError
from appliance.contract.ids import new_box_id
from archive.authority.authority import Authority
from archive.core.deeds import one_deed
from archive.custody.actors import NETWORK, Actor, Subject
from archive.custody.log import record
from archive.custody.models import Entry
from archive.devices.enrollment import enroll
from archive.devices.models import Box, BoxKey
from archive.keystore.current import keystore
from archive.keystore.escrow import escrow_recipient
from archive.rooms.placement import place, room_called, rooms_now

from .custody_kinds import CERTIFY, CLAIM, CLONE, REFUSE_CLAIM, USE_CLAIM, WITHDRAW_CLAIM
from .models import Claim, ClaimState


class CloneError(PlainSightError):
    """The box's identity belongs to another board."""

    code = "wrong-board"
    status = 403


@dataclass(frozen=True)
class NewClaim:
    """A claim as it is given out: the only moment at which its text is known."""

    text: str
    row: Claim


def give_claim(room: str, *, by: Actor, now: datetime) -> NewClaim:
    """Give out a claim for a new box in `room`; raise SettingsError for a name of a room that is none."""
    text = new_claim()
    with one_deed():
        row = Claim.objects.create(
            sha256=_digest(text),
            room=room_called(room),
            made_at=now,
            expires_at=now + timedelta(hours=CLAIM_HOURS),
        )
        record(CLAIM, actor=by, claim=row.pk, room=str(row.room_id))
    return NewClaim(text, row)


def withdraw_claim(number: int, *, by: Actor, now: datetime) -> Claim:
    """Let a claim be taken no longer; raise SettingsError if there is none of that number, or a box used it."""
    with one_deed():
        row = Claim.objects.select_for_update().filter(pk=number).first()
        if row is None:
            raise SettingsError(f"there is no claim {number}", field="claim")
        if row.used_at is not None:
            raise SettingsError(f"{row.box_id} has used it; retire the box instead", field="claim")
        if row.withdrawn_at is None:
            record(WITHDRAW_CLAIM, actor=by, claim=row.pk)
            row.withdrawn_at = now
            row.save(update_fields=["withdrawn_at"])
    return row


def open_claim(text: str, now: datetime) -> Claim:
    """Return the row of a claim that a box can still use; raise ClaimError."""
    row = Claim.objects.filter(sha256=_digest(read_claim(text))).first()
    if row is None or row.state(now) is not ClaimState.OPEN:
        raise ClaimError("this claim is no longer open; give out another one", field="claim")
    return row


def use_claim(line: bytes, now: datetime) -> Enrolled:
    """Make a new box known, and return what its settings need.

    The same box may ask again with the same key until the claim expires: an answer that was lost on the way is given
    again. Raises FormatError, SignatureError or ClaimError, the last after an entry in the custody log.
    """
    asked = EnrollRequest.read(line, None)
    EnrollRequest.read(line, asked.box_key)
    claim = read_claim(asked.claim)
    authority = Authority.load(settings.ARCHIVE_HOME / "keys")
    with one_deed():
        row = Claim.objects.select_for_update().filter(sha256=_digest(claim)).first()
        why = _why_not(row, asked, now)
        # a board without a number cannot be told from another one
        clone = row is not None and not why and row.board not in ("", asked.board)
        if row is not None and not why and not clone:
            box = row.box_id or new_box_id()
            certificate = authority.box(asked.csr, box, now)
            if row.box_id is None:
                known = enroll(box, asked.box_key, by=NETWORK)
                enroll(box, asked.courier_key, by=NETWORK, use=BoxKey.Use.COURIER)
                place(known, row.room.name, by=NETWORK)
                record(USE_CLAIM, actor=NETWORK, subject=Subject.box(box), claim=row.pk, board=asked.board)
                row.used_at, row.box, row.board, row.model = now, known, asked.board, asked.model
                row.save(update_fields=["used_at", "box", "board", "model"])
            _note_certificate(box, certificate)
            return _answer(Box.objects.get(pk=box), certificate, authority)
    if clone and row is not None:
        _require_board(str(row.box_id), row.board, asked.board)
    _refuse(row, why)
    raise ClaimError(why, field="claim")


def renew(line: bytes, now: datetime) -> Renewed:
    """Tell a box that is believed its broker, and give it a new certificate if it asks for one.

    Its old certificate is not looked at, and may have ended.

    Raises FormatError, SignatureError, NotEnrolledError, or CloneError after an entry in the custody log.
    """
    asked = RenewRequest.read(line, None)
    RenewRequest.read(line, asked.box_key)
    authority = Authority.load(settings.ARCHIVE_HOME / "keys")
    box = Box.objects.filter(pk=asked.box, retired_at=None).first()
    if box is None:
        raise NotEnrolledError(f"the archive does not know {asked.box}, or it was retired; give it a new claim")
    if not box.believes(asked.box_key):
        raise SignatureError(f"{asked.box} has another key", field="box_key")
    board = Claim.objects.filter(box=box).values_list("board", flat=True).first()
    _require_board(box.pk, board or "", asked.board)
    certificate = None
    if asked.csr is not None:
        with one_deed():
            certificate = authority.box(asked.csr, box.pk, now)
            _note_certificate(box.pk, certificate)
    return Renewed(
        certificate=None if certificate is None else certificate.decode("ascii"),
        authority=authority.pem.decode("ascii"),
        broker=_tell_broker(box),
    )


def names_a_good_claim(line: bytes, now: datetime) -> bool:
    """Tell whether a request to enroll names a claim that its key may use; its signature is not looked at."""
    try:
        asked = EnrollRequest.read(line, None)
        row = Claim.objects.filter(sha256=_digest(read_claim(asked.claim))).first()
    except PlainSightError:
        return False
    return not _why_not(row, asked, now)


def names_a_believed_key(line: bytes) -> bool:
    """Tell whether a request to renew names a box and a key of it that is believed; no signature is looked at."""
    try:
        asked = RenewRequest.read(line, None)
    except PlainSightError:
        return False
    box = Box.objects.filter(pk=asked.box, retired_at=None).first()
    return box is not None and box.believes(asked.box_key)


def _why_not(row: Claim | None, asked: EnrollRequest, now: datetime) -> str:
    """Return why a claim is not taken, as the person at the box reads it; an empty text if it is."""
    if row is None:
        return "the archive gave out no such claim; look for a mistyped letter, or make a new one"
    owner = (
        BoxKey.objects.filter(public_key=asked.box_key, use=BoxKey.Use.RECORDER, revoked_at=None)
        .values_list("box", flat=True)
        .first()
    )
    reasons = (
        (row.withdrawn_at is not None, "the claim was withdrawn; make a new one"),
        (row.used_at is not None and owner != row.box_id, "another box has used the claim; each box needs its own"),
        (row.box is not None and row.box.retired_at is not None, "the claim's box was retired; make a new claim"),
        (now >= row.expires_at, f"the claim has expired ({CLAIM_HOURS} hours after it was made); make a new one"),
        (
            row.used_at is None and owner is not None,
            "this box is known already; 'plainsight-archive retire' it first, and delete its keys",
        ),
    )
    return next((why for holds, why in reasons if holds), "")


def _require_board(box: str, board: str, here: str) -> None:
    """Raise CloneError, after one entry for each board, if `here` is not the board that `box` was enrolled on."""
    if not board or here == board:
        return
    subject = Subject.box(box)
    with one_deed():
        if not Entry.objects.about(subject).filter(code=CLONE.code, detail__contains=f'"board":"{here}"').exists():
            record(CLONE, actor=NETWORK, subject=subject, board=here)
    raise CloneError(
        f"{box} belongs to the board {board}, and this is {here or 'a board without a number'}: its card was copied. "
        "Give this board a claim of its own",
        field="board",
    )


def _refuse(row: Claim | None, why: str) -> None:
    # a claim that nobody gave out has no number, and a stranger who guesses must not fill the log
    if row is not None:
        record(REFUSE_CLAIM, actor=NETWORK, claim=row.pk, why=why.partition(";")[0])


def _note_certificate(box: str, certificate: bytes) -> None:
    given = x509.load_pem_x509_certificate(certificate)
    record(CERTIFY, actor=NETWORK, subject=Subject.box(box), serial=f"{given.serial_number:x}")
    Claim.objects.filter(box=box).update(certificate_ends_at=given.not_valid_after_utc)


def _tell_broker(box: Box) -> BrokerAddress:
    """Return the broker of the room where the box stands now; from now on that one lets it in, and no other."""
    room = rooms_now([box]).get(box.pk)
    broker = settings.ARCHIVE.mqtt.broker_for(box.pk, room.name if room is not None else "")
    Box.objects.filter(pk=box.pk).exclude(broker=broker.name).update(broker=broker.name)
    return BrokerAddress(host=settings.ARCHIVE.host_for_boxes(broker), port=broker.port)


def _answer(box: Box, certificate: bytes, authority: Authority) -> Enrolled:
    return Enrolled(
        box=box.pk,
        certificate=certificate.decode("ascii"),
        authority=authority.pem.decode("ascii"),
        archive_recipient=keystore().recipient,
        escrow_recipient=escrow_recipient(),
        archive_key=keystore().public,
        broker=_tell_broker(box),
        time_zone=settings.TIME_ZONE,
    )


def _digest(claim: str) -> str:
    return hashlib.sha256(claim.encode("ascii")).hexdigest()
