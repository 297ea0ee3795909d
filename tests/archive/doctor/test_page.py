"""The page that says what is left to do: the worst first, then the first steps that nobody has taken."""

from __future__ import annotations

from typing import Any

from appliance.contract.check_result import CheckResult
from archive.core.health import alive
from archive.doctor.to_do import Steps, steps_taken, tasks
from tests.archive.page_fixtures import Arrive
from tests.archive.pages import check
from tests.support.archives import Archive

DONE = Steps(accounts=3, claims=1, boxes=1, recordings=1)


def test_what_is_broken_comes_first_with_its_remedy() -> None:
    found = [
        CheckResult("clock", "warning", "nothing keeps it right", "install a time service"),
        CheckResult("store", "ok", "it takes bytes"),
        CheckResult("worker", "wrong", "silent", "start it"),
    ]
    listed = tasks(found, DONE)
    assert [one.title for one in listed] == ["worker: silent", "clock: nothing keeps it right"]
    assert listed[0].detail == "To do: start it."
    assert (listed[0].sign, listed[1].sign) == ("at-fault", "attention")


def test_the_first_steps_lead_from_a_claim_to_a_recording() -> None:
    def first(steps: Steps) -> str:
        return tasks([], steps)[0].title

    assert "Give out a claim" in first(Steps(1, 0, 0, 0))
    assert "card" in first(Steps(1, 1, 0, 0))
    assert "Commission" in first(Steps(1, 1, 1, 0))
    assert "accounts" in tasks([], Steps(1, 1, 1, 0))[-1].title
    assert tasks([], DONE) == []


def test_steps_are_counted(archive: Archive, custodian: Any, sealed: Arrive) -> None:
    assert steps_taken() == Steps(accounts=1, claims=0, boxes=1, recordings=0)
    sealed(seconds=1)
    assert steps_taken().recordings == 1


def test_the_page_shows_both_and_changes_nothing(archive: Archive, technician: Any) -> None:
    alive("worker")
    answer = technician.get("/archive/")
    assert answer.status_code == 200
    shown = check(answer.content.decode())
    assert "listener: it never ran here" in shown.text
    good = [row.all("th")[0].text for row in shown.all("tr") if row.all("td")]
    assert {"Database", "Worker"} <= set(good)
