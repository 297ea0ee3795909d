"""`plainsight doctor`: checks a box without opening its microphone, and says what to do."""

from __future__ import annotations

import json

from appliance.recorder.command_options import parser
from appliance.recorder.settings import load

from .examination import examine


def main(arguments: list[str] | None = None) -> int:
    """Print each check; return 0 if all is well or only worth a look, 1 if something is wrong."""
    command = parser(
        "doctor",
        "Check settings, keys, folders, panel, microphone, clock, the record of commissioning and a running recorder.",
        "It opens no microphone and changes nothing. Exit status: 0 all is well, 1 something is wrong, 2 bad settings.",
    )
    command.add_argument("--json", action="store_true", help="print one JSON object instead of text")
    options = command.parse_args(arguments)
    findings = examine(load(options.config))
    wrong = any(finding.verdict == "wrong" for finding in findings)
    if options.json:
        print(json.dumps({"ok": not wrong, "checks": [finding.as_json() for finding in findings]}, indent=2))
    else:
        for finding in findings:
            print(finding.as_text())
    return 1 if wrong else 0
