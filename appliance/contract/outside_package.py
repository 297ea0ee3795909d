"""The sealed package of a recording that no box made (docs/format.md section 5.6): a bag of the same ZIP profile.

The file that was brought is cut into pieces of 1 MiB; each is an age file of its own, encrypted to the recording's key.
Decrypted and put one behind the other they are the file, byte for byte.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Final, Literal

from pydantic import Field

from .ids import Digest, RecordingId
from .keys import PublicKey
from .signed import SignedModel
from .times import WallTime

PIECE: Final = 1 << 20
"""Bytes of the file in each piece; the last one has what is left."""
LONGEST: Final = 2 << 30
"""Most bytes of the file. With what encryption adds, the package stays below the profile's 4 GiB."""
STATEMENT: Final = "data/statement.json.age"
"""What was said about the file, encrypted as the pieces are."""
GRADE: Final = "not-made-by-a-box"
MediaType = Literal["audio/wav", "audio/flac", "audio/mpeg", "audio/mp4"]


class OutsideReceipt(SignedModel):
    """The archive sealed exactly these bytes. What they are a recording of, only people say."""

    type: Literal["plainsight/outside-receipt/1"] = "plainsight/outside-receipt/1"
    recording: RecordingId
    grade: Literal["not-made-by-a-box"] = "not-made-by-a-box"
    archive_key: PublicKey
    media_type: MediaType
    """What the file's own bytes say that it is."""
    size: Annotated[int, Field(gt=0, le=LONGEST)]
    """Of the file that was brought, in bytes."""
    sha256: Digest
    """Of the file that was brought."""
    manifest_sha256: Digest
    sealed_at: WallTime


def piece_name(number: int) -> str:
    """Return a piece's place in the bag."""
    return f"data/pieces/{number:08d}.age"


def pieces(size: int) -> int:
    """Return how many pieces a file of `size` bytes has."""
    return -(-size // PIECE)


def outside_info(recording: str, sealed_at: str, sizes: Iterable[int]) -> bytes:
    """Return `bag-info.txt`; `sizes` are those of the payload's members, in bytes."""
    counted = list(sizes)
    lines = [
        "Source-Organization: Plain Sight archive",
        f"External-Identifier: {recording}",
        f"Bagging-Date: {sealed_at[:10]}",
        f"Payload-Oxum: {sum(counted)}.{len(counted)}",
        f"Grade: {GRADE}",
    ]
    return "".join(f"{line}\n" for line in lines).encode("ascii")
