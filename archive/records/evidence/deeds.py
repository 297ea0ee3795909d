"""An evidence package that is taken out: an entry before its first byte, and one with its digest after the last."""

from __future__ import annotations

from archive.access.deeds import Deed
from archive.accounts.models import User
from archive.core.deeds import one_deed
from archive.custody.actors import Actor, Subject
from archive.custody.log import record
from archive.recordings.custody_kinds import LOOK
from archive.recordings.find import check_not_destroyed, find
from archive.recordings.grounds import ground_of
from archive.recordings.models import Recording, State
from archive.recordings.parts import OnlyAPartError, audible
from archive.records.errors import DeedError

from .custody_kinds import EVIDENCE, EVIDENCE_WHOLE


def look(recording: str, *, by: User) -> None:
    """Enter that somebody looked at what the package holds."""
    record(LOOK, actor=Actor.user(by.pk), subject=Subject.recording(recording), page="evidence")


def begin(recording: str, *, by: User) -> Recording:
    """Enter that a package is taken out, and return its recording.

    Raises OnlyAPartError for who may not have all of it, DestroyedError, and DeedError before the seal.
    """
    with one_deed():
        row = find(recording, lock=True)
        check_not_destroyed(row)
        if row.state != State.SEALED:
            raise DeedError("It is not sealed yet.")
        if audible(by, Deed.DOWNLOAD, recording) is not None:
            raise OnlyAPartError("the package holds all of the recording, and you may hear a part; take the audio")
        record(EVIDENCE, actor=Actor.user(by.pk), subject=Subject.recording(recording), ground=ground_of(by, recording))
    return row


def note_whole(recording: str, sha256: str, size: int, *, by: User) -> None:
    """Enter that all of it was taken, and its digest."""
    record(EVIDENCE_WHOLE, actor=Actor.user(by.pk), subject=Subject.recording(recording), sha256=sha256, bytes=size)
