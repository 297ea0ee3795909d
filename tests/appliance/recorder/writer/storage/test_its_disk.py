"""Promise 2: a spool whose disk is not there is told, and nothing is written where it would be hidden afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.recorder.ipc.messages import WriterFault
from appliance.recorder.storage.disk import FAILED, Disk, DiskError
from appliance.recorder.storage.spool import Spool
from tests.support.box.writer import Home, WriterProcess
from tests.support.storage.shim import CannotError
from tests.support.storage.volume import Volume


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "spool").mkdir()
    return tmp_path / "spool"


@pytest.fixture
def volume(tmp_path: Path, place: Path) -> Iterator[Volume]:
    try:
        volume = Volume("ext4", tmp_path, place)
    except CannotError as error:
        pytest.skip(f"this machine cannot mount an ext4 image: {error}")
    yield volume
    volume.close()


@pytest.mark.root
def test_a_disk_taken_away_from_an_idle_box_is_found_and_taken_back(volume: Volume, place: Path) -> None:
    spool = Spool(place, Disk())
    spool.prepare()
    volume.vanish()
    with pytest.raises(DiskError, match="another disk") as caught:
        spool.require_mount()
    assert caught.value.fault == FAILED
    volume.mount()
    spool.require_mount()


@pytest.mark.root
def test_a_spool_that_has_a_mount_of_its_own_is_not_made_in_the_bare_folder(volume: Volume, place: Path) -> None:
    spool = Spool(place, Disk(), mounted=True)
    spool.prepare()
    volume.vanish()
    with pytest.raises(DiskError, match="nothing is mounted"):
        Spool(place, Disk(), mounted=True).prepare()
    assert list(place.iterdir()) == []


def test_a_writer_without_its_mount_ends_with_the_fault_and_leaves_the_bare_folder_alone(tmp_path: Path) -> None:
    home = Home(tmp_path)
    text = home.config.read_text().replace("[spool]\n", "[spool]\nmounted = true\n")
    home.config.write_text(text)
    writer = WriterProcess(home)
    fault = writer.wait_for(WriterFault)
    assert (fault.code, fault.fatal) == (FAILED, True)
    assert "mount its disk" in fault.message
    assert writer.process.wait(60) == 2
    assert list(home.spool.iterdir()) == []
    writer.kill()
