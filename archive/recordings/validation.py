"""Judging segments: opened and decoded in memory, and only the verdict is kept.

A bad verdict is evidence, no reason to refuse: the box signed those bytes, so the archive keeps them and says so.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping

from appliance.contract.encryption import Identity
from appliance.contract.errors import DecryptionError, FormatError, KeyFileError
from appliance.contract.header import Header
from appliance.contract.segment import OVERHEAD, decode

from .secrets import secret_of

OK = "ok"
UNJUDGED = ""
_log = logging.getLogger(__name__)


def judge_key(header: Header) -> str:
    """Return `ok` if the keystore decrypts the stored key and finds the header's recipient in it, or a code."""
    try:
        identity = secret_of(header.recording)
    except DecryptionError as error:
        return error.code
    except KeyFileError as error:
        _log.error(
            "the keystore cannot work, so %(recording)s is not judged yet: %(problem)s",
            {"recording": header.recording, "problem": error},
        )
        return UNJUDGED
    return OK if identity.recipient == header.recipient else "wrong-recipient"


def judge_segments(header: Header, segments: Mapping[int, tuple[bytes, int]]) -> dict[int, str]:
    """Return the verdict on each segment: `ok` if it holds exactly its frames as the header has it, or a code.

    `segments` are encrypted bytes and number of frames, by number. A verdict is empty if the keystore cannot work:
    sealing tries again. The key is read once for all of them.
    """
    try:
        secret = secret_of(header.recording)
    except DecryptionError as error:
        return dict.fromkeys(segments, error.code)
    except KeyFileError as error:
        _log.error(
            "the keystore cannot work, so %(recording)s is not judged yet: %(problem)s",
            {"recording": header.recording, "problem": error},
        )
        return dict.fromkeys(segments, UNJUDGED)
    return {number: _judge(header, secret, *one) for number, one in segments.items()}


def _judge(header: Header, secret: Identity, encrypted: bytes, frames: int) -> str:
    try:
        decode(secret.decrypt(encrypted), frames, header.audio.rate)
    except (DecryptionError, FormatError) as error:
        return error.code
    return OK


def judge_tail(header: Header, encrypted: bytes) -> tuple[str, int]:
    """Return the verdict on a tail segment, and its length in frames, which only its own bytes tell (0 if unknown)."""
    try:
        plain = secret_of(header.recording).decrypt(encrypted)
        frames = (len(plain) - OVERHEAD) // 2
        if not 0 < frames <= header.audio.segment_frames:
            return FormatError.code, 0
        decode(plain, frames, header.audio.rate)
    except (DecryptionError, FormatError) as error:
        return error.code, 0
    except KeyFileError as error:
        _log.error(
            "the keystore cannot work, so %(recording)s is not judged yet: %(problem)s",
            {"recording": header.recording, "problem": error},
        )
        return UNJUDGED, 0
    return OK, frames
