"""Giving claims out, using them, and renewing certificates: each locks, writes its custody entry, and changes."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from django.conf import settings
from django.db.models import Manager, Q, QuerySet

from appliance.contract.enrollment import (
    CLAIM_HOURS,
    BrokerAddress,
    ClaimError,
    Enrolled,
    EnrollRequest,
    Renewed,
    RenewRequest,
    RetiredBoxError,
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
from archive.rooms.models import Room
from archive.rooms.placement import place, room_called, rooms_now

from . import new_board
from .custody_kinds import CERTIFY, CLAIM, CLAIM_FOR_BOX, CLONE, REFUSE_CLAIM, USE_CLAIM, WITHDRAW_CLAIM
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
    with one_deed():
        given = _make_claim(room_called(room), now)
        record(CLAIM, actor=by, claim=given.row.pk, room=str(given.row.room_id))
    return given


def give_claim_for(box: str, *, by: Actor, now: datetime) -> NewClaim:
    """Give out a claim for the card of `box` in another board; raise SettingsError if no other may take its place."""
    with one_deed():
        row, room = new_board.replaceable(box)
        given = _make_claim(room, now, row)
        record(CLAIM_FOR_BOX, actor=by, subject=Subject.box(box), claim=given.row.pk, room=str(room.pk))
    return given


def _make_claim(room: Room, now: datetime, box: Box | None = None) -> NewClaim:
    text, until = new_claim(), now + timedelta(hours=CLAIM_HOURS)
    row = Claim.objects.create(sha256=_digest(text), room=room, for_box=box, made_at=now, expires_at=until)
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
    again. A board whose box was retired is told so, and comes again with new keys. A claim for a box's card lets
    another board take its place: that box is retired in the same deed, and hands in nothing any more.

    Raises FormatError, SignatureError, ClaimError, RetiredBoxError or CloneError, the last three after an entry in the
    custody log.
    """
    asked = EnrollRequest.read(line, None)
    EnrollRequest.read(line, asked.box_key)
    authority = Authority.load(settings.ARCHIVE_HOME / "keys")
    with one_deed():
        row = _given_out(asked.claim, Claim.objects.select_for_update())
        if row.for_box_id is not None:
            # two claims for one card: only one of them lets a board take its place
            row.for_box = Box.objects.select_for_update().get(pk=row.for_box_id)
        why = _why_not(row, asked, now)
        # a board without a number cannot be told from another one
        if why is None and row.board in ("", asked.board):
            box = row.box_id or new_box_id()
            certificate = authority.box(asked.csr, box, now)
            if row.box_id is None:
                known = enroll(box, asked.box_key, by=NETWORK)
                enroll(box, asked.courier_key, by=NETWORK, use=BoxKey.Use.COURIER)
                place(known, row.room.name, by=NETWORK)
                record(USE_CLAIM, actor=NETWORK, subject=Subject.box(box), claim=row.pk, board=asked.board)
                if row.for_box is not None:
                    new_board.take_place(row.for_box, known, asked.board)
                row.used_at, row.box, row.board, row.model = now, known, asked.board, asked.model
                row.save(update_fields=["used_at", "box", "board", "model"])
            _note_certificate(box, certificate)
            return _answer(Box.objects.get(pk=box), certificate, authority, row.for_box_id)
    if why is None:
        raise _note_clone(str(row.box_id), row.board, asked.board)
    _note_refusal(row, why, now)
    raise why


def renew(line: bytes, now: datetime) -> Renewed:
    """Tell a box that is believed its broker, and give it a new certificate where half of the old one's life is over.

    The old one may have ended long ago, or not be there.

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
    if board and asked.board != board:
        raise _note_clone(box.pk, board, asked.board)
    certificate = None
    if _is_to_be_renewed(asked.certificate, now):
        with one_deed():
            certificate = authority.box(asked.csr, box.pk, now)
            _note_certificate(box.pk, certificate)
    return Renewed(
        certificate=None if certificate is None else certificate.decode("ascii"),
        authority=authority.pem.decode("ascii"),
        broker=_tell_broker(box),
    )


def _is_to_be_renewed(pem: str | None, now: datetime) -> bool:
    """Tell whether half of a certificate's life is over, it has not begun, or it is none."""
    if pem is None:
        return True
    try:
        held = x509.load_pem_x509_certificate(pem.encode("ascii"))
        begin, end = held.not_valid_before_utc, held.not_valid_after_utc
    except ValueError:
        return True
    return not begin <= now < begin + (end - begin) / 2


def names_a_good_claim(line: bytes, now: datetime) -> bool:
    """Tell whether a request to enroll names a claim that its board may use; its signature is not looked at."""
    try:
        asked = EnrollRequest.read(line, None)
        why = _why_not(_given_out(asked.claim, Claim.objects), asked, now)
    except PlainSightError:
        return False
    return why is None or isinstance(why, RetiredBoxError)


def names_a_believed_key(line: bytes) -> bool:
    """Tell whether a request to renew names a box and a key of it that is believed; no signature is looked at."""
    try:
        asked = RenewRequest.read(line, None)
    except PlainSightError:
        return False
    box = Box.objects.filter(pk=asked.box, retired_at=None).first()
    return box is not None and box.believes(asked.box_key)


def _given_out(text: str, claims: QuerySet[Claim] | Manager[Claim]) -> Claim:
    """Return the claim of a request; raise ClaimError for what can be none, and for one that nobody gave out."""
    row = claims.filter(sha256=_digest(read_claim(text))).first()
    if row is None:
        # without an entry: it has no number, and a stranger who guesses must not fill the log
        raise ClaimError(
            "the archive gave out no such claim; look for a mistyped letter, or make a new one", field="claim"
        )
    return row


def _why_not(row: Claim, asked: EnrollRequest, now: datetime) -> ClaimError | None:
    """Return why a claim is not taken, as the person at the box reads it; None if it is."""
    known = BoxKey.objects.select_related("box")
    key = known.filter(public_key=asked.box_key, use=BoxKey.Use.RECORDER, revoked_at=None).first()
    owner = None if key is None else key.box
    reasons = (
        (row.withdrawn_at is not None, "the claim was withdrawn; make a new one"),
        (
            row.used_at is not None and (owner is None or owner.pk != row.box_id),
            "another box has used the claim; each box needs its own",
        ),
        (row.box is not None and row.box.retired_at is not None, "the claim's box was retired; make a new claim"),
        (now >= row.expires_at, f"the claim has expired ({CLAIM_HOURS} hours after it was made); make a new one"),
        (bool(elsewhere := new_board.why_not(row, asked, owner)), elsewhere),
        (
            row.used_at is None and owner is not None and owner.retired_at is None,
            f"this box is known already, as {owner}; retire it on the archive's page Boxes, and the claim is taken",
        ),
    )
    for holds, why in reasons:
        if holds:
            return ClaimError(why, field="claim")
    gone = Q(revoked_at__isnull=False) | Q(box__retired_at__isnull=False)
    former = known.filter(gone, public_key__in=(asked.box_key, asked.courier_key)).first()
    if row.used_at is None and former is not None:
        return RetiredBoxError(
            f"this board was {former.box_id}, which was retired; it makes new keys and asks again by itself",
            field="box_key",
        )
    return None


def _note_clone(box: str, board: str, here: str) -> CloneError:
    """Return what a board that is not the one that `box` was enrolled on is told, after one entry for each board."""
    subject = Subject.box(box)
    with one_deed():
        if not Entry.objects.about(subject).filter(code=CLONE.code, detail__contains=f'"board":"{here}"').exists():
            record(CLONE, actor=NETWORK, subject=subject, board=here)
    return CloneError(
        f"{box} belongs to the board {board}, and this is {here or 'a board without a number'}: its card was copied. "
        "Give this board a claim of its own",
        field="board",
    )


def _note_refusal(row: Claim, refusal: ClaimError, now: datetime) -> None:
    """Enter a refusal once for each claim, reason and day: the box asks every minute, for as long as nobody comes."""
    why = refusal.message.partition(";")[0]
    today = Entry.objects.filter(code=REFUSE_CLAIM.code, at__startswith=f"{now.astimezone(UTC):%Y-%m-%d}")
    with one_deed():
        if not any((one.member("claim"), one.member("why")) == (row.pk, why) for one in today):
            record(REFUSE_CLAIM, actor=NETWORK, claim=row.pk, why=why)


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


def _answer(box: Box, certificate: bytes, authority: Authority, former: str | None) -> Enrolled:
    return Enrolled(
        box=box.pk,
        certificate=certificate.decode("ascii"),
        authority=authority.pem.decode("ascii"),
        archive_recipient=keystore().recipient,
        escrow_recipient=escrow_recipient(),
        archive_key=keystore().public,
        broker=_tell_broker(box),
        time_zone=settings.TIME_ZONE,
        former=former,
    )


def _digest(claim: str) -> str:
    return hashlib.sha256(claim.encode("ascii")).hexdigest()
