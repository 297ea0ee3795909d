"""Asking the computer for a draft of a transcript, and making it: a job of the worker, after the seal."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from typing import Final

from django.conf import settings
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from appliance.contract.errors import PlainSightError
from appliance.contract.stop_signal import StopSignal
from archive.accounts.models import User
from archive.configuration.records import Transcription
from archive.core.deeds import one_deed
from archive.custody.actors import ARCHIVE, Actor, Subject
from archive.custody.log import record
from archive.recordings.find import check_not_destroyed, find
from archive.recordings.models import Recording, State
from archive.recordings.playback import AudioSource, open_audio
from archive.records.errors import DeedError

from .custody_kinds import ASKED
from .deeds import Facts, keep_draft, recipient_of
from .engines.client import EngineError, EngineProcess, StoppedError
from .engines.protocol import Begin
from .engines.sound import Stretch, stretches
from .models import Language, MachineDraft, Source
from .webvtt import MOST_CUES, Cue, TranscriptFileError, cleaned

LOOK_S: Final = 10.0
"""How often the worker looks for what was asked, in seconds."""
LEFT: Final = timedelta(hours=2)
"""A worker that has not said so for this long makes it no more: a stretch may take an hour."""
RECENT: Final = timedelta(days=2)
"""Where each recording gets a draft, those made so lately do; older ones are asked for."""
PROBLEMS: Final = {
    "no-words": "it understood no word.",
    "no-model": "the model's file cannot be read. Ask your administrator.",
    "another-model": "the model's file is not the one that the settings pin. Ask your administrator.",
    "model-refused": "the engine does not take the model. Ask your administrator.",
    "no-engine": "the engine is not installed. Ask your administrator.",
    "not-alone": "its process could not be kept from the network, so it got nothing to hear. Ask your administrator.",
    "same": "its text is here already.",
    "unreadable": "the recording cannot be opened.",
    "engine-died": "its process ended unexpectedly. Ask for it again.",
    "engine-hangs": "its process did not come to an end. Ask your administrator.",
    "engine-failed": "its process failed. Ask your administrator.",
    "misunderstood": "its process said what makes no sense. Ask your administrator.",
}
"""Why there is no draft, in words."""
_log = logging.getLogger(__name__)


def ask(recording: str, *, by: User | None) -> MachineDraft:
    """Ask for a draft, or return the one that is not finished yet. Raises DeedError where none can be made."""
    if settings.ARCHIVE.transcription is None:
        raise DeedError("No engine is set up here: [transcription] in archive.toml. Ask your administrator.")
    with one_deed():
        row = find(recording, lock=True)
        check_not_destroyed(row)
        if row.state != State.SEALED:
            raise DeedError("It is not sealed yet. Ask for a draft afterwards.")
        known = MachineDraft.objects.filter(recording=row, finished_at=None).first()
        if known is not None:
            return known
        record(ASKED, actor=Actor.user(by.pk) if by else ARCHIVE, subject=Subject.recording(recording))
        asked = {"asked_at": timezone.now(), "asked_by": by, "working_at": None, "done_s": 0, "finished_at": None}
        return MachineDraft.objects.update_or_create(recording=row, defaults={**asked, "problem": ""})[0]


def draft_asked(stop: StopSignal) -> None:
    """Make every draft that was asked for: a job of the worker. It does nothing where no engine is set up."""
    engine: Transcription | None = settings.ARCHIVE.transcription
    if engine is None:
        return
    if engine.every:
        _ask_for_new()
    for asked in MachineDraft.objects.filter(finished_at=None).select_related("recording").order_by("asked_at"):
        if stop.is_set():
            return
        if _taken(asked):
            _make(asked, engine, stop)


def _ask_for_new() -> None:
    sealed = Recording.objects.filter(state=State.SEALED, destroyed_at=None, machine_draft=None)
    for pk in list(sealed.filter(listed_at__gte=timezone.now() - RECENT).values_list("pk", flat=True)):
        ask(pk, by=None)


def _taken(asked: MachineDraft) -> bool:
    """Take a draft, unless another worker makes it."""
    # by the database's clock: a host's own may be wrong
    free = Q(working_at=None) | Q(working_at__lt=Now() - LEFT)
    return bool(MachineDraft.objects.filter(free, pk=asked.pk, finished_at=None).update(working_at=Now(), done_s=0))


def _make(asked: MachineDraft, engine: Transcription, stop: StopSignal) -> None:
    mine = MachineDraft.objects.filter(pk=asked.pk, finished_at=None)
    try:
        problem = _draft(asked.recording, engine, stop)
    except StoppedError:
        mine.update(working_at=None)
        return
    except EngineError as error:
        problem = error.reason
    except TranscriptFileError:
        problem = "misunderstood"
    except DeedError:
        problem = "same"
    except PlainSightError as error:
        _log.warning(
            "cannot draft a transcript of %(recording)s: %(code)s",
            {"recording": asked.recording_id, "code": error.code},
        )
        problem = "unreadable"
    mine.update(working_at=None, finished_at=timezone.now(), problem=problem)
    if problem:
        _log.warning(
            "there is no draft of a transcript of %(recording)s: %(code)s",
            {"recording": asked.recording_id, "code": problem},
        )


def _draft(row: Recording, engine: Transcription, stop: StopSignal) -> str:
    """Make and keep a draft; return why there is none, or nothing."""
    source = open_audio(row)
    begin = Begin(
        engine=engine.engine,
        model=str(engine.model),
        model_sha256=engine.model_sha256,
        language=engine.language,
        threads=engine.threads,
    )
    with closing(EngineProcess(begin, stop.is_set)) as process:
        cues = _in_order(list(_cues(process, source, stop)), row.frames * 1000 // row.rate)
        maker = f"{process.program}, {engine.model.name}"[:200]
    if not cues:
        return "no-words"
    facts = Facts(Source.MACHINE, Language(engine.language), maker, engine.model_sha256)
    keep_draft(row.pk, cues, facts, recipient_of(row.pk))
    return ""


def _cues(process: EngineProcess, source: AudioSource, stop: StopSignal) -> Iterator[Cue]:
    for stretch in stretches(source.frames, source.rate, source.read):
        if stop.is_set():
            raise StoppedError("stopped")
        yield from _of_stretch(process, stretch)
        done = stretch.first_ms // 1000 + stretch.samples.size // 16_000
        MachineDraft.objects.filter(pk=source.recording).update(working_at=Now(), done_s=done)


def _of_stretch(process: EngineProcess, stretch: Stretch) -> Iterator[Cue]:
    for said in process.transcribe(stretch):
        text = cleaned(said.text)
        if text:
            yield Cue(stretch.first_ms + said.start_ms, stretch.first_ms + max(said.end_ms, said.start_ms + 1), text)


def _in_order(cues: list[Cue], length_ms: int) -> tuple[Cue, ...]:
    """Return the cues as a file of them must be: sorted, inside of the recording, not too many."""
    inside = [replace(one, end_ms=min(one.end_ms, length_ms)) for one in cues if one.start_ms < length_ms]
    return tuple(sorted(inside, key=lambda one: (one.start_ms, one.end_ms))[:MOST_CUES])
