"""The two gates, one missing thing at a time."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from archive.records.disclosures.models import Basis, Exempt
from archive.records.disclosures.rules import (
    ConsentFacts,
    Facts,
    Missing,
    copies_wanted,
    district_gate,
    ferpa_gate,
    missing_names,
    untold,
)

TODAY = date(2026, 11, 24)
TOLD = frozenset({"ana"})
CONSENT = ConsentFacts("ana", "Dr. Lee", "an evaluation", TODAY, None, by_holder=True)
FACTS = Facts(
    basis=Basis.CONSENT,
    party="Dr. Lee",
    purpose="an evaluation",
    explanation="",
    told=frozenset(),
    told_last=None,
    waits_until=None,
    exempt="",
    students=["ana"],
    consents=[CONSENT],
    recorded=[("Rosa Torres", True), ("Lee Park", True)],
    today=TODAY,
)
COURT = replace(FACTS, basis=Basis.COMPELLED, explanation="Circuit Court, no. 17", consents=[], recorded=[])


def test_with_everything_there_both_gates_are_open() -> None:
    assert ferpa_gate(FACTS) == []
    assert district_gate(FACTS) == []


@pytest.mark.parametrize(
    "other",
    [
        {"party": "somebody else"},
        {"purpose": "curiosity"},
        {"student": "ben"},
        {"by_holder": False},
        {"withdrawn_on": TODAY},
        {"signed_on": TODAY + timedelta(days=1)},
    ],
)
def test_a_consent_counts_for_what_it_names_and_as_long_as_it_stands(other: dict[str, Any]) -> None:
    assert ferpa_gate(replace(FACTS, consents=[replace(CONSENT, **other)])) == [Missing.CONSENT]


def test_each_student_needs_a_consent() -> None:
    both = replace(FACTS, students=["ana", "ben"])
    assert ferpa_gate(both) == [Missing.CONSENT]
    assert ferpa_gate(replace(both, consents=[CONSENT, replace(CONSENT, student="ben")])) == []


def test_a_consent_is_none_for_the_others_who_were_recorded() -> None:
    some = replace(FACTS, recorded=[("Rosa Torres", True), ("Lee Park", False)])
    assert (ferpa_gate(some), district_gate(some), missing_names(some)) == ([], [Missing.RECORDED], ["Lee Park"])
    assert district_gate(replace(FACTS, recorded=[])) == [Missing.NOBODY_NAMED]


@pytest.mark.parametrize("basis", [Basis.OFFICIAL, Basis.AUDIT, Basis.EMERGENCY])
def test_an_exception_is_explained_and_passes_only_the_first_gate(basis: Basis) -> None:
    exception = replace(FACTS, basis=basis, consents=[], recorded=[("Lee Park", False)])
    assert ferpa_gate(exception) == [Missing.EXPLANATION]
    explained = replace(exception, explanation="a contract of Aug 1")
    assert (ferpa_gate(explained), district_gate(explained)) == ([], [Missing.RECORDED])


@pytest.mark.parametrize(
    ("other", "missing"),
    [
        ({}, [Missing.NOTICE, Missing.WAITING]),
        ({"told": TOLD}, [Missing.WAITING]),
        ({"told": TOLD, "waits_until": TODAY}, [Missing.WAITING]),
        ({"told": TOLD, "waits_until": TODAY - timedelta(days=1)}, []),
        ({"exempt": Exempt.GRAND_JURY}, []),
        ({"exempt": Exempt.GRAND_JURY, "explanation": ""}, [Missing.EXPLANATION]),
    ],
)
def test_a_court_waits_for_the_parent_and_passes_the_second_gate(other: dict[str, Any], missing: list[Missing]) -> None:
    assert ferpa_gate(replace(COURT, **other)) == missing
    assert district_gate(COURT) == []
    assert missing_names(replace(COURT, recorded=[("Lee Park", False)])) == []


@pytest.mark.parametrize(("days", "missing"), [(-1, []), (0, [Missing.WAITING]), (1, [Missing.WAITING])])
def test_who_was_told_last_had_time_to_act_as_well(days: int, missing: list[Missing]) -> None:
    # 34 CFR 99.31(a)(9)(ii): in advance of compliance, so that the parent may seek protective action
    until = TODAY - timedelta(days=2)
    both = replace(COURT, students=["ana", "ben"], told=frozenset({"ana", "ben"}), waits_until=until)
    assert ferpa_gate(replace(both, told_last=until + timedelta(days=days))) == missing


def test_a_parents_own_access_needs_neither() -> None:
    own = replace(FACTS, basis=Basis.OWN, consents=[], recorded=[], party_is_holder=True)
    assert (ferpa_gate(own), district_gate(own)) == ([], [])
    assert ferpa_gate(replace(own, students=["ana", "ben"])) == [Missing.SEVERAL]
    assert ferpa_gate(replace(own, party_is_holder=False)) == [Missing.NO_HOLDER], "anybody could be called a parent"


def test_a_transfer_is_told_before() -> None:
    moved = replace(FACTS, basis=Basis.TRANSFER, consents=[], explanation="enrolled in Rolla on Nov 2")
    assert ferpa_gate(moved) == [Missing.NOTICE]
    assert ferpa_gate(replace(moved, told=TOLD)) == []


@pytest.mark.parametrize("basis", [Basis.COMPELLED, Basis.TRANSFER])
def test_the_parents_of_each_student_are_told(basis: Basis) -> None:
    both = replace(COURT, basis=basis, students=["ana", "ben"], told=TOLD, waits_until=TODAY - timedelta(days=1))
    assert (ferpa_gate(both), untold(both)) == ([Missing.NOTICE], ["ben"])
    assert ferpa_gate(replace(both, told=frozenset({"ana", "ben"}))) == []
    assert untold(replace(both, basis=Basis.AUDIT)) == []


def test_whoever_consents_may_ask_for_a_copy() -> None:
    """34 CFR 99.30(c)."""
    wanted = replace(FACTS, consents=[replace(CONSENT, copy_for="Rosa Torres")])
    assert copies_wanted(wanted) == ["Rosa Torres"]
    assert copies_wanted(FACTS) == []
    assert copies_wanted(replace(wanted, party="somebody else")) == []
    assert copies_wanted(replace(wanted, basis=Basis.AUDIT)) == []


def test_what_is_filed_nowhere_leaves_on_no_ground() -> None:
    for basis in Basis:
        assert Missing.NOT_FILED in ferpa_gate(replace(FACTS, basis=basis, students=[]))
