"""Writing a package, and checking one as a stranger would: both with what box, archive and checker share."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import cast

from appliance.contract.errors import DecryptionError, StorageError
from appliance.contract.package import write_package
from appliance.contract.receipt import Outcome
from appliance.contract.verification import Report, verify
from archive.custody.kinds import Kind
from archive.custody.log import record
from archive.devices.keyring import key_ring
from archive.recordings.models import Recording
from archive.recordings.secrets import secret_of
from archive.store.current import store

from .material import Material

VERDICTS = {"complete": "intact", "interrupted": "interrupted", "incomplete": "incomplete"}
"""The verdict that a sound package of each outcome gets."""


def write(path: Path, row: Recording, material: Material, receipt: Callable[[str], bytes]) -> None:
    """Write the package to `path`, which must not exist, and make its bytes durable."""
    outcome = cast("Outcome", row.outcome)
    try:
        with path.open("xb") as file:
            write_package(file, row.id, material.members, receipt, outcome=outcome, sealed_at=row.sealing_at)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise StorageError(
            f"cannot write the package of {row.id}: {error.strerror}; make room and try again"
        ) from error


def check_package(path: Path, row: Recording) -> None:
    """Read a package back and check it with the keys that this archive vouches for; raise StorageError if it fails."""
    report = _report(path, row, audio=False)
    if report.verdict != VERDICTS[row.outcome]:
        raise StorageError(
            f"the package of {row.id} does not hold: {report.problem or report.words}; nothing is sealed"
        )


def check_again(row: Recording, actor: str, *, audio: bool = True) -> Report:
    """Check a sealed recording, its audio as well where its key is there, and enter the verdict in the custody log."""
    report = _report(store().local(row.package), row, audio=audio)
    record(Kind.VERIFY, actor=actor, recording=row.id, verdict=report.verdict, problem=report.problem)
    return report


def _report(path: Path, row: Recording, *, audio: bool) -> Report:
    try:
        opener = secret_of(row.id) if audio else None
    except DecryptionError:
        opener = None  # the report then says that the audio was not opened
    try:
        with path.open("rb") as file:
            report = verify(file, key_ring(), opener)
    except OSError as error:
        raise StorageError(f"cannot read the package of {row.id}: {error.strerror}; restore it from a copy") from error
    if report.recording and report.recording != row.id:
        # whole and signed, and yet not what the archive says lies there: somebody put it in the place of another
        return replace(report, verdict="tampered", problem=f"the package is of another recording, {report.recording}")
    return report
