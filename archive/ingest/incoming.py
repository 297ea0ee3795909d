"""Bytes that become durable before the database names them, as one object with a name that was never given before."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from appliance.contract.errors import StorageError
from archive.core.deeds import take_turn
from archive.store.base import incoming_folder
from archive.store.current import store


@dataclass
class Incoming:
    """An object that is durable and that nothing names yet."""

    name: str
    """Its name in the store; empty if there were no bytes to keep."""
    named: bool = False
    """Whether the database is about to name it."""
    there: bool = False
    """Whether it was there when the transaction began."""

    def keep(self, recording: str) -> None:
        """Keep the sweep away until the transaction ends, and look whether this is still there.

        Call it first in the transaction, before any lock: nobody else waits then while the store is asked.
        """
        take_turn(incoming_folder(recording))
        self.there = not self.name or store().exists(self.name)

    def confirm(self) -> None:
        """Say, as the last thing before the commit, that the database now names it.

        Raises StorageError if it is no longer there: a sweep removes what nothing names for an hour, and a wall clock
        that jumps makes an hour of a moment.
        """
        if not self.there:
            raise StorageError("what arrived was swept away before it was entered; send it again")
        self.named = True


@contextmanager
def incoming(recording: str, label: str, pieces: list[bytes]) -> Iterator[Incoming]:
    """Make `pieces` durable, and remove them at the end unless `confirm` was called.

    Then the commit was asked for, and, whatever came of it, only the database knows whether it names them.
    """
    kept = Incoming(store().add_incoming(recording, label, pieces) if pieces else "")
    try:
        yield kept
    finally:
        if kept.name and not kept.named:
            store().remove_incoming(kept.name)
