"""Proving that a bucket's lock holds before anything is trusted to it, by trying to get around it.

A server's answers prove nothing: it may say no and do it, or say yes and do nothing. So each attempt has a small object
of its own, and what counts is what is left of that afterwards: its first version, its bytes, its lock.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Final

from appliance.contract.check_result import CheckResult
from appliance.contract.errors import StorageError

from .s3 import S3Store
from .s3_bucket import Bucket, Described, Lock, RefusedError

PROOFS: Final = "lock-proofs"
LOCKED_FOR: Final = timedelta(minutes=15)
"""How long an object of the proof is locked: longer than the proof takes, and no burden where nobody can remove it."""
_ROUNDED: Final = timedelta(seconds=2)
OURS: Final = b"what was kept first"
OTHERS: Final = b"what somebody would put in its place"
MEND: Final = "choose another server or bucket: this one does not keep what it is given"
RIGHTS: Final = "take that right from this pair of keys (docs/object-store.md lists what each may do)"
MAY_HOLD: Final = (
    "let the archive's keys read, set and lift legal holds (docs/object-store.md), or choose another server"
)


@dataclass(frozen=True)
class _Kept:
    """An object of the proof, as it was kept."""

    key: str
    version: str
    lock: Lock | None
    """None: only a legal hold keeps it."""
    described: Described


@dataclass(frozen=True)
class _Attempt:
    """One way around a lock."""

    name: str
    act: Callable[[Bucket, _Kept], object]
    bypasses: bool = False
    """Whether it asks for a bypass of governance."""


def _lock(kept: _Kept) -> Lock:
    assert kept.lock is not None  # noqa: S101 - told to the type checker: what tries locks has one
    return kept.lock


def _earlier(kept: _Kept) -> Lock:
    return Lock(_lock(kept).mode, _lock(kept).until - LOCKED_FOR / 2)


ATTEMPTS: Final = (
    _Attempt(
        "write over", lambda bucket, kept: bucket.put(kept.key, BytesIO(OTHERS), _sha256(OTHERS), None, once=False)
    ),
    _Attempt("hide", lambda bucket, kept: bucket.delete(kept.key, None)),
    _Attempt("delete", lambda bucket, kept: bucket.delete(kept.key, kept.version)),
    _Attempt("shorten", lambda bucket, kept: bucket.set_lock(kept.key, kept.version, _earlier(kept))),
    _Attempt("unlock", lambda bucket, kept: bucket.set_lock(kept.key, kept.version, None)),
    _Attempt(
        "downgrade",
        lambda bucket, kept: bucket.set_lock(
            kept.key, kept.version, Lock("GOVERNANCE", _lock(kept).until), bypass=True
        ),
        bypasses=True,
    ),
    _Attempt(
        "shorten by bypass",
        lambda bucket, kept: bucket.set_lock(kept.key, kept.version, _earlier(kept), bypass=True),
        bypasses=True,
    ),
    _Attempt(
        "unlock by bypass",
        lambda bucket, kept: bucket.set_lock(kept.key, kept.version, None, bypass=True),
        bypasses=True,
    ),
    _Attempt(
        "delete by bypass", lambda bucket, kept: bucket.delete(kept.key, kept.version, bypass=True), bypasses=True
    ),
)
LIFT: Final = "lift a legal hold"
HOLD_ATTEMPTS: Final = (
    _Attempt("delete under a legal hold", lambda bucket, kept: bucket.delete(kept.key, kept.version)),
    _Attempt(
        "delete by bypass under a legal hold",
        lambda bucket, kept: bucket.delete(kept.key, kept.version, bypass=True),
        bypasses=True,
    ),
    _Attempt(LIFT, lambda bucket, kept: bucket.set_legal_hold(kept.key, kept.version, on=False)),
)


def prove(store: S3Store) -> Iterator[CheckResult]:
    """Try to get around the lock with every pair of keys, and yield what came of each attempt.

    Raises StorageError if the bucket does not answer: then nothing is proven.
    """
    tidy(store)
    yield _told("versions", "", "" if store.bucket.keeps_versions() else "the bucket keeps no versions", MEND)
    locks = store.bucket.locks()
    yield _told("object lock", "", "" if locks else "the bucket has no Object Lock", MEND)
    if not locks:
        return
    yield _checksum(store)
    yield _condition(store)
    try:
        _keep(store)
    except StorageError as error:
        yield CheckResult("lock", "wrong", error.message, MEND)
        return
    yield CheckResult("lock", "ok", f"{store.retention.mode.lower()}, as asked for")
    pairs = [("the archive's keys", store.bucket)]
    if store.destroyer is not None:
        pairs.append(("the keys for destructions", store.destroyer))
    for whose, bucket in pairs:
        for attempt in ATTEMPTS:
            if attempt.name == "downgrade" and store.retention.mode == "GOVERNANCE":
                # there is no weaker one
                continue
            if bucket is store.destroyer and attempt.bypasses:
                # these may, in governance, and destructions need it
                continue
            yield _try(store, whose, bucket, attempt)
    if store.destroyer is not None:
        yield _destroy(store, store.destroyer)
    yield from _prove_holds(store, pairs)
    tidy(store)


def _prove_holds(store: S3Store, pairs: list[tuple[str, Bucket]]) -> Iterator[CheckResult]:
    """Try to get around a legal hold: it keeps what no lock keeps, and what a bypass would remove."""
    kept = _keep(store)
    with suppress(RefusedError):
        store.bucket.set_legal_hold(kept.key, kept.version, on=True)
    set_now = _is_held(store.bucket, kept)
    yield _told("legal hold", "it is set", "" if set_now else "it is not set", MAY_HOLD)
    if not set_now:
        return
    for whose, bucket in pairs:
        for attempt in HOLD_ATTEMPTS:
            if bucket is store.bucket and attempt.name == LIFT:
                # these set holds, so they lift them; those that bypass a lock may not
                continue
            yield _try_held(store, whose, bucket, attempt)
    with suppress(RefusedError):
        store.bucket.set_legal_hold(kept.key, kept.version, on=False)
    yield _told(LIFT, "it is lifted", "it is still set" if _is_held(store.bucket, kept) else "", MAY_HOLD)


def _try_held(store: S3Store, whose: str, bucket: Bucket, attempt: _Attempt) -> CheckResult:
    """Try one way around a legal hold on an object under a lock, if the keys may bypass that, or else under none."""
    kept = _keep(store) if bucket is store.destroyer and attempt.bypasses else _keep_unlocked(store)
    store.bucket.set_legal_hold(kept.key, kept.version, on=True)
    said = _said(lambda: attempt.act(bucket, kept))
    wrong = _changed(store.bucket, kept)
    if not wrong and not _is_held(store.bucket, kept):
        wrong = "its legal hold is gone"
    return _told(
        f"{attempt.name} with {whose}",
        f"it said {said}, and the object is held as before",
        f"it said {said}, and {wrong}" if wrong else "",
        RIGHTS if attempt.name == LIFT else MEND,
    )


def _try(store: S3Store, whose: str, bucket: Bucket, attempt: _Attempt) -> CheckResult:
    kept = _keep(store)
    said = _said(lambda: attempt.act(bucket, kept))
    wrong = _changed(store.bucket, kept)
    return _told(
        f"{attempt.name} with {whose}",
        f"it said {said}, and the object is there as before",
        f"it said {said}, and {wrong}" if wrong else "",
        RIGHTS if attempt.bypasses else MEND,
    )


def _said(act: Callable[[], object]) -> str:
    try:
        act()
    except RefusedError:
        return "no"
    except StorageError:
        # a server may fail at what it does not know; that it answers at all shows at the look at what is left
        return "nothing"
    return "yes"


def _destroy(store: S3Store, destroyer: Bucket) -> CheckResult:
    kept = _keep(store)
    with suppress(RefusedError):
        destroyer.delete(kept.key, kept.version, bypass=True)
    gone = store.bucket.first(kept.key) is None
    return _told(
        "destroy with the keys for destructions",
        "it is gone",
        "" if gone else "it is still there",
        "let these keys bypass governance, or set destroys_early = false",
    )


def _checksum(store: S3Store) -> CheckResult:
    key = _new_key()
    try:
        taken = store.bucket.put(key, BytesIO(OTHERS), _sha256(OURS), None)
    except RefusedError:
        taken = None
    wrong = taken is not None or store.bucket.first(key) is not None
    return _told("checksum", "other bytes than announced are refused", "it is not looked at" if wrong else "", MEND)


def _condition(store: S3Store) -> CheckResult:
    key = _new_key()
    for data in (OURS, OTHERS):
        with suppress(RefusedError):
            store.bucket.put(key, BytesIO(data), _sha256(data), None)
    versions = store.bucket.versions_and_marks(key)
    return _told(
        "once",
        "a name that is taken is refused (If-None-Match)",
        "" if len(versions) == 1 else f"a name that is taken was given again: {len(versions)} versions of it",
        MEND,
    )


def _keep(store: S3Store) -> _Kept:
    """Keep an object under a short lock; raise StorageError if it is not there, or not locked, as asked for."""
    key = _new_key()
    lock = Lock(store.retention.mode, (datetime.now(UTC) + LOCKED_FOR).replace(microsecond=0))
    version = store.bucket.put(key, BytesIO(OURS), _sha256(OURS), lock)
    if version is None:
        raise StorageError("a new name is taken already, says the server")
    described = store.bucket.describe(key, version)
    if described is None:
        raise StorageError("the server said that it kept an object, and does not have it")
    if described.mode != lock.mode or described.until is None or described.until < lock.until - _ROUNDED:
        asked = f"{lock.mode} until {lock.until}"
        raise StorageError(f"asked for {asked}, the object got {described.mode or 'no lock'} until {described.until}")
    kept = _Kept(key, version, lock, described)
    if wrong := _changed(store.bucket, kept):
        raise StorageError(f"right after it was kept, {wrong}")
    return kept


def _keep_unlocked(store: S3Store) -> _Kept:
    """Keep an object without a lock."""
    key = _new_key()
    version = store.bucket.put(key, BytesIO(OURS), _sha256(OURS), None)
    described = store.bucket.describe(key, version) if version is not None else None
    if version is None or described is None:
        raise StorageError("the server said that it kept an object, and does not have it")
    return _Kept(key, version, None, described)


def _is_held(bucket: Bucket, kept: _Kept) -> bool:
    now = bucket.describe(kept.key, kept.version)
    return now is not None and now.held


def _changed(bucket: Bucket, kept: _Kept) -> str:
    """Return what is not as it was kept; empty if nothing."""
    first, now = bucket.first(kept.key), bucket.describe(kept.key, kept.version)
    if first is None or now is None:
        return "the object is gone"
    if first.id != kept.version:
        return "another version is the first one now"
    if bucket.read_range(kept.key, kept.version, 0, len(OURS) + len(OTHERS)) != OURS:
        return "its bytes are others"
    if now.mode != kept.described.mode:
        return f"its lock is {now.mode.lower() or 'gone'}"
    if kept.lock is None:
        return ""
    ends_earlier = now.until is None or kept.described.until is None or now.until < kept.described.until
    return "its lock ends earlier" if ends_earlier else ""


def tidy(store: S3Store) -> None:
    """Remove what earlier proofs left, as far as it goes: an object in compliance goes once its lock ended."""
    bucket = store.destroyer or store.bucket
    for key in list(store.bucket.keys(f"{PROOFS}/")):
        for version in store.bucket.versions_and_marks(key):
            with suppress(RefusedError):
                bucket.delete(key, version, bypass=store.destroyer is not None)
        for version in store.bucket.versions_and_marks(key):
            with suppress(RefusedError):
                store.bucket.set_legal_hold(key, version, on=False)
                bucket.delete(key, version, bypass=store.destroyer is not None)


def _told(check: str, fine: str, wrong: str, remedy: str) -> CheckResult:
    return CheckResult(check, "wrong", wrong, remedy) if wrong else CheckResult(check, "ok", fine or "yes")


def _new_key() -> str:
    return f"{PROOFS}/{secrets.token_hex(8)}"


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
