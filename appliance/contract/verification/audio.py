"""The audio itself: opened, decoded, and silent exactly where the ledger says that frames were lost."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from appliance.contract.encryption import Identity
from appliance.contract.errors import DecryptionError, FormatError
from appliance.contract.ledger import Gap
from appliance.contract.package import segment_name
from appliance.contract.segment import decode, frames_inside

from .bag import Bag
from .evidence import Evidence, duration

Progress = Callable[[str, int, int], None]


def check_audio(bag: Bag, evidence: Evidence, identity: Identity, progress: Progress) -> tuple[str, str]:
    """Open and decode every segment; return what was checked, and the MD5 of all samples as FLAC counts it."""
    md5 = hashlib.md5(usedforsecurity=False)
    rate = evidence.header.audio.rate
    for done, entry in enumerate(evidence.segments):
        progress("audio", done, len(evidence.segments))
        name = segment_name(entry.segment)
        try:
            samples = decode(identity.decrypt(bag.read(name)), entry.frames, rate)
        except (FormatError, DecryptionError) as error:
            raise type(error)(f"{name}: {error.message}") from error
        for gap in evidence.gaps:
            start, end = _inside(gap, entry.first_frame, entry.frames)
            if samples[start:end].any():
                raise FormatError(f"{name}: frames that the ledger calls lost are not silent")
        md5.update(samples.astype("<i2").tobytes())
    told = f"all {len(evidence.segments)} segments open, and decode to exactly the frames that the ledger says"
    return told, md5.hexdigest()


def check_tail(bag: Bag, evidence: Evidence, identity: Identity) -> str:
    """Open what the box found without a ledger line; return how much of it is audio. None of it counts as verified."""
    sound, frames = 0, 0
    for part in evidence.tail:
        try:
            plain = identity.decrypt(bag.read(segment_name(part.segment, tail=True)))
            frames += int(decode(plain, frames_inside(plain), evidence.header.audio.rate).size)
        except (FormatError, DecryptionError):
            continue
        sound += 1
    seconds = duration(frames / evidence.header.audio.rate)
    return f"{sound} of {len(evidence.tail)} segments of the unverified tail open and hold {seconds} of audio"


def _inside(gap: Gap, first: int, frames: int) -> tuple[int, int]:
    start = min(max(gap.first_frame - first, 0), frames)
    return start, min(max(gap.first_frame + gap.frames - first, start), frames)
