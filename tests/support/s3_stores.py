"""Stores of the tests in buckets: of the real server, and of the one that lies."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings

from archive.configuration.storage import S3, Store
from archive.store.local import LocalStore
from archive.store.s3 import Retention, S3Store
from archive.store.s3_bucket import Bucket, read_access
from tests.support.lying_s3 import Liar
from tests.support.s3_server import credentials, s3_server

NO_DESTRUCTION: dict[str, Any] = {"destroys_early": False, "destruction_credentials_file": None}
"""Settings of a district that destroys nothing before its lock ends."""


def connected(folder: Path, settings: S3) -> S3Store:
    """A store in the bucket of some settings."""
    return S3Store(
        LocalStore(folder / "store"),
        Bucket.connect(settings, read_access(settings, "credentials_file")),
        Retention("GOVERNANCE" if settings.mode == "governance" else "COMPLIANCE", settings.retention_days),
        Bucket.connect(settings, read_access(settings, "destruction_credentials_file"))
        if settings.destroys_early
        else None,
    )


def on_real_server(**others: Any) -> S3:
    """Settings of a new bucket of the real server."""
    server = s3_server()
    return S3(**server.settings(server.create(), **others))


def on_liar(liar: Liar, folder: Path, **others: Any) -> S3:
    """Settings of the liar's bucket."""
    members: dict[str, Any] = {
        "endpoint": liar.endpoint,
        "bucket": "archive",
        "credentials_file": credentials(folder, "archive"),
        "destruction_credentials_file": credentials(folder, "destruction"),
        "retention_days": 2,
        "answer_s": 60,
    }
    return S3(**(members | others))


def choose(patch: pytest.MonkeyPatch, chosen: Store) -> None:
    """Let the archive keep its packages there."""
    changed = django_settings.ARCHIVE.model_copy(update={"store": chosen})
    patch.setattr(django_settings, "ARCHIVE", changed)
