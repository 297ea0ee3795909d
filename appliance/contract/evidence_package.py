"""The evidence package: one BagIt bag (RFC 8493) in a ZIP with all that there is about a recording (format.md 10).

It is written while it is sent, so what names its members comes behind them: the manifests, and the line that the
archive signs over them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Annotated, Final, Literal

from pydantic import Field, StringConstraints

from .ids import MAX_COUNT, Digest, RecordingId
from .keys import PublicKey
from .package import BAGIT
from .signed import SignedModel, digest
from .times import WallTime
from .zip_stream import ZipStream

STATEMENT: Final = "evidence.tsv"
"""The archive's signed line about the package."""
ALGORITHMS: Final = ("sha256", "sha512")
"""Of its manifests, as BagIt names them."""
TAGS: Final = ("bagit.txt", STATEMENT, "bag-info.txt", *(f"manifest-{one}.txt" for one in ALGORITHMS))
"""Tag files that the tag manifests name, in the ZIP's order."""
TAG_MANIFESTS: Final = tuple(f"tagmanifest-{one}.txt" for one in ALGORITHMS)
KEY: Final = "data/recording/key.txt"
"""Of a copy: the recording's secret, so that whoever has the package can hold its audio against the sealed one."""
ENCRYPTED_KEY: Final = "data/recording/key.age"
"""Of a transfer: the same, encrypted to the archive that takes it in."""
HEAD: Final = "data/custody/head.tsv"
ENTRIES: Final = "data/custody/entries.jsonl"


def root_folder(recording: str) -> str:
    """Return the folder that all of it lies in."""
    return f"evidence-{recording}"


def sealed_name(recording: str) -> str:
    """Return the place of the sealed package, byte for byte as it was sealed."""
    return f"data/recording/{recording}.zip"


def audio_name(recording: str) -> str:
    """Return the place of the audio that anybody can play."""
    return f"data/recording/{recording}.flac"


def brought_name(recording: str, suffix: str) -> str:
    """Return the place of the file that was brought, of a recording that no box made; `suffix` is its kind's."""
    return f"data/recording/{recording}-not-made-by-a-box.{suffix}"


class EvidenceStatement(SignedModel):
    """The archive made exactly this package (docs/format.md section 10.2)."""

    type: Literal["plainsight/evidence/1"] = "plainsight/evidence/1"
    recording: RecordingId
    archive_key: PublicKey
    purpose: Literal["copy", "transfer"]
    """`transfer`: for another archive, which alone can open its key."""
    recipient: Annotated[str, StringConstraints(pattern=r"^(age1[a-z0-9]{58})?$")]
    """Of a transfer, the other archive's age recipient; otherwise empty."""
    custody_entries: Annotated[int, Field(ge=0, le=MAX_COUNT)]
    """How many entries about this recording the log had when its head was signed: all of them are in the package."""
    manifest_sha256: Digest
    """Digest of `manifest-sha256.txt`."""
    made_at: WallTime


class EvidenceWriter:
    """Writes a package. Each method yields bytes of the file, in order; a member is in memory only piece by piece."""

    def __init__(self, recording: str, made_at: datetime) -> None:
        """Begin the package of `recording`."""
        self._recording, self._made_at = recording, made_at
        self._zip = ZipStream(made_at)
        self._lines: dict[str, list[str]] = {algorithm: [] for algorithm in ALGORITHMS}
        self._bytes = 0

    def begin(self) -> bytes:
        """Return the first bytes: the declaration that this is a bag."""
        return self._tag("bagit.txt", BAGIT)

    def add(self, name: str, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """Add a file of the payload, whose place in the bag begins with `data/`."""
        hashes = [hashlib.new(algorithm) for algorithm in ALGORITHMS]

        def seen() -> Iterator[bytes]:
            for piece in pieces:
                self._bytes += len(piece)
                for one in hashes:
                    one.update(piece)
                yield piece

        yield from self._zip.large(f"{root_folder(self._recording)}/{name}", seen())
        for lines, one in zip(self._lines.values(), hashes, strict=True):
            lines.append(f"{one.hexdigest()}  {name}\n")

    def finish(self, sign: Callable[[str], bytes]) -> Iterator[bytes]:
        """Write the tag files and the directory; `sign` gets the digest of manifest-sha256.txt, returns the line."""
        manifests = {f"manifest-{one}.txt": "".join(lines).encode("ascii") for one, lines in self._lines.items()}
        count = len(self._lines[ALGORITHMS[0]])
        info = (
            "Source-Organization: Plain Sight archive\n"
            f"External-Identifier: {self._recording}\n"
            f"Bagging-Date: {self._made_at:%Y-%m-%d}\n"
            f"Payload-Oxum: {self._bytes}.{count}\n"
            "External-Description: Evidence package of a recording; begin with data/summary.html\n"
        ).encode("ascii")
        tags = {STATEMENT: sign(digest(manifests["manifest-sha256.txt"])), "bag-info.txt": info, **manifests}
        for name, data in tags.items():
            yield self._tag(name, data)
        for algorithm, name in zip(ALGORITHMS, TAG_MANIFESTS, strict=True):
            named = [
                (hashlib.new(algorithm, data).hexdigest(), tag) for tag, data in {"bagit.txt": BAGIT, **tags}.items()
            ]
            yield self._tag(name, "".join(f"{found}  {tag}\n" for found, tag in named).encode("ascii"))
        yield self._zip.end()

    def _tag(self, name: str, data: bytes) -> bytes:
        return self._zip.small(f"{root_folder(self._recording)}/{name}", data)
