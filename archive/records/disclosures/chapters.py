"""What the evidence package says of consents, of who was recorded, and of copies that were handed out."""

from __future__ import annotations

from django.utils.timezone import localtime

from appliance.contract.times import wall
from archive.records.evidence.chapters import Attachment, Chapter, Fact
from archive.records.outside_recordings.either import named
from archive.ui import words

from .models import Consent, Disclosure, Recorded

_ENDINGS = {b"%PDF-": "pdf", b"\x89PNG": "png", b"\xff\xd8\xff": "jpg"}


def consent_chapter(recording: str) -> Chapter:
    """Return the parents' consents, with the scans of those on paper."""
    items: list[tuple[Fact, ...]] = []
    scans: list[Attachment] = []
    for number, one in enumerate(Consent.objects.filter(named(recording)).select_related("person", "student"), 1):
        facts = [
            Fact("student", str(one.student)),
            Fact("person", str(one.person)),
            Fact("records", one.records),
            Fact("party", one.party),
            Fact("purpose", one.purpose),
            Fact("signed", one.signed_on.isoformat(), words.day(one.signed_on)),
            Fact("how", one.how),
        ]
        if one.withdrawn_on is not None:
            facts.append(Fact("withdrawn", one.withdrawn_on.isoformat(), words.day(one.withdrawn_on)))
        if one.scan:
            data = bytes(one.scan)
            ending = next((end for magic, end in _ENDINGS.items() if data.startswith(magic)), "bin")
            scans.append(Attachment(f"consent-{number}.{ending}", data))
            facts.append(Fact("scan", f"data/records/consents/{scans[-1].name}"))
        items.append(tuple(facts))
    return Chapter("consents", tuple(items), tuple(scans))


def recorded_chapter(recording: str) -> Chapter:
    """Return who was recorded, and who agreed in writing to passing it on."""
    items = []
    for one in Recorded.objects.filter(named(recording)):
        facts = [Fact("person", one.name)]
        if one.consented_on is not None:
            facts.append(Fact("consented", one.consented_on.isoformat(), words.day(one.consented_on)))
        items.append(tuple(facts))
    return Chapter("recorded", tuple(items))


def disclosure_chapter(recording: str) -> Chapter:
    """Return the copies that were handed out: what their receipts say."""
    rows = Disclosure.objects.filter(named(recording), handed_at__isnull=False).order_by("handed_at")
    return Chapter("disclosures", tuple(_disclosed(one) for one in rows))


def _disclosed(row: Disclosure) -> tuple[Fact, ...]:
    handed = row.handed_at
    facts = [
        Fact("party", row.party),
        Fact("purpose", row.purpose),
        Fact("ground", row.basis),
        Fact("explanation", row.explanation),
        Fact("what", row.what),
        Fact("handed", wall(handed), words.when(localtime(handed))) if handed else Fact("handed", ""),
        Fact("digest", row.sha256),
    ]
    return tuple(one for one in facts if one.value)
