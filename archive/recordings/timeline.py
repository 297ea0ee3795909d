"""A ledger as people read it: what happened, in order, with the place in the audio. Pure."""

from __future__ import annotations

import bisect
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from appliance.contract import ledger
from archive.ui import words

_SECOND_NS: Final = 1_000_000_000
_TELLS_NS: Final = 200_000_000
"""Within this time the sensor tells that a lamp was switched (docs/format.md)."""
Kind = Literal["audio", "lamp", "loss", "pause", "clock", "fault", "mended", "end", "note", "unseen"]


@dataclass(frozen=True)
class Moment:
    """One row of the timeline."""

    offset: float
    """Seconds from the start of the audio."""
    kind: Kind
    """What sort of thing it is; a style, never the only sign."""
    text: str
    """What happened, in words."""
    line: int
    """Number of the ledger line (for several lines, the first); of a note, past the last one."""
    at_ns: int
    """When it happened, CLOCK_MONOTONIC in nanoseconds."""

    @property
    def serious(self) -> bool:
        """Whether a reader must not miss it."""
        return self.kind in {"loss", "fault", "unseen"}

    @property
    def at(self) -> str:
        """The offset as m:ss."""
        return words.clock_time(self.offset)


class Places:
    """Where in the audio a moment of CLOCK_MONOTONIC is: known at the end of each segment, counted back from there."""

    def __init__(self, entries: Sequence[ledger.Entry], rate: int) -> None:
        self.rate = rate
        self.segments = [entry.fact for entry in entries if isinstance(entry.fact, ledger.Segment)]
        self.ends = [segment.captured_ns for segment in self.segments]
        self.firsts = [segment.first_frame for segment in self.segments]

    def of_time(self, moment_ns: int) -> float:
        """Return the place of a moment in the audio, in seconds."""
        index = bisect.bisect_left(self.ends, moment_ns)
        if index == len(self.segments):
            last = self.segments[-1] if self.segments else None
            return (last.first_frame + last.frames) / self.rate if last else 0.0
        segment = self.segments[index]
        back = (segment.captured_ns - moment_ns) / 1e9
        end = (segment.first_frame + segment.frames) / self.rate
        return max(segment.first_frame / self.rate, end - back)

    def of_frame(self, frame: int) -> float:
        """Return the place of a frame, in seconds."""
        return frame / self.rate

    def time_of(self, frame: int, unknown_ns: int) -> int:
        """Return when `frame` was captured, or `unknown_ns` where no segment tells."""
        index = min(bisect.bisect_right(self.firsts, frame) - 1, len(self.segments) - 1)
        if index < 0:
            return unknown_ns
        segment = self.segments[index]
        return segment.captured_ns - (segment.first_frame + segment.frames - frame) * _SECOND_NS // self.rate


def timeline(
    entries: Sequence[ledger.Entry],
    rate: int,
    notes: Iterable[tuple[float, str]] = (),
    *,
    sensed: bool = False,
    over: bool = True,
) -> list[Moment]:
    """Return the ledger's moments, and `notes` (seconds from the start of the audio, and words), in order of place.

    Segments become one row from one gap or pause to the next, a pause says how long it was, and a gap that was written
    in pieces is one row. The drift is left to `drift_words`. `sensed`: the header says that a sensor watches the lamp;
    `over`: no further line comes.
    """
    entries = _join_gaps(entries)
    facts = [entry.fact for entry in entries]
    over = over or any(isinstance(fact, ledger.Closing) for fact in facts)
    places = Places(entries, rate)
    moments: list[Moment] = []
    run: list[ledger.Segment] = []
    first_line = 0
    for place, entry in enumerate(entries):
        fact = entry.fact
        if isinstance(fact, ledger.Segment):
            first_line = first_line if run else entry.n
            run.append(fact)
            continue
        if isinstance(fact, ledger.Gap | ledger.Pause):
            moments += _audio(run, first_line, places)
            run = []
        offset, at_ns = _where(fact, places)
        match fact:
            case ledger.Pause():
                told = _pause(fact, facts[place + 1 :], over=over)
            case ledger.Lamp():
                told = [_lamp(fact, facts[place + 1 :], sensed=sensed)]
            case _:
                told = _told(fact, rate)
        moments += [Moment(offset, kind, text, entry.n, at_ns) for kind, text in told]
    moments += _audio(run, first_line, places)
    after = len(entries)
    moments += [Moment(offset, "note", text, after, places.time_of(int(offset * rate), 0)) for offset, text in notes]
    return sorted(moments, key=lambda moment: (moment.offset, moment.line))


def _join_gaps(entries: Sequence[ledger.Entry]) -> list[ledger.Entry]:
    """Return the entries with each absence as one gap: the box writes a long one while it lasts, in pieces."""
    joined: list[ledger.Entry] = []
    gap: ledger.Gap | None = None
    place = 0
    for entry in entries:
        fact = entry.fact
        if isinstance(fact, ledger.Pause):
            gap = None
        if isinstance(fact, ledger.Gap):
            if gap and (gap.cause, gap.first_frame + gap.frames) == (fact.cause, fact.first_frame):
                gap = gap.model_copy(update={"frames": gap.frames + fact.frames})
                joined[place] = joined[place].model_copy(update={"fact": gap})
                continue
            gap, place = fact, len(joined)
        joined.append(entry)
    return joined


def _audio(run: list[ledger.Segment], line: int, places: Places) -> list[Moment]:
    if not run:
        return []
    start = places.of_frame(run[0].first_frame)
    end = places.of_frame(run[-1].first_frame + run[-1].frames)
    text = ngettext(
        "Audio kept from {start} to {end} ({count} signed segment)",
        "Audio kept from {start} to {end} ({count} signed segments)",
        len(run),
    ).format(start=words.clock_time(start), end=words.clock_time(end), count=len(run))
    return [Moment(start, "audio", text, line, run[0].captured_ns - run[0].frames * _SECOND_NS // places.rate)]


def _where(fact: ledger.AnyFact, places: Places) -> tuple[float, int]:
    """Return the place of a fact in the audio, in seconds, and its moment of CLOCK_MONOTONIC, in nanoseconds."""
    if isinstance(fact, ledger.Gap):
        return places.of_frame(fact.first_frame), places.time_of(fact.first_frame, fact.t_ns)
    if isinstance(fact, ledger.Pause):
        return places.of_frame(fact.frame), fact.t_ns
    if isinstance(fact, ledger.Closing):
        # one that was written at the next start has that start's time
        return places.of_frame(fact.frames), places.time_of(fact.frames, fact.t_ns)
    moment_ns = fact.t_ns
    if isinstance(fact, ledger.Lamp):
        moment_ns = fact.commanded_ns
    elif isinstance(fact, ledger.AudioSpan):
        moment_ns = fact.at_ns
    return places.of_time(moment_ns), moment_ns


def _pause(fact: ledger.Pause, following: Sequence[ledger.AnyFact], *, over: bool) -> list[tuple[Kind, str]]:
    if not fact.paused:
        return [("pause", _("Resumed"))]
    resumed = next((one.t_ns for one in following if isinstance(one, ledger.Pause)), None)
    if resumed is None and not over:
        return [("pause", _("Paused, and not resumed so far; nothing is recorded meanwhile"))]
    if resumed is None:
        return [("pause", _("Paused until the end; nothing was recorded"))]
    length = words.spoken(max(resumed - fact.t_ns, 0) / _SECOND_NS)
    return [("pause", _("Paused for {length}; nothing was recorded").format(length=length))]


def _told(fact: ledger.AnyFact, rate: int) -> list[tuple[Kind, str]]:
    told: list[tuple[Kind, str]]
    match fact:
        case ledger.AudioSpan():
            told = [("audio", _microphone(fact))]
        case ledger.Gap():
            lost = _("{length} of sound lost and written as silence: {cause}")
            told = [("loss", lost.format(length=words.spoken(fact.frames / rate), cause=words.cause(fact.cause)))]
        case ledger.ClockChange():
            told = [("clock", _clock(fact))]
        case ledger.Fault():
            cause = words.fault(fact.code)
            if fact.raised:
                told = [("fault", _("Fault: {cause}").format(cause=cause))]
            else:
                told = [("mended", _("No longer a fault: “{cause}”").format(cause=cause))]
        case ledger.EndWarning():
            warning = _("Warning: the recording ends by itself in {length}: {reason}")
            why = words.reason(fact.code)
            told = [("fault", warning.format(length=words.spoken(fact.in_s), reason=why))]
        case ledger.Closing():
            told = _closing(fact, rate)
        case ledger.Segment() | ledger.Drift() | ledger.Pause() | ledger.Lamp():
            told = []
    return told


def _lamp(fact: ledger.Lamp, following: Sequence[ledger.AnyFact], *, sensed: bool) -> tuple[Kind, str]:
    if fact.seen_ns is not None:
        on, off = _("Red lamp switched on (the sensor saw it)"), _("Red lamp switched off (the sensor saw it)")
        return "lamp", on if fact.lit else off
    if not sensed:
        on = _("Red lamp switched on (no sensor is wired to see it)")
        return "lamp", on if fact.lit else _("Red lamp switched off (no sensor is wired to see it)")
    again = next((one.commanded_ns for one in following if isinstance(one, ledger.Lamp)), None)
    if again is not None and again - fact.commanded_ns < _TELLS_NS:
        on = _("Red lamp switched on (and off again before the sensor could tell)")
        return "lamp", on if fact.lit else _("Red lamp switched off (and on again before the sensor could tell)")
    on = _("Red lamp switched on, but the sensor did not see it light up")
    return "unseen", on if fact.lit else _("Red lamp switched off, but the sensor did not see it go out")


def _microphone(fact: ledger.AudioSpan) -> str:
    if not fact.open:
        return _("Microphone closed")
    if fact.generation > 1:
        return _("Microphone opened again (capture number {number})").format(number=fact.generation)
    return _("Microphone opened")


def _clock(fact: ledger.ClockChange) -> str:
    state = words.clock(fact.clock)
    if not fact.step_ns:
        return _("The box's clock is now {state}").format(state=state)
    seconds = f"{abs(fact.step_ns) / _SECOND_NS:.3f}"
    if fact.step_ns > 0:
        return _("The box's clock was set ahead by {seconds} s; it is now {state}").format(seconds=seconds, state=state)
    return _("The box's clock was set back by {seconds} s; it is now {state}").format(seconds=seconds, state=state)


def _closing(fact: ledger.Closing, rate: int) -> list[tuple[Kind, str]]:
    length, reason = words.spoken(fact.frames / rate), words.reason(fact.reason)
    if fact.lost_frames:
        lost = words.spoken(fact.lost_frames / rate)
        text = _("Ended: {reason}. {length} of audio, {lost} of it lost").format(
            reason=reason, length=length, lost=lost
        )
    else:
        text = _("Ended: {reason}. {length} of audio, nothing lost").format(reason=reason, length=length)
    told: list[tuple[Kind, str]] = [("end", text)]
    if fact.unverified_tail:
        count = len(fact.unverified_tail)
        tail = ngettext(
            "After the end, up to {count} more second of sound was found that the box had not signed; not played",
            "After the end, up to {count} more seconds of sound were found that the box had not signed; not played",
            count,
        )
        told.append(("loss", tail.format(count=count)))
    return told


def drift_words(entries: Sequence[ledger.Entry]) -> str:
    """Return how the sound card's clock ran, by the last drift entry, or that nothing is known."""
    found = [entry.fact.ppb for entry in entries if isinstance(entry.fact, ledger.Drift)]
    if not found:
        return _("not measured")
    drift = f"{abs(found[-1]) / 1000:.1f}"
    told = _("{drift} parts per million fast") if found[-1] >= 0 else _("{drift} parts per million slow")
    return told.format(drift=drift)
