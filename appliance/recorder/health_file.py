"""Where a box keeps what its examinations found, until the courier has told the archive."""

from __future__ import annotations

import logging
from typing import Final

from appliance.contract import times
from appliance.contract.durable_files import replace
from appliance.contract.health import Finding, HealthReport, Source, file_name
from appliance.recorder.settings import RecorderSettings

_MODE: Final = 0o640
_log = logging.getLogger(__name__)


def keep_report(settings: RecorderSettings, source: Source, findings: list[Finding]) -> bool:
    """Replace the report; return False, and say why, if that is not possible: what was found stands all the same."""
    report = HealthReport(box=settings.box.id, source=source, made_at=times.now(), findings=findings)
    path = settings.box.reports / file_name(source)
    try:
        replace(path, report.model_dump_json().encode() + b"\n", mode=_MODE, durable=True)
    except OSError as error:
        _log.warning("cannot keep the report %s for the archive: %s", path, error.strerror)
        return False
    return True
