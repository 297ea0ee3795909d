"""The package itself, made while it is sent: nothing of the recording is in memory but a second, nothing on a disk."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.conf import settings
from django.utils import timezone, translation

from appliance.contract.custody import CustodyHead
from appliance.contract.encryption import Identity, encrypt
from appliance.contract.errors import DecryptionError
from appliance.contract.evidence_package import (
    ENCRYPTED_KEY,
    ENTRIES,
    HEAD,
    KEY,
    EvidenceStatement,
    EvidenceWriter,
    audio_name,
    brought_name,
    sealed_name,
)
from appliance.contract.times import wall
from archive.custody.heads import signed_head
from archive.keystore.current import keystore
from archive.recordings import flac
from archive.recordings.companions import Companion, companions_apart, counted
from archive.recordings.playback import open_audio
from archive.recordings.secrets import secret_of
from archive.recordings.silences import paper, silences_of
from archive.recordings.stored_ledger import package_member
from archive.records.outside_recordings.companions import companions_of_outside
from archive.records.outside_recordings.either import Either, package_of, subject_of
from archive.records.outside_recordings.media import MediaType
from archive.records.outside_recordings.models import OutsideRecording
from archive.records.outside_recordings.plain_file import chunks, open_sealed
from archive.records.restrictions.reach import unrestricted
from archive.store.base import BUFFER, open_object
from archive.store.current import store
from archive.ui import words

from . import statement_parts
from .chapters import chapters_of
from .log import Extract
from .premis import EVENT_TYPES, Event, FileObject, document
from .summary import Facts, summaries

README: Final = """\
Evidence package of recording {recording}, made by the archive of {district}.

Begin with data/summary.html (in Spanish: data/summary.es.html).

Checking with the program Plain Sight, offline, on any computer:
    plainsight verify THIS-FILE.zip --keys keyring.json
The key ring (keyring.json) must come from the district and not with this package. The program
names all that it checked, and what it could not check.

Checking by hand, after unpacking (unzip, sha256sum, sha512sum, openssl, age, flac; the format is
described in docs/format.md of Plain Sight, sections 1 to 10):
    sha256sum -c manifest-sha256.txt && sha256sum -c tagmanifest-sha256.txt
    bagit.py --validate .            (python package bagit, of the Library of Congress)
    evidence.tsv                     one signed line: what the archive signed, with the digest of
                                     manifest-sha256.txt; its form is section 1.3
    data/recording/{recording}.zip   the sealed package; section 6 says how to check it by hand
{audio}    data/custody/entries.jsonl       what was done with it; section 9.3 says how each is proved
"""
_AUDIO: Final = """\
    data/recording/key.txt           an age identity that opens the sealed segments
    data/recording/{recording}.flac  what they hold, as one file: flac -t tests it
"""
_BROUGHT: Final = """\
    data/recording/key.txt           an age identity that opens the sealed pieces
    data/recording/{recording}-not-made-by-a-box.*
                                     the file as it was brought: what the pieces are, one behind
                                     the other. No box made it; see section 5.6
"""


@dataclass(frozen=True)
class _Played:
    """What anybody can play."""

    name: str
    """Its place in the package."""
    media_type: str
    pieces: Iterable[bytes]


@dataclass(frozen=True)
class _Content:
    """What a package is made of; all that can be wrong is found while this is made."""

    recording: Either
    secret: Identity | None
    played: _Played | None
    """None: there is no audio that can be handed out, or it is a transfer."""
    recipient: str
    """Of a transfer, the other archive's."""
    documents: list[Companion]
    head_line: bytes
    head: CustodyHead
    made_at: datetime


def evidence_package(
    row: Either,
    noted: Callable[[str, int], None],
    *,
    documents: Iterable[Companion] = (),
    recipient: str = "",
) -> Iterator[bytes]:
    """Yield the package; `noted` gets digest and size in bytes of the whole file after its last byte.

    `recipient` makes it a transfer: the key is encrypted to that archive, and the audio is not there in plain. Enter
    it in the custody log first, and call this outside of a transaction. Raises before the first byte what stands
    against it: StorageError, DecryptionError, DigestError.
    """
    content = _content(row, list(documents), recipient)
    return counted(_written(content), noted)


def _content(row: Either, documents: list[Companion], recipient: str) -> _Content:
    store().read_range(package_of(row), 0, 1)  # a missing package is an error, no download
    try:
        secret = secret_of(row.pk)
    except DecryptionError:
        if recipient:
            raise  # a transfer without its key would be of no use
        secret = None
    played = _played(row) if secret is not None and not recipient else None
    line = signed_head()
    head = CustodyHead.read(line, None)
    return _Content(row, secret, played, recipient, documents, line, head, timezone.now())


def _played(row: Either) -> _Played | None:
    """Return what anybody can play, if all of it opens; its first bytes are opened here."""
    if isinstance(row, OutsideRecording):
        file, kind = open_sealed(row), MediaType(row.media_type)
        file.peek(1)
        return _Played(brought_name(row.pk, kind.suffix), kind.value, chunks(file, 0, row.size))
    if not row.frames or row.damaged_segments:
        return None
    source = open_audio(row)
    source.read(0, 1)
    told = paper(silences_of(row, None))
    audio = flac.stream(row.pk, source.frames, source.rate, source.read, papers=told)
    return _Played(audio_name(row.pk), "audio/flac", audio)


def _written(content: _Content) -> Iterator[bytes]:
    row = content.recording
    writer = EvidenceWriter(row.pk, content.made_at)
    extract = Extract(subject_of(row), content.head)
    yield writer.begin()
    for name, pieces in _payload(content, extract):
        yield from writer.add(f"data/{name}" if not name.startswith("data/") else name, pieces)

    def sign(manifest_sha256: str) -> bytes:
        keys = keystore()
        statement = EvidenceStatement(
            recording=row.pk,
            archive_key=keys.public,
            purpose="transfer" if content.recipient else "copy",
            recipient=content.recipient,
            custody_entries=len(extract.numbers),
            manifest_sha256=manifest_sha256,
            made_at=wall(content.made_at),
        )
        return keys.sign(statement)

    yield from writer.finish(sign)


def _payload(content: _Content, extract: Extract) -> Iterator[tuple[str, Iterable[bytes]]]:
    row, played = content.recording, content.played
    brought = isinstance(row, OutsideRecording)
    hint = (_BROUGHT if brought else _AUDIO).format(recording=row.pk) if played is not None else ""
    district = settings.ARCHIVE.records.district
    yield "README.txt", [README.format(recording=row.pk, district=district, audio=hint).encode("utf-8")]
    yield "NOTICE.txt", [f"{words.in_both(words.notice)}\n".encode()]
    for one in content.documents:
        yield f"notices/{one.name}", [_bytes(one)]
    facts = Facts(row, content.made_at, extract, played.name if played is not None else "", bool(content.recipient))
    for name, data in summaries(facts):
        yield name, [data]
    with translation.override("en"):
        chapters = chapters_of(row.pk)
    for chapter in chapters:
        yield f"records/{chapter.code}.json", [chapter.as_json()]
        for attachment in chapter.attachments:
            yield f"records/{chapter.code}/{attachment.name}", [attachment.data]
    if isinstance(row, OutsideRecording):
        along = companions_of_outside(row)
    else:
        # the sealed package is all of it
        along = companions_apart(row, None, unrestricted(row.pk))
    for one in [*along, *statement_parts.written(along)]:
        yield f"records/statements/{one.name}", [_bytes(one)]
    yield "premis.xml", document(_files(content), _events(row, extract), _agents(row, extract))
    yield sealed_name(row.pk), _stored(package_of(row))
    if content.recipient:
        assert content.secret is not None  # noqa: S101 - told to the type checker: _content raised
        yield ENCRYPTED_KEY, [encrypt(content.secret.secret_line(), [content.recipient])]
    elif played is not None and content.secret is not None:
        yield KEY, [content.secret.secret_line()]
        yield played.name, played.pieces
    yield HEAD, [content.head_line]
    yield ENTRIES, extract.proved()
    with translation.override("en"):
        yield "custody/log.txt", extract.in_words()


def _bytes(one: Companion) -> bytes:
    return one.text if isinstance(one.text, bytes) else one.text.encode("utf-8")


def _stored(name: str) -> Iterator[bytes]:
    with open_object(store(), name) as file:
        yield from iter(lambda: file.read(BUFFER), b"")


def _files(content: _Content) -> list[FileObject]:
    row = content.recording
    sealed = FileObject(sealed_name(row.pk), "application/zip", row.package_size, row.package_sha256)
    return [sealed, *([FileObject(content.played.name, content.played.media_type, 0, "")] if content.played else [])]


def _events(row: Either, extract: Extract) -> Iterator[Event]:
    if not isinstance(row, OutsideRecording):
        for number, one in enumerate(json.loads(package_member(row, "data/events.json"))):
            yield Event(f"arrival-{number}", one["event"], one["at"], one["detail"], one["outcome"], one["agent"])
    for entry in extract.of(tuple(EVENT_TYPES), len(extract.numbers)):
        detail = f"{entry.code}, custody entry {entry.n}"
        agent = entry.actor_id or entry.actor_type
        yield Event(f"custody-{entry.n}", EVENT_TYPES[entry.code], entry.at, detail, "", agent)


def _agents(row: Either, extract: Extract) -> list[tuple[str, str, str]]:
    kinds = {"user": "person", "operator": "person", "box": "hardware"}
    found = {"Plain Sight archive": ("Plain Sight archive", "software")}
    if not isinstance(row, OutsideRecording):
        found = {row.box_id: (row.box_id, "hardware"), **found}
    for entry in extract.of(tuple(EVENT_TYPES), len(extract.numbers)):
        who = entry.actor_id or entry.actor_type
        # names stand in the summary alone; here is what the custody log calls them
        found.setdefault(who, (who, kinds.get(entry.actor_type, "software")))
    return [(who, name, kind) for who, (name, kind) in found.items()]
