"""A ledger as people read it: what happened, in order, with the place in the audio. Pure."""

from __future__ import annotations

import bisect
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from appliance.contract import ledger
from archive.ui import words

Kind = Literal["audio", "lamp", "loss", "pause", "clock", "fault", "end"]


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
    """Number of the ledger line (for several lines, the first)."""

    @property
    def at(self) -> str:
        """The offset as m:ss."""
        return words.clock_time(self.offset)


class _Places:
    """Where in the audio a moment of CLOCK_MONOTONIC is: known at the end of each segment, counted back from there."""

    def __init__(self, entries: Sequence[ledger.Entry], rate: int) -> None:
        self.rate = rate
        self.segments = [entry.fact for entry in entries if isinstance(entry.fact, ledger.Segment)]
        self.ends = [segment.captured_ns for segment in self.segments]

    def of_time(self, moment_ns: int) -> float:
        index = bisect.bisect_left(self.ends, moment_ns)
        if index == len(self.segments):
            last = self.segments[-1] if self.segments else None
            return (last.first_frame + last.frames) / self.rate if last else 0.0
        segment = self.segments[index]
        back = (segment.captured_ns - moment_ns) / 1e9
        end = (segment.first_frame + segment.frames) / self.rate
        return max(segment.first_frame / self.rate, end - back)

    def of_frame(self, frame: int) -> float:
        return frame / self.rate


def timeline(entries: Sequence[ledger.Entry], rate: int) -> list[Moment]:
    """Return the ledger's moments; neighboring segments become one row, and the drift is left to `drift_words`."""
    places = _Places(entries, rate)
    moments: list[Moment] = []
    run: list[ledger.Segment] = []
    first_line = 0
    for entry in entries:
        fact = entry.fact
        if isinstance(fact, ledger.Segment):
            first_line = first_line if run else entry.n
            run.append(fact)
        elif not isinstance(fact, ledger.Drift):
            moments += _audio(run, first_line, places)
            run = []
            moments += [Moment(_offset(fact, places), kind, text, entry.n) for kind, text in _told(fact, rate)]
    return moments + _audio(run, first_line, places)


def _audio(run: list[ledger.Segment], line: int, places: _Places) -> list[Moment]:
    if not run:
        return []
    start = places.of_frame(run[0].first_frame)
    end = places.of_frame(run[-1].first_frame + run[-1].frames)
    pieces = "1 signed segment" if len(run) == 1 else f"{len(run)} signed segments"
    text = f"Audio kept from {words.clock_time(start)} to {words.clock_time(end)} ({pieces})"
    return [Moment(start, "audio", text, line)]


def _offset(fact: ledger.AnyFact, places: _Places) -> float:
    if isinstance(fact, ledger.Gap):
        return places.of_frame(fact.first_frame)
    if isinstance(fact, ledger.Pause):
        return places.of_frame(fact.frame)
    if isinstance(fact, ledger.Closing):
        return places.of_frame(fact.frames)
    if isinstance(fact, ledger.Lamp):
        return places.of_time(fact.commanded_ns)
    if isinstance(fact, ledger.AudioSpan):
        return places.of_time(fact.at_ns)
    return places.of_time(fact.t_ns)


def _told(fact: ledger.AnyFact, rate: int) -> list[tuple[Kind, str]]:
    told: list[tuple[Kind, str]]
    match fact:
        case ledger.Lamp():
            seen = "no sensor is wired to see it" if fact.seen_ns is None else "the sensor saw it"
            told = [("lamp", f"Red lamp switched {'on' if fact.lit else 'off'} ({seen})")]
        case ledger.AudioSpan():
            again = f" again (capture number {fact.generation})" if fact.generation > 1 else ""
            told = [("audio", f"Microphone opened{again}" if fact.open else "Microphone closed")]
        case ledger.Gap():
            lost = words.spoken(fact.frames / rate)
            told = [("loss", f"{lost} of sound lost and written as silence: {words.CAUSES[fact.cause]}")]
        case ledger.Pause():
            text = "Paused: nothing is recorded from here until the next line" if fact.paused else "Resumed"
            told = [("pause", text)]
        case ledger.ClockChange():
            change = f"stepped by {fact.step_ns / 1e9:+.3f} s to {fact.at}" if fact.step_ns else f"at {fact.at}"
            now = "it is" if fact.step_ns else "from now on it is"
            told = [("clock", f"The box's clock {change}; {now} {words.clock(fact.clock)}")]
        case ledger.Fault():
            told = [("fault", f"{'Fault' if fact.raised else 'Mended'}: {words.fault(fact.code)}")]
        case ledger.EndWarning():
            why = words.REASONS.get(fact.code, fact.code.replace("-", " "))
            told = [("fault", f"Warning: the recording ends by itself in {words.spoken(fact.in_s)}: {why}")]
        case ledger.Closing():
            told = _closing(fact, rate)
        case ledger.Segment() | ledger.Drift():
            told = []
    return told


def _closing(fact: ledger.Closing, rate: int) -> list[tuple[Kind, str]]:
    lost = f", {words.spoken(fact.lost_frames / rate)} of it lost" if fact.lost_frames else ", nothing lost"
    text = f"Ended: {words.REASONS[fact.reason]}. {words.spoken(fact.frames / rate)} of audio{lost}"
    told: list[tuple[Kind, str]] = [("end", text)]
    if fact.unverified_tail:
        count = len(fact.unverified_tail)
        told.append(("loss", f"After the end {count} piece(s) were found that nobody vouches for; they are not played"))
    return told


def drift_words(entries: Sequence[ledger.Entry]) -> str:
    """Return how the sound card's clock ran, by the last drift entry, or that nothing is known."""
    found = [entry.fact.ppb for entry in entries if isinstance(entry.fact, ledger.Drift)]
    if not found:
        return "not measured"
    return f"{abs(found[-1]) / 1000:.1f} parts per million {'fast' if found[-1] >= 0 else 'slow'}"
