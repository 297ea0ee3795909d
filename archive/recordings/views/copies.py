"""Copies that somebody takes for themselves: sealed package, plain audio, receipt; and the page that offers them.

Staff take them for their work with the student (34 CFR 99.31(a)(1)), parents and students from 18 on as their own
(99.10): the deed `download` is granted for that alone, and each entry says which it was. What goes to anybody else, out
of the district or not, goes through the two gates of archive.records.disclosures.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import render
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from appliance.contract.errors import NotSealedError, StorageError
from appliance.contract.receipt import Receipt
from appliance.contract.times import parse_wall
from archive.access.deeds import Deed
from archive.access.requests import actor, user_of
from archive.custody.actors import Subject
from archive.custody.kinds import Kind
from archive.custody.log import record
from archive.recordings import flac
from archive.recordings.companions import Companion, bundle, companions_of
from archive.recordings.custody_kinds import DOWNLOAD_FLAC, DOWNLOAD_PACKAGE, DOWNLOAD_RECEIPT, LOOK
from archive.recordings.find import check_not_destroyed, find
from archive.recordings.grounds import ground_of
from archive.recordings.heading import heading
from archive.recordings.ledger_entries import read_ledger
from archive.recordings.models import Recording, State
from archive.recordings.partial import answer
from archive.recordings.parts import OnlyAPartError, audible, only
from archive.recordings.playback import open_audio
from archive.recordings.ranges import Span
from archive.recordings.recording_state import recording_state
from archive.recordings.silences import paper, papers, places, silences_of
from archive.recordings.state_words import explain
from archive.recordings.verification import audio_md5
from archive.store.current import store
from archive.ui import words
from archive.ui.templatetags.plain import contact

from .recording import deeds_of

_CHUNK = 1 << 18


class PackageMissingError(StorageError):
    """A sealed package is not where it was put."""

    code = "package-missing"


def sealed(recording: str) -> Recording:
    """Return a sealed recording; raise UnknownRecordingError, DestroyedError, NotSealedError or PackageMissingError."""
    row = find(recording)
    check_not_destroyed(row)
    if row.state != State.SEALED or row.receipt is None:
        raise NotSealedError("there is nothing to hand out before the seal; it follows the end of a meeting by seconds")
    if not store().exists(row.package):
        raise PackageMissingError(f"the package of recording {recording} is not in the store")
    return row


@require_safe
def export(request: HttpRequest, recording: str) -> HttpResponseBase:
    """Show what can be taken, and what taking it means."""
    row = sealed(recording)
    record(LOOK, actor=actor(request), subject=Subject.recording(row.pk), page="copies")
    parts = audible(user_of(request), Deed.DOWNLOAD, row.pk)
    silences = silences_of(row, parts)
    context = {
        "place": "recordings",
        "recording": row,
        "can": deeds_of(user_of(request), row),
        "simulated": row.panel == "simulated",
        "notice": words.notice(),
        "companions": companions_of(row, parts),
        "silences": places(silences),
        "own": ground_of(user_of(request), Subject.recording(row.pk)) == "own",
        "whole": parts is None,
        "package_size": row.package_size,
        "length_words": words.spoken(row.seconds),
        # empty where nothing is wrong
        "inaudible": explain(
            recording_state(row), problem=_("it is not as it was sealed; verify it to see where"), contact=contact()
        ),
        "called": called(row),
        "receipt": _receipt_facts(row),
    }
    return render(request, "ui/export.html", context)


def called(row: Recording) -> str:
    """Return what the pages call a recording."""
    return str(heading(row, read_ledger(row).entries))


def _receipt_facts(row: Recording) -> list[tuple[str, str]]:
    # the archive signed it itself, and `verify` checks the signature
    receipt = Receipt.read(bytes(row.receipt or b""), None)
    segments = _("{count}, and {tail} that the box had not signed")
    return [
        (_("Sealed"), words.when(localtime(parse_wall(receipt.sealed_at)))),
        (_("Ended"), words.outcome(receipt.outcome)),
        (_("Segments"), segments.format(count=receipt.segments, tail=receipt.tail)),
        (_("Frames"), str(receipt.frames)),
        (_("Digest of the ledger"), receipt.ledger_sha256),
        (_("Digest of the manifest"), receipt.manifest_sha256),
        (_("Signed by"), receipt.archive_key),
    ]


@require_safe
def package(request: HttpRequest, recording: str) -> HttpResponseBase:
    """Hand out the sealed package, or the part of it that an interrupted download still needs."""
    row = sealed(recording)

    _check_whole(request, row)
    documents = [*papers(silences_of(row, None)), *companions_of(row, None)]
    if documents and request.method == "GET":
        store().read_range(row.package, 0, 1)  # a missing package is an error, no download
        _enter(DOWNLOAD_PACKAGE, request, row, documents=len(documents))
        return _bundled(row, f"{row.pk}.zip", _stored(row.package, Span(0, row.package_size)), documents)

    def body(span: Span) -> Iterator[bytes]:
        part = {} if span.size == row.package_size else {"first_byte": span.start, "bytes": span.size}
        store().read_range(row.package, span.start, min(span.size, 1))  # a missing package is an error, no download
        _enter(DOWNLOAD_PACKAGE, request, row, **part)
        return _stored(row.package, span)

    etag = f'"{row.package_sha256}"'
    response = answer(request, size=row.package_size, etag=etag, content_type="application/zip", body=body)
    return _named(response, f"{row.pk}.zip")


def _stored(name: str, span: Span) -> Iterator[bytes]:
    for start in range(span.start, span.stop, _CHUNK):
        yield store().read_range(name, start, min(_CHUNK, span.stop - start))


@require_safe
def plain_audio(request: HttpRequest, recording: str) -> HttpResponseBase:
    """Hand out the whole audio as one FLAC file. It is made while it is sent, so it has no length and no ranges."""
    row = sealed(recording)
    source, parts = open_audio(row), audible(user_of(request), Deed.DOWNLOAD, row.pk)
    read = only(source.read, parts, source.frames)
    response: HttpResponseBase
    if request.method == "HEAD":
        response = HttpResponse(content_type="audio/flac")
    else:
        source.read(parts[0].first if parts else 0, 1)  # what cannot be opened is an error, no download
        documents, silences = companions_of(row, parts), silences_of(row, parts)
        detail = {"documents": len(documents)} if documents else {}
        _enter(DOWNLOAD_FLAC, request, row, **detail)
        md5 = audio_md5(row) if parts is None else b""
        audio = flac.stream(row.pk, source.frames, source.rate, read, md5=md5, papers=paper(silences))
        if documents:
            return _bundled(row, f"{row.pk}.flac", audio, [*papers(silences), *documents])
        response = StreamingHttpResponse(audio, content_type="audio/flac")
    response.headers["Accept-Ranges"] = "none"
    return _named(response, f"{row.pk}.flac")


@require_safe
def receipt(request: HttpRequest, recording: str) -> HttpResponseBase:
    """Hand out the signed receipt line."""
    row = sealed(recording)
    if request.method == "GET":
        _enter(DOWNLOAD_RECEIPT, request, row)
    response = HttpResponse(bytes(row.receipt or b""), content_type="text/tab-separated-values; charset=utf-8")
    return _named(response, f"{row.pk}-receipt.tsv")


def _enter(kind: Kind, request: HttpRequest, row: Recording, **detail: int) -> None:
    ground = ground_of(user_of(request), Subject.recording(row.pk))
    record(kind, actor=actor(request), subject=Subject.recording(row.pk), ground=ground, **detail)


def _check_whole(request: HttpRequest, row: Recording) -> None:
    if audible(user_of(request), Deed.DOWNLOAD, row.pk) is not None:
        raise OnlyAPartError("the package holds all of the recording, and you may hear a part; take the audio instead")


def _bundled(row: Recording, name: str, data: Iterable[bytes], documents: list[Companion]) -> HttpResponseBase:
    """Answer with the copy and what must go along with it, in one ZIP file."""
    sent = StreamingHttpResponse(bundle(name, data, documents, row.listed_at), content_type="application/zip")
    return _named(sent, f"{row.pk}-copy.zip")


def _named(response: HttpResponseBase, name: str) -> HttpResponseBase:
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
