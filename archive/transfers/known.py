"""What the archive says about a recording that another one sealed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from django.db.models import QuerySet
from django.utils.timezone import localtime

from appliance.contract.keys import KeyRing
from appliance.contract.times import wall
from archive.access.deeds import Deed
from archive.recordings.companions import Companion
from archive.recordings.contributions import Contribution, Reader, Section
from archive.recordings.models import Recording
from archive.recordings.parts import Parts, touch
from archive.records.evidence import statement_parts
from archive.records.evidence.chapters import Attachment, Chapter, Fact
from archive.records.outside_recordings.either import Either
from archive.ui import words

from .models import TakenIn, TakenInDocument, Upload

STATEMENTS: Final = "data/records/statements/"


def keys_of(recording: str) -> KeyRing | None:
    """Return the keys that a recording from another archive is checked with; None for one of ours."""
    row = TakenIn.objects.filter(pk=recording).values_list("recording__box", "box_key", "archive_key").first()
    if row is None:
        return None
    box, box_key, archive_key = row
    return KeyRing(boxes={box: [box_key]} if box_key else {}, archives=[archive_key])


def statements_of(recording: Recording, parts: Parts | None) -> Iterable[Companion]:
    """Return the statements that parents placed with it there: they go along with each copy (34 CFR 99.21(c)).

    Each with the part to which it relates, as the other archive said.
    """
    return [one for one in statements_with(recording) if parts is None or touch(one.relates, parts)]


def statements_with(recording: Either) -> list[Companion]:
    """Return the same of all of a recording of either kind."""
    placed = {
        one.name.removeprefix(STATEMENTS): bytes(one.data)
        for one in TakenInDocument.objects.filter(taken_in=recording.pk, name__startswith=STATEMENTS)
    }
    told = placed.pop(statement_parts.NAME, None)
    relates = statement_parts.read(told) if told is not None else {}
    return [Companion(f"before-{name}", data, relates.get(name)) for name, data in placed.items()]


def documents_of(recording: str) -> QuerySet[Any]:
    """Return what names somebody, to be removed with the recording."""
    return TakenInDocument.objects.filter(taken_in=recording)


def uploads_of(recording: str) -> QuerySet[Any]:
    """Return what was said when its package was sent by the pages: it may name somebody."""
    return Upload.objects.filter(taken_in=recording)


def origin_chapter(recording: str) -> Chapter:
    """Return where it was made, with all documents that came with it."""
    row = TakenIn.objects.filter(pk=recording).first()
    if row is None:
        return Chapter("origin", ())
    facts = (
        Fact("district", row.district),
        Fact("archive_key", row.archive_key),
        Fact("taken_in", wall(row.taken_at), words.when(localtime(row.taken_at))),
        Fact("evidence", row.evidence_sha256),
    )
    files = tuple(Attachment(_flat(one.name), bytes(one.data)) for one in row.documents.all())
    return Chapter("origin", (facts,), files)


def contribution(recording: Either, reader: Reader) -> Contribution:
    """Return what the recording's page says of it to staff."""
    row = TakenIn.objects.filter(pk=recording.pk).first()
    if row is None or not reader.may(Deed.VERIFY):
        return Contribution()
    names = [_flat(name) for name in row.documents.values_list("name", flat=True)]
    context = {"row": row, "documents": names, "taken": words.when(localtime(row.taken_at))}
    return Contribution(sections=(Section("From another archive", "transfers/section.html", context),))


def _flat(name: str) -> str:
    return name.removeprefix("data/").replace("/", "-")
