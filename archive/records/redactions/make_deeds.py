"""Making redacted copies: a job of the worker. A kill at any moment leaves none, or a whole one; it is begun anew.

A copy is written to a draft of the store a piece at a time, read back from there, decrypted, and compared with the
original sample by sample. Only one that holds gets its name, and then its row and its custody entry.
"""

from __future__ import annotations

import hashlib
import logging
import secrets
import time
from collections.abc import Callable
from datetime import timedelta
from typing import BinaryIO, Final
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from appliance.contract.errors import PlainSightError, StorageError
from appliance.contract.stop_signal import StopSignal
from archive.core.deeds import one_deed, take_turn
from archive.custody.actors import ARCHIVE, Subject
from archive.custody.log import record
from archive.recordings.find import DestroyedError
from archive.recordings.models import Recording
from archive.recordings.playback import open_audio
from archive.recordings.secrets import secret_of
from archive.recordings.verification import StoppedError
from archive.store.base import BUFFER, derivatives_folder
from archive.store.current import store

from .custody_kinds import FAILED, MADE
from .derivative_file import DerivativeReader, DerivativeWriter
from .models import Redaction, State
from .reach import facts_of_file, plan_of
from .sound import Exactness, compare, redacted

LOOK_S: Final = 1.0
"""How often the worker looks for a copy that was asked for, in seconds."""
TOLD_S: Final = 1.0
"""How often the progress is written down, in seconds."""
LEFT: Final = timedelta(seconds=60)
"""A copy of which no worker said for so long that it is at work is left behind by a crash."""
_log = logging.getLogger(__name__)
Told = Callable[[int, int], None]


class NotExactError(PlainSightError):
    """A redacted copy is not what it must be; it was thrown away."""

    code = "redaction-not-exact"


def make_asked(stop: StopSignal) -> None:
    """Make every copy that was asked for: a job of the worker."""
    for row in Redaction.objects.filter(state=State.ASKED).select_related("recording").order_by("asked_at"):
        if stop.is_set():
            return
        if not _taken(row):
            continue
        try:
            make(row, _Told(row, stop))
        except StoppedError:
            Redaction.objects.filter(pk=row.pk, state=State.ASKED).update(working_at=None)
        except (StorageError, OSError) as error:
            # the archive's own trouble, a full disk: it is made anew when LEFT is over
            _log.error(
                "cannot make the redacted copy %(redaction)s now: %(problem)s", {"redaction": row.pk, "problem": error}
            )
            Redaction.objects.filter(pk=row.pk, state=State.ASKED).update(problem=f"It is tried again: {error}")
        except DestroyedError:
            _log.info("the recording of the redacted copy %(redaction)s was destroyed", {"redaction": row.pk})
        except PlainSightError as error:
            _fail(row, error.message)


def make(row: Redaction, told: Told = lambda *_: None) -> Exactness:
    """Make one copy; return what the comparison found.

    Raises NotExactError for one that does not hold, StorageError when the disk says no, DecryptionError, DigestError or
    FormatError where the recording does not open; nothing is left of it then.
    """
    source, plan, facts = open_audio(row.recording), plan_of(row), facts_of_file(row)
    _clear(row)
    name = f"{derivatives_folder(row.recording_id)}/{row.pk.hex}-{secrets.token_hex(6)}.zip"
    pieces = range(0, plan.frames, facts.piece_frames)
    secret, made = secret_of(row.recording_id), redacted(source.read, plan)
    draft = store().draft(name)
    writer = DerivativeWriter(draft, facts, secret.recipient)
    try:
        for number, first in enumerate(pieces):
            told(number, 2 * len(pieces))
            writer.add(made(first, facts.piece_frames))
        manifest_sha256, md5 = writer.finish()
        found = Exactness()
        with draft.reader() as file:
            reader = DerivativeReader(file, facts, manifest_sha256, lambda: secret)
            for number, first in enumerate(pieces):
                told(len(pieces) + number, 2 * len(pieces))
                compare(found, source.read, first, reader.read(first, facts.piece_frames), plan)
            if not found.holds or found.inside + found.outside != plan.frames:
                raise NotExactError(
                    f"of {found.outside} samples outside of the passages {found.changed} were changed, and of "
                    f"{found.inside} inside {found.left} were left; nothing was kept. This is a defect, report it."
                )
            size, sha256 = _measure(file)
        draft.publish()
    finally:
        writer.give_up()
        draft.discard()
    with transaction.atomic():
        # nobody clears it meanwhile, and nothing waits for the store in a deed
        take_turn(derivatives_folder(row.recording_id))
        there = store().exists(name)
        with one_deed():
            kept = _still_asked(row)
            if kept is not None and not there:
                raise StorageError("another worker makes it as well, and cleared this one's file")
            if kept is not None:
                kept.object, kept.size, kept.sha256 = name, size, sha256
                kept.manifest_sha256, kept.audio_md5 = manifest_sha256, md5.hex()
                _keep(kept, found)
    if kept is None:
        # it was taken back, withdrawn or destroyed meanwhile
        store().remove(name)
    return found


def _keep(row: Redaction, found: Exactness) -> None:
    entry = record(
        MADE,
        actor=ARCHIVE,
        subject=Subject.recording(row.recording_id),
        redaction=row.pk.hex,
        sha256=row.sha256,
        outside=found.outside,
        inside=found.inside,
    )
    row.state, row.made_at, row.made_entry = State.MADE, timezone.now(), entry.n
    row.outside, row.inside, row.problem, row.working_at = found.outside, found.inside, "", None
    row.save()


def _still_asked(row: Redaction) -> Redaction | None:
    """Return the row, locked behind its recording, if the copy is still the one that was asked for."""
    Recording.objects.select_for_update().get(pk=row.recording_id)
    return _asked(row).select_for_update(of=("self",)).first()


def _asked(row: Redaction) -> QuerySet[Redaction]:
    return Redaction.objects.filter(pk=row.pk, state=State.ASKED, asked_at=row.asked_at, recording__destroyed_at=None)


def _fail(row: Redaction, problem: str) -> None:
    with one_deed():
        kept = _still_asked(row)
        if kept is None:
            return
        _log.error(
            "the redacted copy %(redaction)s could not be made: %(problem)s", {"redaction": row.pk, "problem": problem}
        )
        subject = Subject.recording(row.recording_id)
        record(FAILED, actor=ARCHIVE, subject=subject, redaction=row.pk.hex, problem=problem)
        kept.state, kept.problem, kept.working_at = State.FAILED, problem, None
        kept.save(update_fields=["state", "problem", "working_at"])


def _clear(row: Redaction) -> None:
    """Remove what a kill left between the name and the row: no row leads to it."""
    folder = derivatives_folder(row.recording_id)
    with transaction.atomic():
        take_turn(folder)
        if not _asked(row).exists():
            raise StoppedError("it was taken back, or another worker has made it")
        _remove_files(row)


def _remove_files(row: Redaction) -> None:
    folder = derivatives_folder(row.recording_id)
    for name in list(store().names(folder)):
        if name.startswith(f"{folder}/{row.pk.hex}-"):
            store().remove(name)


def _measure(file: BinaryIO) -> tuple[int, str]:
    size, sha256 = 0, hashlib.sha256()
    file.seek(0)
    for chunk in iter(lambda: file.read(BUFFER), b""):
        size += len(chunk)
        sha256.update(chunk)
    return size, sha256.hexdigest()


def _taken(row: Redaction) -> bool:
    """Take a copy, unless another worker makes it; one that was killed has not said so for a minute."""
    # by the database's clock: a host's own may be wrong
    free = Q(working_at=None) | Q(working_at__lt=Now() - LEFT)
    return bool(Redaction.objects.filter(free, pk=row.pk, state=State.ASKED).update(working_at=Now()))


class _Told:
    """Writes the progress down, now and then."""

    def __init__(self, row: Redaction, stop: StopSignal) -> None:
        self._pk: UUID = row.pk
        self._stop, self._due = stop, 0.0

    def __call__(self, done: int, of: int) -> None:
        if self._stop.is_set():
            raise StoppedError("the worker was told to stop; the copy is made at its next start")
        if time.monotonic() >= self._due:
            self._due = time.monotonic() + TOLD_S
            Redaction.objects.filter(pk=self._pk).update(working_at=Now(), done=done, of=of)
