"""Custody entries about disclosure."""

from __future__ import annotations

from archive.custody.kinds import register

CONSENT = register(*("consent", "a consent to disclose it was entered", "consent", "how", "scan_sha256", "copy_wanted"))
CONSENT_WITHDRAWN = register("consent-withdrawn", "a consent to disclose it was withdrawn", "consent")
RECORDED = register(
    "recorded", "somebody who was recorded was entered, with or without a written consent", "recorded", "consented"
)
DISCLOSURE = register("disclosure", "a disclosure was prepared", "disclosure", "basis", "what", "redaction")
DISCLOSURE_CHANGED = register(
    *("disclosure-notice", "a notice about a disclosure was entered", "disclosure", "told_on"),
    *("until_day", "exempt"),
)
DISCLOSURE_TOLD = register(
    "disclosure-told", "a letter about a disclosure was written to a parent", "disclosure", "letter", "until_day"
)
DISCLOSURE_WITHDRAWN = register("disclosure-withdrawn", "a disclosure was withdrawn", "disclosure")
DISCLOSURE_REFUSED = register("disclosure-refused", "a copy was refused at the gates", "disclosure", "missing")
DISCLOSED = register("disclosed", "a copy was taken out to be disclosed", "disclosure", "basis", "what", "redaction")
DISCLOSED_WHOLE = register("disclosed-whole", "the copy was complete", "disclosure", "sha256", "bytes")
