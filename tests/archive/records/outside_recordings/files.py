"""Small files of each kind that is taken in, and recordings that were brought."""

from __future__ import annotations

import io
import struct
from datetime import date
from typing import Any

import numpy as np
import soundfile

from appliance.contract.outside_package import PIECE
from archive.accounts.models import User
from archive.records.outside_recordings import take_in_deeds
from archive.records.outside_recordings.models import Origin, OutsideRecording
from archive.records.outside_recordings.rules import Statement
from archive.records.outside_recordings.seal_deeds import seal_outside
from tests.archive.records.factories import NOON

RATE = 8000
SAID = Statement(
    origin=Origin.REMOTE,
    made_on=NOON.date(),
    made_at=None,
    place="Zoom, the meeting of the team",
    made_by="Kim Vo, teacher",
    made_with="Zoom 6.2 on a laptop",
    since="Nothing, it is the file as it was made.",
    brought_by="Kim Vo, teacher",
    brought_on=NOON.date(),
)
assert NOON.date() <= date.today()  # noqa: DTZ011 - a day of the site


def sound(kind: str, seconds: float = 1.0) -> bytes:
    """A file of WAV, FLAC or MP3."""
    noise = np.random.default_rng(7).integers(-9000, 9000, int(RATE * seconds), np.int16)
    file = io.BytesIO()
    soundfile.write(file, noise, RATE, format=kind)
    return file.getvalue()


def box(name: bytes, *inside: bytes) -> bytes:
    data = b"".join(inside)
    return struct.pack(">I4s", 8 + len(data), name) + data


def track(kind: bytes) -> bytes:
    return box(b"trak", box(b"mdia", box(b"hdlr", bytes(8), kind, bytes(13))))


def m4a(*tracks: bytes, brand: bytes = b"M4A ") -> bytes:
    """The boxes of an M4A file that say what is in it; its sound is none."""
    head = box(b"mvhd", bytes(12), struct.pack(">II", 1000, 90_000), bytes(80))
    moov = box(b"moov", head, *(tracks or (track(b"soun"),)))
    return box(b"ftyp", brand, bytes(4)) + box(b"mdat", b"\xa5" * 5000) + moov


def send(row: OutsideRecording, data: bytes) -> None:
    for at in range(0, len(data), PIECE):
        take_in_deeds.add_piece(row.pk, at, len(data), data[at : at + PIECE])


def bring(by: User, data: bytes, **said: Any) -> OutsideRecording:
    """A recording of which all has arrived."""
    row = take_in_deeds.begin(Statement(**{**vars(SAID), **said}), by=by)
    send(row, data)
    return take_in_deeds.complete(row.pk, by=by)


def brought(by: User, data: bytes, **said: Any) -> OutsideRecording:
    """A sealed one."""
    return seal_outside(bring(by, data, **said).pk)
