"""`plainsight recorder`: the recorder, and in its place, when its button asks for it, a commissioning without a screen.

Both are one service: the commissioning has the recorder's user, sandbox and watchdog, and no network. It is begun by
the front panel alone (supervisor/commissioning_offer.py).
"""

from __future__ import annotations

import logging

from appliance.contract import amber_codes
from appliance.contract.errors import PlainSightError
from appliance.contract.keys import SigningKey
from appliance.contract.single_instance import single_instance
from appliance.recorder.device_checks import require_closed
from appliance.recorder.health_file import keep_report
from appliance.recorder.panel.choose import make_panel
from appliance.recorder.settings import RecorderSettings
from appliance.recorder.supervisor import command
from appliance.recorder.supervisor.journal import Journal
from appliance.recorder.supervisor.loop import COMMISSION

from .buttons import Buttons
from .command import try_box
from .outcome import Outcome, failed_code, findings
from .panel_loop import PanelLoop, StoppedError
from .walk import CAPTURE

SECONDS = 10.0
"""How long the quiet room is listened to, in seconds."""
_log = logging.getLogger(__name__)


def main(arguments: list[str] | None = None) -> int:
    """Serve the button; return the recorder's exit status. Raises SettingsError or DeviceError."""
    config, settings = command.read_arguments(arguments)
    first_press = True
    while True:
        status = command.run(config, settings, offer_first_press=first_press)
        if status != COMMISSION:
            return status
        # offered once a start: a box that is not commissioned must not keep a meeting from being recorded
        first_press = False
        if not commission_by_buttons(settings):
            return 0


def commission_by_buttons(settings: RecorderSettings, module: str = CAPTURE, seconds: float = SECONDS) -> bool:
    """Commission by lights and button, keep the report for the archive; return False if it was asked to stop.

    Whatever goes wrong is shown by amber's count and reported; the recorder comes back in any case.
    """
    with single_instance(settings.spool.run, "recorder", field="spool.run", remedy="stop the other one first"):
        journal = Journal(settings.log)
        try:
            require_closed(settings.microphone)
            panel_loop = PanelLoop(make_panel(settings), settings)
            return _commission(panel_loop, SigningKey.load(settings.box.signing_key_path()), module, seconds)
        except PlainSightError as error:
            # no panel, no key, or a microphone that cannot be closed: the recorder says so in its own way
            _log.error("the box cannot be commissioned: %s", error.message)
            return True
        finally:
            journal.close()


def _commission(panel_loop: PanelLoop, key: SigningKey, module: str, seconds: float) -> bool:
    buttons = Buttons(panel_loop)
    outcome = try_box(
        panel_loop, buttons, key, seconds=seconds, module=module, show=lambda found: _show(buttons, found)
    )
    if isinstance(outcome.wrong, StoppedError):
        return False
    if outcome.wrong is not None:
        _log.warning("the box was not commissioned: %s", outcome.wrong.message)
    keep_report(panel_loop.settings, "commissioning", findings(outcome))
    return True


def _show(buttons: Buttons, outcome: Outcome) -> None:
    if outcome.wrong is None:
        buttons.show_well()
    else:
        buttons.show_wrong(amber_codes.find(failed_code(outcome)).blinks)
