"""Checking an evidence package: the bag, the archive's signature over it, the sealed package in it, audio, custody."""

from __future__ import annotations

import hashlib
from functools import partial
from typing import BinaryIO, Final

import soundfile
from pydantic import ValidationError

from appliance.contract.custody import CustodyHead, CustodyProof
from appliance.contract.encryption import Identity
from appliance.contract.errors import (
    DigestError,
    FormatError,
    KeyFileError,
    OrderError,
    PlainSightError,
    SignatureError,
    StorageError,
)
from appliance.contract.evidence_package import (
    ENTRIES,
    HEAD,
    KEY,
    STATEMENT,
    EvidenceStatement,
    audio_name,
    brought_name,
    sealed_name,
)
from appliance.contract.keys import KeyRing
from appliance.contract.problems import explain
from appliance.contract.signed import digest

from .audio import Spread
from .evidence_bag import EvidenceBag, check_manifests, check_payload, open_bag
from .outside import looks_like_outside, verify_outside
from .report import SOUND, Report, Verdict, printable
from .verify import Progress, verify

_MAX_LINE: Final = 1 << 16
"""Longest line of the custody entries, in bytes."""
_BLOCK: Final = 1 << 16
"""Frames of the audio that are decoded at once."""


def verify_evidence(
    file: BinaryIO,
    key_ring: KeyRing | None,
    identity: Identity | None = None,
    progress: Progress = lambda _what, _done, _of: None,
    spread: Spread = map,
) -> Report:
    """Check an evidence package and return what was found, as `verify` does for the sealed one.

    `identity` is the recording's own; a copy holds it, and of a transfer only the archive that it is for has it.
    """
    checks: list[str] = []
    notes: list[str] = []
    recording = ""
    try:
        bag = open_bag(file)
        recording = bag.recording
        checks.append(check_manifests(bag))
        statement, pinned = _statement(bag, key_ring)
        who = "the pinned archive key" if pinned else "some archive key"
        checks.append(f"{who} signed the manifest of the evidence package on {statement.made_at}")
        check_payload(bag, partial(progress, "digests"))
        checks.append("each of its files has the digests that the manifests name")
        with bag.open(sealed_name(recording)) as package:
            brought = looks_like_outside(package)
        checks.append(_custody(bag, statement, "outside" if brought else "recording"))
        inner = _sealed(bag, key_ring, identity or _own_key(bag, statement), progress, spread)
        checks += [f"sealed package: {one}" for one in inner.checks]
        notes += inner.notes
        if inner.problem:
            # what does not hold inside does not hold outside
            return Report(inner.verdict, recording, tuple(checks), f"sealed package: {inner.problem}", tuple(notes))
        if audio_name(recording) in bag.members:
            checks.append(_audio(bag, inner))
        checks += _file(bag, inner)
        notes += _not_checked(bag, statement, pinned=pinned, ring=key_ring)
    except StorageError:
        raise  # what cannot be read is not thereby wrong
    except PlainSightError as error:
        return Report("tampered", recording, tuple(checks), printable(error.message), tuple(notes))
    verdict: Verdict = inner.verdict if pinned or inner.verdict not in SOUND else "not-pinned"
    return Report(verdict, recording, tuple(checks), "", tuple(notes), inner.audio_md5, inner.file_sha256)


def _statement(bag: EvidenceBag, key_ring: KeyRing | None) -> tuple[EvidenceStatement, bool]:
    """Return what the archive signed, and whether the key ring has the key that signed it."""
    line = bag.read(STATEMENT)
    try:
        statement = EvidenceStatement.read(line, EvidenceStatement.read(line, None).archive_key)
    except (FormatError, SignatureError) as error:
        raise type(error)(f"{STATEMENT}: {error.message}") from error
    if statement.recording != bag.recording:
        raise FormatError(f"{STATEMENT}: it is of recording {statement.recording}")
    if statement.manifest_sha256 != digest(bag.read("manifest-sha256.txt")):
        raise DigestError("manifest-sha256.txt is not the one that the archive signed")
    if bool(statement.recipient) != (statement.purpose == "transfer"):
        raise FormatError(f"{STATEMENT}: a transfer, and it alone, names whom it is for")
    pinned = key_ring is not None and bool(key_ring.archives)
    if key_ring is not None and pinned and statement.archive_key not in key_ring.archives:
        raise SignatureError(f"{STATEMENT}: the key ring does not have the archive key that signed here")
    return statement, pinned


def _custody(bag: EvidenceBag, statement: EvidenceStatement, kind: str) -> str:
    """Check that each entry is in the log whose head the archive signed; return what was checked.

    `kind` is how the log calls what they are about.
    """
    try:
        head = CustodyHead.read(bag.read(HEAD), statement.archive_key)
    except (FormatError, SignatureError) as error:
        raise type(error)(f"{HEAD}: {error.message}") from error
    count, last = 0, -1
    with bag.open(ENTRIES) as lines:
        for line in iter(lambda: lines.readline(_MAX_LINE), b""):
            place = f"{ENTRIES} line {count}"
            try:
                proof = CustodyProof.model_validate_json(line)
            except ValidationError as error:
                raise FormatError(f"{place}: {explain(error)}") from error
            if proof.n <= last or proof.subject != (kind, bag.recording):
                raise OrderError(f"{place}: it is out of order, or about something else")
            proof.require(head)
            count, last = count + 1, proof.n
    if count != statement.custody_entries:
        raise OrderError(f"{ENTRIES}: {count} entries are here, and the archive signed {statement.custody_entries}")
    return f"{count} custody entries are in the log of {head.entries} whose end the archive signed"


def _own_key(bag: EvidenceBag, statement: EvidenceStatement) -> Identity | None:
    """Return the recording's identity, where the package carries it."""
    if statement.purpose != "copy" or KEY not in bag.members:
        return None
    try:
        return Identity.parse(bag.read(KEY).decode("ascii"))
    except (KeyFileError, UnicodeDecodeError) as error:
        raise FormatError(f"{KEY} is no key") from error


def _sealed(
    bag: EvidenceBag, key_ring: KeyRing | None, identity: Identity | None, progress: Progress, spread: Spread
) -> Report:
    name = sealed_name(bag.recording)
    with bag.open(name) as package:
        if looks_like_outside(package):
            report = verify_outside(package, key_ring, identity, progress)
        else:
            report = verify(package, key_ring, identity, progress, spread)
    if report.recording != bag.recording:
        raise FormatError(f"{name}: it is not the sealed package of this recording")
    return report


def _audio(bag: EvidenceBag, inner: Report) -> str:
    """Check that what anybody can play is what was sealed; return what was checked."""
    name, md5 = audio_name(bag.recording), hashlib.md5(usedforsecurity=False)
    if not inner.audio_md5:
        raise FormatError(f"{name} is here without the key that would show whether it is what was sealed")
    try:
        with bag.open(name) as member, soundfile.SoundFile(member) as audio:
            for block in audio.blocks(_BLOCK, dtype="int16"):
                md5.update(block.astype("<i2").tobytes())
    except (soundfile.SoundFileError, ValueError) as error:
        raise FormatError(f"{name} is not a FLAC file: {error}") from error
    if md5.hexdigest() != inner.audio_md5:
        raise DigestError(f"{name} is not the audio that was sealed")
    return "the FLAC file holds exactly the samples that were sealed"


def _file(bag: EvidenceBag, inner: Report) -> list[str]:
    """Check that a file that was brought is what was sealed; return what was checked."""
    begin = brought_name(bag.recording, "")
    found = [name for name in bag.payload() if name.startswith(begin)]
    for name in found:
        if not inner.file_sha256:
            raise FormatError(f"{name} is here without the key that would show whether it is what was sealed")
        if bag.manifests["sha256"][name] != inner.file_sha256:
            raise DigestError(f"{name} is not the file that was sealed")
    return ["the file beside the sealed package is the one that was brought, byte for byte"] if found else []


def _not_checked(bag: EvidenceBag, statement: EvidenceStatement, *, pinned: bool, ring: KeyRing | None) -> list[str]:
    words = (
        "not checked: what the summary, the filing, statements, consents and receipts say of people is the archive's "
        "own word; its signature says that it has not changed since"
    )
    notes = [
        words,
        "not checked: that the archive's log has no further entry about this recording; its signature says how many",
    ]
    if statement.purpose == "transfer":
        notes.append(f"it is a transfer: its key opens for the holder of {statement.recipient} alone")
    elif not any(name.startswith((audio_name(bag.recording), brought_name(bag.recording, ""))) for name in bag.members):
        notes.append("it holds no audio file that anybody can play; the summary says why")
    if ring is not None and not pinned:
        notes.append("the key ring has no archive key: who made the evidence package is open")
    return notes
