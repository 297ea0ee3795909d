"""The campaign that breaks one condition at a time sees what tests see, and its table fits the tree."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from tests.faults import mutants
from tests.support.mutants import campaign
from tests.support.mutants.campaign import Job, Outcome, Survivor
from tests.support.mutants.mutations import mutated, mutations
from tests.support.mutants.survey import Survey
from tests.support.mutants.table import TARGETS, Target
from tests.support.mutants.workshop import ROOT, BrokenBaselineError, Workshop

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
            assert (ROOT / path).exists(), f"{target.name}: {path} has moved"


def test_each_survivor_with_a_reason_is_still_a_possible_break() -> None:
    possible = {(job.module, *job.mutation.key) for job in campaign.jobs()}
    gone = [one for one in campaign.survivors() if (one.module, one.function, one.before, one.after) not in possible]
    assert not gone, "the code has changed: take these out, or give the reason for what came in their place"
    assert all(len(one.reason) > 20 for one in campaign.survivors())


def test_a_break_is_noticed_in_a_copy_and_the_tree_stays_as_it_is(tmp_path: Path) -> None:
    target = Target("signed", ("appliance/contract/signed.py",), ("tests/appliance/contract/test_signed.py",))
    path = ROOT / target.modules[0]
    before = path.read_bytes()
    breaks = [one for one in mutations(path.read_text()) if one.before.startswith("raise")][:1]
    chosen = [Job(target, target.modules[0], one) for one in breaks]
    told: list[Outcome] = []
    memory = campaign.Memory(tmp_path / "state")
    outcomes, left = campaign.run(chosen, memory, tmp_path / "work", 1e12, told.append)
    assert ["test_signed.py" in one.by for one in outcomes] == [True], outcomes
    assert (left, told, path.read_bytes()) == (0, outcomes, before)
    again, _ = campaign.run(chosen, campaign.Memory(tmp_path / "state"), tmp_path / "no", 0.0, told.append)
    assert again == outcomes, "what was noticed is not tried again"


def test_a_miss_is_tried_again_only_when_the_tests_have_changed(tmp_path: Path) -> None:
    memory = campaign.Memory(tmp_path)
    missed = outcome(noticed=False)
    memory.keep(missed)
    memory = campaign.Memory(tmp_path)
    assert memory.recall(missed) == missed
    assert memory.recall(replace(missed, tests="1" * 64)) is None
    assert memory.recall(replace(missed, digest="1" * 64)) is None


def test_a_sample_has_some_of_each_module_and_is_the_same_for_the_same_seed() -> None:
    found = campaign.jobs()
    drawn = campaign.sample(found, 300, seed=7)
    assert drawn == campaign.sample(found, 300, seed=7) != campaign.sample(found, 300, seed=8)
    assert {job.module for job in drawn} == {job.module for job in found}
    assert 300 <= len(drawn) == len({(job.module, job.mutation.number) for job in drawn}) < 400


def test_only_tests_that_can_notice_a_break_are_run_and_those_first_that_run_the_line(tmp_path: Path) -> None:
    (tmp_path / "product.py").write_text("def small(n):\n    if n < 3:\n        return True\n    return False\n")
    (tmp_path / "test_product.py").write_text(
        "import subprocess\nimport pytest\nfrom product import small\n"
        "def test_a_process():\n    subprocess.run(['true'])\n"
        "def test_nothing():\n    pass\n"
        "def test_large():\n    assert not small(5)\n"
        "def test_small():\n    assert small(2)\n"
    )
    code = (
        "import json, sys, pathlib, pytest\n"
        f"sys.path[:0] = [{str(ROOT)!r}, '.']\n"
        "from tests.support.mutants.survey import Watcher\n"
        "watcher = Watcher(pathlib.Path.cwd(), ['product.py'])\n"
        "assert pytest.main(['-q', '-p', 'no:cacheprovider', 'test_product.py'], plugins=[watcher]) == 0\n"
        "print(json.dumps(watcher.survey().as_json()))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    survey = Survey.from_json(json.loads(done.stdout.splitlines()[-1]))
    near = [name.partition("::")[2] for name in survey.near("product.py", range(3, 4))]
    assert near == ["test_small", "test_a_process"]
    assert len(survey.near("product.py", range(3, 4), 0.0)) == 1
    near = [name.partition("::")[2] for name in survey.near("product.py", range(2, 3))]
    assert sorted(near[:2]) == ["test_large", "test_small"]
    assert near[2:] == ["test_a_process"]


def outcome(noticed: bool) -> Outcome:
    by = "tests/test_a.py::test_b" if noticed else ""
    return Outcome("chain", "a.py", "check", 3, "a > b", "a >= b", "0" * 64, "0" * 64, by, 0.1)


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


def test_tests_that_fail_with_nothing_broken_are_told(tmp_path: Path) -> None:
    class Shop:
        def survey(self, *_: object) -> Survey:
            raise BrokenBaselineError("1 failed")

    with pytest.raises(BrokenBaselineError, match="chain: 1 failed"):
        campaign.Memory(tmp_path).survey(campaign.jobs("chain")[0].target, cast("Any", Shop()))


def test_a_run_that_could_not_begin_noticed_nothing(tmp_path: Path) -> None:
    shop = object.__new__(Workshop)
    vars(shop).update(
        tree=tmp_path / "gone", _temporary=tmp_path / "tmp", _output=tmp_path / "output", _report=tmp_path / "report"
    )
    with pytest.raises(BrokenBaselineError, match="no test could be run"):
        shop.who_notices(["tests/test_a.py::test_b"], 0.0)
