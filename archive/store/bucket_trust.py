"""Whether a bucket may be trusted: it is this archive's own, and its lock was proven with these settings."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from appliance.contract.check_result import CheckResult
from appliance.contract.durable_files import replace
from appliance.contract.errors import ConflictError, SettingsError, StorageError
from archive.configuration.storage import S3

from .lock_proof import PROOFS, prove
from .owner import OWNER, mark, owner_of
from .s3 import S3Store

PROOF: Final = "store-proof.json"
"""The file in the archive's folder that says which bucket was proven."""
FIELD: Final = "store.s3.bucket"
_log = logging.getLogger(__name__)


class Proof(BaseModel):
    """The last proof that held."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    version: Literal[2] = 2
    settings_sha256: str
    """Digest of the settings that matter to it."""
    at: datetime
    """When it was made."""


def check(store: S3Store, chosen: S3, home: Path, archive_key: str) -> Iterator[CheckResult]:
    """Prove the lock, make the bucket this archive's own if it is nobody's, and yield what was found.

    Only a proof that holds in all is noted. Nothing is written into a bucket that is another archive's.
    """
    holds = True
    try:
        for one in _look_and_prove(store, archive_key):
            holds = holds and one.verdict != "wrong"
            yield one
        if not holds:
            (home / PROOF).unlink(missing_ok=True)
            return
        _take(store, archive_key)
    except (StorageError, ConflictError, SettingsError) as error:
        yield CheckResult("proof", "wrong", error.message, "mend that, and run check-store again")
        return
    proof = Proof(settings_sha256=digest_of(store, chosen), at=datetime.now(UTC).replace(microsecond=0))
    # in one go: nothing is sealed while there is none
    replace(home / PROOF, proof.model_dump_json().encode(), mode=0o600, durable=True)


def _look_and_prove(store: S3Store, archive_key: str) -> Iterator[CheckResult]:
    owner = _look_at_owner(store, archive_key)
    yield owner
    if owner.verdict == "ok":
        yield from prove(store)


def require_trusted(store: S3Store, chosen: S3, home: Path, archive_key: str) -> None:
    """Raise SettingsError unless the lock was proven with these settings, and the bucket is this archive's own.

    A bucket that does not answer is only told: what arrives waits on this host.
    """
    if not is_proven(store, chosen, home):
        raise SettingsError(
            f"nobody proved that the bucket {chosen.bucket} keeps what it is given, as it is set now; run "
            "'plainsight-archive check-store'",
            field=FIELD,
        )
    try:
        whose = owner_of(store)
    except StorageError as error:
        _log.warning("whose the bucket is cannot be seen now: %(problem)s", {"problem": error})
        return
    if whose != archive_key:
        raise SettingsError(_not_ours(chosen.bucket, whose), field=FIELD)


def is_proven(store: S3Store, chosen: S3, home: Path) -> bool:
    """Tell whether the last proof held, and was made with these settings."""
    proof = last_proof(home)
    return proof is not None and proof.settings_sha256 == digest_of(store, chosen)


def last_proof(home: Path) -> Proof | None:
    """Return the last proof that held, if there is one."""
    try:
        return Proof.model_validate_json((home / PROOF).read_bytes())
    except (FileNotFoundError, ValidationError):
        return None


def _look_at_owner(store: S3Store, archive_key: str) -> CheckResult:
    whose = owner_of(store)
    if whose is not None and whose != archive_key:
        said = _not_ours(store.bucket.name, whose)
        return CheckResult("owner", "wrong", said, "take a bucket for this archive alone")
    others = [] if whose else [key for key in store.bucket.keys("") if not key.startswith(f"{PROOFS}/")]
    if others:
        said = f"the bucket holds {len(others)} things already, and no mark of whose it is"
        return CheckResult("owner", "wrong", said, "take an empty bucket, for this archive alone")
    return CheckResult("owner", "ok", "this archive's" if whose else "nobody's yet")


def _take(store: S3Store, archive_key: str) -> None:
    # two archives at once: the first one's mark counts, and the second one meets a conflict
    store.keep(OWNER, BytesIO(mark(archive_key)))
    store.extend(OWNER, store.retention.lock().until)


def _not_ours(bucket: str, whose: str | None) -> str:
    if whose is None:
        return f"the bucket {bucket} bears no mark of this archive any more; run 'plainsight-archive check-store'"
    return f"the bucket {bucket} is another archive's, whose key is {whose}; two archives never share one"


def digest_of(store: S3Store, chosen: S3) -> str:
    """Return the digest of what a proof is about: where the bucket is, how it locks, and with which keys."""
    about = [
        chosen.endpoint,
        chosen.bucket,
        chosen.mode,
        chosen.destroys_early,
        store.bucket.key_id,
        store.destroyer.key_id if store.destroyer else "",
    ]
    return hashlib.sha256(json.dumps(about).encode()).hexdigest()
