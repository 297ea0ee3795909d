"""What every row is given: the machine, the ready box, and where to put what is collected."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from .guest import BOARD, Guest, GuestError, Machine, copy
from .limits import patience
from .prepare import SNAPSHOT, Prepared
from .row import Row


@dataclass(frozen=True)
class Stage:
    """All that rows share."""

    machine: Machine
    prepared: Prepared
    meeting: Path
    """What is played: 16-bit mono, 48 kHz."""
    newer: Path | None
    """Packages of a newer version, for the upgrade."""
    cuts: int
    """How many power cuts."""
    seed: int
    """Of the random instants."""

    @property
    def folder(self) -> Path:
        """Where collected files go."""
        return self.machine.folder

    @contextmanager
    def guest(
        self, row: Row, board: str = BOARD, snapshot: str = SNAPSHOT, *, data: Path | None = None
    ) -> Iterator[Guest]:
        """A guest with the ready box, on a disk of its own: from the snapshot, or booted if there is none named.

        `data` is a second disk; a snapshot knows of none.
        After an AssertionError, which ends the row, the journal is fetched to the host.
        """
        disk = copy(self.prepared.disk, self.folder / "box.qcow2")
        guest = Guest(self.machine, disk, board)
        guest.data = data
        # what another row's box acknowledged is none of this one's
        guest.acked.unlink(missing_ok=True)
        try:
            guest.start(snapshot)
            if snapshot:
                guest.boots = 0
            guest.wait_up(patience(20))
            yield guest
        except AssertionError:
            self._collect(guest, row)
            raise
        finally:
            row.boots += guest.boots
            guest.cut_power()
            disk.unlink(missing_ok=True)

    def _collect(self, guest: Guest, row: Row) -> None:
        try:
            guest.run("journalctl -b --no-pager >/run/vm/journal")
            (self.folder / f"journal-{row.name.split()[0]}.txt").write_bytes(guest.read("/run/vm/journal"))
        except GuestError as error:
            row.failed.append(f"the journal could not be fetched: {error}")
