"""RUN/status.json: what the recorder tells courier, doctor and simulator; replaced as a whole, by rename."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Literal

from appliance.contract.errors import SettingsError
from appliance.contract.paths import STATUS
from appliance.contract.status import Lights, RecorderStatus
from appliance.contract.trouble_log import TroubleLog

from .machine import Parameters, State

_log = logging.getLogger(__name__)


def describe(
    state: State, parameters: Parameters, *, box: str, boot_id: str, now_ns: int, panel: Literal["gpio", "simulated"]
) -> RecorderStatus:
    """Return what the status file says about a state."""
    recording = state.recording is not None
    return RecorderStatus(
        box=box,
        boot_id=boot_id,
        monotonic_ns=now_ns,
        state=state.phase,
        ready=state.phase == "idle",
        recording=state.recording,
        since_ns=state.since_ns,
        frames=state.captured(parameters) if recording else 0,
        acked_frame=state.acked_frame if recording else 0,
        acked_line=state.acked_line if recording else 0,
        lost_frames=state.lost_frames if recording else 0,
        rate=parameters.rate,
        lights=Lights(red="on" if state.red else "off", green=state.green, amber=state.amber[0]),
        lamp="verified" if parameters.sensed else "unverified",
        panel=panel,
        faults=sorted(state.faults),
        free_bytes=state.free_bytes,
    )


class StatusFile:
    """The file, in memory-backed storage."""

    def __init__(self, run: Path) -> None:
        self._path = run / STATUS
        self._temporary = run / f".{STATUS}"
        self._troubles = TroubleLog(_log)
        try:
            run.mkdir(parents=True, exist_ok=True)
            self._temporary.write_text("{}", encoding="ascii")
        except OSError as error:
            raise SettingsError(
                f"cannot write into {run}: {error.strerror}; make the folder writable for the recorder",
                field="spool.run",
            ) from error

    def write(self, status: RecorderStatus) -> None:
        """Replace the file. A failure is logged once: readers do not believe a status that is old."""
        try:
            self._temporary.write_text(status.model_dump_json(), encoding="utf-8")
            self._temporary.replace(self._path)
        except OSError as error:
            self._troubles.report(self._path.name, f"cannot write {self._path}: {error.strerror}")
        else:
            self._troubles.clear(self._path.name)
