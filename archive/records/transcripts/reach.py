"""Opening what is kept of a transcript, and which transcripts go along with a copy."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from appliance.contract.errors import DigestError
from archive.keystore.recording_keys import recording_keys
from archive.recordings.companions import Companion
from archive.recordings.models import Recording
from archive.recordings.parts import Parts
from archive.recordings.secrets import secret_of

from . import webvtt
from .models import Transcript
from .notices import comments
from .rules import best, readable
from .webvtt import Cue


def in_use(recording: Recording) -> list[Transcript]:
    """Return the versions that were written from this very package and not set aside, without their text."""
    rows = recording.transcripts.filter(package_sha256=recording.package_sha256, set_aside_at=None)
    return list(rows.defer("encrypted"))


def cues_of(row: Transcript) -> tuple[Cue, ...]:
    """Return all cues; raise DecryptionError where the recording's key is gone, DigestError where it was changed."""
    data = secret_of(row.recording_id).decrypt(bytes(row.encrypted))
    if hashlib.sha256(data).hexdigest() != row.sha256:
        raise DigestError(f"version {row.version} of the transcript is not the one that was added")
    return webvtt.read(data, slack=webvtt.OWN)


def file_of(row: Transcript, parts: Parts | None, rate: int) -> bytes:
    """Return a transcript as it leaves the archive: with its notice, and only where `parts` lets something be heard."""
    shown = readable(cues_of(row), parts, rate)
    return webvtt.write(shown.cues, comments(row, shown.left_out))


def copies_of(recording: Recording, parts: Parts | None) -> Sequence[Companion]:
    """Return what goes along with a copy: of each language the newest version that somebody answered for.

    None where nothing of it may be heard. Where the recording's key is gone its text is gone too.
    """
    answered = [one for one in in_use(recording) if one.answered_at is not None]
    newest = {one.pk: one for one in (best(answered, one.language) for one in answered) if one is not None}
    if parts == () or not recording_keys().exists(recording.pk):
        return []
    return [
        Companion(f"transcript-{one.version}-{one.language}.vtt", file_of(one, parts, recording.rate))
        for one in newest.values()
    ]
