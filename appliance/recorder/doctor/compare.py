"""The box as it is beside the record of commissioning, for `plainsight doctor`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import get_args

from appliance.contract.check_result import CheckResult
from appliance.contract.commissioning import Commissioning, Part
from appliance.contract.errors import PlainSightError
from appliance.contract.times import parse_wall
from appliance.recorder.commissioning_record import FAULT, read_record
from appliance.recorder.settings import PanelSettings, RecorderSettings

from .check_result import AS_RECORDER, by_table, not_readable

_CHECK = "commissioning"
_AGAIN = "stop the recorder and run plainsight commission"


def expected_parts(panel: PanelSettings) -> list[Part]:
    """Return what a box with this panel can have tried."""
    missing = {"lamp-sensor"} if panel.lamp_seen is None else set()
    missing |= {"rail-sense"} if panel.mic_rail is None else set()
    return [part for part in get_args(Part) if part not in missing]


def compare(settings: RecorderSettings) -> tuple[Commissioning | None, list[CheckResult]]:
    """Return the record, if it is to be believed, and what is to be said about it. It reads a disk."""
    try:
        record = read_record(settings)
    except PlainSightError as error:
        if settings.checks.commissioned and error.code == FAULT and not not_readable(settings.box.commissioning):
            return None, [by_table(_CHECK, FAULT, error.message, "warning")]
        hidden = any(map(not_readable, (settings.box.signing_key_path(), settings.box.commissioning)))
        remedy = AS_RECORDER if hidden else _AGAIN if error.code == FAULT else "restore the key file first"
        return None, [CheckResult(_CHECK, "warning", error.message, remedy)]
    return record, compare_record(record, settings, datetime.now(UTC))


def compare_record(record: Commissioning, settings: RecorderSettings, now: datetime) -> list[CheckResult]:
    """Return what the record says beside the settings of today; the microphone's presence is another check's."""
    age = now - parse_wall(record.made_at)
    when = f"{age.days} days ago" if age > timedelta() else "later than this box's clock"
    found = [CheckResult(_CHECK, "ok", f"{record.made_at}, {when}")]
    untried = [part for part in expected_parts(settings.panel) if part not in record.checked]
    if untried:
        found.append(CheckResult("commissioned parts", "warning", f"not tried: {', '.join(untried)}", _AGAIN))
    else:
        found.append(CheckResult("commissioned parts", "ok", ", ".join(record.checked)))
    found.extend(_microphone(record, settings))
    return found


def _microphone(record: Commissioning, settings: RecorderSettings) -> list[CheckResult]:
    then, now = record.microphone, settings.microphone
    pairs = (
        ("device", then.device, now.device),
        ("card", then.card, now.card),
        ("rate", record.rate, now.rate),
        ("identity", then.identity.lower(), (now.identity or then.identity).lower()),
    )
    differ = [f"{name} was {before or 'not set'}, is {after or 'not set'}" for name, before, after in pairs
              if before != after]  # fmt: skip
    if differ:
        return [CheckResult("commissioned microphone", "warning", "; ".join(differ), _AGAIN)]
    words = " ".join(word for word in (then.card, then.identity) if word) or then.device
    return [CheckResult("commissioned microphone", "ok", f"{words}, noise {record.floor.rms / 100:.1f} dB")]
