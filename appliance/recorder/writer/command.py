"""`plainsight close`: a person closes what a board that died left open, so that it can be sent (docs/enrollment.md).

On a box the recorder does that by itself at its start. This is for a copy of a card's spool, on another computer.
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path

from appliance.contract.errors import FormatError, SettingsError
from appliance.contract.keys import SigningKey
from appliance.recorder.storage.disk import Disk, DiskError
from appliance.recorder.storage.spool import Spool

from .recovery import close_one


def main(arguments: list[str] | None = None) -> int:
    """Close recordings; return 1 if one of them could not be, which is told. Raises SettingsError or KeyFileError."""
    parser = argparse.ArgumentParser(
        prog="plainsight close",
        description="Close recordings that a crash or a dead board left open, as interrupted: they can then be sent. "
        "Nothing is cut but what no ledger line vouches for, and that is kept in the spool's .set-aside. "
        "Exit status: 0 all are closed now, 1 one could not be closed, 2 wrong arguments.",
        epilog="example: plainsight close --spool /srv/former/spool --key /srv/former/box.key",
    )
    parser.add_argument("recording", nargs="*", help="identifiers of recordings (default: all in the spool)")
    parser.add_argument("--spool", type=Path, required=True, help="the spool: the folder with `recordings` in it")
    parser.add_argument(
        "--key", type=Path, required=True, help="the signing key of the box that made them (its box.key)"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of text")
    options = parser.parse_args(arguments)
    spool, key = Spool(options.spool.absolute(), Disk()), SigningKey.load(options.key)
    if not spool.recordings.is_dir():
        raise SettingsError(f"{options.spool} is no spool: it has no folder recordings", field="--spool")
    wanted = list(dict.fromkeys(options.recording)) or spool.ids()
    for recording in wanted:
        if recording not in spool.ids():
            raise SettingsError(f"there is no recording {recording!r} in {spool.recordings}", field="recording")
    # a recorder that serves this spool closes what is open by itself
    lock = spool.lock(0.0)
    try:
        spool.prepare()
        done = _close(spool, key, wanted)
    finally:
        os.close(lock)
    print(json.dumps(done, indent=2) if options.json else _text(done))
    return 1 if done["failed"] or done["incomplete"] else 0


def _close(spool: Spool, key: SigningKey, wanted: list[str]) -> dict[str, list[str] | dict[str, str]]:
    closed: list[str] = []
    before: list[str] = []
    incomplete: dict[str, str] = {}
    failed: dict[str, str] = {}
    for recording in wanted:
        try:
            (closed if close_one(spool, key, recording, incomplete.__setitem__) else before).append(recording)
        except (DiskError, FormatError) as error:
            failed[recording] = error.message
    return {"closed": closed, "closed_before": before, "incomplete": incomplete, "failed": failed}


def _text(done: dict[str, list[str] | dict[str, str]]) -> str:
    lines = [f"{recording}: closed as interrupted" for recording in done["closed"]]
    lines += [f"{recording}: was closed already" for recording in done["closed_before"]]
    for told in (done["incomplete"], done["failed"]):
        lines += [f"{recording}: {why}" for recording, why in told.items()] if isinstance(told, dict) else []
    return "\n".join(lines) or "there is no recording in this spool"
