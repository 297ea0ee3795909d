"""The rules of a ledger, line by line: chain, order, totals, and that the microphone was open only under a lit lamp.

Pure, and incremental: archive and checker feed the same lines to the same rules (docs/format.md sections 2.4 and 2.5).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

from .errors import FormatError, OrderError, SignatureError
from .header import Header
from .ledger import AnyEntry, AudioSpan, Closing, Gap, Lamp, Pause, Segment, read_entry
from .segment import padded_size
from .signed import digest

AGE_OVERHEAD = 8192
"""Most that encryption adds to a segment, in bytes: a header of one recipient and a random stanza stay far below, and
each 64 KiB of plaintext add 16 bytes (age-encryption.org/v1)."""


@dataclass
class LedgerChecker:
    """Follows one ledger; `feed` each line in order."""

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
    """The closing record, once it was fed."""
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
        """Stand before the first line."""
        self.prev = self.prev or digest(self.header_line)

    @property
    def place(self) -> str:
        """The line that comes next, for messages."""
        return f"ledger line {self.lines}"

    def feed(self, line: bytes) -> AnyEntry:
        """Return what the next line says if it may stand there; raise FormatError, SignatureError or OrderError."""
        try:
            entry = read_entry(line, self.header.box_key)
        except (FormatError, SignatureError) as error:
            raise type(error)(f"{self.place}: {error.message}", field=error.field) from error
        if self.closing is not None:
            raise self._order("nothing may follow the closing record", "kind")
        if entry.recording != self.header.recording:
            raise self._order(f"it belongs to recording {entry.recording}", "recording")
        if entry.n != self.lines:
            raise self._order(f"it calls itself line {entry.n}", "n")
        if entry.prev != self.prev:
            raise self._order("it does not follow on the line before it", "prev")
        match entry:
            case Segment():
                self._segment(entry)
            case Gap():
                self._gap(entry)
            case Lamp():
                self._lamp(entry)
            case AudioSpan():
                self._audio(entry)
            case Pause():
                self._last_pause = max(self._last_pause, entry.frame)
            case Closing():
                self._close(entry)
            case _:
                pass
        self.lines += 1
        self.prev = digest(line)
        return entry

    def _order(self, message: str, member: str) -> OrderError:
        return OrderError(f"{self.place}: {message}", field=member)

    def _wrong(self, message: str, member: str) -> FormatError:
        return FormatError(f"{self.place}: {message}", field=member)

    def _segment(self, entry: Segment) -> None:
        if entry.segment != self.segments:
            raise self._order(f"segment {entry.segment} stands where segment {self.segments} must", "segment")
        if entry.first_frame != self.frames:
            raise self._order(f"segment {entry.segment} does not begin at frame {self.frames}", "first_frame")
        if entry.frames > self.header.audio.segment_frames:
            raise self._wrong(f"a segment has at most {self.header.audio.segment_frames} frames", "frames")
        least = padded_size(entry.frames)
        if not least < entry.size <= least + AGE_OVERHEAD:
            raise self._wrong(f"a segment of {entry.frames} frames cannot have {entry.size} bytes", "size")
        if not any(
            start <= entry.captured_ns and (end is None or entry.captured_ns <= end) for start, end in self._spans
        ):
            raise self._wrong(f"segment {entry.segment} was captured while no device was open", "captured_ns")
        self._last_captured_ns = max(self._last_captured_ns or entry.captured_ns, entry.captured_ns)
        self.segments += 1
        self.frames += entry.frames

    def _gap(self, entry: Gap) -> None:
        if entry.first_frame < self._gap_end:
            raise self._order("gaps overlap or are out of order", "first_frame")
        self._gap_end = entry.first_frame + entry.frames
        self.lost_frames += entry.frames

    def _lamp(self, entry: Lamp) -> None:
        if entry.lit == (self._lit_ns is not None):
            raise self._order(f"the lamp was {'lit' if entry.lit else 'dark'} already", "lit")
        if entry.lit:
            if self._dark_ns is not None and entry.commanded_ns < self._dark_ns:
                raise self._wrong("the lamp was lit before it went dark", "commanded_ns")
            self._lit_ns, self._seen_ns = entry.commanded_ns, entry.seen_ns
            return
        if self._spans and self._spans[-1][1] is None:
            raise self._wrong("the lamp went dark while the microphone was open (promise 1)", "lit")
        if self._spans and (self._spans[-1][1] or 0) > entry.commanded_ns:
            raise self._wrong("the microphone was closed after the lamp went dark (promise 1)", "commanded_ns")
        self._lit_ns, self._dark_ns = None, entry.commanded_ns

    def _audio(self, entry: AudioSpan) -> None:
        is_open = bool(self._spans) and self._spans[-1][1] is None
        if entry.open == is_open:
            raise self._order(f"the microphone was {'open' if entry.open else 'closed'} already", "open")
        if entry.open:
            if self._lit_ns is None or entry.at_ns < self._lit_ns:
                raise self._wrong("the microphone was opened while the lamp was dark (promise 1)", "open")
            if self.header.lamp == "verified" and (self._seen_ns is None or entry.at_ns < self._seen_ns):
                raise self._wrong("the microphone was opened before the lamp was seen to be lit (promise 1)", "open")
            if self._spans and entry.at_ns < (self._spans[-1][1] or 0):
                raise self._wrong("the microphone was opened before it was closed", "at_ns")
            if entry.generation <= self._generation:
                raise self._order(f"capture {entry.generation} cannot follow on {self._generation}", "generation")
            self._generation = entry.generation
            self._spans.append((entry.at_ns, None))
            return
        start = self._spans[-1][0]
        if entry.generation != self._generation:
            raise self._order(f"capture {entry.generation} is closed, but {self._generation} was open", "generation")
        if entry.at_ns < start:
            raise self._wrong("the microphone was closed before it was opened", "at_ns")
        if self._last_captured_ns is not None and entry.at_ns < self._last_captured_ns:
            raise self._wrong("frames arrived after the microphone was closed", "at_ns")
        self._spans[-1] = (start, entry.at_ns)

    def _close(self, entry: Closing) -> None:
        totals = (entry.frames, entry.segments, entry.lost_frames)
        if totals != (self.frames, self.segments, self.lost_frames):
            raise self._wrong(
                f"the closing record counts {totals} frames, segments and lost frames; "
                f"the lines before it {(self.frames, self.segments, self.lost_frames)}",
                "frames",
            )
        if entry.reason != "interrupted":
            if entry.unverified_tail:
                raise self._wrong("only an interrupted recording has an unverified tail", "unverified_tail")
            if self._lit_ns is not None or (self._spans and self._spans[-1][1] is None):
                raise self._wrong("the recording was closed while lamp or microphone were on", "reason")
            if max(self._gap_end, self._last_pause) > self.frames:
                raise self._wrong("a gap or a pause lies behind the last frame", "frames")
        numbers = [part.segment for part in entry.unverified_tail]
        if any(later <= earlier for earlier, later in pairwise(numbers)) or any(
            number < self.segments for number in numbers
        ):
            raise self._wrong("the unverified tail is out of order", "unverified_tail")
        self.closing = entry
