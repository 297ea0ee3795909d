"""Checking packages as a stranger would, with the keys that this archive vouches for, and keeping what was found.

People ask for a check and the worker makes it, with its progress in the database: a meeting of four hours takes half a
minute. A result holds for the digest of the file that was checked, and for no other.
"""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor
from dataclasses import asdict, replace
from datetime import timedelta
from typing import BinaryIO, Final

from django.db import transaction
from django.db.models import Case, Q, When
from django.db.models.functions import Now
from django.utils import timezone

from appliance.contract.errors import DecryptionError, KeyFileError, PlainSightError, StorageError
from appliance.contract.stop_signal import StopSignal
from appliance.contract.verification import Report, verify
from appliance.contract.verification.report import SOUND
from archive.core.deeds import take_turn
from archive.core.jobs import still_working
from archive.custody.actors import Actor, ActorType, Subject
from archive.custody.log import record
from archive.devices.keyring import key_ring_of
from archive.store.base import BUFFER, open_object
from archive.store.current import store, writable

from .custody_kinds import VERIFY
from .models import Recording, Verification
from .secrets import secret_of
from .segment_pool import in_processes

VERDICTS: Final = {"complete": "intact", "interrupted": "interrupted", "incomplete": "incomplete"}
"""The verdict that a sound package of each outcome gets."""
LOOK_S: Final = 0.5
"""How often the worker looks for a check that was asked for, in seconds."""
TOLD_S: Final = 1.0
"""How often the progress is written down, in seconds."""
LEFT: Final = timedelta(seconds=20)
"""A check of which no worker said for so long that it is at work is left behind by a crash."""
_log = logging.getLogger(__name__)
Progress = Callable[[str, int, int], None]


class StoppedError(Exception):
    """The worker was told to stop; the check begins anew at its next start. No finding, so none of our errors."""


def require_sound(file: BinaryIO, recording: str) -> None:
    """Check the package in `file` without its audio; raise StorageError unless it is a sound one of `recording`."""
    report = _report(file, recording, None, lambda *_: still_working())
    if report.verdict not in SOUND:
        why = report.problem or "; ".join(report.notes) or report.words
        raise StorageError(f"the package of {recording} does not hold: {why}; nothing was changed")


def ask(row: Recording, actor: Actor) -> Verification:
    """Ask the worker to check a sealed recording; one that was asked for and is not done yet is left alone."""
    fresh = {"asked_at": timezone.now(), "asked_by_type": actor.type, "asked_by_id": actor.id, "finished_at": None}
    # what was found before stands until this check is done
    begun = {"working_at": None, "step": "", "done": 0, "of": 0}
    with transaction.atomic():
        take_turn("checks that are asked for")
        known = Verification.objects.filter(recording=row, finished_at=None).first()
        if known is not None:
            return known
        return Verification.objects.update_or_create(recording=row, defaults={**fresh, **begun})[0]


def check_asked(stop: StopSignal) -> None:
    """Make every check that was asked for: a job of the worker."""
    for asked in _waiting(stop):
        if not _taken(asked):
            continue
        actor = Actor(ActorType(asked.asked_by_type), asked.asked_by_id)
        try:
            verify_again(asked.recording, actor, progress=_Told(asked, stop))
        except StoppedError:
            Verification.objects.filter(pk=asked.pk).update(working_at=None)
            return
        except (KeyFileError, BrokenExecutor) as error:
            # the archive's own trouble says nothing about the package: the check is made anew when LEFT is over
            _log.error(
                "cannot check %(recording)s now: %(problem)s", {"recording": asked.recording_id, "problem": error}
            )
        except PlainSightError as error:
            if not store_answers():
                # a disk that is away says nothing about the package either
                continue
            _log.error("cannot check %(recording)s: %(problem)s", {"recording": asked.recording_id, "problem": error})
            report = Report("not-a-package", "", (), error.message)
            record(VERIFY, actor=actor, subject=Subject.recording(asked.recording_id), verdict=report.verdict,
                   problem=report.problem)  # fmt: skip
            _keep(asked.recording, actor, report, "")


def _waiting(stop: StopSignal) -> Iterator[Verification]:
    """Yield what waits for a check, a person's before the archive's own, each once; until `stop`."""
    tried: set[str] = set()
    by_a_person = Case(When(asked_by_type=ActorType.ARCHIVE, then=1), default=0)
    rows = Verification.objects.filter(finished_at=None).select_related("recording").order_by(by_a_person, "asked_at")
    while not stop.is_set():
        # asked anew each time: somebody may have pressed the button meanwhile
        asked = rows.exclude(pk__in=tried).first()
        if asked is None:
            return
        tried.add(asked.pk)
        yield asked


def store_answers() -> bool:
    """Tell whether the store takes bytes: what is not found in one that does not says nothing about a package."""
    try:
        return writable()
    except PlainSightError as error:
        _log.error("the store does not answer, so nothing is checked: %(problem)s", {"problem": error})
        return False


def _taken(asked: Verification) -> bool:
    """Take a check, unless another worker makes it; one that was killed has not said so for a while."""
    # by the database's clock: a host's own may be wrong
    free = Q(working_at=None) | Q(working_at__lt=Now() - LEFT)
    return bool(Verification.objects.filter(free, pk=asked.pk, finished_at=None).update(working_at=Now()))


class _Told:
    """Writes the progress down, now and then."""

    def __init__(self, asked: Verification, stop: StopSignal) -> None:
        self._asked, self._stop = asked, stop
        self._due = 0.0

    def __call__(self, step: str, done: int, of: int) -> None:
        if self._stop.is_set():
            raise StoppedError("the check was stopped")
        if time.monotonic() >= self._due:
            self._due = time.monotonic() + TOLD_S
            Verification.objects.filter(pk=self._asked.pk).update(working_at=Now(), step=step, done=done, of=of)


def verify_again(row: Recording, actor: Actor, *, audio: bool = True, progress: Progress = lambda *_: None) -> Report:
    """Check a sealed recording, its audio as well where its key is there; keep the result, and enter the verdict."""
    with open_object(store(), row.package) as file:
        sha256 = _digest(file, row.package_size, progress)
        report = _report(file, row.id, row if audio else None, progress)
    if report.verdict in SOUND and sha256 != row.package_sha256:
        # whole and signed, and yet not the file that was sealed
        why = f"the package is not the one that was sealed: its digest is {sha256}, and that was {row.package_sha256}"
        report = replace(report, verdict="tampered", problem=why)
    subject = Subject.recording(row.pk)
    record(VERIFY, actor=actor, subject=subject, verdict=report.verdict, problem=report.problem)
    if audio or report.verdict not in SOUND:
        # a sound package without its audio looked at tells less than what may be kept already
        _keep(row, actor, report, sha256)
    return report


def report_of(kept: Verification) -> Report:
    """Return the report of a check that is done."""
    return Report(**kept.report | {name: tuple(kept.report[name]) for name in ("checks", "notes")})


def audio_md5(row: Recording) -> bytes:
    """Return the MD5 of all samples where the audio of exactly this package was checked, else nothing."""
    kept = Verification.objects.filter(recording=row, package_sha256=row.package_sha256).exclude(finished_at=None)
    report = report_of(found) if (found := kept.first()) is not None else None
    return bytes.fromhex(report.audio_md5) if report is not None and report.verdict in SOUND else b""


def _keep(row: Recording, actor: Actor, report: Report, sha256: str) -> None:
    now = timezone.now()
    damaged = report.verdict != VERDICTS[row.outcome]
    found = {"package_sha256": sha256, "verdict": report.verdict, "damaged": damaged, "report": asdict(report)}
    result = {"finished_at": now, "working_at": None, **found}
    Verification.objects.update_or_create(
        recording=row,
        defaults=result,
        create_defaults={"asked_at": now, "asked_by_type": actor.type, "asked_by_id": actor.id, **result},
    )


def _digest(file: BinaryIO, size: int, progress: Progress) -> str:
    sha256 = hashlib.sha256()
    parts = max(size // BUFFER, 1)
    for done, chunk in enumerate(iter(lambda: file.read(BUFFER), b"")):
        progress("digest", min(done, parts), parts)
        sha256.update(chunk)
    file.seek(0)
    return sha256.hexdigest()


def _report(file: BinaryIO, recording: str, audio: Recording | None, progress: Progress) -> Report:
    try:
        opener = secret_of(audio.pk) if audio is not None else None
    except DecryptionError:
        opener = None  # the report then says that the audio was not opened
    report = verify(file, key_ring_of(recording), opener, progress, in_processes)
    if report.recording and report.recording != recording:
        # whole and signed, and yet not what the archive says lies there: somebody put it in the place of another
        return replace(report, verdict="tampered", problem=f"the package is of another recording, {report.recording}")
    return report
