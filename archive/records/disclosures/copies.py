"""The file that is handed over: made while it is sent, with its statements and notices, and its digest at the end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from archive.accounts.models import User
from archive.recordings import flac
from archive.recordings.companions import Companion, bundle, companions_apart, companions_of, counted
from archive.recordings.parts import only
from archive.recordings.playback import open_audio
from archive.recordings.silences import paper, papers, place, silences_of
from archive.recordings.verification import audio_md5
from archive.records.evidence.package import evidence_package
from archive.records.outside_recordings.companions import companions_of_outside
from archive.records.outside_recordings.describe import said_of
from archive.records.outside_recordings.media import MediaType
from archive.records.outside_recordings.models import OutsideRecording
from archive.records.outside_recordings.plain_file import chunks, open_sealed
from archive.records.redactions.describe import notice_of
from archive.records.redactions.models import Redaction
from archive.records.redactions.reach import for_handing_out, opened, parts_of, silent_since, spans_of
from archive.records.redactions.rules import Span, merged, outside
from archive.store.base import BUFFER, open_object
from archive.store.current import store

from . import deeds
from .models import Copy, Disclosure
from .papers.words import brought_paper, redisclosure_paper
from .reach import parts_that_leave


def copy_of(row: Disclosure, by: User) -> Iterator[bytes]:
    """Yield the ZIP file of a disclosure that was let through; its digest is noted once all of it was taken.

    Raises DecryptionError or StorageError before the first byte where the recording cannot be opened.
    """
    notice = Companion("REDISCLOSURE.txt", redisclosure_paper())
    data: Iterable[bytes]

    places: list[str] = []

    def noted(sha256: str, size: int) -> None:
        deeds.note_whole(row.pk, sha256, size, by=by, silent=", ".join(places))

    recording = row.about
    if row.what in {Copy.EVIDENCE, Copy.TRANSFER}:
        return evidence_package(recording, noted, documents=[notice], recipient=row.recipient)
    if isinstance(recording, OutsideRecording):
        grade = Companion("NOT-MADE-BY-A-BOX.txt", brought_paper(recording.sha256, said_of(recording)))
        documents = [grade, notice, *companions_of_outside(recording)]
        name = f"{recording.pk}-not-made-by-a-box.{MediaType(recording.media_type).suffix}"
        return counted(bundle(name, _file(recording), documents, recording.sealed_at or row.prepared_at), noted)
    parts = parts_that_leave(row) if row.what == Copy.AUDIO else None
    if row.redaction is not None:
        kept = for_handing_out(Redaction.objects.select_related("recording").get(pk=row.redaction.pk))
        since = silent_since(kept)
        silent = merged(span for span, _code in since)
        places += _places(silent, recording.rate)
        left = parts_of(outside(merged([*spans_of(kept), *silent]), recording.frames))
        # a redacted copy goes without what was written down of the recording
        told, lost = notice_of(kept, since), silences_of(recording, left).lost_alone()
        documents = [Companion("REDACTED.txt", told), *papers(lost), notice, *companions_apart(recording, left, ())]
        with opened(kept) as reader:
            reader.read(0, 1)
        name, data = f"{recording.pk}-redacted.flac", _redacted(kept, silent, told + paper(lost))
    elif row.what == Copy.AUDIO:
        silences = silences_of(recording, parts)
        documents = [*papers(silences), notice, *companions_of(recording, parts)]
        source = open_audio(recording)
        source.read(parts[0].first if parts else 0, 1)
        name = f"{recording.pk}.flac"
        places += _places([Span(*one) for one in silences.left_out], source.rate)
        md5 = audio_md5(recording) if parts is None else b""
        read = only(source.read, parts, source.frames)
        data = flac.stream(recording.pk, source.frames, source.rate, read, md5=md5, papers=paper(silences))
    else:
        documents = [*papers(silences_of(recording, None)), notice, *companions_of(recording, None)]
        store().read_range(recording.package, 0, 1)
        name, data = f"{recording.pk}.zip", _package(recording.package)
    return counted(bundle(name, data, documents, recording.listed_at), noted)


def _places(silent: Sequence[Span], rate: int) -> list[str]:
    return [f"{place(one.first, rate)} to {place(one.last, rate)}" for one in silent]


def _file(row: OutsideRecording) -> Iterator[bytes]:
    """Return the pieces of a file that was brought; the first one is opened before anything is sent."""
    file = open_sealed(row)
    file.peek(1)
    return chunks(file, 0, row.size)


def _redacted(row: Redaction, silent: Sequence[Span], told: str) -> Iterator[bytes]:
    """Yield the audio of a redacted copy with `silent` made silent in it as well, and `told` in its comment."""
    recording = row.recording
    parts = parts_of(outside(silent, recording.frames)) if silent else None
    with opened(row) as reader:
        md5 = bytes.fromhex(row.audio_md5) if parts is None else b""
        read = only(reader.read, parts, reader.frames)
        yield from flac.stream(recording.pk, recording.frames, recording.rate, read, md5=md5, papers=told)


def _package(name: str) -> Iterator[bytes]:
    with open_object(store(), name) as file:
        yield from iter(lambda: file.read(BUFFER), b"")
