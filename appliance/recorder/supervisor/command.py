"""`plainsight recorder`: serve the button until asked to stop."""

from __future__ import annotations

import logging
import os
import signal
from pathlib import Path

from appliance.contract.board import board_serial, is_another_board
from appliance.contract.commissioning import Commissioning
from appliance.contract.errors import PlainSightError
from appliance.contract.single_instance import single_instance
from appliance.recorder import commissioning_record, device_checks
from appliance.recorder.command_options import parser
from appliance.recorder.panel.choose import make_panel
from appliance.recorder.settings import RecorderSettings, load

from .commissioning_offer import CommissioningOffer
from .journal import Journal
from .loop import Supervisor
from .own_code import own_code
from .processes import Programs

_log = logging.getLogger(__name__)


def read_arguments(arguments: list[str] | None = None) -> tuple[Path, RecorderSettings]:
    """Return the settings' file and what stands in it; raise SettingsError."""
    options = parser(
        "recorder",
        "Run the recorder: button, lamp, microphone.",
        "It starts idle, and only its button starts a recording. SIGTERM ends a running one in good order; SIGHUP "
        "waits until it has ended.",
    ).parse_args(arguments)
    config = options.config.absolute()
    return config, load(config)


def run(config: Path, settings: RecorderSettings, *, offer_first_press: bool) -> int:
    """Run the recorder; return 0 after SIGTERM or SIGINT, 1 after a lost panel, COMMISSION if its button asked for it.

    `offer_first_press`: a box that was not commissioned takes its first press for that. Raises SettingsError or
    DeviceError.
    """
    remedy = "stop it first, or give this one its own spool.run and spool.path"
    with (
        single_instance(settings.spool.run, "recorder", field="spool.run", remedy=remedy),
        own_code(settings.spool.run) as code,
    ):
        device_checks.require_closed(settings.microphone)
        panel = make_panel(settings)
        journal = Journal(settings.log)
        supervisor = None
        try:
            found = _record(settings)
            wanted = settings.checks.commissioned
            supervisor = Supervisor(
                settings,
                panel,
                programs=Programs(
                    writer_arguments=("--config", str(config)),
                    capture_arguments=settings.capture_arguments(),
                    code=code,
                ),
                start_faults=_start_faults(settings, commissioned=found is not None or not wanted),
                commissioned=found,
                offer=CommissioningOffer(first_press=offer_first_press and wanted and found is None),
            )
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, lambda *_: supervisor.ask_to_stop())
            # an upgrade asks for it: the new version starts when no recording is cut by that
            signal.signal(signal.SIGHUP, lambda *_: supervisor.ask_to_restart())
            return supervisor.run()
        except BaseException:
            if supervisor is not None and supervisor.left_open:
                # the exit below lets nobody else report it
                _log.exception("the recorder ends by a defect of its own, with a microphone that cannot be closed")
            raise
        finally:
            journal.close()
            if supervisor is not None and supervisor.left_open:
                # an orderly exit would let gpiozero put the lamp out
                os._exit(1)


def _start_faults(settings: RecorderSettings, *, commissioned: bool) -> frozenset[str]:
    """Return the amber codes that hold from the start until it is started again."""
    codes = set() if commissioned else {commissioning_record.FAULT}
    if is_another_board(settings.box.board, board_serial()):
        codes.add("wrong-board")
    return frozenset(codes)


def _record(settings: RecorderSettings) -> Commissioning | None:
    """Return the record of commissioning, or None, and say why, if there is none to believe."""
    try:
        return commissioning_record.read_record(settings)
    except PlainSightError as error:
        if settings.checks.commissioned:
            _log.error("%s", error.message)
        return None
