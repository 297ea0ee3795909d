"""The noise floor that commissioning learned, from its signed record; read once, when the writer starts.

Without a valid record for this microphone there is no floor: then the box detects neither a muted microphone nor a
quiet room, and nothing else changes.
"""

from __future__ import annotations

import logging

from appliance.contract.commissioning import Commissioning, Floor
from appliance.contract.errors import PlainSightError, SettingsError
from appliance.recorder.commissioning_record import read_record
from appliance.recorder.microphone_monitor import bands
from appliance.recorder.settings import RecorderSettings

_log = logging.getLogger(__name__)


def read_floor(settings: RecorderSettings, public: str) -> Floor | None:
    """Return the floor of this box's microphone, or None, with a line in the journal that says why.

    `public` is the box's own key: only a record that it signed counts.
    """
    try:
        record = read_record(settings, public)
        _check(record, settings)
    except PlainSightError as error:
        _log.warning(
            "no noise floor is known, so a muted microphone and a quiet room are not noticed: %s", error.message
        )
        return None
    return record.floor


def _check(record: Commissioning, settings: RecorderSettings) -> None:
    """Raise SettingsError if the record is not about this box's microphone as it is set now."""
    again = "run plainsight commission again"
    microphone = settings.microphone
    if record.rate != microphone.rate or len(record.floor.bands) != len(bands(microphone.rate)):
        raise SettingsError(
            f"the floor was learned at {record.rate} frames a second in {len(record.floor.bands)} bands, and "
            f"microphone.rate is {microphone.rate}; {again}",
            field="microphone.rate",
        )
    if microphone.identity and record.microphone.identity.lower() != microphone.identity.lower():
        raise SettingsError(
            f"the floor is that of the microphone {record.microphone.identity or 'without identity'}, and "
            f"microphone.identity is {microphone.identity}; {again}",
            field="microphone.identity",
        )
