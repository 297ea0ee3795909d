"""What the box's examinations found, as the recorder and the daily doctor left it for the archive."""

from __future__ import annotations

import logging
from pathlib import Path

from pydantic import ValidationError

from appliance.contract.durable_files import read_bounded
from appliance.contract.health import MAX_BYTES, SOURCES, HealthReport, file_name

_log = logging.getLogger(__name__)


class HealthReader:
    """Reads the reports in one folder. One object belongs to one thread."""

    def __init__(self, folder: Path, box: str) -> None:
        """Read reports about `box` in `folder`."""
        self._folder = folder
        self._box = box
        self._stamps: dict[Path, tuple[int, int]] = {}

    def changed(self) -> list[HealthReport]:
        """Return the reports that are new since the last call; one that is not understood is told once and left out."""
        found = []
        for source in SOURCES:
            path = self._folder / file_name(source)
            try:
                stat = path.stat()
                stamp = (stat.st_ino, stat.st_mtime_ns)
                if self._stamps.get(path) == stamp:
                    continue
                self._stamps[path] = stamp
                report = HealthReport.model_validate_json(read_bounded(path, MAX_BYTES))
            except FileNotFoundError:
                continue
            except (OSError, ValidationError) as error:
                _log.warning(
                    "the report %s is not sent: %s; run plainsight doctor --report", path, type(error).__name__
                )
                continue
            if (report.box, report.source) == (self._box, source):
                found.append(report)
        return found
