"""The rules of a ledger, line by line: chain, order, totals, and that the microphone was open only under a lit lamp.

Pure, and incremental: archive and verifier apply the same rules (docs/format.md sections 2.4 and 2.5).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Self

from .errors import FormatError, OrderError, SignatureError
from .header import Header
from .ledger import AudioSpan, Closing, Entry, Gap, Lamp, Pause, Segment
from .segment import padded_size
from .signed import digest

AGE_OVERHEAD = 8192
"""Most that encryption adds to a segment, in bytes: a header of one recipient and a random stanza stay far below, and
each 64 KiB of plaintext add 16 bytes (age-encryption.org/v1)."""
_STATE = (
    "lines",
    "segments",
    "frames",
    "lost_frames",
    "prev",
    "_gap_end",
    "_lit_ns",
    "_seen_ns",
    "_generation",
    "_dark_ns",
    "_spans",
    "_last_captured_ns",
    "_last_pause",
)


@dataclass
class LedgerChecker:
    """Checks one ledger; call `check_line` with each line in order."""

    header: Header
    header_line: bytes
    lines: int = 0
    """Lines that hold so far."""
    segments: int = 0
    """Segments so far."""
    frames: int = 0
    """Frames in them."""
    lost_frames: int = 0
    """Frames that gaps say were lost."""
    closing: Closing | None = None
    """The closing record, once it was checked."""
    prev: str = ""
    _gap_end: int = 0
    _lit_ns: int | None = None
    _seen_ns: int | None = None
    _generation: int = 0
    _dark_ns: int | None = None
    _spans: list[tuple[int, int | None]] = field(default_factory=list)
    _last_captured_ns: int | None = None
    _last_pause: int = 0

    def __post_init__(self) -> None:
        """Start before the first line."""
        self.prev = self.prev or digest(self.header_line)

    def snapshot(self) -> str:
        """Return the state of this checker, for `resume`; only while the ledger is not closed."""
        return json.dumps({name: getattr(self, name) for name in _STATE}, separators=(",", ":"))

    @classmethod
    def resume(cls, header: Header, header_line: bytes, snapshot: str) -> Self:
        """Return a checker in the state that `snapshot` holds; an empty text is the beginning."""
        checker = cls(header, header_line)
        for name, value in json.loads(snapshot or "{}").items():
            setattr(checker, name, [tuple(span) for span in value] if name == "_spans" else value)
        return checker

    @property
    def place(self) -> str:
        """The line that comes next, for messages."""
        return f"ledger line {self.lines}"

    def check_line(self, line: bytes) -> Entry:
        """Return the entry of the next line; raise FormatError, SignatureError or OrderError if it may not follow."""
        try:
            entry = Entry.read(line, self.header.box_key)
        except (FormatError, SignatureError) as error:
            raise type(error)(f"{self.place}: {error.message}", field=error.field) from error
        self.check_entry(entry, line)
        return entry

    def check_entry(self, entry: Entry, line: bytes) -> None:
        """Check the next line, which holds `entry`, its signature already checked; raise FormatError or OrderError."""
        if self.closing is not None:
            raise self._order("nothing may follow the closing record", "kind")
        if entry.recording != self.header.recording:
            raise self._order(f"it belongs to recording {entry.recording}", "recording")
        if entry.n != self.lines:
            raise self._order(f"it calls itself line {entry.n}", "n")
        if entry.prev != self.prev:
            raise self._order("it does not follow on the line before it", "prev")
        match entry.fact:
            case Segment() as segment:
                self._segment(segment)
            case Gap() as gap:
                self._gap(gap)
            case Lamp() as lamp:
                self._lamp(lamp)
            case AudioSpan() as audio:
                self._audio(audio)
            case Pause() as pause:
                self._last_pause = max(self._last_pause, pause.frame)
            case Closing() as closing:
                self._close(closing)
            case _:
                pass
        self.lines += 1
        self.prev = digest(line)

    def _order(self, message: str, member: str) -> OrderError:
        return OrderError(f"{self.place}: {message}", field=member)

    def _wrong(self, message: str, member: str) -> FormatError:
        return FormatError(f"{self.place}: {message}", field=member)

    def _segment(self, segment: Segment) -> None:
        if segment.segment != self.segments:
            raise self._order(f"segment {segment.segment} stands where segment {self.segments} must", "segment")
        if segment.first_frame != self.frames:
            raise self._order(f"segment {segment.segment} does not begin at frame {self.frames}", "first_frame")
        if segment.frames > self.header.audio.segment_frames:
            raise self._wrong(f"a segment has at most {self.header.audio.segment_frames} frames", "frames")
        least = padded_size(segment.frames)
        if not least < segment.size <= least + AGE_OVERHEAD:
            raise self._wrong(f"a segment of {segment.frames} frames cannot have {segment.size} bytes", "size")
        if not any(
            start <= segment.captured_ns and (end is None or segment.captured_ns <= end) for start, end in self._spans
        ):
            raise self._wrong(f"segment {segment.segment} was captured while no device was open", "captured_ns")
        self._last_captured_ns = max(self._last_captured_ns or segment.captured_ns, segment.captured_ns)
        self.segments += 1
        self.frames += segment.frames

    def _gap(self, gap: Gap) -> None:
        if gap.first_frame < self._gap_end:
            raise self._order("gaps overlap or are out of order", "first_frame")
        self._gap_end = gap.first_frame + gap.frames
        self.lost_frames += gap.frames

    def _lamp(self, lamp: Lamp) -> None:
        if lamp.lit == (self._lit_ns is not None):
            raise self._order(f"the lamp was {'lit' if lamp.lit else 'dark'} already", "lit")
        if lamp.lit:
            if self._dark_ns is not None and lamp.commanded_ns < self._dark_ns:
                raise self._wrong("the lamp was lit before it went dark", "commanded_ns")
            self._lit_ns, self._seen_ns = lamp.commanded_ns, lamp.seen_ns
            return
        if self._spans and self._spans[-1][1] is None:
            raise self._wrong("the lamp went dark while the microphone was open (promise 1)", "lit")
        if self._spans and (self._spans[-1][1] or 0) > lamp.commanded_ns:
            raise self._wrong("the microphone was closed after the lamp went dark (promise 1)", "commanded_ns")
        self._lit_ns, self._dark_ns = None, lamp.commanded_ns

    def _audio(self, audio: AudioSpan) -> None:
        is_open = bool(self._spans) and self._spans[-1][1] is None
        if audio.open == is_open:
            raise self._order(f"the microphone was {'open' if audio.open else 'closed'} already", "open")
        if audio.open:
            if self._lit_ns is None or audio.at_ns < self._lit_ns:
                raise self._wrong("the microphone was opened while the lamp was dark (promise 1)", "open")
            if self.header.lamp == "verified" and (self._seen_ns is None or audio.at_ns < self._seen_ns):
                raise self._wrong("the microphone was opened before the lamp was seen to be lit (promise 1)", "open")
            if self._spans and audio.at_ns < (self._spans[-1][1] or 0):
                raise self._wrong("the microphone was opened before it was closed", "at_ns")
            if audio.generation <= self._generation:
                raise self._order(f"capture {audio.generation} cannot follow on {self._generation}", "generation")
            self._generation = audio.generation
            self._spans.append((audio.at_ns, None))
            return
        start = self._spans[-1][0]
        if audio.generation != self._generation:
            raise self._order(f"capture {audio.generation} is closed, but {self._generation} was open", "generation")
        if audio.at_ns < start:
            raise self._wrong("the microphone was closed before it was opened", "at_ns")
        if self._last_captured_ns is not None and audio.at_ns < self._last_captured_ns:
            raise self._wrong("frames arrived after the microphone was closed", "at_ns")
        self._spans[-1] = (start, audio.at_ns)

    def _close(self, closing: Closing) -> None:
        totals = (closing.frames, closing.segments, closing.lost_frames)
        if totals != (self.frames, self.segments, self.lost_frames):
            raise self._wrong(
                f"the closing record counts {totals} frames, segments and lost frames; "
                f"the lines before it {(self.frames, self.segments, self.lost_frames)}",
                "frames",
            )
        if closing.reason != "interrupted":
            if closing.unverified_tail:
                raise self._wrong("only an interrupted recording has an unverified tail", "unverified_tail")
            if self._lit_ns is not None or (self._spans and self._spans[-1][1] is None):
                raise self._wrong("the recording was closed while lamp or microphone were on", "reason")
            if max(self._gap_end, self._last_pause) > self.frames:
                raise self._wrong("a gap or a pause lies behind the last frame", "frames")
        numbers = [part.segment for part in closing.unverified_tail]
        if any(later <= earlier for earlier, later in pairwise(numbers)) or any(
            number < self.segments for number in numbers
        ):
            raise self._wrong("the unverified tail is out of order", "unverified_tail")
        self.closing = closing
