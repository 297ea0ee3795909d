"""Sealing whatever is ready, for ever. One process, one thread; several sealers at once do no harm."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from django.db import DatabaseError, close_old_connections

from appliance.contract.errors import PlainSightError
from appliance.contract.stop_signal import StopSignal
from archive.core.health import alive
from archive.keystore.recording_keys import recording_keys
from archive.store.current import store

from .seal import note_problem, ready, seal

LOOK_S = 0.25
"""Pause between looks for something to seal, in seconds."""
RETRY_S = 60.0
"""Pause before a recording that could not be sealed is tried again, in seconds."""
ALIVE_S = 3.0
"""How often the sealer says that it runs, in seconds."""
SWEEP_S = 3600.0
"""How often temporary files of crashed processes are looked for, in seconds."""
_log = logging.getLogger(__name__)


class Sealer:
    """Looks, seals, and waits."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self.stop = StopSignal()
        """Makes `run` return after the recording in hand."""
        self._again: dict[str, float] = {}
        self._sweep_at = self._alive_at = clock()

    def run(self) -> None:
        """Seal until `stop`."""
        while not self.stop.is_set():
            try:
                self.once()
            except DatabaseError:
                _log.exception("the database failed")
                close_old_connections()
            self.stop.wait(LOOK_S)

    def once(self) -> int:
        """Seal what is ready now, and return how many were sealed."""
        self._sweep()
        if self._clock() >= self._alive_at:
            self._alive_at = self._clock() + ALIVE_S
            alive("sealer")
        sealed = 0
        for recording in list(ready().values_list("pk", flat=True)):
            if self.stop.is_set() or self._again.get(recording, 0) > self._clock():
                continue
            try:
                row = seal(recording)
            except (PlainSightError, OSError) as error:
                # one recording that cannot be sealed must not stop the others
                _log.error("cannot seal %s: %s", recording, error)
                note_problem(recording, str(error))
                self._again[recording] = self._clock() + RETRY_S
            else:
                self._again.pop(recording, None)
                _log.info("sealed %s (%s)", recording, row.outcome)
                sealed += 1
        return sealed

    def _sweep(self) -> None:
        if self._clock() < self._sweep_at:
            return
        self._sweep_at = self._clock() + SWEEP_S
        try:
            store().sweep()
            recording_keys().sweep()
        except PlainSightError as error:
            _log.error("%s", error.message)
