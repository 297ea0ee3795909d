"""An evidence package that is taken out: an entry before its first byte, and one with its digest after the last."""

from __future__ import annotations

from archive.access.deeds import Deed
from archive.accounts.models import User
from archive.core.deeds import one_deed
from archive.custody.actors import Actor
from archive.custody.log import record
from archive.recordings import listens
from archive.recordings.custody_kinds import LOOK
from archive.recordings.grounds import ground_of
from archive.recordings.parts import OnlyAPartError, audible
from archive.records.outside_recordings.either import Either, find_sealed, subject_of
from archive.records.outside_recordings.models import OutsideRecording
from archive.records.outside_recordings.reach import RestrictedError, is_restricted

from .custody_kinds import EVIDENCE, EVIDENCE_WHOLE


def look(row: Either, *, by: User) -> None:
    """Enter that somebody looked at what the package holds."""
    record(LOOK, actor=Actor.user(by.pk), subject=subject_of(row), page="evidence")


def begin(recording: str, *, by: User) -> Either:
    """Enter that a package is taken out, and return its recording.

    Raises OnlyAPartError for who may not have all of it, RestrictedError for whom one that no box made is silent,
    DestroyedError, and DeedError before the seal.
    """
    listens.settle_recordings([recording])
    with one_deed():
        row = find_sealed(recording)
        if not is_whole(row, by):
            if isinstance(row, OutsideRecording):
                raise RestrictedError("this recording is restricted, and you are not among those who may hear it")
            raise OnlyAPartError("the package holds all of the recording, and you may hear a part; take the audio")
        subject = subject_of(row)
        record(EVIDENCE, actor=Actor.user(by.pk), subject=subject, ground=ground_of(by, subject))
    return row


def note_whole(row: Either, sha256: str, size: int, *, by: User) -> None:
    """Enter that all of it was taken, and its digest."""
    record(EVIDENCE_WHOLE, actor=Actor.user(by.pk), subject=subject_of(row), sha256=sha256, bytes=size)


def is_whole(row: Either, user: User) -> bool:
    """Tell whether `user`, who may take copies, may have all of a recording."""
    if isinstance(row, OutsideRecording):
        return not is_restricted(row.pk, user)
    return audible(user, Deed.DOWNLOAD, row.pk) is None
