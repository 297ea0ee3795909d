"""What it costs to make and to check the evidence package of a long recording.

usage: python -m tests.bench.evidence [--hours 4] [--json]
"""

# ruff: noqa: PLC0415 - models can be imported only after Django is set up

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from appliance.contract.verification import verify_evidence
from tests.support.archives import archive_in

from .reading import custodian, put_into, resident_mb


def measure(folder: Path, hours: float) -> dict[str, Any]:
    """Make one package through the page, as it is sent, and check it; memory is that of this process."""
    with archive_in(folder / "archive") as archive:
        from archive.devices.keyring import key_ring

        made = put_into(archive, folder / "spool", round(hours * 3600))
        client = archive.client()
        client.force_login(custodian())
        # what every process loads once is no cost of the recording's length
        client.get(f"/recordings/{made.id}/")
        before, began, most, size = resident_mb(), time.perf_counter(), 0.0, 0
        pieces = iter(client.get(f"/recordings/{made.id}/evidence.zip").streaming_content)
        path = folder / "evidence.zip"
        with path.open("wb") as file:
            size += file.write(next(pieces))
            first = time.perf_counter() - began
            for count, piece in enumerate(pieces):
                size += file.write(piece)
                if count % 50 == 0:
                    most = max(most, resident_mb() - before)
        took = time.perf_counter() - began
        began = time.perf_counter()
        with path.open("rb") as package:
            report = verify_evidence(package, key_ring())
        checked = time.perf_counter() - began
    seconds = made.total / made.rate
    return {
        "hours": hours,
        "evidence_mb": round(size / 1e6),
        "first_byte_s": round(first, 3),
        "whole_s": round(took, 1),
        "times_real_time": round(seconds / took),
        "memory_growth_mb": round(most, 1),
        "verify_s": round(checked, 1),
        "verify_times_real_time": round(seconds / checked),
        "verdict": report.verdict,
    }


def main() -> int:
    """Measure and print the figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--hours", type=float, default=4.0)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="plainsight-evidence-"))
    try:
        results = measure(folder, options.hours)
    finally:
        shutil.rmtree(folder)
    lines = [f"{name:<28} {value}" for name, value in results.items()]
    print(json.dumps(results, indent=2) if options.json else "\n".join(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
