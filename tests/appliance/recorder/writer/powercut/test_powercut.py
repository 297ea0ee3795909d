"""Promise 3 through a power cut after any disk call: of the writer, of recovery, of the recovery of a killed writer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from appliance.simulator.recorded_disk import Call
from tests.support.powercut import workload
from tests.support.powercut.campaign import Campaign
from tests.support.powercut.layouts import few, some
from tests.support.powercut.workload import Story


def test_promise_3_a_power_cut_after_any_call_loses_nothing_acknowledged(tmp_path: Path) -> None:
    campaign = Campaign(workload.plain(tmp_path), some, seed=1, folder=tmp_path)
    campaign.cut_the_writer()
    assert campaign.tally.cuts > 80
    assert campaign.tally.layouts > 4 * campaign.tally.cuts
    campaign.cut_after_kills()
    campaign.cut_recoveries(every=24)
    campaign.close()
    assert campaign.tally.broken == []


def test_promise_3_nor_does_one_on_a_disk_that_refuses_calls_now_and_then(tmp_path: Path) -> None:
    campaign = Campaign(workload.troubled(tmp_path), few, seed=1, folder=tmp_path)
    campaign.cut_the_writer()
    assert campaign.tally.cuts > 120
    campaign.cut_recoveries(every=200)
    campaign.close()
    assert campaign.tally.broken == []


def on(kind: str, ending: str, parent: str = "") -> Callable[[Call], bool]:
    return lambda call: call.kind == kind and call.path.name.endswith(ending) and parent in call.path.parent.name


FORGOTTEN: dict[str, Callable[[Call], bool]] = {
    "fsync of a segment": on("fsync", ".age.new", "segments"),
    "fsync of the ledger": on("fsync", "ledger.tsv"),
    "fsync of the header": on("fsync", "header.tsv.new"),
    "fsync of the key": on("fsync", "key.age.new"),
    "fsync of the segments' folder": on("sync-folder", "segments"),
    "fsync of the new recording's folder": on("sync-folder", ".new"),
    "fsync of the recordings' folder": on("sync-folder", "recordings"),
    "fsync of the spool": on("sync-folder", "spool"),
}


@pytest.mark.parametrize("what", FORGOTTEN)
def test_a_writer_that_forgets_one_kind_of_sync_is_found_out(tmp_path: Path, what: str) -> None:
    careless = workload.plain(tmp_path).without(FORGOTTEN[what])
    campaign = Campaign(careless, few, seed=1, folder=tmp_path)
    campaign.cut_the_writer(to_the_first=True)
    campaign.close()
    assert campaign.tally.broken, f"nobody noticed that the {what} is missing"


def test_a_writer_that_acknowledges_before_the_ledger_is_synced_is_found_out(tmp_path: Path) -> None:
    honest = workload.plain(tmp_path)
    early = [mark.__class__(mark.calls - 1, mark.frames, mark.lines, mark.closed) for mark in honest.marks]
    hasty = Story(honest.root, honest.keys, honest.recording, honest.samples, honest.history, early, honest.ledger)
    campaign = Campaign(hasty, few, seed=1, folder=tmp_path)
    campaign.cut_the_writer(to_the_first=True)
    campaign.close()
    assert any("acknowledged" in problem for problem in campaign.tally.broken)
