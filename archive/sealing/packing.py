"""Writing a package, and checking one as a stranger would: both with what box, archive and checker share."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from archive.ingest.models import Recording

from .material import Material


def write(path: Path, row: Recording, material: Material, receipt: Callable[[str], bytes]) -> None:
    from appliance.contract.package import write_package

    with path.open("xb") as file:
        write_package(file, row.id, material.members(), receipt, row.outcome, row.sealing_at)
        file.flush()
        os.fsync(file.fileno())


def check_package(path: Path, row: Recording) -> None:
    pass
