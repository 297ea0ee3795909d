"""The store of this process: the one place that knows which kind it is."""

from __future__ import annotations

import importlib.util
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings

from appliance.contract.errors import SettingsError
from archive.configuration.storage import S3

from .base import Store
from .local import LocalStore
from .owner import require_own

if TYPE_CHECKING:
    from .s3 import S3Store


def store() -> Store:
    """Return the store: a folder of the archive's home, or the bucket that the settings name."""
    chosen = settings.ARCHIVE.store
    return disk() if chosen.engine == "disk" else s3(chosen.s3, settings.ARCHIVE_HOME)


def disk() -> LocalStore:
    """Return the store in the archive's home."""
    return LocalStore(settings.ARCHIVE_HOME / "store")


@cache
def s3(chosen: S3, home: Path) -> S3Store:
    """Return the store in a bucket; raise SettingsError where boto3 or the credentials are missing."""
    if importlib.util.find_spec("boto3") is None:
        raise SettingsError(
            "an S3 store needs boto3: 'apt-get install python3-boto3', or 'pip install plainsight[archive,s3]'",
            field="store.engine",
        )
    # there only where it is used: it takes a second, and 30 MB
    from .s3 import Retention, S3Store  # noqa: PLC0415
    from .s3_bucket import Bucket, read_access  # noqa: PLC0415

    return S3Store(
        LocalStore(home / "store"),
        Bucket.connect(chosen, read_access(chosen, "credentials_file")),
        Retention("GOVERNANCE" if chosen.mode == "governance" else "COMPLIANCE", chosen.retention_days),
        Bucket.connect(chosen, read_access(chosen, "destruction_credentials_file")) if chosen.destroys_early else None,
    )


def require_store(archive_key: str, *, take: bool = False) -> None:
    """Raise SettingsError unless the store is this archive's own, and the bucket, if the settings name one, was proven.

    With `take`, a folder that is nobody's becomes this archive's; a bucket only does so by check-store.
    """
    require_own(disk(), archive_key, take=take)
    chosen = settings.ARCHIVE.store
    if chosen.engine == "s3" and chosen.s3 is not None:
        kept = s3(chosen.s3, settings.ARCHIVE_HOME)
        from .bucket_trust import require_trusted  # noqa: PLC0415 - as above

        require_trusted(kept, chosen.s3, settings.ARCHIVE_HOME, archive_key)


def keeps_what_it_is_given() -> bool:
    """Tell whether the store is a disk, or a bucket whose lock was proven with these settings. Nothing is asked."""
    chosen = settings.ARCHIVE.store
    if chosen.engine == "disk" or chosen.s3 is None:
        return True
    from .bucket_trust import is_proven  # noqa: PLC0415 - as above

    return is_proven(s3(chosen.s3, settings.ARCHIVE_HOME), chosen.s3, settings.ARCHIVE_HOME)


def locked_until(kept_at: datetime) -> datetime | None:
    """Return until when not even a destruction removes what was kept at that moment; None: one can at any time."""
    chosen = settings.ARCHIVE.store
    if chosen.engine == "disk" or chosen.s3 is None or chosen.s3.destroys_early:
        return None
    return kept_at + timedelta(days=chosen.s3.retention_days)


def writable() -> bool:
    """Tell whether this host takes bytes in; raise StorageError with the reason if not.

    A bucket that is away stops nothing of that: what arrives waits here, and the worker seals it later.
    """
    draft = store().draft("health")
    try:
        draft.reader().close()
    finally:
        draft.discard()
    return True
