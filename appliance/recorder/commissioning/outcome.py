"""How a commissioning ended, and what the archive is told of it: the part that failed, and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from appliance.contract.check_result import CheckResult
from appliance.contract.commissioning import Commissioning, Part
from appliance.contract.errors import PlainSightError
from appliance.contract.health import Finding, reported

REMEDIES: Final[dict[str, tuple[str, str]]] = {
    "red": ("lamp-dark", "Check the red lamp and its wiring (docs/wiring), then commission again."),
    "lamp-sensor": ("lamp-dark", "Check the red lamp and its sensor (docs/wiring), then commission again."),
    "rail-sense": ("rail-live", "Check the microphone's supply and its sense (docs/wiring), then commission again."),
    "green": ("panel-lost", "Check the green light and its wiring (docs/wiring), then commission again."),
    "amber": ("panel-lost", "Check the amber light and its wiring (docs/wiring), then commission again."),
    "button": ("button-stuck", "Check the button and its wiring (docs/wiring), then commission again."),
    "microphone": ("microphone-failed", "Check the microphone and its cable, then commission again."),
    "quiet": ("not-commissioned", "Commission again in a quiet room; if it is quiet, lower the microphone's gain."),
    "speech": ("microphone-silent", "Move the microphone nearer or raise its gain, then commission again."),
    "clipping": ("microphone-clipping", "Move the microphone away or lower its gain, then commission again."),
    "panel": ("panel-lost", "Check the front panel's cable, switch the box off and on, then commission again."),
    "preflight": ("software", "Do what the box's other lines here say, then commission again."),
    "box": ("software", "Switch the box off and on, then commission again; if it fails again, replace its card."),
}  # fmt: skip
"""Part that failed: the amber code that the lights count, and what to do."""


@dataclass(frozen=True)
class Outcome:
    """How a commissioning ended."""

    checks: list[CheckResult]
    """What was looked at before any light was switched on."""
    record: Commissioning | None
    """The record that was kept, or None."""
    wrong: PlainSightError | None
    """What ended it, or None; its field names the part."""
    untried: list[Part]
    """Parts that the record does not have."""


def failed_code(outcome: Outcome) -> str:
    """Return the amber code that the lights count for a commissioning that failed."""
    return REMEDIES[_failed_part(outcome.wrong)][0]


def _failed_part(wrong: PlainSightError | None) -> str:
    """Return the part that an error names; `box` where it names none, as for a record that could not be kept."""
    return wrong.field if wrong is not None and wrong.field in REMEDIES else "box"


def findings(outcome: Outcome) -> list[Finding]:
    """Return what the archive is told: the part that failed with its remedy, and what the pre-flight found."""
    found = reported(outcome.checks)
    if outcome.wrong is not None:
        part = _failed_part(outcome.wrong)
        found.insert(0, Finding(check=f"commissioning {part}", verdict="wrong", remedy=REMEDIES[part][1]))
    elif outcome.untried:
        remedy = f"Not tried: {', '.join(outcome.untried)}."
        found.append(Finding(check="commissioned parts", verdict="warning", remedy=remedy))
    return found
