"""Real spools without a recorder: recordings made with the contract's own functions, whole or line by line."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from appliance.contract import segment as flac
from appliance.contract.encryption import Identity, encrypt
from appliance.contract.header import Audio, Header, Microphone
from appliance.contract.ids import new_box_id, new_recording_id
from appliance.contract.keys import KeyRing, SigningKey
from appliance.contract.ledger import Entry
from appliance.contract.package_room import longest_frames
from appliance.contract.receipt import Outcome, Receipt
from appliance.contract.segment import Samples
from appliance.contract.signed import digest
from appliance.contract.times import Clock, now

CLOCK = Clock(synchronized=True, source="ntp", offset_ns=1200)
SECOND_NS = 1_000_000_000


@dataclass(frozen=True)
class Keys:
    """All keys of a small district: one box, its archive, the escrow."""

    box: str = field(default_factory=new_box_id)
    box_signing: SigningKey = field(default_factory=SigningKey.generate)
    courier: SigningKey = field(default_factory=SigningKey.generate)
    archive_signing: SigningKey = field(default_factory=SigningKey.generate)
    archive: Identity = field(default_factory=Identity.generate)
    escrow: Identity = field(default_factory=Identity.generate)

    def ring(self) -> KeyRing:
        """The key ring that a checker would have got from elsewhere."""
        return KeyRing(boxes={self.box: [self.box_signing.public]}, archives=[self.archive_signing.public])

    def save_ring(self, path: Path) -> Path:
        path.write_text(json.dumps(self.ring().model_dump(mode="json")))
        return path


def noise(frames: int, seed: int = 0) -> Samples:
    """Loud noise: every sample differs, so that one wrong frame shows."""
    return np.random.default_rng(seed).integers(-20000, 20000, frames, dtype=np.int16)


class Recording:
    """A recording in a spool that grows line by line, and what is in it.

    `lines` are the ledger's signed lines, `segments` and `tail` the sealed files by number, `samples` all audio that
    the ledger vouches for.
    """

    def __init__(
        self,
        spool: Path,
        keys: Keys,
        *,
        recording: str | None = None,
        continues: str | None = None,
        rate: int = 48000,
        segment_frames: int = 48000,
        max_frames: int | None = None,
        started_ns: int = 5_000 * SECOND_NS,
        seed: int = 0,
        created_at: str | None = None,
        about: dict[str, Any] | None = None,
    ) -> None:
        """Begin it; `about`: members of the header that differ from the usual ones."""
        self.id = recording or new_recording_id()
        self.spool = spool
        self.keys = keys
        self.folder = spool / "recordings" / self.id
        self.identity = Identity.generate()
        self.rate = rate
        self.segment_frames = segment_frames
        self.now_ns = started_ns
        self.seed = seed
        self.lines: list[bytes] = []
        self.segments: list[bytes] = []
        self.tail: dict[int, bytes] = {}
        self.samples: Samples = np.zeros(0, np.int16)
        self.lost = 0
        recipients = [keys.archive.recipient, keys.escrow.recipient]
        self.key = encrypt(self.identity.secret_line(), recipients)
        usual = Header(
            recording=self.id,
            box=keys.box,
            box_key=keys.box_signing.public,
            created_at=created_at or now(),
            created_ns=started_ns,
            boot_id="1b4e28ba-2fa1-11d2-883f-0016d3cca427",
            clock=CLOCK,
            continues=continues,
            audio=Audio(
                rate=rate, segment_frames=segment_frames, max_frames=max_frames or longest_frames(segment_frames)
            ),
            recipient=self.identity.recipient,
            key_sha256=digest(self.key),
            key_recipients=recipients,
            panel="simulated",
            lamp="unverified",
            microphone=Microphone(device="plainsight", card="PlainSight", identity=""),
            software="plainsight test",
        )
        self.header = usual.model_copy(update=about or {})
        self.header_line = self.header.sign(keys.box_signing)
        (self.folder / "segments").mkdir(parents=True)
        (spool / "receipts").mkdir(exist_ok=True)
        (self.folder / "key.age").write_bytes(self.key)
        (self.folder / "header.tsv").write_bytes(self.header_line)
        (self.folder / "ledger.tsv").touch()

    @property
    def frames(self) -> int:
        return int(self.samples.size)

    @property
    def ledger(self) -> bytes:
        return b"".join(self.lines)

    def note(self, kind: str, **members: Any) -> bytes:
        """Append one ledger line, in memory and on disk, and return it."""
        self.now_ns += 1_000_000
        previous = self.lines[-1] if self.lines else self.header_line
        entry = Entry.from_members(
            {
                "recording": self.id,
                "n": len(self.lines),
                "prev": digest(previous),
                "t_ns": self.now_ns,
                "kind": kind,
                **members,
            }
        )
        line = entry.sign(self.keys.box_signing)
        self.lines.append(line)
        with (self.folder / "ledger.tsv").open("ab") as file:
            file.write(line)
        return line

    def begin(self) -> None:
        """Lamp lit, then the microphone."""
        seen_ns = self.now_ns if self.header.lamp == "verified" else None
        self.note("lamp", lit=True, commanded_ns=self.now_ns, seen_ns=seen_ns)
        self.note("audio", open=True, at_ns=self.now_ns + 500_000, generation=1)

    def sealed(self, samples: Samples) -> bytes:
        return encrypt(flac.encode(samples, self.rate), [self.identity.recipient])

    def segment(self, samples: Samples | None = None) -> bytes:
        """Add one segment (noise unless `samples`) with its ledger line, which is returned."""
        if samples is None:
            samples = noise(self.segment_frames, seed=1000 * self.seed + len(self.segments))
        data = self.sealed(samples)
        number = len(self.segments)
        (self.folder / "segments" / f"{number:08d}.age").write_bytes(data)
        self.segments.append(data)
        first = self.frames
        self.samples = np.concatenate([self.samples, samples])
        self.now_ns += samples.size * SECOND_NS // self.rate
        return self.note(
            "segment",
            segment=number,
            first_frame=first,
            frames=int(samples.size),
            size=len(data),
            sha256=digest(data),
            captured_ns=self.now_ns,
        )

    def gap(self, frames: int, cause: str = "overrun") -> None:
        """Say that the next `frames` frames were lost; the caller adds their silence as part of a segment."""
        self.note("gap", first_frame=self.frames, frames=frames, cause=cause)
        self.lost += frames

    def leave_tail(self, count: int = 1) -> None:
        """Leave segments without ledger lines, as a crash does."""
        for _ in range(count):
            number = len(self.segments) + len(self.tail)
            data = self.sealed(noise(self.segment_frames, seed=7 + number))
            (self.folder / "segments" / f"{number:08d}.age").write_bytes(data)
            self.tail[number] = data

    def close(self, reason: str = "button") -> None:
        """Microphone closed, lamp dark, closing record; `interrupted` has only the last, as after a crash."""
        if reason != "interrupted":
            self.note("audio", open=False, at_ns=self.now_ns, generation=1)
            seen_ns = self.now_ns if self.header.lamp == "verified" else None
            self.note("lamp", lit=False, commanded_ns=self.now_ns, seen_ns=seen_ns)
        tail = [{"segment": n, "size": len(data), "sha256": digest(data)} for n, data in sorted(self.tail.items())]
        self.note(
            "closing",
            reason=reason,
            frames=self.frames,
            segments=len(self.segments),
            lost_frames=self.lost,
            ended_at=now(),
            clock=CLOCK.model_dump(),
            unverified_tail=tail,
        )

    def receipt(self, outcome: Outcome = "complete", key: SigningKey | None = None, **other: Any) -> bytes:
        """The receipt that an honest archive would sign for this recording; `other` members replace the true ones."""
        signing = key or self.keys.archive_signing
        members: dict[str, Any] = {
            "recording": self.id,
            "box": self.keys.box,
            "archive_key": signing.public,
            "header_sha256": digest(self.header_line),
            "ledger_lines": len(self.lines),
            "ledger_sha256": digest(self.ledger),
            "segments": len(self.segments),
            "frames": self.frames,
            "tail": len(self.tail),
            "outcome": outcome,
            "key_sha256": digest(self.key),
            "manifest_sha256": "0" * 64,
            "sealed_at": now(),
        }
        return Receipt(**{**members, **other}).sign(signing)


def make_recording(
    spool: Path,
    keys: Keys,
    *,
    seconds: int = 3,
    reason: str | None = "button",
    tail: int = 0,
    **options: Any,
) -> Recording:
    """A recording of so many one-second segments; `reason` None leaves it open, `tail` needs `interrupted`."""
    recording = Recording(spool, keys, **options)
    recording.begin()
    for _ in range(seconds):
        recording.segment()
    if tail:
        recording.leave_tail(tail)
    if reason is not None:
        recording.close(reason)
    return recording
