"""Boxes whose cards went on in this board (docs/enrollment.md): what they left in the spool is closed and sent."""

from __future__ import annotations

import logging

from appliance.contract.errors import PlainSightError
from appliance.contract.former_boxes import FormerBoxes
from appliance.contract.keys import SigningKey
from appliance.contract.settings_file import load_settings
from appliance.recorder.settings import RecorderSettings

_log = logging.getLogger(__name__)


def former_keys(settings: RecorderSettings) -> dict[str, SigningKey]:
    """Return the boxes whose cards went on in this board, with their keys.

    What cannot be read is told and left out: the recordings of such a box are then set aside, and a meeting is not kept
    from being recorded.
    """
    path = settings.box.former_path()
    if not path.exists():
        return {}
    try:
        return {one.id: one.signing_key() for one in load_settings(path, FormerBoxes, "enroll the box anew").boxes}
    except PlainSightError as error:
        _log.error("what a former box left here is not sent: %s", error.message)
        return {}
