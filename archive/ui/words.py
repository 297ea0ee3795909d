"""Plain words for codes, states and times: what the pages say instead of what the machines write."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import TYPE_CHECKING, Final

from django.utils import dates, translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop, ngettext, pgettext

from appliance.contract import amber_codes, ledger
from appliance.contract.times import Clock

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

NOTICE: Final = gettext_noop(
    "This recording is not part of the IEP or of any document of that process. It is kept as an education record of "
    "its own. Do not pass it on without the written consent of everyone recorded, unless the law compels it."
)
"""Policy lines 5 and 9 and the note on dissemination; it stands on every page that hands something out."""

PAPER_LANGUAGES: Final = ("en", "es")
"""Of what goes along with a copy: whoever gets that may read another language than whoever hands it out."""

STATES: Final[dict[str, _StrPromise]] = {
    "arriving": gettext_lazy("arriving"),
    "receiving": gettext_lazy("arriving"),
    "closed": gettext_lazy("waiting to be sealed"),
    "sealed": gettext_lazy("sealed"),
    "refused": gettext_lazy("refused"),
}

OUTCOMES: Final[dict[str, str]] = {
    "complete": gettext_noop("closed by its box"),
    "interrupted": gettext_noop("interrupted by a crash or a power cut"),
    "incomplete": gettext_noop("incomplete: its box never closed it"),
}

CAUSES: Final[dict[str, str]] = {
    "overrun": gettext_noop("the box was too busy"),
    "stall": gettext_noop("the microphone stopped giving sound"),
    "unplugged": gettext_noop("the microphone was unplugged"),
    "capture-died": gettext_noop("the process that hears ended unexpectedly"),
    "checksum": gettext_noop("the sound was damaged inside the box"),
    "unexplained": gettext_noop("cause unknown"),
}

REASONS: Final[dict[str, str]] = {
    "button": gettext_noop("someone held the button"),
    "cap": gettext_noop("the longest allowed time was reached"),
    "quiet": gettext_noop("the room had been quiet for a long time"),
    "paused-too-long": gettext_noop("it had been paused for too long"),
    "disk-full": gettext_noop("the box's disk was full"),
    "fault": gettext_noop("a fault of the box"),
    "shutdown": gettext_noop("the box was shut down"),
    "interrupted": gettext_noop("a crash or a power cut; written at the next start"),
}

_MONTHS: Final = (
    gettext_noop("Jan"),
    gettext_noop("Feb"),
    gettext_noop("Mar"),
    gettext_noop("Apr"),
    gettext_noop("May"),
    gettext_noop("Jun"),
    gettext_noop("Jul"),
    gettext_noop("Aug"),
    gettext_noop("Sep"),
    gettext_noop("Oct"),
    gettext_noop("Nov"),
    gettext_noop("Dec"),
)


def notice() -> str:
    """Return NOTICE in the reader's language."""
    return _(NOTICE)


def in_both(text: Callable[[], str], between: str = "\n\n") -> str:
    """Return what a paper says in English, and then in Spanish, whatever language the reader's pages have."""
    told = []
    for language in PAPER_LANGUAGES:
        with translation.override(language):
            told.append(text())
    return between.join(told)


def outcome(code: str) -> str:
    """Return how a recording ended; of an empty code, that it is not known yet."""
    return _(OUTCOMES[code]) if code else _("not known yet")


def cause(code: ledger.Cause) -> str:
    """Return why sound was lost."""
    return _(CAUSES[code])


def reason(code: str) -> str:
    """Return why a recording ended; an unknown code is spelled out."""
    return _(REASONS[code]) if code in REASONS else code.replace("-", " ")


def fault(code: str) -> str:
    """Return what an amber code means, as a sentence; an unknown one is spelled out, never hidden."""
    return _(amber_codes.find(code).cause) if amber_codes.known(code) else f"{code.replace('-', ' ').capitalize()}."


def remedy(code: str) -> str:
    """Return what to do about an amber code."""
    return amber_codes.find(code).remedy


def contact(named: str) -> str:
    """Return whom to ask: the contact that the site's configuration names, or a word for it."""
    return named or _("your administrator")


def day(moment: date) -> str:
    """Return a date, or that of a moment: Tue Nov 24 2026."""
    return _("{weekday} {month} {day} {year}").format(
        weekday=dates.WEEKDAYS_ABBR[moment.weekday()],
        month=_(_MONTHS[moment.month - 1]),
        day=moment.day,
        year=moment.year,
    )


def time_of_day(moment: datetime, *, seconds: bool = True) -> str:
    """Return a time by the 12-hour clock, without its zone: 1:05:07 pm."""
    return f"{_digits(moment, seconds=seconds)} {_half(moment)}"


def _digits(moment: datetime, *, seconds: bool) -> str:
    exact = f":{moment:%S}" if seconds else ""
    return f"{moment.hour % 12 or 12}:{moment:%M}{exact}"


def _half(moment: datetime) -> str:
    return pgettext("before noon", "am") if moment.hour < 12 else pgettext("after noon", "pm")


def time_and_zone(moment: datetime, *, seconds: bool = True) -> str:
    """Return a time with its own zone's abbreviation, which tells the two readings of the double hour apart."""
    return f"{time_of_day(moment, seconds=seconds)} {moment.tzname()}"


def when(moment: datetime) -> str:
    """Return date, time and zone."""
    return f"{day(moment)}, {time_and_zone(moment)}"


def day_and_time(moment: datetime) -> str:
    """Return date, time to the minute, and zone."""
    return f"{day(moment)}, {time_and_zone(moment, seconds=False)}"


def from_to(first: datetime, last: datetime) -> str:
    """Return when something began and ended: Tue Nov 24 2026, 1:05 to 2:20 pm CST."""
    begin, end = (time_and_zone(moment, seconds=False) for moment in (first, last))
    if first.date() != last.date():
        return _("{day}, {begin}, to {last_day}, {end}").format(
            day=day(first), begin=begin, last_day=day(last), end=end
        )
    if begin == end:
        return f"{day(first)}, {end}"
    if first.tzname() == last.tzname():
        same_half = (first.hour < 12) == (last.hour < 12)
        begin = _digits(first, seconds=False) if same_half else time_of_day(first, seconds=False)
    return _("{day}, {begin} to {end}").format(day=day(first), begin=begin, end=end)


def ago(seconds: float) -> str:
    """Return how long ago something was, in its greatest unit."""
    whole = max(int(seconds), 0)
    if whole >= 86400:
        days = whole // 86400
        return ngettext("{count} day ago", "{count} days ago", days).format(count=days)
    for size, told in ((3600, _("{count} h ago")), (60, _("{count} min ago")), (1, _("{count} s ago"))):
        if whole >= size:
            return told.format(count=whole // size)
    return _("just now")


def clock_time(seconds: float) -> str:
    """Return an offset as m:ss, or h:mm:ss from an hour on; fractions are cut off."""
    whole = int(seconds)
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def spoken(seconds: float) -> str:
    """Return a length of time as people say it."""
    whole = int(seconds)
    parts = [(whole // 3600, "h"), (whole // 60 % 60, "min"), (whole % 60, "s")]
    said = [f"{number} {unit}" for number, unit in parts if number]
    if said:
        return " ".join(said)
    return f"{seconds:.1f} s" if seconds > 0 else "0 s"


def count(number: int, one: str, many: str) -> str:
    """Return a number of things."""
    return f"{number} {one if number == 1 else many}"


def clock(state: Clock) -> str:
    """Return how far a box's clock is to be trusted."""
    if not state.synchronized:
        return _("not set by any time source; its times may be wrong")
    if state.offset_ns is None:
        return _("kept right by {source}").format(source=state.source)
    off = f"{abs(state.offset_ns) / 1e6:.1f}"
    return _("kept right by {source}, {off} ms off when last checked").format(source=state.source, off=off)
