"""`plainsight idle`: waits until nobody records, so that an upgrade does not meet a meeting."""

from __future__ import annotations

import argparse
import sys
import time
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from appliance.contract.paths import STATUS
from appliance.contract.status import RecorderStatus
from appliance.contract.times import boot_id
from appliance.recorder.command_options import parser

_BUSY: Final = {"arming", "recording", "paused", "ending"}
_LOOK_S: Final = 1.0
RUN: Final = Path("/run/plainsight")
"""Where a recorder's status lies if its settings do not say otherwise."""
BUSY: Final = 1
"""Exit status if it did not become idle in time; the nightly upgrade is left out for it."""


def run_folder(config: Path) -> Path:
    """Return where the recorder's status lies by the settings file `config`; nothing else in it is looked at.

    A version that refuses these settings must not keep its own successor from the box. Where the file tells no folder,
    it is the usual one.
    """
    try:
        settings = tomllib.loads(config.read_text(encoding="utf-8"))
        spool = settings.get("spool", {})
        named = spool.get("run", str(RUN)) if isinstance(spool, dict) else None
    except FileNotFoundError:
        # a box that is not enrolled yet
        return RUN
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        named, why = None, str(error)
    else:
        why = "[spool] run is no path"
    if isinstance(named, str):
        return Path(named)
    sys.stderr.write(f"plainsight idle: {config} is not read: {why}; the recorder is looked for in {RUN}\n")
    return RUN


def is_idle(run: Path) -> bool:
    """Tell whether nothing is recorded now; a recorder that does not run, or is silent, records nothing."""
    try:
        status = RecorderStatus.model_validate_json((run / STATUS).read_bytes())
    except (OSError, ValidationError):
        return True
    return status.state not in _BUSY or not status.fresh(boot_id(), time.monotonic_ns())


def wait_until_idle(
    run: Path, for_s: float, wait_s: float, now: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> bool:  # fmt: skip
    """Wait until it was idle for `for_s` seconds without a break; return False if that takes more than `wait_s`."""
    began = idle_since = now()
    while True:
        at = now()
        if not is_idle(run):
            idle_since = at + _LOOK_S
        elif at - idle_since >= for_s:
            return True
        if at - began >= wait_s:
            return False
        sleep(_LOOK_S)


def _seconds(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 86400:
        raise argparse.ArgumentTypeError("from 0 to 86400 seconds")
    return value


def main(arguments: list[str] | None = None) -> int:
    """Wait; return 0 if the box is idle, 1 if it is not in time."""
    command = parser(
        "idle",
        "Wait until the box records nothing. Upgrades ask it before they begin.",
        "Of the settings it reads [spool] run alone. Exit status: 0 it is idle, 1 it was not in time, 2 bad arguments.",
    )
    command.add_argument(
        "--for-s", type=_seconds, default=0.0, metavar="N", help="idle for so long without a break, in seconds"
    )
    command.add_argument("--wait-s", type=_seconds, default=0.0, metavar="N", help="give up after so long, in seconds")
    options = command.parse_args(arguments)
    run = run_folder(options.config)
    return 0 if wait_until_idle(run, options.for_s, options.wait_s) else BUSY
