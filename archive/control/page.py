"""The page of a look, in words, and the files of a folder that any web server can show: no script, no account."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from django.contrib.staticfiles import finders
from django.template.loader import render_to_string
from pydantic import ValidationError

from appliance.contract.durable_files import read_bounded, replace
from appliance.contract.errors import StorageError
from appliance.contract.times import parse_wall
from archive.ui import words
from archive.ui.signs import SIGNS, SignCode

from .districts import ControlPage
from .judging import Look, Seen, hours
from .summary import Summary

LOOK: Final = "control.json"
"""The look itself, for programs and for the next look."""
PAGE: Final = "index.html"
STYLES: Final = ("style.css", "vendor/pico-2.1.1/pico.classless.min.css")
"""The style sheet of the archive's own pages, and what it imports, below `ui/` of the static files."""
MOST_BYTES: Final = 32 << 20
"""Most bytes of a look that is read again: 2,000 archives have about 4 MB."""
_STATES: Final = {
    "at-fault": "Something is wrong",
    "unknown": "Not known: it does not answer",
    "attention": "Worth a look",
    "ready": "Good",
}
_SUMMED: Final = {
    "at-fault": ("archive with something wrong", "archives with something wrong"),
    "unknown": ("does not answer", "do not answer"),
    "attention": ("worth a look", "worth a look"),
    "ready": ("good", "good"),
}


@dataclass(frozen=True)
class Line:
    """One archive, in words."""

    name: str
    url: str
    """Where its pages are."""
    sign: SignCode
    state: str
    silence: str
    """Since when it has not answered; empty if it does."""
    findings: tuple[str, ...]
    """What needs attention, as sentences."""
    software: str
    rooms: str
    certificates: tuple[str, ...]
    """Whose, and when it ends."""
    ages: tuple[str, ...]
    """Worker, checks of packages, backup."""
    room: str
    """What is left on its disk."""


def lines_of(look: Look, zone: ZoneInfo) -> list[Line]:
    """Return the lines of the page, with times of `zone`."""
    return [_line(one, zone) for one in look.archives]


def _line(one: Seen, zone: ZoneInfo) -> Line:
    told = one.summary
    return Line(
        name=one.name,
        url=one.url,
        sign=one.sign,
        state=_STATES[one.sign],
        silence=_silence(one, zone),
        findings=tuple(finding.words for finding in one.findings),
        software=told.software if told else "",
        rooms=_rooms(told) if told else "",
        certificates=_certificates(told) if told else (),
        ages=_ages(told) if told else (),
        room=_room(told) if told else "",
    )


def _silence(one: Seen, zone: ZoneInfo) -> str:
    if one.since is None:
        return ""
    last = f"It answered last on {_when(one.answered_at, zone)}." if one.answered_at else "It has never answered."
    return f"Since {_when(one.since, zone)}. {last}"


def _when(moment: str, zone: ZoneInfo) -> str:
    return words.when(parse_wall(moment).astimezone(zone))


def _rooms(told: Summary) -> str:
    rooms = told.rooms
    return f"{rooms.ready} ready, {rooms.not_ready} not ready, {rooms.silent} silent"


def _certificates(told: Summary) -> tuple[str, ...]:
    ends = sorted(told.certificates, key=lambda one: one.ends_at or "")
    return tuple(f"{one.whose}: {words.day(parse_wall(one.ends_at)) if one.ends_at else 'not known'}" for one in ends)


def _ages(told: Summary) -> tuple[str, ...]:
    return (
        f"worker: {_ago(told.worker_s, 'never ran')}",
        f"oldest check: {_ago(told.packages.oldest_check_s, 'no package yet')}",
        f"backup: {_ago(told.backup_s, 'never made')}",
    )


def _ago(age_s: int | None, never: str) -> str:
    return never if age_s is None else words.ago(age_s)


def _room(told: Summary) -> str:
    free = told.free_bytes
    return "not known" if free is None else f"{free / 1e9:,.0f} GB, {hours(free)} of audio"


def summed(look: Look) -> str:
    """Return how many archives are in which state, those first that need attention."""
    counted: Counter[SignCode] = Counter(one.sign for one in look.archives)
    return ", ".join(f"{counted[code]} {_SUMMED[code][counted[code] > 1]}" for code in SIGNS if counted[code])


def versions(look: Look) -> str:
    """Return which versions run, and on how many archives each."""
    counted = Counter(one.summary.software.removeprefix("plainsight ") for one in look.archives if one.summary)
    return ", ".join(f"{version} on {number}" for version, number in counted.most_common())


def as_html(look: Look, page: ControlPage) -> str:
    """Return the page."""
    zone = ZoneInfo(page.time_zone)
    context = {
        "title": page.title,
        "made_at": _when(look.made_at, zone),
        "summed": summed(look),
        "versions": versions(look),
        "lines": lines_of(look, zone),
    }
    return render_to_string("control/page.html", context)


def read_look(folder: Path) -> Look | None:
    """Return the look that a folder has; None where there is none that can be understood: then all begins anew."""
    try:
        return Look.model_validate_json(read_bounded(folder / LOOK, MOST_BYTES))
    except (OSError, ValidationError):
        return None


def write(folder: Path, look: Look, page: ControlPage) -> None:
    """Write page and look into a folder, made if it is missing; each file is there whole. Raises StorageError."""
    files = {name: _style(name) for name in STYLES}
    files |= {PAGE: as_html(look, page).encode(), LOOK: (look.model_dump_json(indent=1) + "\n").encode()}
    try:
        folder.mkdir(exist_ok=True)
        for name, data in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            replace(path, data, mode=0o644, durable=name == LOOK)
    except OSError as error:
        raise StorageError(
            f"cannot write {error.filename or folder}: {error.strerror}; name a folder with -o that you may write to"
        ) from error


def _style(name: str) -> bytes:
    try:
        return Path(finders.find(f"ui/{name}") or name).read_bytes()
    except OSError as error:
        raise StorageError(f"cannot read the style sheet {name}: {error.strerror}; install the archive anew") from error
