"""`plainsight doctor`: checks a box without opening its microphone, and says what to do."""

from __future__ import annotations

import json
from pathlib import Path

from appliance.boot_files.check import check_boot
from appliance.boot_files.models import MODELS
from appliance.boot_files.panel_pins import SHIPPED, PanelPins
from appliance.contract.check_result import CheckResult
from appliance.recorder.command_options import parser
from appliance.recorder.settings import PanelSettings, load

from .examination import examine


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
    options = command.parse_args(arguments)
    if options.boot is None:
        if options.model is not None:
            command.error("--model goes with --boot")
        findings = examine(load(options.config))
    else:
        models = (MODELS[options.model],) if options.model else tuple(MODELS.values())
        findings = check_boot(options.boot, _pins(options.config), models)
    return _print(findings, as_json=options.json)


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
