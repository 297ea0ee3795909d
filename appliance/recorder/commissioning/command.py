"""`plainsight commission`: guide an installer through a new box, and keep a signed record of what works."""

from __future__ import annotations

import argparse
import json
import logging
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from appliance.contract.check_result import CheckResult
from appliance.contract.commissioning import Commissioning
from appliance.contract.errors import PlainSightError, SettingsError
from appliance.contract.keys import SigningKey
from appliance.contract.single_instance import single_instance
from appliance.recorder.command_options import parser
from appliance.recorder.device_checks import require_closed
from appliance.recorder.doctor.compare import expected_parts
from appliance.recorder.health_file import keep_report
from appliance.recorder.ipc import child_setup
from appliance.recorder.panel.choose import make_panel
from appliance.recorder.settings import RecorderSettings, load

from .installer import Installer, Nobody, Terminal
from .network_isolation import leave_network
from .outcome import Outcome, findings
from .panel_loop import CommissioningError, PanelLoop, StoppedError
from .preflight import preflight
from .walk import CAPTURE, walk

_STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
LEAST_S, MOST_S = 5.0, 120.0
_log = logging.getLogger(__name__)


def _parser() -> argparse.ArgumentParser:
    command = parser(
        "commission",
        "Try the lights, button and microphone of a new box with its installer, and sign a record of what works.",
        "The red lamp is lit while it listens. Stop the recorder first. Exit status: 0 the record is kept, 1 something "
        "failed and nothing was changed, 2 wrong settings or arguments; 128 and the signal's number if stopped.",
    )
    command.add_argument("--json", action="store_true", help="print the result as one JSON object on standard output")
    command.add_argument(
        "--seconds",
        type=_seconds,
        default=10.0,
        metavar="N",
        help="how long to listen to the quiet room, in seconds (default: 10)",
    )
    command.add_argument(
        "--no-questions",
        action="store_true",
        help="try only what needs no person (sensors, microphone); the record says what was not tried",
    )
    return command


def _seconds(text: str) -> float:
    value = float(text)
    if not LEAST_S <= value <= MOST_S:
        raise argparse.ArgumentTypeError(f"from {LEAST_S:g} to {MOST_S:g} seconds")
    return value


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return its exit status. Raises PlainSightError before any light is switched on."""
    options = _parser().parse_args(arguments)
    settings = load(options.config)
    if not options.no_questions and not sys.stdin.isatty():
        raise SettingsError(
            "there is no terminal, so nobody can say whether the lights are lit; run it at a terminal (ssh -t), "
            "or give --no-questions to try only what needs no person",
            field="--no-questions",
        )
    key = SigningKey.load(settings.box.signing_key_path())
    child_setup.protect_memory("ps-commission")
    child_setup.log_to_stderr()
    # a stopped process could neither close the microphone nor switch the lamp off; children inherit this
    signal.signal(signal.SIGTSTP, signal.SIG_IGN)
    isolated = leave_network()
    _find_sound(options.config)
    remedy = "stop it first: systemctl stop plainsight-recorder"
    with single_instance(settings.spool.run, "recorder", field="spool.run", remedy=remedy):
        require_closed(settings.microphone)
        if not isolated:
            print("note: without root, this process stays on the network while it listens", file=sys.stderr)
        panel_loop = PanelLoop(make_panel(settings), settings)
        return commission(
            panel_loop, _installer(options, panel_loop), key, seconds=options.seconds, as_json=options.json
        )


def _installer(options: argparse.Namespace, panel_loop: PanelLoop) -> Installer:
    return Nobody() if options.no_questions else Terminal(panel_loop, sys.stdin.fileno())


def _find_sound(config: Path) -> None:
    """Use the same ALSA configuration as the recorder (systemd/plainsight-recorder.service)."""
    shipped = config.absolute().parent / "asound.conf"
    if shipped.exists():
        os.environ.setdefault("ALSA_CONFIG_PATH", str(shipped))


def try_box(
    panel_loop: PanelLoop,
    installer: Installer,
    key: SigningKey,
    *,
    seconds: float,
    module: str = CAPTURE,
    show: Callable[[Outcome], None] = lambda _: None,
) -> Outcome:
    """Commission the box; `show` shows the outcome while the panel is still there. At the end all lights are off."""
    settings = panel_loop.settings
    before = {number: signal.signal(number, lambda number, _: panel_loop.ask_to_stop(number)) for number in _STOPS}
    checks: list[CheckResult] = []
    record: Commissioning | None = None
    wrong: PlainSightError | None = None
    try:
        try:
            panel_loop.start()
            checks = preflight(settings)
            for check in checks:
                installer.tell(check.as_text())
            if any(check.verdict == "wrong" for check in checks):
                raise CommissioningError("fix what is WRONG above first; no light was switched on", field="preflight")
            record = walk(panel_loop, installer, key, seconds, module)
        except PlainSightError as error:
            wrong = error
        untried = [part for part in expected_parts(settings.panel) if record and part not in record.checked]
        outcome = Outcome(checks, record, wrong, untried)
        if not isinstance(wrong, StoppedError):
            try:
                show(outcome)
            except PlainSightError as error:
                # a signal, or a panel that was lost, while it was shown: what was found stands
                _log.info("%s", error.message)
    finally:
        panel_loop.panel.close()
        for number, handler in before.items():
            signal.signal(number, handler)
    return outcome


def commission(
    panel_loop: PanelLoop,
    installer: Installer,
    key: SigningKey,
    *,
    seconds: float,
    as_json: bool,
    module: str = CAPTURE,
) -> int:
    """Commission the box and print the result; at the end all lights are off. Return the exit status."""
    outcome = try_box(panel_loop, installer, key, seconds=seconds, module=module)
    result = _result(panel_loop.settings, installer.tell, outcome.checks, outcome.record, outcome.wrong)
    if as_json:
        print(json.dumps(result, indent=2))
    if isinstance(outcome.wrong, StoppedError):
        return 128 + outcome.wrong.number
    # what an earlier one found, by buttons perhaps, is taken back
    keep_report(panel_loop.settings, "commissioning", findings(outcome))
    return 0 if outcome.wrong is None else 1


def _result(
    settings: RecorderSettings,
    tell: Callable[[str], None],
    checks: list[CheckResult],
    record: Commissioning | None,
    wrong: PlainSightError | None,
) -> dict[str, Any]:
    """Tell the installer how it ended, and return the result for a script."""
    path = settings.box.commissioning
    result: dict[str, Any] = {"ok": record is not None, "checks": [check.as_json() for check in checks]}
    if wrong is not None:
        result |= wrong.as_json()
        where = f" [{wrong.field}]" if wrong.field else ""
        tell(f"plainsight commission:{where} {wrong.message}\n{path} was not changed.")
    if record is not None:
        untried = [part for part in expected_parts(settings.panel) if part not in record.checked]
        result |= {"path": str(path), "record": record.model_dump(mode="json"), "untried": untried}
        rest = f"; not tried: {', '.join(untried)}" if untried else ""
        tell(
            f"Commissioned: {', '.join(record.checked)}{rest}. The record is {path}.\n"
            "Start the recorder: systemctl start plainsight-recorder"
        )
    return result
