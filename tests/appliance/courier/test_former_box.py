"""docs/enrollment.md, "What a former box had not sent": by a person, with the former box's own courier's settings."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from appliance.command import main
from appliance.contract.signed import split_lines
from appliance.recorder.storage.disk import Disk
from appliance.recorder.storage.spool import Spool
from appliance.recorder.writer.recovery import recover
from appliance.simulator.demo.ports import free_port
from tests.support.box.courier import Box
from tests.support.certificates import Authority
from tests.support.fake_archive import FakeArchive
from tests.support.spools import Keys

from .test_courier import running, running_until, write_settings


@pytest.mark.parametrize("left_open", [False, True])
def test_promise_3_what_a_former_box_had_not_sent_is_kept_and_can_be_sent_in_its_name(
    box: Box, archive: FakeArchive, tmp_path: Path, *, left_open: bool
) -> None:
    recording = box.record(seconds=2, reason=None if left_open else "button")
    archive.recordings[recording.id] = recording
    lines = len(recording.lines)
    # the board is another box now, whose recorder starts
    spool = Spool(box.spool, Disk())
    spool.prepare()
    recover(spool, Keys().box_signing)
    aside = box.spool / ".set-aside" / f"{recording.id}.0"
    assert aside.is_dir()
    assert not (box.spool / "recordings" / recording.id).exists(), "its courier would not be believed with it"

    former = tmp_path / "former"
    for name in ("spool/recordings", "inbox", "run", "state"):
        (former / name).mkdir(parents=True)
    shutil.copytree(aside, former / "spool" / "recordings" / recording.id)
    box.keys.box_signing.save(former / "box.key")
    assert main(["close", "--spool", str(former / "spool"), "--key", str(former / "box.key")]) == 0
    recording.lines = split_lines((former / "spool" / "recordings" / recording.id / "ledger.tsv").read_bytes())
    assert len(recording.lines) == lines + left_open
    folders = {"path": str(former / "spool"), "inbox": str(former / "inbox"), "run": str(former / "run")}
    config = write_settings(
        box, archive.url, free_port(), Authority.make(), spool=folders, state={"path": str(former / "state")}
    )
    with running(config) as process:
        running_until((former / "inbox" / f"{recording.id}.tsv").exists, process)
    assert aside.is_dir(), "nothing is deleted by that"
