"""What the archive signs: arrivals and the receipt (docs/format.md sections 5.1 and 5.3)."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Annotated, Literal

from pydantic import Field

from .errors import FormatError
from .ids import MAX_COUNT, BoxId, Digest, RecordingId
from .keys import PublicKey
from .signed import SignedModel
from .times import WallTime

Outcome = Literal["complete", "interrupted", "incomplete"]
Count = Annotated[int, Field(ge=0, le=MAX_COUNT)]


class Arrival(SignedModel):
    """Something arrived, and this is when."""

    type: Literal["plainsight/arrival/1"] = "plainsight/arrival/1"
    recording: RecordingId
    n: Count
    prev: Digest
    arrived_at: WallTime
    what: Literal["header", "key", "lines", "tail", "seal"]
    first_line: Count
    lines: Count
    sha256: Digest


@dataclass(frozen=True)
class SealedFacts:
    """What a receipt states about a recording, and what anyone who has the recording can compute."""

    recording: str
    box: str
    header_sha256: str
    ledger_lines: int
    ledger_sha256: str
    segments: int
    frames: int
    tail: int
    """Unverified segments."""
    outcome: Outcome
    key_sha256: str


class Receipt(SignedModel):
    """The archive has sealed exactly this."""

    type: Literal["plainsight/receipt/1"] = "plainsight/receipt/1"
    recording: RecordingId
    box: BoxId
    archive_key: PublicKey
    header_sha256: Digest
    ledger_lines: Count
    ledger_sha256: Digest
    segments: Count
    frames: Count
    tail: Count
    outcome: Outcome
    key_sha256: Digest
    manifest_sha256: Digest
    sealed_at: WallTime

    def require(self, facts: SealedFacts) -> None:
        """Raise FormatError, which names the member, unless this is the receipt for exactly these facts."""
        for name, value in asdict(facts).items():
            if (said := getattr(self, name)) != value:
                raise FormatError(f"{name} is {said!r} in the receipt; what is here makes it {value!r}", field=name)
