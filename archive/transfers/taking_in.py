"""Taking in a recording that another archive hands over: an evidence package that is addressed to this archive.

It is checked before anything is kept. Then the recording's key is encrypted anew, to this archive and its escrow; the
sealed package is kept byte for byte, as the other archive sealed it; and the rows say what it says. Whatever stops it
in between, it is taken in by the same command again: nothing counts before the rows do.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

from django.utils import timezone

from appliance.contract.encryption import Identity, encrypt
from appliance.contract.errors import DecryptionError, FormatError, SettingsError, SignatureError, StorageError
from appliance.contract.evidence_package import (
    ENCRYPTED_KEY,
    STATEMENT,
    EvidenceStatement,
    sealed_name,
)
from appliance.contract.header import Header
from appliance.contract.keys import KeyRing
from appliance.contract.package import PAYLOAD, TAG_FILES
from appliance.contract.verification import verify_evidence
from appliance.contract.verification.evidence_bag import EvidenceBag, looks_like_evidence, open_bag
from appliance.contract.verification.report import SOUND
from appliance.contract.zip_profile import leading_members, read_member
from archive.custody.actors import Actor
from archive.devices.models import Box
from archive.keystore.current import keystore
from archive.keystore.escrow import escrow_recipient
from archive.keystore.recording_keys import recording_keys
from archive.recordings.models import Recording
from archive.recordings.secrets import secret_of
from archive.recordings.segment_pool import in_processes
from archive.records.evidence import statement_parts
from archive.records.outside_recordings.either import Either, check_either_kept
from archive.records.outside_recordings.models import OutsideRecording
from archive.records.outside_recordings.plain_file import outside_package
from archive.records.outside_recordings.take_over_deeds import read_package
from archive.records.outside_recordings.take_over_deeds import take_over as take_over_brought
from archive.sealing.custody_kinds import TAKE_IN
from archive.sealing.rebuild import take_over
from archive.store.base import BUFFER, package_name
from archive.store.current import store

from .clear_deeds import is_being_cleared
from .known import STATEMENTS
from .models import TakenIn, TakenInDocument

KEPT: Final = ("data/records/", "data/notices/", "data/custody/")
"""Folders of the package that are kept beside the recording. Its key is not: it would open the recording for ever."""
MOST: Final = 64 << 20
"""Most bytes of what is kept beside a recording: scans of signed papers, and the custody entries."""
_LONGEST: Final = TakenInDocument._meta.get_field("name").max_length or 0
"""Most characters of the path of a file that is kept beside a recording."""
_LEADING: Final = (*TAG_FILES, *PAYLOAD)
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Taken:
    """What was taken in."""

    row: TakenIn
    seconds: float
    """Its length; 0 where a file that was brought does not say it."""
    documents: int
    """Files that came with it."""
    already: bool
    """Whether it had been taken in before, so that nothing was changed."""


def take_in(
    file: BinaryIO,
    ring: KeyRing,
    district: str,
    actor: Actor,
    *,
    progress: Progress = lambda *_: None,
    keeping: Callable[[str], None] = lambda _: None,
) -> Taken:
    """Take in the evidence package in `file`, and return what is here then.

    `ring` has the other archive's keys; it must come by another way than the package. `keeping` is told the recording
    before anything of it is kept that was not there. Raises SettingsError that says why it is not taken,
    DestroyedError, StorageError; then no row was changed.
    """
    bag, statement = _addressed(file)
    known = _known(bag, statement)
    if known is not None:
        return known
    _check_not_being_cleared(bag.recording)
    secret = _secret(bag)
    report = verify_evidence(file, ring, secret, progress, in_processes)
    if report.verdict not in SOUND:
        why = report.problem or "; ".join(report.notes) or report.words
        if report.verdict == "not-pinned":
            why = f"the key ring lacks the keys that signed it; ask the other archive for its key ring ({why})"
        raise _refused(f"it is not taken in: {why}")
    sha256 = _digest(file)
    entered: dict[str, str | int] = {
        "evidence_sha256": sha256,
        "archive_key": statement.archive_key,
        "entries": statement.custody_entries,
    }
    made = TakenIn(
        id=statement.recording,
        district=district,
        archive_key=statement.archive_key,
        evidence_sha256=sha256,
        taken_at=timezone.now(),
    )
    checked = _Checked(bag, secret, made, _documents(bag), entered, keeping)
    keep = _keep_brought if report.verdict == "as-brought" else _keep_box_recording
    keep(checked, actor)
    return _taken(TakenIn.objects.get(pk=statement.recording), already=False)


@dataclass(frozen=True)
class _Checked:
    """A package of which everything holds."""

    bag: EvidenceBag
    secret: Identity
    made: TakenIn
    """Its row, not saved."""
    documents: list[tuple[str, bytes]]
    """What is kept beside the recording."""
    entered: dict[str, str | int]
    """What its custody entry says."""
    keeping: Callable[[str], None]
    """Is told the recording before anything of it is kept that was not there."""

    def keep(self, package: str) -> None:
        """Keep key and package, the latter under this name in the store, as far as they are not there."""
        if not recording_keys().exists(self.made.pk) and not store().exists(package):
            self.keeping(self.made.pk)
        _keep_key(self.made.pk, self.secret)
        _keep_package(self.bag, package)

    def keep_beside(self) -> None:
        """Save the row with its documents, in the deed that saves the recording's."""
        _check_not_being_cleared(self.made.pk)
        self.made.save(force_insert=True)
        TakenInDocument.objects.bulk_create(
            TakenInDocument(taken_in=self.made, name=name, data=data) for name, data in self.documents
        )


def _keep_box_recording(checked: _Checked, actor: Actor) -> None:
    header, made = _header(checked.bag), checked.made
    if checked.secret.recipient != header.recipient:
        raise _refused("its key is not this recording's; ask the other archive for a new package")
    checked.keep(package_name(made.pk))

    def beside(row: Recording) -> None:
        # nothing is taken from a box that is another district's
        Box.objects.get_or_create(pk=header.box, defaults={"elsewhere": True, "retired_at": timezone.now()})
        made.recording, made.box_key = row, header.box_key
        checked.keep_beside()

    take_over(made.pk, TAKE_IN, actor, beside=beside, **checked.entered)


def _keep_brought(checked: _Checked, actor: Actor) -> None:
    made = checked.made
    with checked.bag.open(sealed_name(made.pk)) as package:
        found = read_package(package, checked.secret, made.district)
    checked.keep(outside_package(made.pk))

    def beside(row: OutsideRecording) -> None:
        made.outside = row
        checked.keep_beside()

    take_over_brought(found, actor, beside, **checked.entered)


def _check_not_being_cleared(recording: str) -> None:
    if is_being_cleared(recording):
        raise StorageError(f"what a run that failed kept of {recording} is being removed; try again in ten minutes")


def _refused(why: str) -> SettingsError:
    return SettingsError(why, field="PACKAGE")


def _addressed(file: BinaryIO) -> tuple[EvidenceBag, EvidenceStatement]:
    """Return the package and what its archive says of it; raise SettingsError unless it is for this archive."""
    if not looks_like_evidence(file):
        raise _refused(
            "it is no evidence package; ask the other archive for a transfer, which its page 'Disclosures' makes"
        )
    try:
        bag = open_bag(file)
        statement = EvidenceStatement.read(bag.read(STATEMENT), None)
    except (FormatError, SignatureError) as error:
        raise _refused(f"it is damaged: {error.message}; ask for it again") from error
    ours = keystore().recipient
    if statement.purpose != "transfer":
        raise _refused(
            f"it is a copy for people; ask the other archive for a transfer, and give it the recipient {ours}"
        )
    if ENCRYPTED_KEY not in bag.members:
        raise _refused(f"it has no {ENCRYPTED_KEY}, so nobody here could listen; ask for it again")
    return bag, statement


def _secret(bag: EvidenceBag) -> Identity:
    try:
        return keystore().decrypt_secret(bag.read(ENCRYPTED_KEY))
    except DecryptionError as error:
        ours = keystore().recipient
        raise _refused(
            f"it is addressed to another archive; ask for a transfer, and give the other archive the recipient {ours}"
        ) from error


def _known(bag: EvidenceBag, statement: EvidenceStatement) -> Taken | None:
    """Return what was taken in before of the same recording; raise SettingsError for one that is here otherwise."""
    if statement.recording != bag.recording:
        raise _refused(f"it is damaged: {STATEMENT} is of recording {statement.recording}; ask for it again")
    brought = OutsideRecording.objects.filter(pk=bag.recording).first()
    row: Either | None = brought or Recording.objects.filter(pk=bag.recording).first()
    if row is None:
        return None
    check_either_kept(row)
    before = TakenIn.objects.filter(pk=row.pk).first()
    if before is None:
        raise _refused(
            f"recording {row.pk} was made by a box of this archive and is here already"
            if brought is None
            else f"recording {row.pk} was brought to this archive and is here already"
        )
    with bag.open(sealed_name(row.pk)) as package:
        sha256 = hashlib.file_digest(package, "sha256").hexdigest()  # type: ignore[arg-type]  # it has readinto
    if sha256 != row.package_sha256:
        raise _refused(f"recording {row.pk} was taken in before, as another package, which stays as it is")
    return _taken(before, already=True)


def _taken(row: TakenIn, *, already: bool) -> Taken:
    return Taken(row, row.about.seconds or 0.0, row.documents.count(), already)


def _header(bag: EvidenceBag) -> Header:
    with bag.open(sealed_name(bag.recording)) as package:
        members = leading_members(package, len(_LEADING))
        return Header.read(read_member(package, dict(zip(_LEADING, members, strict=True))["data/header.tsv"]), None)


def _documents(bag: EvidenceBag) -> list[tuple[str, bytes]]:
    names = [STATEMENT, *(name for name in bag.payload() if name.startswith(KEPT))]
    size = sum(bag.members[name][1] for name in names)
    if size > MOST:
        raise _refused(f"the documents beside the recording have {size} bytes; this archive keeps at most {MOST}")
    if max(map(len, names)) > _LONGEST:
        raise _refused(f"a file beside the recording has a path of more than {_LONGEST} characters")
    found = [(name, bag.read(name)) for name in names]
    for name, data in found:
        if name == STATEMENTS + statement_parts.NAME:
            try:
                statement_parts.read(data)
            except FormatError as error:
                raise _refused(f"nobody can tell which statement belongs to which part: {error.message}") from error
    return found


def _digest(file: BinaryIO) -> str:
    file.seek(0)
    return hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]  # an open file has readinto


def _keep_key(recording: str, secret: Identity) -> None:
    """Keep the key, encrypted anew; one that a run before this left is kept if it is the same key."""
    if recording_keys().exists(recording):
        if secret_of(recording).secret_line() != secret.secret_line():
            raise _refused(f"the key store has another key of recording {recording}; look at it first ('audit')")
        return
    recording_keys().put_once(recording, encrypt(secret.secret_line(), [keystore().recipient, escrow_recipient()]))


def _keep_package(bag: EvidenceBag, name: str) -> None:
    draft = store().draft(name)
    try:
        for piece in _pieces(bag):
            draft.write(piece)
        draft.publish()
    finally:
        draft.discard()


def _pieces(bag: EvidenceBag) -> Iterator[bytes]:
    with bag.open(sealed_name(bag.recording)) as package:
        yield from iter(lambda: package.read(BUFFER), b"")
