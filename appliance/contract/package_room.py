"""How much one sealed package holds: 4 GiB, and fewer than 65535 members (docs/format.md section 5.4)."""

from __future__ import annotations

from typing import Final

from .errors import UnsealableError
from .header import Audio
from .segment import padded_size
from .zip_profile import MAX_BYTES

LINE_BYTES: Final = 700
"""Room on a box for a segment's ledger line and for age's own bytes; measured: 580."""
PACKED_BYTES: Final = 1000
"""Room in a package for a segment's ledger line, age's own bytes, its line of the manifest and its ZIP headers."""
MAX_SEGMENTS: Final = 65000
"""Most segments of one recording, tail included; what else is in a package takes some members as well."""
MAX_RECORDING_BYTES: Final = MAX_BYTES * 9 // 10
"""Most that a recording may promise to take: pauses, gaps, an end that comes a little late and the archive's own lines
take room beside the seconds of audio."""


def longest_frames(segment_frames: int) -> int:
    """Return the most frames that a recording of segments of so many frames can promise and surely be sealed."""
    by_bytes = MAX_RECORDING_BYTES // (padded_size(segment_frames) + LINE_BYTES)
    return min(by_bytes, MAX_SEGMENTS) * segment_frames


def check_promise(audio: Audio) -> None:
    """Raise UnsealableError if a recording that becomes as long as `audio` allows can never be sealed."""
    longest = longest_frames(audio.segment_frames)
    if audio.max_frames > longest:
        raise UnsealableError(
            f"a recording of {audio.max_frames} frames in segments of {audio.segment_frames} can never be sealed: a "
            f"package holds {longest}, {longest // audio.rate} s at {audio.rate} Hz; "
            "lower limits.cap_s or microphone.rate of the box",
            field="audio.max_frames",
        )


def check_room(frames: int, segments: int, lines: int) -> None:
    """Raise UnsealableError if no package holds what a recording has become: frames, segments and ledger lines."""
    if segments > MAX_SEGMENTS or 2 * frames + padded_size(0) * segments + PACKED_BYTES * lines > MAX_BYTES:
        raise UnsealableError(
            f"the recording has become longer than a package can hold, with {segments} segments and {frames} frames; "
            "seal what there is with 'plainsight-archive seal --incomplete'"
        )
