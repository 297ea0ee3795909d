"""The two gates of a disclosure. Pure; sections cited.

FERPA asks on what legal ground a record leaves; the district's policy asks, besides, for the written consent of
everybody who was recorded. The second one never stands against a parent's own access or a legally compelled production.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from .models import EXEMPT_OF, Basis

EXPLAINED: Final = frozenset({Basis.OFFICIAL, Basis.TRANSFER, Basis.AUDIT, Basis.COMPELLED, Basis.EMERGENCY})
"""Exceptions of 34 CFR 99.31 that must be explained in words."""
NOTICED: Final = frozenset(EXEMPT_OF)
"""Of what parents are told before (34 CFR 99.31(a)(9)(ii), 99.34(a)(1)), unless an exemption is chosen."""
WITHOUT_SECOND_GATE: Final = frozenset({Basis.OWN, Basis.COMPELLED})
"""The district's permission is the parent's own already, and no policy stands against a court."""


class Missing(StrEnum):
    """What a disclosure still lacks."""

    CONSENT = "consent"
    """No consent in force of a rights-holder, for this recording, purpose and party (34 CFR 99.30)."""
    EXPLANATION = "explanation"
    """The exception is chosen and not explained."""
    NOTICE = "notice"
    """A student's parents were not told of a compelled production (99.31(a)(9)(ii)) or a transfer (99.34(a)(1))."""
    WAITING = "waiting"
    """The parent may still act against it: no waiting day is named, or it has not passed."""
    NOT_FILED = "not-filed"
    """It is filed under no meeting, so nobody knows whose record it is."""
    PART_NOT_FILED = "part-not-filed"
    """A part that would leave is filed under no meeting, so nobody knows whose record that is."""
    NO_HOLDER = "no-holder"
    """Whoever is to get it as a parent's own access holds no rights over the records today (34 CFR 99.10, 99.4)."""
    SEVERAL = "several"
    """It is about several students: a parent inspects only what is about the own child (34 CFR 99.12(a))."""
    RESTRICTED = "restricted"
    """A package or a key would hand over a restricted passage as well; the audio alone has silence there."""
    SILENT = "silent"
    """All of it is restricted: no passage can be silenced in a file that is kept byte for byte."""
    NOT_SIGNED_OFF = "not-signed-off"
    """The redacted copy is not signed off by a second listener, or it was withdrawn."""
    NOBODY_NAMED = "nobody-named"
    """Nobody said who was recorded."""
    RECORDED = "recorded"
    """The written consent of somebody who was recorded is missing."""


@dataclass(frozen=True)
class ConsentFacts:
    """One consent."""

    student: str
    party: str
    purpose: str
    signed_on: date
    withdrawn_on: date | None
    by_holder: bool
    """Whether whoever signed it holds rights over the records today (99.30(a))."""
    copy_for: str = ""
    """Who signed it, if that one asked for a copy of what is disclosed (99.30(c)); else empty."""


@dataclass(frozen=True)
class Facts:
    """What is known of a disclosure."""

    basis: Basis
    party: str
    purpose: str
    explanation: str
    told: frozenset[str]
    """Whose parents were told."""
    told_last: date | None
    """When the last of them were told; None while nobody was."""
    waits_until: date | None
    exempt: str
    students: Sequence[str]
    """Whose record it is."""
    consents: Sequence[ConsentFacts]
    recorded: Sequence[tuple[str, bool]]
    """Who was recorded, and whether that one's written consent is there."""
    today: date
    party_is_holder: bool = False
    """Whether the party is called as somebody who holds rights over the records today."""
    holds_restricted: bool = False
    """Whether the copy would hold a restricted passage."""
    holds_others: bool = False
    """Whether a parent's copy would hold parts that are filed under no meeting of the student."""
    holds_unfiled: bool = False
    """Whether the copy would hold a part that is filed under no meeting, of a recording of which others are."""
    silent: bool = False
    """Whether all of it is restricted."""
    unfinished_redaction: bool = False
    """Whether it is a redacted copy that no second listener signed off."""


def ferpa_gate(facts: Facts) -> list[Missing]:
    """Return what the first gate lacks."""
    missing = [] if facts.students else [Missing.NOT_FILED]
    missing += [Missing.PART_NOT_FILED] if facts.holds_unfiled else []
    missing += [Missing.NOT_SIGNED_OFF] if facts.unfinished_redaction else []
    match facts.basis:
        case Basis.CONSENT:
            covered = {one.student for one in facts.consents if _covers(one, facts)}
            missing += [] if covered >= set(facts.students) else [Missing.CONSENT]
        case Basis.OWN:
            missing += [] if facts.party_is_holder or not facts.students else [Missing.NO_HOLDER]
            missing += [Missing.SEVERAL] if len(facts.students) > 1 or facts.holds_others else []
        case _ if not facts.explanation:
            missing.append(Missing.EXPLANATION)
    if facts.basis in NOTICED and not facts.exempt:
        missing += [Missing.NOTICE] if untold(facts) or not facts.students else []
        missing += [Missing.WAITING] if facts.basis == Basis.COMPELLED and not _waited(facts) else []
    return missing


def _waited(facts: Facts) -> bool:
    """34 CFR 99.31(a)(9)(ii): in advance, so that parents may act; who was told on the last day or later could not."""
    until = facts.waits_until
    return until is not None and until < facts.today and (facts.told_last is None or until > facts.told_last)


def untold(facts: Facts) -> list[str]:
    """Return the students whose parents must still be told: a copy of several students' record is each one's."""
    told = facts.basis not in NOTICED or facts.exempt
    return [] if told else [one for one in facts.students if one not in facts.told]


def _covers(one: ConsentFacts, facts: Facts) -> bool:
    """34 CFR 99.30(b): it names the records, the purpose and the party; whoever signed it may withdraw it."""
    same = (one.party.casefold(), one.purpose.casefold()) == (facts.party.casefold(), facts.purpose.casefold())
    stands = one.withdrawn_on is None or one.withdrawn_on > facts.today
    return same and stands and one.by_holder and one.signed_on <= facts.today


def copies_wanted(facts: Facts) -> list[str]:
    """Return who is to get a copy of what this disclosure hands over, because their consent asks for it (99.30(c))."""
    if facts.basis != Basis.CONSENT:
        return []
    return sorted({one.copy_for for one in facts.consents if one.copy_for and _covers(one, facts)})


def district_gate(facts: Facts) -> list[Missing]:
    """Return what the second gate lacks."""
    missing = [Missing.RESTRICTED] if facts.holds_restricted else []
    missing += [Missing.SILENT] if facts.silent else []
    if facts.basis in WITHOUT_SECOND_GATE:
        return missing
    if not facts.recorded:
        return [*missing, Missing.NOBODY_NAMED]
    return missing if all(consented for _, consented in facts.recorded) else [*missing, Missing.RECORDED]


def missing_names(facts: Facts) -> list[str]:
    """Return whose written consent is missing."""
    if facts.basis in WITHOUT_SECOND_GATE:
        return []
    return [name for name, consented in facts.recorded if not consented]
