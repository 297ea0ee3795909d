"""`plainsight doctor`: checks a box without opening its microphone, and says what to do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from appliance.boot_files.check import check_boot
from appliance.boot_files.models import MODELS
from appliance.boot_files.panel_pins import SHIPPED, PanelPins
from appliance.contract.board import board_model
from appliance.contract.check_result import CheckResult
from appliance.contract.errors import SettingsError
from appliance.contract.health import reported
from appliance.recorder.command_options import parser
from appliance.recorder.health_file import keep_report
from appliance.recorder.settings import PanelSettings, RecorderSettings, load

from .bootloader import boot_device, check_bootloader, shown_by_kernel
from .examination import AMBER, examine

BOOT: Final = Path("/boot/firmware")
"""Where Raspberry Pi OS mounts the boot partition."""


def main(arguments: list[str] | None = None) -> int:
    """Print each check; return 0 if all is well or only worth a look, 1 if something is wrong."""
    command = parser(
        "doctor",
        "Check settings, keys, folders, panel, microphone, clock, the record of commissioning and a running recorder.",
        "It opens no microphone and changes nothing. Exit status: 0 all is well, 1 something is wrong, 2 bad settings, "
        "or boot files that cannot be read.",
    )
    command.add_argument("--json", action="store_true", help="print one JSON object instead of text")
    command.add_argument(
        "--boot",
        type=Path,
        metavar="DIR",
        help="check the boot files of a card instead: DIR is its mounted boot partition (/boot/firmware on a box)",
    )
    command.add_argument(
        "--model", choices=sorted(MODELS), help="with --boot: for this model only (default: for all that a box can be)"
    )
    command.add_argument("--report", action="store_true", help="keep what is wrong for the archive, which shows it")
    options = command.parse_args(arguments)
    if options.boot is None:
        if options.model is not None:
            command.error("--model goes with --boot")
        settings = load(options.config)
        findings = [*examine(settings), *_boot(settings), *bootloader(settings)]
        if options.report:
            # the amber codes that hold reach the archive by themselves, and at once
            keep_report(settings, "doctor", reported([one for one in findings if one.check != AMBER]))
    elif options.report:
        command.error("--report does not go with --boot")
    else:
        models = (MODELS[options.model],) if options.model else tuple(MODELS.values())
        findings = check_boot(options.boot, _pins(options.config), models)
    return _print(findings, as_json=options.json)


def _boot(settings: RecorderSettings) -> list[CheckResult]:
    """Return what is to be said about this box's own boot files; nothing on a machine that is no Raspberry Pi."""
    if settings.panel.kind != "gpio" or not (BOOT / "config.txt").exists():
        return []
    name = board_model()
    models = tuple(model for model in MODELS.values() if model.name in name) or tuple(MODELS.values())
    try:
        return check_boot(BOOT, panel_pins(settings.panel), models)
    except SettingsError as error:
        return [CheckResult("boot files", "warning", error.message, "run plainsight doctor --boot /boot/firmware")]


def bootloader(settings: RecorderSettings) -> list[CheckResult]:
    """Return what is to be said about the settings in this board's boot chip, where it has one."""
    if settings.panel.kind != "gpio":
        return []
    return list(check_bootloader(board_model(), boot_device(BOOT), shown_by_kernel))


def _pins(config: Path) -> PanelPins:
    """Return the pins of the box's settings; those of docs/wiring where there are none, as on a technician's laptop."""
    return panel_pins(load(config).panel) if config.exists() else SHIPPED


def panel_pins(panel: PanelSettings) -> PanelPins:
    """Return the pins that a panel uses."""
    inputs = {"BUTTON": panel.button, "LAMP_SEEN": panel.lamp_seen, "MIC_RAIL": panel.mic_rail}
    return PanelPins(
        outputs={"REC_EN": panel.red, "STATUS green": panel.green, "STATUS amber": panel.amber},
        inputs={name: pin for name, pin in inputs.items() if pin is not None},
    )


def _print(findings: list[CheckResult], *, as_json: bool) -> int:
    wrong = any(finding.verdict == "wrong" for finding in findings)
    if as_json:
        print(json.dumps({"ok": not wrong, "checks": [finding.as_json() for finding in findings]}, indent=2))
    else:
        for finding in findings:
            print(finding.as_text())
    return 1 if wrong else 0
