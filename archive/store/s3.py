"""A store whose kept objects lie in an S3 bucket with Object Lock, and whose incoming bytes lie on this host's disk.

What arrives is many small objects that live for a meeting and are durable once the database names them: a disk does
that with one fsync, and no object store any cheaper. So incoming bytes and drafts stay in a LocalStore, and only what
is kept for good goes to the bucket, each object by one PUT. The first version of an object counts: what anybody writes
over it, or hides it with, changes nothing that is read here. docs/object-store.md says what a bucket must do.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import BinaryIO, Final

from appliance.contract.errors import ConflictError, StorageError

from .base import DERIVATIVES, INCOMING
from .local import LocalDraft, LocalStore
from .s3_bucket import CHUNK, LARGEST, Bucket, Described, Lock, Mode, RefusedError, Version

KNOWN: Final = 4096
"""Of so many objects a process remembers which version is the first."""
_LATE: Final = timedelta(minutes=5)
"""A lock may end so much earlier than asked for: servers round to seconds, or days."""


@dataclass(frozen=True)
class Retention:
    """How what is kept for good is locked."""

    mode: Mode
    days: int
    """From the moment it is kept."""

    def lock(self) -> Lock:
        """Return the lock of an object that is kept now."""
        return Lock(self.mode, (datetime.now(UTC) + timedelta(days=self.days)).replace(microsecond=0))


class S3Draft:
    """A draft on this host's disk, which is brought to the bucket when it is finished."""

    def __init__(self, draft: LocalDraft, store: S3Store, name: str) -> None:
        self._draft, self._store, self._name = draft, store, name

    def write(self, data: bytes) -> int:
        """Append `data` and return its length."""
        return self._draft.write(data)

    def reader(self) -> BinaryIO:
        """Make what was written durable, and return a reader of it."""
        return self._draft.reader()

    def publish(self) -> None:
        """Keep it in the bucket for good; the same bytes there already succeed, others raise ConflictError."""
        with self._draft.reader() as file:
            self._store.keep(self._name, file)

    def discard(self) -> None:
        """Remove it from this host; nothing happens to what was published."""
        self._draft.discard()


@dataclass(frozen=True)
class S3Store:
    """A store in a bucket and a folder."""

    local: LocalStore
    """Keeps what arrives, and drafts."""
    bucket: Bucket
    """Reached with the credentials that may read, write and hold, and neither bypass a lock nor shorten it."""
    retention: Retention
    destroyer: Bucket | None
    """The same bucket, with the credentials that may bypass a lock, and lift no legal hold: used by `remove` alone.
    None: this archive destroys nothing before its lock ends."""
    _known: dict[str, Version] = field(default_factory=dict, repr=False, compare=False)

    def add_incoming(self, recording: str, label: str, pieces: Iterable[bytes]) -> str:
        """Make `pieces` durable, on this host, as one new object of what arrives, and return its name."""
        return self.local.add_incoming(recording, label, pieces)

    def incoming(self) -> list[str]:
        """Return the recordings of which something that arrived is on this host."""
        return self.local.incoming()

    def remove_incoming(self, name: str) -> None:
        """Remove one object that nothing names."""
        self.local.remove_incoming(name)

    def drop_strays(self, recording: str, named: AbstractSet[str]) -> int:
        """Remove what arrived more than an hour ago and is not among `named`; return how many."""
        return self.local.drop_strays(recording, named)

    def drop_incoming(self, recording: str) -> None:
        """Remove what arrived of a recording."""
        self.local.drop_incoming(recording)

    def sweep(self) -> None:
        """Remove temporary files that a crash left on this host; a bucket gets whole objects only."""
        self.local.sweep()

    def draft(self, name: str) -> S3Draft:
        """Begin an object that is to be kept for good as `name`."""
        return S3Draft(self.local.draft(name), self, name)

    def put_once(self, name: str, data: bytes) -> None:
        """Keep `data` for good: the same bytes again succeed, others raise ConflictError."""
        self.keep(name, BytesIO(data))

    def keep(self, name: str, body: BinaryIO) -> None:
        """Keep what `body` holds for good, and read it back; raise ConflictError if other bytes are kept as `name`."""
        given, size = hashlib.sha256(), 0
        while piece := body.read(CHUNK):
            given.update(piece)
            size += len(piece)
        sha256 = given.hexdigest()
        if size > LARGEST:
            raise StorageError(f"{name} has {size} bytes, and S3 takes at most {LARGEST} in one request")
        lock = self.retention.lock() if is_locked(name) else None
        written: str | None = None
        if self.bucket.first(name) is None:
            body.seek(0)
            written = self.bucket.put(name, body, sha256, lock)
        found = self.bucket.first(name)
        if found is None:
            raise StorageError(f"S3 said that it keeps {name}, and it is not there; check it with 'check-store'")
        if found.size != size or self._digest(name, found) != sha256:
            if written == found.id:
                raise StorageError(f"S3 keeps other bytes as {name} than it was given; check it with 'check-store'")
            raise ConflictError(f"other bytes are already kept as {name}")
        if lock is not None and written == found.id:
            self._require_locked(name, found, lock)
        elif lock is not None:
            self._lock_as_now(name, found)
        self._remember(name, found)

    def make_sure(self, name: str) -> None:
        """Lock a kept object as if it were kept now, unless it is locked so; what was written says nothing of that."""
        if is_locked(name):
            self._lock_as_now(name, self._require(name))

    def _lock_as_now(self, name: str, found: Version) -> None:
        lock, seen = self.retention.lock(), self.bucket.describe(name, found.id)
        until = seen.until if seen else None
        if seen is not None and until is not None:
            # never a weaker lock, nor a shorter one
            mode: Mode = "COMPLIANCE" if seen.mode == "COMPLIANCE" else lock.mode
            if seen.mode == mode and until >= lock.until - _LATE:
                return
            lock = Lock(mode, max(until, lock.until))
        self.bucket.set_lock(name, found.id, lock)
        self._require_locked(name, found, lock)

    def _require_locked(self, name: str, found: Version, lock: Lock) -> Described:
        described = self.bucket.describe(name, found.id)
        until = described.until if described else None
        if described is None or described.mode not in {"GOVERNANCE", "COMPLIANCE"} or until is None:
            raise StorageError(f"S3 keeps {name} without a lock; check the bucket with 'check-store'")
        if described.mode != lock.mode or until < lock.until - _LATE:
            raise StorageError(f"S3 locked {name} otherwise than asked for; check the bucket with 'check-store'")
        return described

    def _digest(self, name: str, version: Version) -> str:
        known = hashlib.sha256()
        for offset in range(0, version.size, CHUNK):
            known.update(self._exactly(name, version, offset, min(CHUNK, version.size - offset)))
        return known.hexdigest()

    def lock_of(self, name: str) -> Described | None:
        """Return how a kept object is locked and held now; None if it is not there."""
        found = self._look(name)
        return None if found is None else self.bucket.describe(name, found.id)

    def hold(self, name: str, *, on: bool) -> Described:
        """Set or lift the legal hold of a kept object, look whether that worked, and return how it is locked now."""
        found = self._require(name)
        self.bucket.set_legal_hold(name, found.id, on=on)
        seen = self.bucket.describe(name, found.id)
        if seen is None or seen.held != on:
            done = "holds" if on else "no longer holds"
            raise StorageError(
                f"S3 said that it {done} {name}, and that is not so; check the bucket with 'check-store'"
            )
        return seen

    def extend(self, name: str, until: datetime) -> Described:
        """Extend the lock of a kept object, never shorten or weaken it, and return how it is locked now."""
        found, seen = self._require(name), self.lock_of(name)
        weaker = self.retention.mode == "COMPLIANCE" and seen is not None and seen.mode != "COMPLIANCE"
        if seen is not None and seen.until is not None and seen.until >= until and not weaker:
            return seen
        mode: Mode = "COMPLIANCE" if seen is not None and seen.mode == "COMPLIANCE" else self.retention.mode
        lock = Lock(mode, until.replace(microsecond=0))
        self.bucket.set_lock(name, found.id, lock)
        return self._require_locked(name, found, lock)

    def exists(self, name: str) -> bool:
        """Tell whether there is such a name."""
        if _is_local(name):
            return self.local.exists(name)
        return self._look(name) is not None

    def names(self, prefix: str) -> Iterator[str]:
        """Yield every name below the folder `prefix`, in no order."""
        if _is_local(prefix):
            yield from self.local.names(prefix)
            return
        yield from self.bucket.keys(f"{prefix}/" if prefix else "")

    def sizes(self, prefix: str) -> Iterator[tuple[str, int]]:
        """Yield the same names, each with its size in bytes: one request a page of the bucket's list."""
        if _is_local(prefix):
            yield from self.local.sizes(prefix)
            return
        yield from self.bucket.sizes(f"{prefix}/" if prefix else "")

    def size(self, name: str) -> int:
        """Return its size in bytes."""
        return self.local.size(name) if _is_local(name) else self._require(name).size

    def read(self, name: str) -> bytes:
        """Return all its bytes."""
        if _is_local(name):
            return self.local.read(name)
        version = self._require(name)
        return self._exactly(name, version, 0, version.size)

    def read_range(self, name: str, offset: int, size: int) -> bytes:
        """Return exactly `size` bytes from `offset` on."""
        if _is_local(name):
            return self.local.read_range(name, offset, size)
        version = self._known.get(name) or self._require(name)
        return self._exactly(name, version, offset, size)

    def _exactly(self, name: str, version: Version, offset: int, size: int) -> bytes:
        if offset + size > version.size:
            raise StorageError(f"{name} ends before byte {offset + size}; check it with 'plainsight-archive verify'")
        # boto3 repeats requests, and no answer that broke off
        for last in (False, True):
            try:
                data = self.bucket.read_range(name, version.id, offset, size)
            except RefusedError:
                raise
            except StorageError:
                if last:
                    raise
                continue
            if data is None:
                self._known.pop(name, None)
                raise StorageError(f"the store failed at {name}: it is not in the bucket any more")
            if len(data) == size:
                return data
        raise StorageError(f"S3 broke off in {name}, behind byte {offset}, twice; it is tried again later")

    def _look(self, name: str) -> Version | None:
        found = self.bucket.first(name)
        if found is None:
            self._known.pop(name, None)
        else:
            self._remember(name, found)
        return found

    def _require(self, name: str) -> Version:
        found = self._look(name)
        if found is None:
            raise StorageError(f"the store failed at {name}: there is no such object in the bucket")
        return found

    def _remember(self, name: str, version: Version) -> None:
        if len(self._known) >= KNOWN:
            self._known.clear()
        self._known[name] = version

    def remove(self, name: str) -> None:
        """Remove every version of an object, and the marks that hide it; nothing happens if there is none.

        What is locked goes only where this archive destroys before locks end, and what a legal hold keeps goes nowhere;
        raises StorageError where it does not go.
        """
        self._known.pop(name, None)
        locked = is_locked(name)
        bucket = self.destroyer if locked and self.destroyer is not None else self.bucket
        for version in bucket.versions_and_marks(name):
            try:
                bucket.delete(name, version, bypass=locked and self.destroyer is not None)
            except RefusedError as refused:
                raise StorageError(
                    f"{refused.message}; what is locked goes when its lock ends, and what is held when its hold does"
                ) from refused
        if left := bucket.versions_and_marks(name):
            raise StorageError(f"S3 said that it removed {name}, and {len(left)} versions of it are still there")


def is_locked(name: str) -> bool:
    """Tell whether an object is locked: all that is kept for good, but copies that can be made again of a package."""
    return not name.startswith(f"{DERIVATIVES}/")


def _is_local(name: str) -> bool:
    return name == INCOMING or name.startswith(f"{INCOMING}/")
