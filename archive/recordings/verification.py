"""Checking a package as a stranger would, with the keys that this archive vouches for."""

from __future__ import annotations

from dataclasses import replace
from typing import BinaryIO, Final

from appliance.contract.errors import DecryptionError, StorageError
from appliance.contract.verification import Report, verify
from archive.core.jobs import still_working
from archive.custody.actors import Actor, Subject
from archive.custody.log import record
from archive.devices.keyring import key_ring
from archive.store.base import open_object
from archive.store.current import store

from .custody_kinds import VERIFY
from .models import Recording
from .secrets import secret_of

VERDICTS: Final = {"complete": "intact", "interrupted": "interrupted", "incomplete": "incomplete"}
"""The verdict that a sound package of each outcome gets."""
_SOUND: Final = set(VERDICTS.values())


def require_sound(file: BinaryIO, recording: str) -> None:
    """Check the package in `file` without its audio; raise StorageError unless it is a sound one of `recording`."""
    report = _report(file, recording, audio=False)
    if report.verdict not in _SOUND:
        why = report.problem or "; ".join(report.notes) or report.words
        raise StorageError(f"the package of {recording} does not hold: {why}; nothing was changed")


def verify_again(row: Recording, actor: Actor, *, audio: bool = True) -> Report:
    """Check a sealed recording, its audio as well where its key is there, and enter the verdict in the custody log."""
    with open_object(store(), row.package) as file:
        report = _report(file, row.id, audio=audio)
    subject = Subject.recording(row.pk)
    record(VERIFY, actor=actor, subject=subject, verdict=report.verdict, problem=report.problem)
    return report


def _report(file: BinaryIO, recording: str, *, audio: bool) -> Report:
    try:
        opener = secret_of(recording) if audio else None
    except DecryptionError:
        opener = None  # the report then says that the audio was not opened
    report = verify(file, key_ring(), opener, lambda *_: still_working())
    if report.recording and report.recording != recording:
        # whole and signed, and yet not what the archive says lies there: somebody put it in the place of another
        return replace(report, verdict="tampered", problem=f"the package is of another recording, {report.recording}")
    return report
