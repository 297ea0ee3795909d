"""Comparing store, keys and database: what a restored database, a lost disk or a hand in the store leaves behind."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from django.conf import settings
from django.utils import timezone

from appliance.contract.errors import PlainSightError
from appliance.contract.stop_signal import StopSignal
from archive.custody.actors import ARCHIVE, Actor
from archive.keystore.recording_keys import owned_elsewhere, recording_keys
from archive.recordings.bucket_locks import OutOfLine, bring_in_line, chosen_bucket, out_of_line, packages_of
from archive.recordings.elsewhere import Elsewhere, KeptElsewhere, kinds_elsewhere
from archive.recordings.models import BucketLock, Recording, State
from archive.recordings.removal import destroyed_elsewhere, remove_destroyed
from archive.store.base import DERIVATIVES, PACKAGES, derivatives_folder, package_name
from archive.store.current import s3, store

from .custody_kinds import REBUILD
from .rebuild import rebuild

AUDIT_S = 24 * 3600.0
"""How often the worker compares, in seconds."""
_log = logging.getLogger(__name__)


class Code(StrEnum):
    """What can be found."""

    NO_ROW = "no-row"
    """A sealed package of which the database knows nothing: the database is older, or another archive's."""
    NOT_SEALED_ROW = "row-not-sealed"
    """A sealed package of a recording that the database calls unsealed: the database is older."""
    NO_PACKAGE = "no-package"
    """A sealed recording whose package is gone."""
    OTHER_SIZE = "other-size"
    """A package that does not have the size that it had when it was sealed."""
    NO_KEY = "no-key"
    """A recording whose key arrived and is gone: nobody can hear it."""
    UNKNOWN_KEY = "unknown-key"
    """A key of which the database knows no recording."""
    UNKNOWN_ARRIVAL = "unknown-arrival"
    """Segments that arrived for a recording that the database does not know."""
    LEFT = "left"
    """Key, package or derivative of a recording that was destroyed: a backup brought it back, or a crash."""
    MISPLACED = "misplaced"
    """Something in a folder of packages that has no package's name."""
    UNKNOWN_PACKAGE = "unknown-package"
    """A package of a recording that no box made, of which the database knows nothing."""
    NOT_HELD = "not-held-in-store"
    """A recording on hold whose package has no legal hold in the bucket yet."""
    STILL_HELD = "still-held-in-store"
    """A package that the bucket keeps under a legal hold although the last hold has ended."""
    UNKNOWN_HOLD = "unknown-hold"
    """A package under a legal hold of which the database knows nothing."""
    LOCK_ENDED = "lock-ended"
    """A package whose lock in the bucket has ended although its recording must stay."""


WORDS = {
    Code.NO_ROW: "the database does not know this sealed package; 'audit --repair' makes its row from the package",
    Code.NOT_SEALED_ROW: "it is sealed, but the database is older than that; 'audit --repair' makes the row anew",
    Code.NO_PACKAGE: "its package is gone from the store; restore it from a copy",
    Code.OTHER_SIZE: "its package does not have the size that was sealed; restore it from a copy",
    Code.NO_KEY: "its key is gone; unless it was destroyed on purpose, restore it from a copy",
    Code.UNKNOWN_KEY: "there is a key, but no recording in the database; restore a newer database, or wait for its box",
    Code.UNKNOWN_ARRIVAL: "parts arrived of a recording that the database does not know; its box will send it again",
    Code.LEFT: "it was destroyed or given up, and its key, package or a copy is back; 'audit --repair' removes it",
    Code.MISPLACED: "this is no package's place; move it away",
    Code.UNKNOWN_PACKAGE: (
        "the database knows nothing of this package of a recording that no box made; restore a newer database, since "
        "what was said about it stands there"
    ),
    Code.NOT_HELD: "it is on hold, and its package has no legal hold in the bucket yet; 'audit --repair' sets it",
    Code.STILL_HELD: "its last hold has ended, and the bucket still has a legal hold; 'audit --repair' lifts it",
    Code.UNKNOWN_HOLD: (
        "the bucket keeps its package under a legal hold, and the database never knew of one; restore a newer "
        "database, or ask who set it there; the archive does not lift it"
    ),
    Code.LOCK_ENDED: "it must stay, and the lock of its package has ended; 'audit --repair' renews it",
}
ELSEWHERE_WORDS = {
    Code.NO_PACKAGE: (
        "no box made it, and its package is gone from the store; restore it from a copy, since no box sends it again"
    ),
    Code.OTHER_SIZE: "no box made it, and its package does not have the size that was sealed; restore it from a copy",
    Code.NO_KEY: "no box made it, and its key is gone; restore it from a copy, or nobody hears it again",
}
"""What is said of a recording that no box made."""
IN_THE_BUCKET = {Code.NOT_HELD, Code.STILL_HELD, Code.LOCK_ENDED}
REPAIRABLE = {Code.NO_ROW, Code.NOT_SEALED_ROW, Code.LEFT, *IN_THE_BUCKET}
MENDED = {
    Code.NO_ROW: "its row was made again",
    Code.NOT_SEALED_ROW: "its row was made again",
    Code.LEFT: "it was destroyed, and what was here of it again was removed",
    Code.NOT_HELD: "its package is under a legal hold now",
    Code.STILL_HELD: "the legal hold of its package was lifted",
    Code.LOCK_ENDED: "the lock of its package was renewed",
}
"""What is said where a finding was repaired."""
_LEFT_ALONE: Final = "it is another way since it was found, and nothing was done in the bucket; run the audit again"


@dataclass(frozen=True)
class Finding:
    """Something that does not fit."""

    code: Code
    recording: str
    """The recording, or the name in the store where it is none's."""
    message: str
    """What it means and what to do."""

    def as_json(self) -> dict[str, str]:
        """Return it for scripts."""
        return {name: str(value) for name, value in asdict(self).items()}


def audit() -> Iterator[Finding]:
    """Compare, and yield what does not fit. Looks at names and sizes only; `verify` looks inside.

    A bucket is asked for its list, and for no package that fits: one request each would take an hour for 100,000.

    Reading all names takes a while, and recordings arrive and are sealed meanwhile: what does not fit is looked at
    again by itself before it is told.
    """
    packages: dict[str, int] = {}
    for name, size in store().sizes(PACKAGES):
        recording = name.rpartition("/")[2].removesuffix(".zip")
        if name == package_name(recording):
            packages[recording] = size
        else:
            yield Finding(Code.MISPLACED, name, WORDS[Code.MISPLACED])
    # each lies in a folder that its recording has a name of
    derivatives = {name.split("/")[-2] for name in store().names(DERIVATIVES)}
    present = _Present(packages, set(recording_keys().recordings()), set(store().incoming()), derivatives)
    for recording in _suspects(present):
        package = package_name(recording)
        now = _Present(
            {recording: store().size(package)} if store().exists(package) else {},
            {recording} if recording_keys().exists(recording) else set(),
            {recording} & set(store().incoming()) if recording in present.arrivals else set(),
            {recording} if any(True for _ in store().names(derivatives_folder(recording))) else set(),
        )
        row = Recording.objects.filter(pk=recording).values_list(*_COLUMNS).first()
        for code in _codes(recording, row, now):
            yield Finding(code, recording, WORDS[code])
    kept = [(kind, dict(store().sizes(kind.folder))) for kind in kinds_elsewhere()]
    listed = {name for _, sizes in kept for name in sizes}
    for recording, package in sorted(destroyed_elsewhere().items()):
        if recording_keys().exists(recording) or (package in listed and store().exists(package)):
            yield Finding(Code.LEFT, recording, WORDS[Code.LEFT])
    for kind, sizes in kept:
        yield from _audit_elsewhere(kind, sizes)
    yield from _audit_locks(out_of_line())


def _audit_locks(seen: OutOfLine) -> Iterator[Finding]:
    told = {
        Code.NOT_HELD: seen.not_held,
        Code.STILL_HELD: seen.still_held,
        Code.UNKNOWN_HOLD: seen.unknown_hold,
        Code.LOCK_ENDED: seen.ended,
    }
    for code, recordings in told.items():
        for recording in sorted(recordings):
            yield Finding(code, recording, WORDS[code])


def _audit_elsewhere(kind: Elsewhere, sizes: dict[str, int]) -> Iterator[Finding]:
    first = [(row.recording, _codes_elsewhere(row, sizes.get(kind.package(row.recording)))) for row in kind.rows()]
    suspects = {recording for recording, codes in first if any(codes)}
    # the rows anew: what is destroyed while names and sizes are read does not count as gone
    rows = list(kind.rows())
    for row in rows:
        if row.recording in suspects:
            package = kind.package(row.recording)
            for code in _codes_elsewhere(row, store().size(package) if store().exists(package) else None):
                yield Finding(code, row.recording, ELSEWHERE_WORDS[code])
    known = {row.recording for row in rows} | set(destroyed_elsewhere())
    for name in sizes:
        recording = name.rpartition("/")[2].removesuffix(".zip")
        if name != kind.package(recording):
            yield Finding(Code.MISPLACED, name, WORDS[Code.MISPLACED])
        elif recording not in known and store().exists(name):
            yield Finding(Code.UNKNOWN_PACKAGE, recording, WORDS[Code.UNKNOWN_PACKAGE])


def _codes_elsewhere(row: KeptElsewhere, there: int | None) -> Iterator[Code]:
    """Yield what does not fit of one whose package has the size `there` in the store, None if it is not there."""
    if row.sealed:
        if there is None:
            yield Code.NO_PACKAGE
        elif there != row.package_size:
            yield Code.OTHER_SIZE
    if row.key_arrived and not recording_keys().exists(row.recording):
        yield Code.NO_KEY


@dataclass(frozen=True)
class _Present:
    """The recordings of which something is here."""

    packages: dict[str, int]
    """Each with its size in bytes."""
    keys: set[str]
    arrivals: set[str]
    derivatives: set[str]


_COLUMNS: Final = ("state", "package_size", "key_arrived", "destroyed_at")
_Row = tuple[str, int, bool, datetime | None]


def _suspects(present: _Present) -> Iterator[str]:
    """Yield what does not fit at a first look: the names were read before the rows."""
    known = owned_elsewhere()
    for recording, *row in Recording.objects.values_list("pk", *_COLUMNS).iterator(chunk_size=5000):
        known.add(recording)
        if any(_codes(recording, (row[0], row[1], row[2], row[3]), present)):
            yield recording
    yield from sorted((present.packages.keys() | present.keys | present.arrivals) - known)


def _codes(recording: str, row: _Row | None, present: _Present) -> Iterator[Code]:
    """Yield what does not fit of a recording."""
    is_there = recording in present.packages
    if row is None:
        if is_there:
            yield Code.NO_ROW
        elif recording in present.keys:
            yield Code.UNKNOWN_KEY
        if recording in present.arrivals:
            yield Code.UNKNOWN_ARRIVAL
        return
    state, size, key_arrived, destroyed_at = row
    if destroyed_at is not None:
        if is_there or recording in present.keys | present.derivatives:
            yield Code.LEFT
        return
    if (code := _package(state, size, present.packages.get(recording))) is not None:
        yield code
    if key_arrived and recording not in present.keys:
        yield Code.NO_KEY


def _package(state: str, size: int, there: int | None) -> Code | None:
    """Return what does not fit of a package of which `there` is the size in the store, None if it is not there."""
    if state != State.SEALED:
        # a closed one is about to be sealed, and sealing itself looks for a package first
        return Code.NOT_SEALED_ROW if there is not None and state != State.CLOSED else None
    if there is None:
        return Code.NO_PACKAGE
    return Code.OTHER_SIZE if there != size else None


def repair(finding: Finding, actor: Actor) -> str:
    """Mend a finding where that is possible, and return why not, or an empty text."""
    if finding.code not in REPAIRABLE:
        return finding.message
    try:
        if finding.code == Code.LEFT:
            package = destroyed_elsewhere().get(finding.recording, package_name(finding.recording))
            remove_destroyed(finding.recording, package)
        elif finding.code in IN_THE_BUCKET:
            return _bring_in_line(finding)
        else:
            rebuild(finding.recording, REBUILD, actor)
    except PlainSightError as error:
        return error.message
    return ""


def _bring_in_line(finding: Finding) -> str:
    """Bring a package in a bucket in line, and return why it is not so, as was seen there afterwards."""
    chosen, row = chosen_bucket(), BucketLock.objects.filter(pk=finding.recording)
    # of one that was destroyed, the row says what its package is called
    package = packages_of([finding.recording]).get(finding.recording, row.values_list("package", flat=True).first())
    if chosen is None or package is None:
        return _LEFT_ALONE
    bring_in_line(s3(chosen, settings.ARCHIVE_HOME), finding.recording, package)
    seen = row.first()
    if seen is None:
        return _LEFT_ALONE
    in_line = {
        Code.NOT_HELD: seen.held,
        Code.STILL_HELD: not seen.held,
        Code.LOCK_ENDED: seen.until is not None and seen.until > timezone.now(),
    }
    return seen.problem or ("" if in_line[finding.code] else _LEFT_ALONE)


def audit_and_repair(stop: StopSignal) -> None:
    """Compare, make rows anew where packages tell what they must say, and log the rest."""
    for finding in list(audit()):
        if stop.is_set():
            return
        if reason := repair(finding, ARCHIVE):
            _log.error("%(subject)s: %(problem)s", {"subject": finding.recording, "problem": reason})
        else:
            _log.warning("%(subject)s: %(problem)s", {"subject": finding.recording, "problem": MENDED[finding.code]})
