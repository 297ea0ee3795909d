"""Sealing whatever is ready: a job of the worker. Several workers share the recordings."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from appliance.contract.errors import PlainSightError
from appliance.contract.stop_signal import StopSignal
from archive.core.leases import MINE, Holder
from archive.store.current import keeps_what_it_is_given

from .seal import note_problem, ready, seal

LOOK_S = 0.25
"""Pause between looks for something to seal, in seconds."""
RETRY_S = 60.0
"""Pause before a recording that could not be sealed is tried again, in seconds."""
_log = logging.getLogger(__name__)


class Sealer:
    """Seals what is ready, and remembers what it tried in vain."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, holder: Holder = MINE) -> None:
        self._clock = clock
        self._holder = holder
        self._again: dict[str, float] = {}
        self._trusts = True

    def once(self, stop: StopSignal | None = None) -> int:
        """Seal what is ready now, until `stop`, and return how many were sealed."""
        sealed = 0
        if not self._look_at_store():
            return sealed
        for recording in list(ready().values_list("pk", flat=True)):
            if stop is not None and stop.is_set():
                break
            if self._again.get(recording, 0) > self._clock():
                continue
            lease = f"seal: {recording}"
            if not self._holder.take(lease):
                # another worker seals it
                continue
            try:
                if not ready().filter(pk=recording).exists():
                    # another worker has sealed it since the look
                    continue
                row = seal(recording)
            except (PlainSightError, OSError) as error:
                # one recording that cannot be sealed must not stop the others
                self._again[recording] = self._clock() + RETRY_S
                if note_problem(recording, str(error)):
                    _log.error("cannot seal %(recording)s: %(problem)s", {"recording": recording, "problem": error})
            else:
                self._again.pop(recording, None)
                _log.info("sealed %(recording)s (%(outcome)s)", {"recording": recording, "outcome": row.outcome})
                sealed += 1
            finally:
                self._holder.give_back(lease)
        return sealed

    def _look_at_store(self) -> bool:
        """Tell whether the store may be trusted with a package: a box deletes its recording against the receipt."""
        before, self._trusts = self._trusts, keeps_what_it_is_given()
        if before and not self._trusts:
            _log.error("nothing is sealed: the bucket's lock does not hold, or nobody proved it; run check-store")
        return self._trusts
