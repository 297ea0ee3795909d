"""WebVTT as the W3C has it, read strictly and bounded, and written again: words and their times alone. Pure.

What would only change how the words look (styles, regions, positions, colors) is left out. Whatever else does not fit
the format is refused with its line, so that nobody's words go missing in silence.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from archive.records.errors import DeedError
from archive.records.text import HIDDEN, JOINERS
from archive.records.text import line as clean_line

MOST_BYTES: Final = 2 << 20
"""Size of a file, in bytes; three hours of talk are 200 kB."""
MOST_CUES: Final = 10_000
"""Cues of a file: one each second and a half for four hours."""
MOST_TEXT: Final = 2_000
"""Characters of one cue, its markup included."""
OWN: Final = 8
"""What was written here may be so much longer: a sign becomes five at most (`&amp;`), and times become three longer."""
_TIME: Final = r"(?:(\d{2,4}):)?([0-5]\d):([0-5]\d)\.(\d{3})"
_TIMES: Final = re.compile(rf"[ \t]*{_TIME}[ \t]+-->[ \t]+{_TIME}((?:[ \t]+[a-z]+:[^\s:]\S*)*)[ \t]*", re.ASCII)
_PIECE: Final = re.compile(r"<[^<>]*>|&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});|[^<&]+|[<&]")
_TAG: Final = re.compile(rf"</?(?:c|i|b|u|ruby|rt|lang|v)(?:\.[^\s.<>]+)*(?:[ \t][^<>]*)?>|<{_TIME}>", re.ASCII)
_VOICE: Final = re.compile(r"<v(?:\.[^\s.<>]+)*[ \t]+([^<>]+)>")
_LOOKS: Final = {"STYLE", "REGION"}
_LEFT_OUT: Final = dict.fromkeys(map(ord, "\u00ad\u200b\u200e\u200f\u2060\ufeff"))
"""Marks that only change how a line breaks or where a point stands; what turns the direction of words is refused."""


class TranscriptFileError(DeedError):
    """A file is no transcript that can be taken; the message names its line."""

    code = "no-transcript"
    status = 422

    def __init__(self, message: str, line: int = 0) -> None:
        super().__init__(f"Line {line}: {message}" if line else message, field="file")


@dataclass(frozen=True)
class Cue:
    """Some words, and when they were said."""

    start_ms: int
    """From the start of the recording, in milliseconds."""
    end_ms: int
    """Later than `start_ms`."""
    text: str
    """One or more lines without markup; where the file names a speaker, the name stands before the words."""


def read(data: bytes, *, slack: int = 1) -> tuple[Cue, ...]:
    """Return the cues of a file in their order; raise TranscriptFileError. Cues may overlap, and may not go back.

    The bounds are widened by `slack`: what was written here has longer times and escapes than the file it came from.
    """
    lines = _lines(data, slack)
    if not re.fullmatch(r"WEBVTT(?:[ \t].*)?", lines[0]):
        raise TranscriptFileError("a transcript in WebVTT begins with the word WEBVTT.", 1)
    cues: list[Cue] = []
    for number, block in _blocks(lines):
        first = block[0].rstrip()
        if number == 1 or re.match(r"NOTE(?:[ \t]|$)", first) or (first in _LOOKS and not cues):
            for place, one in enumerate(block, number):
                _check_no_times(one, place)
            continue
        cue = _cue(number, block, MOST_TEXT * slack)
        if cue is None:
            continue
        if cues and cue.start_ms < cues[-1].start_ms:
            raise TranscriptFileError("this cue begins before the one above it; sort them by time.", number)
        if len(cues) == MOST_CUES:
            raise TranscriptFileError(f"there are more than {MOST_CUES} cues.", number)
        cues.append(cue)
    if not cues:
        raise TranscriptFileError("There is not one word in this file.")
    return tuple(cues)


def write(cues: Iterable[Cue], notes: Iterable[str] = ()) -> bytes:
    """Return a WebVTT file; each note is a comment at its begin."""
    parts = ["WEBVTT\n", *(f"NOTE\n{_lines_of_note(one)}\n" for one in notes)]
    parts += [f"{_written(one.start_ms)} --> {_written(one.end_ms)}\n{_escaped(one.text)}\n" for one in cues]
    return "\n".join(parts).encode()


def cleaned(text: str) -> str:
    """Return one line of text without what nobody can see, for words that no person typed."""
    joined = " ".join(unicodedata.normalize("NFC", text).split())
    return "".join(one for one in joined if one in JOINERS or unicodedata.category(one) not in HIDDEN).strip()


def _lines(data: bytes, slack: int) -> list[str]:
    if len(data) > MOST_BYTES * slack:
        raise TranscriptFileError(f"The file is larger than {MOST_BYTES >> 20} MB.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise TranscriptFileError("this is not UTF-8 text; save the file as UTF-8.", line) from error
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def _blocks(lines: list[str]) -> Iterator[tuple[int, list[str]]]:
    """Yield what stands between empty lines, with the number of its first line."""
    block: list[str] = []
    for number, one in enumerate([*lines, ""], 1):
        if one:
            block.append(one)
        elif block:
            yield number - len(block), block
            block = []


def _check_no_times(text: str, number: int) -> None:
    if "-->" in text:
        raise TranscriptFileError("an empty line is missing before these times.", number)


def _cue(number: int, block: list[str], most: int) -> Cue | None:
    """Return a cue, or None for one without words."""
    identified = "-->" not in block[0]
    at = number + identified
    times = _TIMES.fullmatch(block[1] if identified else block[0]) if len(block) > identified else None
    if times is None:
        raise TranscriptFileError("here the times of a cue are missing: 00:00:01.000 --> 00:00:04.000.", at)
    start_ms, end_ms = _ms(times.groups()[:4]), _ms(times.groups()[4:8])
    if end_ms <= start_ms:
        raise TranscriptFileError("this cue ends before it begins.", at)
    said, size = [], 0
    for place, one in enumerate(block[1 + identified :], at + 1):
        size += len(one)
        if size > most:
            raise TranscriptFileError(f"this cue has more than {MOST_TEXT} characters.", place)
        _check_no_times(one, place)
        said.append(_plain(one, place))
    text = "\n".join(filter(None, said))
    return Cue(start_ms, end_ms, text) if text else None


def _ms(parts: tuple[str | None, ...]) -> int:
    hours, minutes, seconds, rest = (int(part or 0) for part in parts)
    return ((hours * 60 + minutes) * 60 + seconds) * 1000 + rest


def _plain(text: str, number: int) -> str:
    """Return a line without markup."""
    words = []
    for piece in _PIECE.findall(text):
        if not piece.startswith("<"):
            words.append(html.unescape(piece) if piece.startswith("&") and len(piece) > 1 else piece)
        elif voice := _VOICE.fullmatch(piece):
            words.append(f"{html.unescape(voice[1]).strip()}: ")
        elif not _TAG.fullmatch(piece):
            told = f"{piece[:40]!r} is no markup of WebVTT; a sign that was said is written &lt;."
            raise TranscriptFileError(told, number)
    try:
        return clean_line("".join(words).translate(_LEFT_OUT))
    except ValueError as error:
        raise TranscriptFileError(f"{error}.", number) from None


def _written(ms: int) -> str:
    seconds, rest = divmod(ms, 1000)
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.{rest:03d}"


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _lines_of_note(text: str) -> str:
    return "\n".join(line for line in text.replace("-->", "->").splitlines() if line.strip())
