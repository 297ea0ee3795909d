"""The summary in plain words, as HTML and as tagged PDF, in each language that parents read."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from appliance.contract import ledger
from appliance.contract.evidence_package import sealed_name
from archive.custody import wording
from archive.recordings.heading import heading
from archive.recordings.ledger_entries import read_ledger
from archive.recordings.models import Recording
from archive.recordings.picture import Picture, Stretches, picture
from archive.recordings.timeline import Moment, timeline
from archive.recordings.wall_clock import wall_clock
from archive.records.meetings.models import OpeningEvent
from archive.records.outside_recordings.describe import facts_of, said_of
from archive.records.outside_recordings.either import Either
from archive.records.outside_recordings.models import OutsideRecording
from archive.records.pdf import pdf_of
from archive.records.requests.record_of_access import TOLD
from archive.ui import words as ui_words

from . import words
from .chapters import Chapter, chapters_of
from .log import Extract

LANGUAGES: Final = ("en", "es")
"""Of the summaries; the first one's file has no language in its name."""
MOMENTS: Final = 60
"""Most lines of what happened; the ledger has all of it."""
ENTRIES: Final = 100
"""Most lines of who did what; the log has all of it."""
_WIDTH: Final = 1000
_TRANSFERRED: Final = ("transferred-in", "outside-transferred-in")
_PALETTE: Final = {"lamp": "#b3261e", "open": "#5b4b8a", "kept": "#1f5f8b", "lost": "#1a1a1a", "pause": "#8a8a8a"}


@dataclass(frozen=True)
class FileWords:
    """A file of the package, in words."""

    name: str
    what: str


@dataclass(frozen=True)
class Facts:
    """What the summary is made of besides what the apps know."""

    recording: Either
    made_at: datetime
    extract: Extract
    audio: str
    """The file in the package that anybody can play; empty where there is none."""
    transfer: bool
    """Whether it is for another archive."""


def summaries(facts: Facts) -> list[tuple[str, bytes]]:
    """Return the summaries as pairs of file name and bytes."""
    made: list[tuple[str, bytes]] = []
    for language in LANGUAGES:
        ending = "" if language == LANGUAGES[0] else f".{language}"
        with translation.override(language):
            html = render_to_string("evidence/summary.html", _context(facts))
        made += [(f"summary{ending}.html", html.encode("utf-8")), (f"summary{ending}.pdf", pdf_of(html))]
    return made


def _context(facts: Facts) -> dict[str, Any]:
    row = facts.recording
    told = facts.extract.of((*TOLD, *_TRANSFERRED), ENTRIES)
    common = {
        "district": settings.ARCHIVE.records.district,
        "contact": ui_words.contact(settings.ARCHIVE.site.contact),
        "made": ui_words.when(localtime(facts.made_at)),
        "audio": facts.audio,
        "transfer": facts.transfer,
        # what says that a box of this archive made it is not said of what none made
        "chapters": [
            _said(one)
            for one in chapters_of(row.pk)
            if one.items or one.code != "origin" or not isinstance(row, OutsideRecording)
        ],
        "log": [(one.at, one.who, _told(one.code), one.detail) for one in wording.rows(told)],
        "log_all": len(facts.extract.numbers),
        "files": _files(row, facts),
        "notice": ui_words.notice(),
    }
    return common | (_of_brought(row) if isinstance(row, OutsideRecording) else _of_box(row))


def _of_brought(row: OutsideRecording) -> dict[str, Any]:
    """Return what is known of a recording that no box made: what people said, and that it has not changed since."""
    return {"brought": True, "facts": [*facts_of(row), (_("Number of the recording"), row.pk)], "said": said_of(row)}


def _of_box(row: Recording) -> dict[str, Any]:
    entries = read_ledger(row).entries
    clock, called = wall_clock(row.signed_header, entries), heading(row, entries)
    moments = _moments(row, entries)
    drawn = picture(entries, row.rate)
    ends = [clock.moment(at) for at in (drawn.begin_ns, drawn.end_ns)] if drawn and called.known else []
    return {
        "facts": _facts(row, str(called)),
        "clock_note": called.clock_note,
        "unverified": row.lamp == "unverified",
        "unseen": any(one.kind == "unseen" for one in moments),
        "simulated": row.panel == "simulated",
        "picture": _source(drawn, ends) if drawn else "",
        "moments": [(one, clock.moment(one.at_ns) if called.known else None) for one in moments],
    }


def _told(code: str) -> str:
    return _("took it in from another district") if code in _TRANSFERRED else str(TOLD[code])


def _facts(row: Recording, called: str) -> list[tuple[str, str]]:
    lost = ui_words.spoken(row.lost_frames / row.rate) if row.lost_frames else _("nothing")
    return [
        (_("Recorded"), called),
        (_("Length"), ui_words.spoken(row.seconds)),
        (_("Sound that was lost"), lost),
        (_("How it ended"), str(words.OUTCOMES[row.outcome]).format(reason=ui_words.reason(row.end_reason))),
        (_("Made by the recorder (box)"), row.box_id),
        (_("Number of the recording"), row.pk),
    ]


def _moments(row: Recording, entries: Sequence[ledger.Entry]) -> list[Moment]:
    noted = OpeningEvent.objects.filter(recording=row, frame__isnull=False).exclude(text="")
    notes = [((one.frame or 0) / row.rate, one.text) for one in noted]
    moments = timeline(entries, row.rate, notes, sensed=row.lamp == "verified")
    if len(moments) > MOMENTS:
        # what a reader must not miss comes first
        kept = sorted(moments, key=lambda one: (not one.serious, one.kind not in {"end", "pause", "note", "lamp"}))
        moments = sorted(kept[:MOMENTS], key=lambda one: (one.offset, one.line))
    return moments


def _said(chapter: Chapter) -> dict[str, Any]:
    items = [[(words.LABELS[fact.code], words.said(fact)) for fact in item] for item in chapter.items]
    return {"heading": words.HEADINGS[chapter.code], "items": items, "empty": words.EMPTY[chapter.code]}


def _files(row: Either, facts: Facts) -> list[FileWords]:
    found = [
        FileWords("data/summary.pdf, data/summary.html", _("This page, to print and to read; summary.es in Spanish."))
    ]
    brought = isinstance(row, OutsideRecording)
    if facts.audio:
        sound = _("The file as it was brought. Most music players play it.")
        played = sound if brought else _("The sound. Most music players play it.")
        found.append(FileWords(facts.audio, played))
    sealed = (
        _("The file as it was sealed: in locked pieces, with what was said about it, and the archive's signed receipt.")
        if brought
        else _(
            "The recording as it was sealed: locked sound, the recorder's signed list of every second (ledger), "
            "and the archive's signed receipt."
        )
    )
    found.append(FileWords(sealed_name(row.pk), sealed))
    if facts.transfer:
        found.append(FileWords("data/recording/key.age", _("The key to it, locked for the other archive alone.")))
    elif facts.audio:
        found.append(FileWords("data/recording/key.txt", _("The key to it. Whoever has this file can listen.")))
    return [
        *found,
        FileWords("data/custody/", _("Who did what with it: in words (log.txt), and with proof (entries.jsonl).")),
        FileWords("data/records/", _("What stands above of the meeting, statements, permissions and copies, as data.")),
        FileWords("data/premis.xml", _("Its history in a form that libraries and archives read (PREMIS).")),
        FileWords("data/README.txt", _("How to check all of it by hand, for somebody with a computer and patience.")),
        FileWords("manifest-sha256.txt, manifest-sha512.txt", _("The fingerprint of every file.")),
        FileWords("evidence.tsv", _("The archive's signature over those fingerprints.")),
    ]


def _source(drawn: Picture, ends: list[datetime]) -> str:
    """Return the picture as the address of an image, which HTML and PDF show with its alternative text."""
    rows = [
        (_("Red lamp"), [("lamp", drawn.lamp)]),
        (_("Microphone"), [("open", drawn.microphone)]),
        (_("Sound"), [("kept", drawn.sound), ("lost", drawn.gaps), ("pause", drawn.pauses)]),
    ]
    parts, top = [], 0
    for label, layers in rows:
        parts.append(f'<text x="0" y="{top + 18}">{label}</text>')
        parts += [_rects(stretches, top + 26, _PALETTE[kind]) for kind, stretches in layers]
        top += 60
    if ends:
        first, last = (ui_words.time_and_zone(localtime(one)) for one in ends)
        parts.append(f'<text x="0" y="{top + 16}">{first}</text>')
        parts.append(f'<text x="{_WIDTH}" y="{top + 16}" text-anchor="end">{last}</text>')
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} 204" width="{_WIDTH}" height="204" '
        f'font-family="DejaVu Sans, sans-serif" font-size="18">{"".join(parts)}</svg>'
    )
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode("utf-8")).decode("ascii")


def _rects(stretches: Stretches, y: int, color: str) -> str:
    return "".join(
        f'<rect x="{one.start * _WIDTH / 100:.1f}" y="{y}" width="{one.width * _WIDTH / 100:.1f}" height="22" '
        f'fill="{color}"/>'
        for one in stretches
    )
