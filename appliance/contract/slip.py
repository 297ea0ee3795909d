"""The slip that a parent takes along: one digest, written so that a person can type it (docs/format.md section 5.7).

Sealed, it is the digest of the package's manifest, which names every byte of the recording. Before the seal it is that
of the last ledger line that the archive has: everything that the box signed up to that line hangs on it.
"""

from __future__ import annotations

import re
from typing import BinaryIO, Final

from .errors import DigestError, SettingsError
from .package import PAYLOAD, TAG_FILES
from .signed import digest, split_lines
from .zip_profile import leading_members, read_member

_GROUP: Final = 4
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")


def written(sha256: str) -> str:
    """Return a digest as the slip shows it: sixteen groups of four digits."""
    return " ".join(sha256[at : at + _GROUP] for at in range(0, len(sha256), _GROUP))


def read(text: str) -> str:
    """Return the digest that a person typed, with or without its spaces; raise SettingsError."""
    found = "".join(text.split()).replace("-", "").lower()
    if not _DIGEST.fullmatch(found):
        raise SettingsError("the slip has 64 digits from 0 to 9 and a to f, in groups of four", field="--slip")
    return found


def hold_against(file: BinaryIO, sha256: str) -> str:
    """Return in words what of a package the slip's digest names; raise DigestError where it names nothing of it."""
    members = {one.name.partition("/")[2]: one for one in leading_members(file, len(TAG_FILES) + len(PAYLOAD))}
    if digest(read_member(file, members["manifest-sha256.txt"])) == sha256:
        return "the slip names this very recording, every byte of it"
    for number, line in enumerate(split_lines(read_member(file, members["data/ledger.tsv"]))):
        if digest(line) == sha256:
            return (
                f"the slip names this recording as far as the box had signed it then: up to line {number} of its ledger"
            )
    raise DigestError(
        "the slip names other bytes: this is not the recording that the slip was printed for, or it was changed since"
    )
