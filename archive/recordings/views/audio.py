"""A recording's audio for the player, as a WAV file of which any part can be asked for."""

from __future__ import annotations

from collections.abc import Iterator

from django.http import HttpRequest, HttpResponseBase
from django.views.decorators.http import require_safe

from archive.access.deeds import Deed
from archive.access.requests import user_of
from archive.recordings import listens
from archive.recordings.find import find
from archive.recordings.models import Recording
from archive.recordings.partial import answer
from archive.recordings.parts import Parts, audible, only
from archive.recordings.playback import open_audio
from archive.recordings.ranges import Span
from archive.recordings.wav import WavFile

MOST = 2 << 20
"""Most bytes in one partial answer: 22 s at 48 kHz. A player asks again for what follows."""


@require_safe
def audio(request: HttpRequest, recording: str) -> HttpResponseBase:
    """Answer with the bytes asked for; `view` is the token of the page that plays them."""
    row = find(recording)
    return audio_answer(request, row, audible(user_of(request), Deed.LISTEN, row.pk))


def audio_answer(request: HttpRequest, row: Recording, parts: Parts | None) -> HttpResponseBase:
    """Answer with the bytes asked for of these parts of a recording, and silence instead of all else."""
    source = open_audio(row)
    wav = WavFile(source.frames, source.rate)
    read = only(source.read, parts, source.frames)

    def body(span: Span) -> Iterator[bytes]:
        first = wav.frame_at(span.start)
        # what cannot be opened is not entered as listened to; the segment stays decoded for the answer
        source.read(first if parts is None else parts[0].first if parts else 0, 1)
        view = listens.enter(user_of(request), row, request.GET.get("view", ""), first // wav.rate)
        return listens.Sent(view, wav.read(span, read), span, frame_at=wav.frame_at, parts=parts)

    etag = f'"{row.package_sha256}-wav{"".join(f"-{one.first}.{one.last}" for one in parts or ())}"'
    return answer(request, size=wav.size, etag=etag, content_type="audio/wav", body=body, most=MOST)
