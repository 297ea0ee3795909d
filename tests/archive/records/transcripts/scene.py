"""A transcript as a vendor sends it, and what tests do with it."""

from __future__ import annotations

from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile

from archive.accounts.models import User
from archive.recordings.models import Recording
from archive.records.transcripts import deeds
from archive.records.transcripts.deeds import Facts
from archive.records.transcripts.models import Language, Source, Transcript

SECRET = "Marigold"
"""A word that stands in the transcripts here and must stand nowhere else."""


VTT = f"""WEBVTT

00:01.000 --> 00:02.000
<v Ms. Lee>Good morning, {SECRET}.

00:14.000 --> 00:16.000
Between you and me.

00:29.000 --> 00:30.000
The goals & <b>services</b>, Núñez.
""".encode()


FACTS = Facts(Source.VENDOR, Language.EN, "Heartland Captions")


def bring(row: Recording, by: User, data: bytes = VTT, shift_ms: int = 0, facts: Facts = FACTS) -> Transcript:
    return deeds.bring(row.pk, data, shift_ms, facts, deeds.recipient_of(row.pk), by=by)


def answered(row: Recording, by: User, data: bytes = VTT, facts: Facts = FACTS) -> Transcript:
    return deeds.answer(row.pk, bring(row, by, data, facts=facts).version, "A. Ruiz, director", by=by)


def place(row: Recording, rest: str = "") -> str:
    return f"/recordings/{row.pk}/transcript{rest}/"


def form(**other: Any) -> dict[str, Any]:
    typed = {"file": VTT, "source": "vendor", "maker": "Heartland Captions", "language": "en", "shift": "0:00:00"}
    sent = {**typed, "once": "a" * 32, **other}
    if sent["file"] is None:
        return {name: value for name, value in sent.items() if name != "file"}
    return {**sent, "file": SimpleUploadedFile("../meeting <1>.vtt", sent["file"])}
