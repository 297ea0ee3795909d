"""Triggers: what a gate asks for, and what left, is told by a custody entry whichever way a row is changed.

They stop mistakes and the application's own user, not root on the database's host: docs/threat-model.md.
"""

from __future__ import annotations

from typing import Any, Final

from archive.core import triggers
from archive.core.triggers import Refusal
from archive.custody.triggers import becomes, no_entry, taken_back

_SUBJECT: Final = "COALESCE(NEW.recording_id, NEW.outside_id)"
_DISCLOSURE: Final = "disclosures_disclosure"
_TOLD: Final = "disclosures_noticegiven"
_KEPT: Final = ("recording_id", "outside_id", "what", "redaction_id", "recipient", "party", "basis")
_CHANGED: Final = " OR ".join(f"NEW.{one} IS DISTINCT FROM OLD.{one}" for one in _KEPT)
_WHOLE: Final = no_entry("disclosed-whole", _SUBJECT, disclosure="NEW.id", sha256="NEW.sha256")
_WITHDRAWN: Final = no_entry("disclosure-withdrawn", _SUBJECT, disclosure="NEW.id")
_PROMISED: Final = no_entry(
    ("disclosure-notice", "disclosure-told"), _SUBJECT, disclosure="NEW.id", until_day="NEW.waits_until"
)
_SOONER: Final = "(OLD.waits_until IS NOT NULL AND (NEW.waits_until IS NULL OR NEW.waits_until < OLD.waits_until))"
_EXEMPT: Final = no_entry("disclosure-notice", _SUBJECT, disclosure="NEW.id", exempt="NEW.exempt")
_NOTICED: Final = no_entry("disclosure-notice", disclosure="NEW.disclosure_id", told_on="NEW.told_on")
_GONE: Final = """(EXISTS (SELECT 1 FROM recordings_recording r
        WHERE r.id = {0}.recording_id AND r.destroyed_at IS NOT NULL)
    OR EXISTS (SELECT 1 FROM outside_recordings_outsiderecording o
        WHERE o.id = {0}.outside_id AND o.destroyed_at IS NOT NULL))"""
_TOLD_STANDS: Final = f"""EXISTS (SELECT 1 FROM disclosures_disclosure d
    WHERE d.id = OLD.disclosure_id AND NOT {_GONE.format("d")})"""  # noqa: S608 - our own names
_BY_DEED: Final = "a disclosure is changed by its deeds alone"
_PROMISE: Final = "the day that a parent was promised is moved later by a deed alone"
_FIRST: Final = "when parents were told stays as it was entered; a second time is entered beside it"
_CONSENT: Final = "a consent is withdrawn by its deed alone"
REFUSALS: Final = (
    Refusal("disclosures_same", "UPDATE", _DISCLOSURE, _CHANGED, "what was prepared to leave stays what it is"),
    Refusal("disclosures_handed", "UPDATE", _DISCLOSURE, f"{becomes('handed_at')} AND {_WHOLE}", _BY_DEED),
    Refusal("disclosures_withdrawn", "UPDATE", _DISCLOSURE, f"{becomes('withdrawn_at')} AND {_WITHDRAWN}", _BY_DEED),
    Refusal("disclosures_for_good", "UPDATE", _DISCLOSURE, taken_back("withdrawn_at"), _BY_DEED),
    Refusal("disclosures_stay_handed", "UPDATE", _DISCLOSURE, taken_back("handed_at"), _BY_DEED),
    Refusal("disclosures_not_sooner", "UPDATE", _DISCLOSURE, _SOONER, _PROMISE),
    Refusal(
        *("disclosures_promised", "UPDATE", _DISCLOSURE),
        f"NEW.waits_until IS DISTINCT FROM OLD.waits_until AND {_PROMISED}",
        _PROMISE,
    ),
    Refusal("disclosures_exempt", "UPDATE", _DISCLOSURE, f"NEW.exempt <> OLD.exempt AND {_EXEMPT}", _BY_DEED),
    Refusal("disclosures_told", "INSERT", _TOLD, _NOTICED, _FIRST),
    Refusal(
        *("disclosures_told_same", "UPDATE", _TOLD),
        "NEW.disclosure_id <> OLD.disclosure_id OR NEW.student_id <> OLD.student_id OR NEW.told_on <> OLD.told_on",
        _FIRST,
    ),
    Refusal("disclosures_told_kept", "DELETE", _TOLD, _TOLD_STANDS, _FIRST),
    Refusal(
        "disclosures_kept", "DELETE", _DISCLOSURE, f"NOT {_GONE.format('OLD')}", "it goes with its recording alone"
    ),
    Refusal(
        *("disclosures_consent_ended", "UPDATE", "disclosures_consent"),
        f"{becomes('withdrawn_on')} AND {no_entry('consent-withdrawn', _SUBJECT, consent='NEW.id')}",
        _CONSENT,
    ),
    Refusal("disclosures_consent_back", "UPDATE", "disclosures_consent", taken_back("withdrawn_on"), _CONSENT),
    Refusal(
        *("disclosures_recorded", "UPDATE", "disclosures_recorded"),
        f"{becomes('consented_on')} AND {no_entry('recorded', _SUBJECT, recorded='NEW.id', consented=True)}",
        "who consented in writing is entered by that deed alone",
    ),
)


def create(apps: Any, schema_editor: Any) -> None:  # noqa: ARG001 - Django calls it so
    """Make the triggers."""
    triggers.install(schema_editor, REFUSALS)
