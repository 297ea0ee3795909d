"""A recording as a picture: lamp, microphone and sound on one axis of real time, drawn in SVG by the page. Pure.

Places are shares of the whole, 0 to 100, so that the drawing fits any width. On this axis a pause has its length, which
it has not in the audio.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from appliance.contract import ledger

from .timeline import Places

_SECOND_NS: Final = 1_000_000_000
_JOINED_NS: Final = _SECOND_NS // 2
"""Segments that follow on each other within this time are one stretch of sound."""
BARS: Final = 400
"""Bars of the drawn waveform."""
LEAST: Final = 0.4
"""Least width of a stretch, in hundredths of the whole: shorter ones would not be seen."""


@dataclass(frozen=True)
class Stretch:
    """From one moment to another one."""

    start: float
    """Where it begins, 0 to 100."""
    width: float
    """How much of the whole it is, 0 to 100."""

    @property
    def x(self) -> str:
        """Where it begins, for SVG."""
        return f"{self.start:.2f}%"

    @property
    def w(self) -> str:
        """How wide it is, for SVG."""
        return f"{self.width:.2f}%"


Stretches = tuple[Stretch, ...]


@dataclass(frozen=True)
class Picture:
    """What is drawn."""

    begin_ns: int
    """Moment of the left edge, CLOCK_MONOTONIC in nanoseconds."""
    end_ns: int
    """Moment of the right edge."""
    lamp: Stretches
    """While the red lamp was switched on."""
    microphone: Stretches
    """While the microphone was open."""
    sound: Stretches
    """Sound that was kept."""
    gaps: Stretches
    """Sound that was lost and written as silence."""
    pauses: Stretches
    """While it was paused."""


@dataclass(frozen=True)
class _Span:
    begin_ns: int
    end_ns: int


def picture(entries: Sequence[ledger.Entry], rate: int) -> Picture | None:
    """Return the picture of a ledger, or None where it holds no sound yet."""
    facts = [entry.fact for entry in entries]
    sound = _sound([fact for fact in facts if isinstance(fact, ledger.Segment)], rate)
    if not sound:
        return None
    last_ns = sound[-1].end_ns
    lamp = _while_on([(fact.commanded_ns, fact.lit) for fact in facts if isinstance(fact, ledger.Lamp)], last_ns)
    microphone = _while_on([(fact.at_ns, fact.open) for fact in facts if isinstance(fact, ledger.AudioSpan)], last_ns)
    pauses = _while_on([(fact.t_ns, fact.paused) for fact in facts if isinstance(fact, ledger.Pause)], last_ns)
    every = [*sound, *lamp, *microphone, *pauses]
    begin, end = min(one.begin_ns for one in every), max(one.end_ns for one in every)
    gaps = _gaps(entries, rate)

    def drawn(spans: list[_Span]) -> Stretches:
        return _merged([_stretch(span, begin, end) for span in spans])

    return Picture(begin, end, drawn(lamp), drawn(microphone), drawn(sound), drawn(gaps), drawn(pauses))


def _sound(segments: list[ledger.Segment], rate: int) -> list[_Span]:
    spans: list[_Span] = []
    for segment in segments:
        begin = segment.captured_ns - segment.frames * _SECOND_NS // rate
        if spans and begin - spans[-1].end_ns < _JOINED_NS:
            spans[-1] = _Span(spans[-1].begin_ns, max(segment.captured_ns, spans[-1].end_ns))
        else:
            spans.append(_Span(begin, segment.captured_ns))
    return spans


def _gaps(entries: Sequence[ledger.Entry], rate: int) -> list[_Span]:
    places = Places(entries, rate)
    gaps = [entry.fact for entry in entries if isinstance(entry.fact, ledger.Gap)]
    begins = [places.time_of(gap.first_frame, gap.t_ns) for gap in gaps]
    return [_Span(at, at + gap.frames * _SECOND_NS // rate) for at, gap in zip(begins, gaps, strict=True)]


def _while_on(changes: list[tuple[int, bool]], last_ns: int) -> list[_Span]:
    """Return the spans between on and off; one that nothing ended lasts as long as the sound does."""
    spans, since = [], None
    for at_ns, is_on in changes:
        if is_on and since is None:
            since = at_ns
        elif not is_on and since is not None:
            spans.append(_Span(since, max(at_ns, since)))
            since = None
    if since is not None:
        spans.append(_Span(since, max(last_ns, since)))
    return spans


def _stretch(span: _Span, begin_ns: int, end_ns: int) -> Stretch:
    whole = max(end_ns - begin_ns, 1)
    first = min(max(span.begin_ns - begin_ns, 0), whole)
    last = min(max(span.end_ns - begin_ns, first), whole)
    width = max((last - first) * 100 / whole, LEAST)
    return Stretch(min(first * 100 / whole, 100 - width), width)


def audio_marks(entries: Sequence[ledger.Entry], rate: int, seconds: float) -> tuple[Stretches, Stretches]:
    """Return gaps and pauses on the axis of the audio, `seconds` long, on which a pause is a place without length."""
    gaps = [entry.fact for entry in entries if isinstance(entry.fact, ledger.Gap)]
    pauses = [entry.fact for entry in entries if isinstance(entry.fact, ledger.Pause)]
    return (
        _merged([audio_stretch(gap.first_frame / rate, gap.frames / rate, seconds) for gap in gaps]),
        _merged([audio_stretch(pause.frame / rate, 0.0, seconds) for pause in pauses if pause.paused]),
    )


def audio_stretch(first: float, length: float, seconds: float) -> Stretch:
    """Return the place of `length` seconds from `first` on, in audio that is `seconds` long."""
    if seconds <= 0:
        return Stretch(0.0, 0.0)
    width = min(max(length * 100 / seconds, LEAST), 100.0)
    return Stretch(min(max(first * 100 / seconds, 0.0), 100 - width), width)


def _merged(stretches: list[Stretch]) -> Stretches:
    """Return them in order, those that touch as one: a picture has room for few."""
    merged: list[Stretch] = []
    for one in sorted(stretches, key=lambda stretch: stretch.start):
        if merged and one.start <= (before := merged[-1]).start + before.width:
            merged[-1] = Stretch(before.start, max(one.start + one.width - before.start, before.width))
        else:
            merged.append(one)
    return tuple(merged)


def bars(peaks: bytes, count: int = BARS) -> str:
    """Return the path of `count` bars in a drawing 100 high and `2 * count` wide; empty without peaks."""
    path = []
    for bar in range(count if peaks else 0):
        first = bar * len(peaks) // count
        level = max(peaks[first : max((bar + 1) * len(peaks) // count, first + 1)])
        # the square tells speech from the noise of a room, which is tens of decibels below it
        height = max(round(96 * (level / 255) ** 2), 2)
        path.append(f"M{2 * bar + 1} {50 - height / 2:g}v{height}")
    return "".join(path)
