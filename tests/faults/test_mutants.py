"""The campaign that breaks one condition at a time sees what tests see, and its table fits the tree."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.faults import mutants
from tests.support.mutants import campaign
from tests.support.mutants.campaign import Job, Outcome, Survivor
from tests.support.mutants.mutations import mutated, mutations
from tests.support.mutants.table import TARGETS, Target

SOURCE = """
def check(size, limit, names):
    if size > limit and not names:
        raise ValueError("too large")
    for name in names:
        if name == "end":
            return True
    return all(names)
"""


def test_each_kind_of_break_is_made_once_and_is_python() -> None:
    made = [(one.before, one.after) for one in mutations(SOURCE)]
    assert made == [
        ("if size > limit and (not names)", "if True"),
        ("if size > limit and (not names)", "if False"),
        ("size > limit and (not names)", "size > limit or not names"),
        ("size > limit", "size <= limit"),
        ("size > limit", "size >= limit"),
        ("not names", "names"),
        ("raise ValueError('too large')", "pass"),
        ("if name == 'end'", "if True"),
        ("if name == 'end'", "if False"),
        ("return True", "pass"),
        ("all(names)", "any(names)"),
    ]
    assert ("size > limit", "size >= limit") not in {(one.before, one.after) for one in mutations(SOURCE, exact=False)}
    whole = ast.unparse(ast.parse(SOURCE))
    for one in mutations(SOURCE):
        changed = [line for line in mutated(SOURCE, one.number).splitlines() if line not in whole.splitlines()]
        assert len(changed) == 1, one


def test_the_table_names_modules_and_tests_that_exist() -> None:
    for target in TARGETS:
        for path in (*target.modules, *target.tests):
            assert (campaign.ROOT / path).exists(), f"{target.name}: {path} has moved"


def test_each_survivor_with_a_reason_is_still_a_possible_break() -> None:
    possible = {(job.module, *job.mutation.key) for job in campaign.jobs()}
    gone = [one for one in campaign.survivors() if (one.module, one.function, one.before, one.after) not in possible]
    assert not gone, "the code has changed: take these out, or give the reason for what came in their place"
    assert all(len(one.reason) > 20 for one in campaign.survivors())


def test_a_break_is_noticed_in_a_copy_and_the_tree_stays_as_it_is(tmp_path: Path) -> None:
    target = Target("signed", ("appliance/contract/signed.py",), ("tests/appliance/contract/test_signed.py",))
    path = campaign.ROOT / target.modules[0]
    before = path.read_bytes()
    breaks = [one for one in mutations(path.read_text()) if one.before.startswith("raise")][:1]
    chosen = [Job(target, target.modules[0], one) for one in breaks]
    told: list[Outcome] = []
    outcomes, left = campaign.run(chosen, {}, tmp_path, 1e12, told.append)
    assert [one.noticed for one in outcomes] == [True], outcomes
    assert (left, told, path.read_bytes()) == (0, outcomes, before)
    again, _ = campaign.run(chosen, {one.key: one for one in outcomes}, tmp_path / "no", 0.0, told.append)
    assert again == outcomes, "what was noticed is not tried again"


def outcome(noticed: bool) -> Outcome:
    return Outcome("chain", "a.py", "check", 3, "a > b", "a >= b", "0" * 64, noticed, 0.1)


@pytest.mark.parametrize(
    ("noticed", "reason", "held"),
    [(96, "equal for whole numbers, since b is odd", True), (96, "", False), (90, "equal for whole numbers", False)],
)
def test_it_holds_only_with_95_percent_and_a_reason_for_each_survivor(noticed: int, reason: str, held: bool) -> None:
    outcomes = [outcome(number < noticed) for number in range(100)]
    reasons = [Survivor("a.py", "check", "a > b", "a >= b", reason)] if reason else []
    assert mutants.report(outcomes, 0, reasons)["held"] is held


def test_wrong_arguments_get_status_2() -> None:
    assert mutants.main(["--module", "nothing-is-called-so"]) == 2
    with pytest.raises(SystemExit) as caught:
        mutants.main(["--sample", "many"])
    assert caught.value.code == 2


def test_tests_that_fail_with_nothing_broken_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(campaign.Workshop, "__init__", lambda self, folder: None)
    monkeypatch.setattr(campaign.Workshop, "passes", lambda self, tests, limit_s: False)
    monkeypatch.setattr(campaign.Workshop, "said", lambda self: "1 failed")
    with pytest.raises(campaign.BrokenBaselineError, match="1 failed"):
        campaign.run(campaign.jobs("chain")[:1], {}, tmp_path, 1e12, lambda _: None)
