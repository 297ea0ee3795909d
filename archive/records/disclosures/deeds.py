"""Consents, who was recorded, disclosures and their copies: each deed with its custody entry in one transaction."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date
from typing import Final
from uuid import UUID

from django.utils import timezone

from appliance.contract.encryption import parse_recipient
from appliance.contract.errors import KeyFileError
from archive.accounts.models import User
from archive.core.deeds import one_deed
from archive.custody.actors import Actor
from archive.custody.clock import why_behind, why_wrong
from archive.custody.kinds import Kind
from archive.custody.log import Detail, record
from archive.records.errors import DeedError, UnknownRecordError
from archive.records.outside_recordings.either import (
    check_either_kept,
    columns_of,
    find_kept,
    find_sealed,
    named,
    students_of,
    subject_of,
)
from archive.records.outside_recordings.models import OutsideRecording
from archive.records.people.models import Person, Student
from archive.records.redactions.models import Redaction
from archive.records.redactions.reach import for_handing_out

from .custody_kinds import (
    CONSENT,
    CONSENT_WITHDRAWN,
    DISCLOSED,
    DISCLOSED_WHOLE,
    DISCLOSURE,
    DISCLOSURE_REFUSED,
    DISCLOSURE_WITHDRAWN,
    RECORDED,
)
from .models import OF_BOX, OF_BROUGHT, Basis, Consent, Copy, Disclosure, HowSigned, Recorded
from .reach import facts_of
from .rules import district_gate, ferpa_gate

MOST_BYTES: Final = 5 << 20
"""Size of a scan, in bytes: twenty pages in black and white."""
_SCANS: Final = (b"%PDF-", b"\x89PNG\r\n", b"\xff\xd8\xff")


@dataclass(frozen=True)
class ConsentGiven:
    """What a consent says (34 CFR 99.30(b))."""

    student: Student
    person: Person
    records: str
    purpose: str
    party: str
    signed_on: date
    how: HowSigned
    proof: str
    scan: bytes | None
    """The scanned paper; None where it was given electronically."""
    approval: str = ""
    """Of an electronic one: what shows that the person approved it."""
    copy_wanted: bool = False
    """Whether that person asked for a copy of what is disclosed."""


def enter_consent(recording: str, given: ConsentGiven, *, by: User) -> Consent:
    """Enter a consent. Raises DeedError for one that lacks what 34 CFR 99.30 asks for."""
    if given.signed_on > timezone.localdate():
        raise DeedError("This day is still to come.", field="signed_on")
    if given.how == HowSigned.PAPER and given.scan is None:
        raise DeedError("Add the scan of the signed paper.", field="scan")
    if given.how == HowSigned.ELECTRONIC and not given.approval:
        raise DeedError("Say what shows that the person approved it (34 CFR 99.30(d)(2)).", field="approval")
    if given.scan is not None and (len(given.scan) > MOST_BYTES or not given.scan.startswith(_SCANS)):
        raise DeedError("A scan is a PDF, PNG or JPEG file of at most 5 MB.", field="scan")
    with one_deed():
        row = find_kept(recording, lock=True)
        if given.student not in students_of(recording):
            raise DeedError("This recording is filed under no meeting of this student.", field="student")
        consent = Consent(**columns_of(row), entered_at=timezone.now(), entered_by=by, **vars(given))
        consent.scan_sha256 = hashlib.sha256(given.scan).hexdigest() if given.scan is not None else ""
        record(
            CONSENT,
            actor=Actor.user(by.pk),
            subject=subject_of(row),
            consent=str(consent.pk),
            how=given.how.value,
            scan_sha256=consent.scan_sha256,
            copy_wanted=given.copy_wanted,
        )
        consent.save(force_insert=True)
    return consent


def withdraw_consent(recording: str, pk: UUID, *, by: User) -> Consent:
    """Enter that a consent was withdrawn today; what went out before stays told."""
    with one_deed():
        row = Consent.objects.select_for_update().filter(named(recording), pk=pk, withdrawn_on=None).first()
        if row is None:
            raise UnknownRecordError("there is no such consent here, or it was withdrawn")
        record(CONSENT_WITHDRAWN, actor=Actor.user(by.pk), subject=row.subject, consent=str(pk))
        row.withdrawn_on = timezone.localdate()
        row.save(update_fields=["withdrawn_on"])
    return row


def enter_recorded(recording: str, name: str, consented_on: date | None, proof: str, *, by: User) -> Recorded:
    """Enter that somebody was recorded, and when that person consented in writing; again to add the consent later."""
    if consented_on is not None and consented_on > timezone.localdate():
        raise DeedError("This day is still to come.", field="consented_on")
    if consented_on is not None and not proof:
        raise DeedError("Say where the signed paper is.", field="proof")
    with one_deed():
        found = find_kept(recording, lock=True)
        row = Recorded.objects.filter(named(recording), name__iexact=name).first()
        row = row or Recorded(**columns_of(found), name=name)
        record(
            RECORDED,
            actor=Actor.user(by.pk),
            subject=subject_of(found),
            recorded=str(row.pk),
            consented=consented_on is not None,
        )
        row.consented_on, row.proof = consented_on, proof
        row.save()
    return row


@dataclass(frozen=True)
class DisclosureFacts:
    """What shall leave the archive, for whom, and why."""

    what: Copy
    recipient: str
    party: str
    purpose: str
    basis: Basis
    explanation: str
    redaction: Redaction | None = None
    """The redacted copy that is handed over instead of the recording's own audio."""


def prepare(recording: str, facts: DisclosureFacts, *, by: User) -> Disclosure:
    """Prepare a disclosure; no copy leaves before both gates let it through."""
    if facts.what == Copy.TRANSFER:
        if facts.basis != Basis.TRANSFER:
            raise DeedError("A key leaves only for a school where the student enrolls.", field="what")
        try:
            parse_recipient(facts.recipient)
        except KeyFileError as error:
            raise DeedError("Name the other archive's recipient: age1...", field="recipient") from error
    elif facts.recipient:
        raise DeedError("Only a transfer goes to another archive's recipient; leave this empty.", field="recipient")
    with one_deed():
        found = find_sealed(recording)
        brought = isinstance(found, OutsideRecording)
        if facts.what not in (OF_BROUGHT if brought else OF_BOX):
            raise DeedError("A file that was brought leaves as it is, and a box's recording as a copy.", field="what")
        if facts.redaction is not None:
            if facts.what != Copy.AUDIO:
                raise DeedError("Only audio is redacted: a package or a key would hand over all of it.", field="what")
            if facts.redaction.recording_id != found.pk:
                raise DeedError("This redacted copy is another recording's.", field="redaction")
            for_handing_out(Redaction.objects.get(pk=facts.redaction.pk))
        row = Disclosure(**columns_of(found), prepared_at=timezone.now(), prepared_by=by, **vars(facts))
        enter(DISCLOSURE, row, by, basis=row.basis, what=row.what, **_redaction(row))
        row.save(force_insert=True)
    return row


def withdraw(pk: UUID, *, by: User) -> Disclosure:
    """Withdraw a disclosure of which no whole copy was taken out."""
    with one_deed():
        row = open_disclosure(pk)
        enter(DISCLOSURE_WITHDRAWN, row, by)
        row.withdrawn_at = timezone.now()
        row.save(update_fields=["withdrawn_at"])
    return row


def begin_copy(pk: UUID, *, by: User) -> Disclosure:
    """Let a copy be taken out, if both gates let it through; each time is an entry. Raises DeedError that says why not.

    A refusal is an entry that stays.
    """
    with one_deed():
        row = open_disclosure(pk, handed_too=True)
        facts = facts_of(row)
        missing = [*ferpa_gate(facts), *district_gate(facts)]
        # where a parent has until a day to act against it, that day must not come early; and no withdrawal is undone
        clock = why_wrong() if row.basis == Basis.COMPELLED else why_behind()
        if missing or clock:
            enter(DISCLOSURE_REFUSED, row, by, missing=",".join([*missing, *(["clock"] if clock else [])]))
        else:
            enter(DISCLOSED, row, by, basis=row.basis, what=row.what, **_redaction(row))
    if clock:
        raise DeedError(clock)
    if missing:
        raise DeedError("The gates do not let it through; the page of the disclosure says what is missing.")
    return row


def note_whole(pk: UUID, sha256: str, size: int, *, by: User, silent: str = "") -> None:
    """Note that a whole copy was taken out, its digest, and where it is silent: the receipt tells of the first one."""
    with one_deed():
        row = Disclosure.objects.select_for_update().get(pk=pk)
        enter(DISCLOSED_WHOLE, row, by, sha256=sha256, bytes=size)
        if row.handed_at is None:
            row.handed_at, row.handed_by, row.sha256, row.size = timezone.now(), by, sha256, size
            row.silent = silent
            row.save(update_fields=["handed_at", "handed_by", "sha256", "size", "silent"])


def open_disclosure(pk: UUID, *, handed_too: bool = False) -> Disclosure:
    """Lock a disclosure that may still be changed, and return it; raise DeedError. `handed_too`: or was taken out."""
    rows = Disclosure.objects.select_for_update(of=("self",)).select_related("recording", "outside")
    row = rows.filter(pk=pk).first()
    if row is None:
        raise UnknownRecordError("there is no such disclosure here")
    check_either_kept(row.about)
    if row.withdrawn_at is not None:
        raise DeedError("This disclosure was withdrawn.")
    if row.handed_at is not None and not handed_too:
        raise DeedError("A copy was taken out already; its receipt stands.")
    return row


def _redaction(row: Disclosure) -> dict[str, Detail]:
    return {"redaction": row.redaction_id.hex} if row.redaction_id else {}


def enter(kind: Kind, row: Disclosure, by: User, **detail: Detail) -> None:
    """Enter a deed about a disclosure."""
    record(kind, actor=Actor.user(by.pk), subject=row.subject, disclosure=str(row.pk), **detail)
