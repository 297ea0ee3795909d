"""Secrets that the settings name: whether each can be read, and by nobody whom it does not concern."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from appliance.contract.check_result import CheckResult
from archive.configuration.fields import CREDENTIAL
from archive.configuration.file import Configuration

_ANYBODY: Final = stat.S_IRWXO | stat.S_IWGRP
"""Everyone on the host, and a group that could put another secret in its place; a group may read it."""


@dataclass(frozen=True)
class SecretLook:
    """One secret outside of the archive's own folder."""

    setting: str
    """The setting that names it."""
    path: str
    """Where it is."""
    error: str = ""
    """Why it cannot be read; empty if it can."""
    mode: int = 0
    """Permission bits."""


def look(settings: Configuration, home: Path) -> tuple[SecretLook, ...]:
    """Look at each secret that the settings name; those in the archive's own folder are looked at with the folder."""
    provider, bucket = settings.sign_in.provider, settings.store.s3
    named = {
        "database.password_file": settings.database.password_file,
        "mail.password_file": settings.mail.password_file if settings.mail else None,
        "sign_in.provider.secret_file": provider.secret_file if provider else None,
        "store.s3.credentials_file": bucket.credentials_file if bucket else None,
        "store.s3.destruction_credentials_file": bucket.destruction_credentials_file if bucket else None,
        "metrics.token_file": settings.metrics.token_file,
        "control.token_file": settings.control.token_file,
        "web.key": settings.web.key,
        "boxes.key": settings.boxes.key,
        "mqtt.key": settings.mqtt.key,
    }
    return tuple(
        _look(setting, path)
        for setting, path in named.items()
        if path is not None and not str(path).startswith(CREDENTIAL) and not path.is_relative_to(home)
    )


def _look(setting: str, path: Path) -> SecretLook:
    try:
        with path.open("rb"):
            return SecretLook(setting, str(path), "", stat.S_IMODE(path.stat().st_mode))
    except OSError as error:
        return SecretLook(setting, str(path), error.strerror or type(error).__name__)


def check(seen: tuple[SecretLook, ...]) -> Iterator[CheckResult]:
    """Yield what is wrong with the secrets."""
    for one in seen:
        if one.error:
            remedy = "name the right file, or let the archive's user read it"
            yield CheckResult(one.setting, "wrong", f"cannot read {one.path}: {one.error}", remedy)
        elif one.mode & _ANYBODY:
            yield CheckResult(one.setting, "wrong", f"others may look at {one.path}", f"chmod o=,g-w {one.path}")
        else:
            yield CheckResult(one.setting, "ok", f"{one.path} is read by whom it concerns")
