"""Whose store it is: a mark in it, which the first archive leaves there. Two archives never share one."""

from __future__ import annotations

import logging
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from appliance.contract.errors import ConflictError, SettingsError, StorageError

from .base import Store
from .local import LocalStore

OWNER: Final = "plainsight-archive.json"
"""The object that says whose store this is; in a bucket it is locked, and its first version counts."""
_log = logging.getLogger(__name__)


class Owner(BaseModel):
    """Whose store it is."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    version: Literal[1] = 1
    archive_key: str
    """The archive's public key."""


def mark(archive_key: str) -> bytes:
    """Return the bytes of the mark of the archive with this public key."""
    return Owner(archive_key=archive_key).model_dump_json().encode()


def owner_of(store: Store) -> str | None:
    """Return the public key of the archive whose store it is; None: nobody's yet.

    Raises StorageError where the store does not answer, and SettingsError for a mark that no archive wrote.
    """
    if not store.exists(OWNER):
        return None
    try:
        return Owner.model_validate_json(store.read(OWNER)).archive_key
    except ValidationError as error:
        raise SettingsError(
            f"{OWNER} in the store is nothing that an archive wrote, so nobody can tell whose store it is; restore "
            "that file from a copy, or take another store"
        ) from error


def require_own(disk: LocalStore, archive_key: str, *, take: bool) -> None:
    """Raise SettingsError if the folder is another archive's, or nobody can tell whose it is.

    With `take`, one that is nobody's becomes this one's.
    A disk that does not answer is only told: web server and worker say so by themselves, and wait for it.
    """
    try:
        whose = owner_of(disk)
        if whose is None and take:
            try:
                disk.put_once(OWNER, mark(archive_key))
            except ConflictError:
                # another one was a moment earlier
                whose = owner_of(disk)
    except StorageError as error:
        _log.warning("whose the store is cannot be seen now: %(problem)s", {"problem": error})
        return
    if whose not in {None, archive_key}:
        raise SettingsError(
            f"{disk.root} is the store of another archive, whose key is {whose}, and this one's is {archive_key}: two "
            "archives never share one; mount this archive's own there, or restore the keys that belong to it",
            field="ARCHIVE_HOME",
        )
