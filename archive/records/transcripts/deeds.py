"""Adding transcripts, answering for them, setting them aside, reading them: each with its entry in one transaction."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from django.db.models import Max
from django.utils import timezone

from appliance.contract.encryption import encrypt
from appliance.contract.errors import DecryptionError
from archive.access.decisions import may
from archive.access.deeds import Deed
from archive.accounts.models import User
from archive.core.deeds import one_deed
from archive.custody.actors import ARCHIVE, Actor, Subject
from archive.custody.kinds import Kind
from archive.custody.log import Detail, record
from archive.recordings.find import check_not_destroyed, find
from archive.recordings.models import Recording, State
from archive.recordings.parts import audible
from archive.recordings.secrets import secret_of
from archive.records.errors import DeedError, UnknownRecordError

from . import webvtt
from .custody_kinds import ANSWERED, BROUGHT, READ, SET_ASIDE, TAKEN
from .models import Language, Source, Transcript
from .rules import fitted
from .webvtt import Cue


@dataclass(frozen=True)
class Facts:
    """What is said about a transcript that is added."""

    source: Source
    language: Language
    maker: str
    model_sha256: str = ""
    """Of a computer's, digest of its model."""


def recipient_of(recording: str) -> str | None:
    """Return whom a transcript of a recording is encrypted to; None where its key is not here.

    It waits for the key store, so it is asked before a deed begins.
    """
    try:
        return secret_of(recording).recipient
    except DecryptionError:
        return None


def bring(recording: str, data: bytes, shift_ms: int, facts: Facts, recipient: str | None, *, by: User) -> Transcript:
    """Add a WebVTT file as a new version, a draft. Raises DeedError for one that is no transcript of this recording.

    `recipient` is what `recipient_of` said.
    """
    cues = webvtt.read(data)
    with one_deed():
        row = _sealed(recording)
        fit = fitted(cues, shift_ms, row.frames * 1000 // row.rate)
        return _keep(row, fit, facts, recipient, by=by, file_sha256=hashlib.sha256(data).hexdigest())


def keep_draft(recording: str, cues: tuple[Cue, ...], facts: Facts, recipient: str | None) -> Transcript:
    """Add what the computer made of a recording as a new version, a draft."""
    with one_deed():
        return _keep(_sealed(recording), cues, facts, recipient, by=None, file_sha256="")


def _keep(
    row: Recording, cues: tuple[Cue, ...], facts: Facts, recipient: str | None, *, by: User | None, file_sha256: str
) -> Transcript:
    data = webvtt.write(cues)
    if webvtt.read(data, slack=webvtt.OWN) != cues:
        raise DeedError("The archive could not read again what it would keep of this file.", field="file")
    sha256 = hashlib.sha256(data).hexdigest()
    same = row.transcripts.filter(sha256=sha256, set_aside_at=None).values_list("version", flat=True).first()
    if same is not None:
        raise DeedError(f"This very text is here already, as version {same}.", field="file")
    if recipient is None:
        raise DeedError("The key of this recording is not here, so nothing can be kept beside it.")
    encrypted = encrypt(data, [recipient])
    made = Transcript(
        recording=row,
        version=(row.transcripts.aggregate(last=Max("version"))["last"] or 0) + 1,
        package_sha256=row.package_sha256,
        source=facts.source,
        language=facts.language,
        maker=facts.maker,
        file_sha256=file_sha256,
        sha256=sha256,
        cues=len(cues),
        encrypted=encrypted,
        brought_at=timezone.now(),
        brought_by=by,
    )
    _enter(
        BROUGHT,
        made,
        Actor.user(by.pk) if by else ARCHIVE,
        source=made.source,
        cues=made.cues,
        sha256=sha256,
        file_sha256=file_sha256,
        package_sha256=row.package_sha256,
        model_sha256=facts.model_sha256,
    )
    made.save(force_insert=True)
    return made


def answer(recording: str, version: int, name: str, *, by: User) -> Transcript:
    """Answer for a version by name. Raises DeedError for one that is set aside, or answered for, or whom it is barred.

    Only who may hear all of a recording can have compared it.
    """
    with one_deed():
        row = _sealed(recording)
        found = _version(row, version)
        hears = may(by, Deed.LISTEN, Subject.recording(recording)).allowed
        if not hears or audible(by, Deed.LISTEN, recording) is not None:
            raise DeedError("Only somebody who may hear the whole recording can answer for its transcript.")
        if found.answered_at is not None:
            raise DeedError(f"{found.answered_name} answers for it already.")
        _check_bound(row, found)
        _enter(ANSWERED, found, Actor.user(by.pk), sha256=found.sha256)
        found.answered_at, found.answered_by, found.answered_name = timezone.now(), by, name
        found.save(update_fields=["answered_at", "answered_by", "answered_name"])
    return found


def set_aside(recording: str, version: int, reason: str, *, by: User) -> Transcript:
    """Set a version aside that is not of this recording; it is kept, and nobody who only listens sees it."""
    with one_deed():
        found = _version(_sealed(recording), version)
        _enter(SET_ASIDE, found, Actor.user(by.pk))
        found.set_aside_at, found.set_aside_by, found.set_aside_reason = timezone.now(), by, reason
        found.save(update_fields=["set_aside_at", "set_aside_by", "set_aside_reason"])
    return found


def enter_read(row: Transcript, *, by: User, searched: bool) -> None:
    """Enter that somebody reads a version, before its words are shown."""
    _enter(READ, row, Actor.user(by.pk), searched=searched)


def enter_taken(row: Transcript, data: bytes, *, by: User) -> None:
    """Enter that somebody downloads a version, before its first byte."""
    _enter(TAKEN, row, Actor.user(by.pk), sha256=hashlib.sha256(data).hexdigest())


def _sealed(recording: str) -> Recording:
    row = find(recording, lock=True)
    check_not_destroyed(row)
    if row.state != State.SEALED:
        raise DeedError("It is not sealed yet. A transcript is bound to the sealed recording; add it afterwards.")
    return row


def _version(row: Recording, version: int) -> Transcript:
    found = row.transcripts.select_for_update().filter(version=version).first()
    if found is None:
        raise UnknownRecordError("there is no such version of a transcript here")
    if found.set_aside_at is not None:
        raise DeedError("This version was set aside.")
    return found


def _check_bound(row: Recording, found: Transcript) -> None:
    if found.package_sha256 != row.package_sha256:
        raise DeedError("This version was written from another package than the one that is kept.")


def _enter(kind: Kind, row: Transcript, actor: Actor, **detail: Detail) -> None:
    subject = Subject.recording(row.recording_id)
    record(kind, actor=actor, subject=subject, transcript=str(row.pk), version=row.version, **detail)
