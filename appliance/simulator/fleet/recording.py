"""A recording in a box's spool, made with the format's own functions and without a microphone."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np

from appliance.contract import segment as flac
from appliance.contract.encryption import Identity, encrypt
from appliance.contract.header import Audio, Header, Microphone
from appliance.contract.ids import new_recording_id
from appliance.contract.keys import SigningKey
from appliance.contract.ledger import Entry
from appliance.contract.package_room import longest_frames
from appliance.contract.paths import HEADER, KEY, LEDGER, SEGMENTS, segment_file
from appliance.contract.receipt import Receipt
from appliance.contract.signed import digest
from appliance.contract.times import Clock, boot_id, now
from appliance.contract.version import software

RATE: Final = 48_000
"""Frames in a second, and in a segment."""
SOUNDS: Final = 16
"""Different seconds of sound that a process encodes; each is encrypted anew for each recording."""
SECOND_NS: Final = 1_000_000_000
_CLOCK: Final = Clock(synchronized=True, source="ntp", offset_ns=0)


@dataclass(frozen=True)
class BoxKeys:
    """What a box signs with, and to whom it encrypts."""

    box: str
    signing: SigningKey
    recipients: list[str]
    archive_key: str


@cache
def encoded_sound(number: int) -> bytes:
    """Return one of the seconds: noise, as loud as speech, which costs as much to judge as speech does."""
    samples = np.random.default_rng(number).normal(0, 1500, RATE).astype(np.int16)
    return flac.encode(samples, RATE)


class SimulatedRecording:
    """A recording that grows by whole seconds. One thread adds to it; the courier reads what `lines` says."""

    def __init__(self, spool: Path, keys: BoxKeys, now_ns: int) -> None:
        """Begin it: header, key, lamp lit, microphone open, at `now_ns` of CLOCK_MONOTONIC."""
        self.id = new_recording_id()
        self.folder = spool / "recordings" / self.id
        self.lines = 0
        """Lines of the ledger that are written."""
        self.frames = 0
        """Frames in them."""
        self._keys = keys
        self._segments = 0
        identity = Identity.generate()
        self._recipient = identity.recipient
        key = encrypt(identity.secret_line(), keys.recipients)
        header = Header(
            recording=self.id,
            box=keys.box,
            box_key=keys.signing.public,
            created_at=now(),
            created_ns=now_ns,
            boot_id=boot_id(),
            clock=_CLOCK,
            continues=None,
            audio=Audio(rate=RATE, segment_frames=RATE, max_frames=longest_frames(RATE)),
            recipient=self._recipient,
            key_sha256=digest(key),
            key_recipients=keys.recipients,
            panel="simulated",
            lamp="unverified",
            microphone=Microphone(device="simulated", card="Fleet", identity=""),
            software=software(),
        )
        self._last = header.sign(keys.signing)
        (self.folder / SEGMENTS).mkdir(parents=True)
        (self.folder / KEY).write_bytes(key)
        (self.folder / HEADER).write_bytes(self._last)
        self._ledger = bytearray()
        self._file = (self.folder / LEDGER).open("ab", buffering=0)
        self._enter("lamp", now_ns, lit=True, commanded_ns=now_ns, seen_ns=None)
        self._enter("audio", now_ns, open=True, at_ns=now_ns, generation=1)

    def add_second(self, now_ns: int) -> None:
        """Add one second of audio, captured at `now_ns`."""
        data = encrypt(encoded_sound(self._segments % SOUNDS), [self._recipient])
        (self.folder / SEGMENTS / segment_file(self._segments)).write_bytes(data)
        self._enter(
            "segment",
            now_ns,
            segment=self._segments,
            first_frame=self.frames,
            frames=RATE,
            size=len(data),
            sha256=digest(data),
            captured_ns=now_ns,
        )
        self._segments += 1
        self.frames += RATE

    def close(self, now_ns: int) -> None:
        """End it: microphone closed, lamp dark, closing record."""
        self._enter("audio", now_ns, open=False, at_ns=now_ns, generation=1)
        self._enter("lamp", now_ns, lit=False, commanded_ns=now_ns, seen_ns=None)
        self._enter(
            "closing",
            now_ns,
            reason="button",
            frames=self.frames,
            segments=self._segments,
            lost_frames=0,
            ended_at=now(),
            clock=_CLOCK.model_dump(),
            unverified_tail=[],
        )
        self._file.close()

    def problem_with(self, line: bytes) -> str:
        """Return why a receipt is none for exactly these bytes, or an empty text; raise FormatError or SignatureError.

        The writer of a box asks the same before it deletes anything.
        """
        receipt = Receipt.read(line, self._keys.archive_key)
        facts = (receipt.recording, receipt.outcome, receipt.ledger_lines, receipt.segments, receipt.frames)
        if facts != (self.id, "complete", self.lines, self._segments, self.frames):
            return f"the receipt says {facts}"
        return "" if receipt.ledger_sha256 == digest(bytes(self._ledger)) else "the receipt is for another ledger"

    def _enter(self, kind: str, t_ns: int, **members: Any) -> None:
        entry = Entry.from_members(
            {"recording": self.id, "n": self.lines, "prev": digest(self._last), "t_ns": t_ns, "kind": kind, **members}
        )
        self._last = entry.sign(self._keys.signing)
        self._file.write(self._last)
        self._ledger += self._last
        self.lines += 1
