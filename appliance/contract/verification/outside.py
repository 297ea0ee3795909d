"""Checking the sealed package of a recording that no box made (docs/format.md section 5.6).

It can show that the file is the one that was brought, and nothing about the time before.
"""

from __future__ import annotations

import hashlib
import re
from typing import BinaryIO, Final

from appliance.contract.encryption import Identity
from appliance.contract.errors import (
    DecryptionError,
    DigestError,
    FormatError,
    PlainSightError,
    SignatureError,
    StorageError,
)
from appliance.contract.keys import KeyRing
from appliance.contract.outside_package import (
    GRADE,
    PIECE,
    STATEMENT,
    OutsideReceipt,
    outside_info,
    piece_name,
    pieces,
)
from appliance.contract.package import BAGIT, TAG_FILES, manifest, tag_manifest
from appliance.contract.signed import digest
from appliance.contract.zip_profile import read_members

from .bag import Bag, check_names
from .report import Report, Verdict, printable
from .verify import Progress

_HEAD: Final = 4096
"""Bytes within which `bag-info.txt` ends."""
NOBODY: Final = (
    "no box made it: what it is a recording of, whether it is whole, and what was done with it before it was brought, "
    "only the people named in its statement can say"
)


def looks_like_outside(file: BinaryIO) -> bool:
    """Tell whether a file is the sealed package of a recording that no box made, be it a damaged one."""
    file.seek(0)
    head = file.read(_HEAD)
    file.seek(0)
    return f"\nGrade: {GRADE}\n".encode("ascii") in head


def verify_outside(
    file: BinaryIO,
    key_ring: KeyRing | None,
    identity: Identity | None = None,
    progress: Progress = lambda _what, _done, _of: None,
) -> Report:
    """Check such a package and return what was found, as `verify` does for a box's; the best verdict is `as-brought`.

    With the recording's `identity` the file itself is opened as well.
    """
    checks: list[str] = []
    notes = [NOBODY]
    recording, opened = "", ""
    try:
        bag = _bag(file)
        recording = bag.recording
        checks.append(f"every byte of the ZIP around its {len(bag.members)} members is what the format demands")
        receipt, pinned = _receipt(bag, key_ring)
        who = "the pinned archive key" if pinned else "some archive key"
        checks.append(f"the receipt is signed by {who}; it sealed the file on {receipt.sealed_at}")
        if identity is not None and not _fits(bag, identity):
            # a key that does not fit is told only of a package that holds
            _read(bag, receipt, None, progress)
            _tags(bag, receipt)
            problem = "the key does not open this recording"
            return Report("wrong-key", recording, tuple(checks), problem, tuple(notes))
        opened = _read(bag, receipt, identity, progress)
        checks.append(_tags(bag, receipt))
        if opened:
            checks.append(f"the {receipt.size} bytes of the {receipt.media_type} file are those that were brought")
        else:
            notes.append("the file itself was not opened; give its key to check that as well")
        if not pinned:
            notes.append("no key ring with an archive's key was given: who sealed it is open")
    except StorageError:
        raise  # what cannot be read is not thereby wrong
    except PlainSightError as error:
        return Report("tampered", recording, tuple(checks), printable(error.message), tuple(notes))
    verdict: Verdict = "as-brought" if pinned else "not-pinned"
    return Report(verdict, recording, tuple(checks), "", tuple(notes), file_sha256=opened)


def receipt_of(bag: Bag) -> OutsideReceipt:
    """Return the receipt, signed by the key that it names; raise FormatError or SignatureError."""
    line = bag.read("receipt.tsv")
    try:
        receipt = OutsideReceipt.read(line, OutsideReceipt.read(line, None).archive_key)
    except (FormatError, SignatureError) as error:
        raise type(error)(f"receipt.tsv: {error.message}") from error
    if receipt.recording != bag.recording:
        raise FormatError(f"receipt.tsv: it belongs to recording {receipt.recording}")
    return receipt


def open_outside(file: BinaryIO) -> tuple[Bag, OutsideReceipt]:
    """Return the bag of a package that was checked, and its receipt."""
    bag = _bag(file)
    return bag, receipt_of(bag)


def _bag(file: BinaryIO) -> Bag:
    members = read_members(file)
    recording, _, first = members[0].name.partition("/")
    if first != TAG_FILES[0] or not re.fullmatch("[0-9a-f]{32}", recording):
        raise FormatError(f"byte 0: {members[0].name} is not RECORDING/{TAG_FILES[0]}, the first member")
    bag = Bag(file, recording, {member.name: member for member in members})
    if len(bag.members) != len(members):
        raise FormatError("byte 0: two members have the same name")
    return bag


def _receipt(bag: Bag, key_ring: KeyRing | None) -> tuple[OutsideReceipt, bool]:
    receipt = receipt_of(bag)
    check_names(bag, [*TAG_FILES, STATEMENT, *(piece_name(number) for number in range(pieces(receipt.size)))])
    pinned = key_ring is not None and bool(key_ring.archives)
    if key_ring is not None and pinned and receipt.archive_key not in key_ring.archives:
        raise SignatureError("receipt.tsv: the key ring does not have the archive key that signed here")
    return receipt, pinned


def _fits(bag: Bag, identity: Identity) -> bool:
    try:
        identity.decrypt(bag.read(STATEMENT))
    except DecryptionError:
        return False
    return True


def _read(bag: Bag, receipt: OutsideReceipt, identity: Identity | None, progress: Progress) -> str:
    """Read each member, and with `identity` the file that the pieces are; return its digest, or nothing."""
    bag.read(STATEMENT)
    whole, count, size = hashlib.sha256(), pieces(receipt.size), 0
    for number in range(count):
        progress("pieces", number, count)
        data = bag.read(piece_name(number))
        if identity is None:
            continue
        plain = identity.decrypt(data)
        if len(plain) != min(PIECE, receipt.size - size):
            raise DigestError(
                f"{piece_name(number)}: it has {len(plain)} bytes of the file, and not as many as it must"
            )
        size += len(plain)
        whole.update(plain)
    if identity is None:
        return ""
    if whole.hexdigest() != receipt.sha256:
        raise DigestError("the pieces are not the file that the receipt names")
    return receipt.sha256


def _tags(bag: Bag, receipt: OutsideReceipt) -> str:
    payload = [name for name in bag.names() if name.startswith("data/")]
    listed = manifest((name, bag.digests[name]) for name in payload)
    info = outside_info(bag.recording, receipt.sealed_at, [bag.size(name) for name in payload])
    line = bag.read("receipt.tsv")
    expected = dict(zip(TAG_FILES, (BAGIT, info, listed, tag_manifest(info, listed, line), line), strict=True))
    for name, data in expected.items():
        if bag.read(name) != data:
            raise FormatError(f"{name} is not what the payload makes it")
    if receipt.manifest_sha256 != digest(listed):
        raise FormatError("manifest-sha256.txt is not the one that the receipt names")
    return f"the BagIt manifests name each of the {len(payload)} payload files with its digest"
