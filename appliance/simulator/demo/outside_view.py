"""Judging a meeting from the outside: the panel's and the microphone's own logs against the recording's ledger.

Pure: everything is a function of the logs. All times are CLOCK_MONOTONIC in nanoseconds.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from appliance.contract.ledger import AnyFact, AudioSpan, Lamp

from .services import DemoError

AGREEMENT_NS = 20_000_000
"""How far the ledger may be from the logs where it would say too much: lit before the lamp was, or closed before the
device was; in nanoseconds."""
LATE_NS = 250_000_000
"""How far on the other side: a busy machine opens a device, switches a lamp or writes a log a moment after the recorder
took the time, and then the ledger says too little of the lamp and too much of the microphone; in nanoseconds."""


@dataclass(frozen=True)
class Span:
    """Something held from `start_ns` to `end_ns`; None while it still holds."""

    start_ns: int
    end_ns: int | None

    def covers(self, other: Span) -> bool:
        """Whether `other` lies inside this span."""
        if other.start_ns < self.start_ns:
            return False
        return self.end_ns is None or (other.end_ns is not None and other.end_ns <= self.end_ns)


@dataclass(frozen=True)
class Timing:
    """The three latencies that people notice, in milliseconds; None where the logs do not show it."""

    press_to_lamp_ms: float | None
    press_to_first_frame_ms: float | None
    end_to_dark_ms: float | None


def read_log(text: str) -> list[dict[str, Any]]:
    """Return a log's entries in order of time; an incomplete last line is left out."""
    entries = [json.loads(line) for line in text.split("\n")[:-1] if line]
    return sorted(entries, key=lambda entry: int(entry["t_ns"]))


def lit_spans(panel: Iterable[dict[str, Any]]) -> list[Span]:
    """Return when the red lamp was lit, from the panel's log."""
    spans: list[Span] = []
    since: int | None = None
    for entry in panel:
        if "red" not in entry:
            continue
        if entry["red"] and since is None:
            since = entry["t_ns"]
        elif not entry["red"] and since is not None:
            spans.append(Span(since, entry["t_ns"]))
            since = None
    return [*spans, Span(since, None)] if since is not None else spans


def open_spans(microphone: Iterable[dict[str, Any]]) -> list[Span]:
    """Return when a capture device was open, probing included, from the microphone's log: one span an open handle."""
    spans: list[Span] = []
    opened: dict[Any, int] = {}
    for entry in microphone:
        handle = entry.get("handle", entry.get("pid"))
        if entry.get("device") == "open":
            opened[handle] = entry["t_ns"]
        elif entry.get("device") == "closed" and handle in opened:
            spans.append(Span(opened.pop(handle), entry["t_ns"]))
    return spans + [Span(since, None) for since in opened.values()]


def lamp_covers_audio(
    panel: Sequence[dict[str, Any]], microphone: Sequence[dict[str, Any]], ledger: Sequence[AnyFact]
) -> list[str]:
    """Return what contradicts promise 1, in words: an empty list is the proof that the lamp covered the microphone."""
    lit, opened = lit_spans(panel), open_spans(microphone)
    problems = [
        f"a device was open from {span.start_ns} to {span.end_ns} outside every lit span"
        for span in opened
        if not any(light.covers(span) for light in lit)
    ]
    if not opened:
        problems.append("the microphone's log shows no open device at all")
    problems += _disagreements(
        "lamp",
        [
            Span(on.commanded_ns if on.seen_ns is None else on.seen_ns, off.commanded_ns)
            for on, off in _pairs(ledger, Lamp, "lit")
        ],
        lit,
        wider=False,
    )
    problems += _disagreements(
        "audio",
        [Span(start.at_ns, end.at_ns) for start, end in _pairs(ledger, AudioSpan, "open")],
        _heard(opened, microphone),
        wider=True,
    )
    return problems


def _lit_ns(lamp: Lamp) -> int:
    return lamp.commanded_ns if lamp.seen_ns is None else lamp.seen_ns


def _heard(opened: Sequence[Span], microphone: Iterable[dict[str, Any]]) -> list[Span]:
    """Return the spans in which a stream started; on a busy machine a probe may stand apart from what it was for."""
    started = [entry["t_ns"] for entry in microphone if entry.get("device") == "started"]
    return [
        span
        for span in merged(opened)
        if any(span.start_ns <= moment and (span.end_ns is None or moment <= span.end_ns) for moment in started)
    ]


def merged(spans: Sequence[Span], pause_ns: int = 200_000_000) -> list[Span]:
    """Join spans that overlap or follow each other closely: one capture opens its device several times in probing."""
    joined: list[Span] = []
    for span in sorted(spans, key=lambda one: one.start_ns):
        last = joined[-1] if joined else None
        if last is not None and (last.end_ns is None or span.start_ns - last.end_ns < pause_ns):
            ends = (last.end_ns, span.end_ns)
            end = None if None in ends else max(end for end in ends if end is not None)
            joined[-1] = Span(last.start_ns, end)
        else:
            joined.append(span)
    return joined


def _pairs(ledger: Iterable[AnyFact], kind: type[Any], member: str) -> list[tuple[Any, Any]]:
    facts = [fact for fact in ledger if isinstance(fact, kind)]
    pairs = list(zip(facts[::2], facts[1::2], strict=False))
    if len(facts) % 2 or any(not getattr(on, member) or getattr(off, member) for on, off in pairs):
        raise DemoError(f"the ledger's {kind.__name__} facts do not alternate between on and off")
    return pairs


def _disagreements(what: str, written: Sequence[Span], seen: Sequence[Span], *, wider: bool) -> list[str]:
    """Where the ledger's spans are not the log's; on a busy machine they may be `wider`, or else narrower."""
    if len(written) != len(seen):
        return [f"the ledger has {len(written)} {what} spans, the log {len(seen)}"]
    problems = []
    for ours, theirs in zip(written, seen, strict=True):
        for name, left, right, outward in (
            ("start", ours.start_ns, theirs.start_ns, -1),
            ("end", ours.end_ns, theirs.end_ns, 1),
        ):
            apart_ns = None if left is None or right is None else left - right
            if apart_ns is None or not -AGREEMENT_NS <= apart_ns * (outward if wider else -outward) <= LATE_NS:
                apart = "?" if apart_ns is None else f"{apart_ns / 1e6:.1f} ms"
                problems.append(f"the {name} of a {what} span differs by {apart} between ledger and log")
    return problems


def timing(panel: Sequence[dict[str, Any]], microphone: Sequence[dict[str, Any]], hold_s: float) -> Timing:
    """Return the latencies of the first meeting in the logs; its end is `hold_s` after the last press went down."""
    downs = [entry["t_ns"] for entry in panel if entry.get("button") == "down"]
    lit = lit_spans(panel)
    started = [entry["t_ns"] for entry in microphone if entry.get("device") == "started"]
    dark = [span.end_ns for span in lit if span.end_ns is not None]

    def after(start: float, times: Sequence[int]) -> float | None:
        return min(((time - start) / 1e6 for time in times if time >= start), default=None)

    if not downs:
        return Timing(None, None, None)
    return Timing(
        after(downs[0], [span.start_ns for span in lit]),
        after(downs[0], started),
        after(downs[-1] + hold_s * 1e9, dark),
    )
