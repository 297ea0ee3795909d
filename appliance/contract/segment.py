"""The inside of a segment: FLAC (RFC 9639), padded so that only its length decides its size (docs/format.md 2.3)."""

from __future__ import annotations

import hashlib
import io

import numpy as np
import numpy.typing as npt
import soundfile

from .errors import FormatError

Samples = npt.NDArray[np.int16]

OVERHEAD = 4096
"""Room for metadata and frame headers beyond 16 bits a frame, in bytes. A verbatim FLAC frame of 4096 samples adds at
most 18 bytes (RFC 9639 sections 9.1 to 9.3), so one second needs about 216; libsndfile's metadata about 100."""
_PADDING = 1
_LAST = 0x80


def padded_size(frames: int) -> int:
    """Return the exact plaintext size of a segment of `frames` frames, in bytes."""
    return OVERHEAD + 2 * frames


def frames_inside(stream: bytes) -> int:
    """Return how many frames a plaintext of this size holds, if it is a segment's."""
    return (len(stream) - OVERHEAD) // 2


def encode(samples: Samples, rate: int) -> bytes:
    """Return `samples` (one-dimensional int16) as a padded FLAC stream."""
    if samples.ndim != 1 or samples.dtype != np.int16 or not samples.size:
        raise FormatError("a segment is a one-dimensional array of at least one 16-bit sample")
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, rate, format="FLAC", subtype="PCM_16", compression_level=5 / 8)
    return _pad(buffer.getvalue(), padded_size(samples.size))


def decode(stream: bytes, frames: int, rate: int) -> Samples:
    """Return the samples of a segment's plaintext; raise FormatError unless it is exactly what the format demands.

    `frames` and `rate` are what the signed ledger and header promise.
    """
    if len(stream) != padded_size(frames):
        raise FormatError(f"a segment of {frames} frames has {padded_size(frames)} bytes inside, not {len(stream)}")
    try:
        with soundfile.SoundFile(io.BytesIO(stream)) as file:
            shape = (file.format, file.subtype, file.channels, file.samplerate, file.frames)
            fits = shape == ("FLAC", "PCM_16", 1, rate, frames)
            # a stream may claim 2^36 frames: nothing is allocated before the claim is known to be the ledger's
            samples: Samples = file.read(dtype="int16") if fits else np.zeros(0, np.int16)
    except (soundfile.SoundFileError, ValueError) as error:
        raise FormatError(f"not a FLAC stream: {error}") from error
    if not fits or samples.size != frames:
        raise FormatError(f"the FLAC stream is {shape}, not 16-bit mono, {rate} Hz, {frames} frames")
    _check_md5(stream, samples)
    return samples


def _check_md5(stream: bytes, samples: Samples) -> None:
    # libsndfile ignores STREAMINFO's MD5 (RFC 9639 section 8.2); it is what makes the check independent of the decoder
    stored = stream[8 + 18 : 8 + 34]
    actual = hashlib.md5(samples.astype("<i2").tobytes(), usedforsecurity=False).digest()
    if stored != actual:
        raise FormatError("the audio does not have the MD5 that its STREAMINFO promises")


def _pad(stream: bytes, size: int) -> bytes:
    """Insert a PADDING block (RFC 9639 section 8.3) as the last metadata block, so that the stream has `size` bytes."""
    position = 4
    while not stream[position] & _LAST:
        position += 4 + int.from_bytes(stream[position + 1 : position + 4], "big")
    end = position + 4 + int.from_bytes(stream[position + 1 : position + 4], "big")
    filler = size - len(stream) - 4
    if filler < 0:
        raise FormatError(f"{len(stream)} bytes of FLAC do not fit into {size}; this is a defect, report it")
    unlast = bytes([stream[position] & ~_LAST])
    block = bytes([_LAST | _PADDING]) + filler.to_bytes(3, "big") + bytes(filler)
    return stream[:position] + unlast + stream[position + 1 : end] + block + stream[end:]
