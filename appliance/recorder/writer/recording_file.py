"""One recording in the spool: begun, appended to, closed (docs/format.md section 2).

The recording's secret is made here and lives in this object until the recording is closed; on disk it is only ever
encrypted to the archive and the escrow.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from appliance.contract import ledger, times
from appliance.contract import segment as flac
from appliance.contract.encryption import Identity, encrypt
from appliance.contract.header import Audio, Header, Microphone
from appliance.contract.kernel_clock import read_clock
from appliance.contract.keys import SigningKey
from appliance.contract.ledger import AnyFact, Reason
from appliance.contract.paths import HEADER, KEY, LEDGER, SEGMENTS, segment_path
from appliance.contract.signed import digest
from appliance.recorder.clock import look
from appliance.recorder.storage.spool import Spool, store

from .ledger_file import LedgerFile
from .read_back import check_segment
from .segmenter import Segment


@dataclass(frozen=True)
class Maker:
    """What all recordings of this box have in common."""

    box: str
    key: SigningKey
    key_recipients: tuple[str, ...]
    """The archive's age recipient, then the escrow's."""
    audio: Audio
    panel: Literal["gpio", "simulated"]
    lamp: Literal["verified", "unverified"]
    microphone: Microphone
    software: str


@dataclass(frozen=True)
class Begin:
    """The supervisor's data for a recording that begins."""

    recording: str
    continues: str | None
    created_ns: int
    """CLOCK_MONOTONIC of the press, in nanoseconds."""


class RecordingFile:
    """A recording that is being made. Every method may raise DiskError and may then be called again."""

    def __init__(self, spool: Spool, maker: Maker, begin: Begin) -> None:
        self._spool = spool
        self._disk = spool.disk
        self._maker = maker
        self._identity: Identity | None = Identity.generate()
        self._recipient = self._identity.recipient
        self._begin = begin
        self.seen = look()
        """The clocks as the header tells of them."""
        self.folder: Path = spool.folder(begin.recording)
        self._header_line = b""
        self._ledger: LedgerFile | None = None
        self.frames = 0
        """Frames that are acknowledged."""
        self.segments = 0
        self.lost_frames = 0
        self._gap_end = 0

    @property
    def whole(self) -> bool:
        """Whether every gap that was entered is on disk to its end."""
        return self._gap_end <= self.frames

    @property
    def lines(self) -> int:
        """Ledger lines that are acknowledged."""
        return self._ledger.lines if self._ledger else 0

    @property
    def began(self) -> bool:
        """Whether the recording exists on disk."""
        return self._ledger is not None

    def begin(self) -> None:
        """Make the recording with header, key and an empty ledger, all at once: its folder is renamed into place."""
        if not self._header_line:
            self._header_line = self._make_folder()
        self._disk.sync_folder(self._spool.recordings)
        path = self.folder / LEDGER
        self._ledger = LedgerFile(
            self._disk, path, self._begin.recording, self._maker.key, prev=digest(self._header_line)
        )

    def _make_folder(self) -> bytes:
        """Make the recording's folder under a temporary name, rename it, return the header's line."""
        folder = self._spool.recordings / f".{self._begin.recording}.new"
        if self._disk.exists(folder):
            self._spool.quarantine(folder)
        self._disk.make_folder(folder)
        self._disk.make_folder(folder / SEGMENTS)
        key_age = encrypt(self._secret().secret_line(), self._maker.key_recipients)
        header = self._header(digest(key_age)).sign(self._maker.key)
        for name, data in ((HEADER, header), (KEY, key_age), (LEDGER, b"")):
            store(self._disk, folder / name, data)
        self._disk.rename(folder, self.folder)
        return header

    def enter(self, fact: AnyFact) -> None:
        """Enter a fact in the ledger."""
        self._open_ledger().append([fact])

    def add(self, segment: Segment) -> None:
        """Make a segment's file, read it back, enter it in the ledger; then its frames are acknowledged."""
        identity, audio = self._secret(), self._maker.audio
        path = self.folder / segment_path(self.segments)
        encrypted = encrypt(flac.encode(segment.samples, audio.rate), [self._recipient])
        store(self._disk, path, encrypted)
        # before the ledger line, so that the box never signs for what it could not read back
        check_segment(self._disk, path, encrypted, identity, samples=segment.samples, rate=audio.rate)
        now_ns = time.monotonic_ns()
        gaps = [
            ledger.Gap(t_ns=now_ns, first_frame=gap.first_frame, frames=gap.frames, cause=gap.cause)
            for gap in segment.gaps
        ]
        saved = ledger.Segment(
            t_ns=now_ns,
            segment=self.segments,
            first_frame=segment.first_frame,
            frames=int(segment.samples.size),
            size=len(encrypted),
            sha256=digest(encrypted),
            captured_ns=segment.captured_ns,
        )
        self._open_ledger().append([*gaps, saved])
        self.segments += 1
        self.frames = segment.first_frame + int(segment.samples.size)
        self.lost_frames += sum(gap.frames for gap in segment.gaps)
        self._gap_end = max([self._gap_end, *(gap.first_frame + gap.frames for gap in segment.gaps)])

    def close(self, reason: Reason) -> None:
        """Write the closing record and forget the recording's secret."""
        closing = ledger.Closing(
            t_ns=time.monotonic_ns(),
            reason=reason,
            frames=self.frames,
            segments=self.segments,
            lost_frames=self.lost_frames,
            ended_at=times.now(),
            clock=read_clock(),
            unverified_tail=[],
        )
        self._open_ledger().append([closing])
        self.forget()

    def forget(self) -> None:
        """Drop the recording's secret; nothing can be added any more."""
        self._identity = None

    def _secret(self) -> Identity:
        if self._identity is None:
            raise RuntimeError("the recording is closed")
        return self._identity

    def _open_ledger(self) -> LedgerFile:
        if self._ledger is None:
            raise RuntimeError("the recording was not begun")
        return self._ledger

    def _header(self, key_sha256: str) -> Header:
        maker, begin = self._maker, self._begin
        return Header(
            recording=begin.recording,
            box=maker.box,
            box_key=maker.key.public,
            created_at=self.seen.wall_at(begin.created_ns),
            created_ns=begin.created_ns,
            boot_id=times.boot_id(),
            clock=self.seen.clock,
            continues=begin.continues,
            audio=maker.audio,
            recipient=self._recipient,
            key_sha256=key_sha256,
            key_recipients=list(maker.key_recipients),
            panel=maker.panel,
            lamp=maker.lamp,
            microphone=maker.microphone,
            software=maker.software,
        )
