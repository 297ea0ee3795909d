"""Sealed packages without an archive: what an honest archive makes, and what others would like it to have made."""

from __future__ import annotations

import base64
import io
import json
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from appliance.contract import package
from appliance.contract.keys import SigningKey
from appliance.contract.receipt import Arrival, Outcome
from appliance.contract.signed import digest, split, split_lines
from appliance.contract.times import now
from appliance.contract.zip_profile import Member, directory, read_members

from .spools import Recording

Parts = dict[str, bytes]


@dataclass
class Sealed:
    """A package, taken apart so that a test can put it together wrongly."""

    recording: Recording
    outcome: Outcome = "complete"
    sealed_at: str = field(default_factory=now)

    def arrivals(self, ledger: bytes | None = None, key: SigningKey | None = None) -> bytes:
        """The arrival log of a recording that came in batches of three lines."""
        recording, data = self.recording, self.recording.ledger if ledger is None else ledger
        lines = split_lines(data)
        items: list[tuple[str, int, int, str]] = [
            ("header", 0, 0, digest(recording.header_line)),
            ("key", 0, 0, digest(recording.key)),
        ]
        for first in range(0, len(lines), 3):
            run = lines[first : first + 3]
            items.append(("lines", first, len(run), digest(b"".join(run))))
        items += [("tail", 0, 0, digest(part)) for _, part in sorted(recording.tail.items())]
        items.append(("seal", 0, 0, digest(data)))
        log, prev = [], digest(recording.header_line)
        for n, (what, first, count, sha256) in enumerate(items):
            arrival = Arrival.model_validate(
                {
                    "recording": recording.id,
                    "n": n,
                    "prev": prev,
                    "arrived_at": now(),
                    "what": what,
                    "first_line": first,
                    "lines": count,
                    "sha256": sha256,
                }
            )
            log.append(arrival.sign(key or recording.keys.archive_signing))
            prev = digest(log[-1])
        return b"".join(log)

    def payload(self) -> Parts:
        recording = self.recording
        event = {"event": "sealing", "at": now(), "agent": "test", "outcome": "success", "detail": "made by a test"}
        return {
            "data/header.tsv": recording.header_line,
            "data/ledger.tsv": recording.ledger,
            "data/arrivals.tsv": self.arrivals(),
            "data/events.json": json.dumps([event]).encode(),
            **{package.segment_name(n): data for n, data in enumerate(recording.segments)},
            **{package.segment_name(n, tail=True): data for n, data in sorted(recording.tail.items())},
        }

    def build(self, payload: Parts | None = None, receipt: Callable[[str], bytes] | None = None) -> bytes:
        """The package's bytes, everything that needs no key computed to fit `payload`."""
        parts = self.payload() if payload is None else payload
        file = io.BytesIO()
        package.write_package(
            file,
            self.recording.id,
            lambda: iter(parts.items()),
            receipt or self.receipt,
            outcome=self.outcome,
            sealed_at=self.sealed_at,
        )
        return file.getvalue()

    def receipt(self, manifest_sha256: str) -> bytes:
        return self.recording.receipt(self.outcome, manifest_sha256=manifest_sha256, sealed_at=self.sealed_at)


def rebuilt(recording: str, parts: Iterable[tuple[str, bytes]]) -> bytes:
    """A ZIP of the exact profile with these members in this order, whatever they are."""
    out, members, at = io.BytesIO(), [], 0
    for name, data in parts:
        member = Member(f"{recording}/{name}", len(data), zlib.crc32(data), at)
        out.write(member.local() + data)
        members.append(member)
        at = member.offset + member.size
    out.write(directory(members))
    return out.getvalue()


def taken_apart(data: bytes) -> list[tuple[str, bytes]]:
    """Members of a package in order, names inside the bag."""
    return [
        (member.name.partition("/")[2], data[member.offset : member.offset + member.size])
        for member in read_members(io.BytesIO(data))
    ]


def reforged(sealed: Sealed, payload: Parts) -> bytes:
    """What somebody without any key makes of a changed payload: manifests, bag-info and ZIP fit, signatures cannot."""
    honest = dict(taken_apart(sealed.build()))["receipt.tsv"]
    return sealed.build(payload, receipt=lambda _manifest: honest)


def as_line(members: dict[str, Any], key: SigningKey) -> bytes:
    """A signed line that says anything at all."""
    payload = json.dumps(members).encode()
    return payload + b"\t" + base64.b64encode(key.sign(payload)) + b"\n"


def resigned(line: bytes, key: SigningKey, change: Callable[[dict[str, Any]], None]) -> bytes:
    """A signed line, changed and signed again."""
    members = json.loads(split(line)[0])
    change(members)
    return as_line(members, key)
