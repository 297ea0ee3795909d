"""A recording's ledger, wherever it lies: in the database until the seal, in the package afterwards."""

from __future__ import annotations

from appliance.contract.signed import split_lines
from archive.store.base import open_object
from archive.store.current import store

from .ledger_checkers import lines_from
from .models import Recording, State


def ledger_lines(recording: Recording, first: int = 0) -> list[bytes]:
    """Return the ledger lines from number `first` on, LF included."""
    if recording.state != State.SEALED:
        return lines_from(recording, first)
    return split_lines(package_member(recording, "data/ledger.tsv"))[first:]


def arrival_lines(recording: Recording) -> list[bytes]:
    """Return the lines of the arrival log."""
    if recording.state != State.SEALED:
        return [bytes(row.line) for row in recording.arrivals.order_by("n")]
    return split_lines(package_member(recording, "data/arrivals.tsv"))


def package_member(recording: Recording, path: str) -> bytes:
    """Return one file of the sealed package."""
    import zipfile  # noqa: PLC0415

    with open_object(store(), recording.package) as file, zipfile.ZipFile(file) as package:
        return package.read(f"{recording.id}/{path}")
