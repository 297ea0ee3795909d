"""How long a start is waited for, and what a row writes into the guest: what can be judged without a guest."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from tests.vm.guest import EMERGENCY, Guest, GuestError, Machine, cpu_seconds, gives_up
from tests.vm.rows import read_only

UNITS = sorted(path.name for path in (Path(__file__).parents[2] / "systemd").glob("plainsight-archive-*.service"))


@pytest.mark.parametrize(
    ("waited", "worked", "over"),
    [(99, 200, False), (100, 50, True), (100, 49, False), (399, 49, False), (400, 0, True)],
)
def test_a_start_beside_other_work_is_given_the_time_that_it_did_not_get(
    waited: float, worked: float, over: bool
) -> None:
    assert gives_up(100, waited, worked) is over


def test_a_processs_time_on_the_processors_is_the_kernels() -> None:
    began = time.process_time()
    while time.process_time() < began + 0.2:
        pass
    assert cpu_seconds(os.getpid()) >= 0.2
    assert cpu_seconds(2**22 + 1) == 0


class Off:
    """A machine under QEMU that runs, and whose agent is silent."""

    pid = os.getpid()

    def poll(self) -> None:
        return None


def test_a_guest_in_emergency_mode_is_told_at_once_and_an_earlier_starts_words_do_not_count(tmp_path: Path) -> None:
    guest = Guest(Machine(tmp_path / "kernel", tmp_path / "initrd", tmp_path), tmp_path / "disk")
    guest.console.write_bytes(b"You are in emergency mode. Login incorrect\n")
    guest._qemu = Off()  # type: ignore[assignment]
    guest._said_before = guest.console.stat().st_size
    with pytest.raises(GuestError, match="does not come up"):
        guest.wait_up(0)
    guest.console.write_bytes(guest.console.read_bytes() + b"Failed to mount /x. You are in " + EMERGENCY)
    with pytest.raises(GuestError, match=r"(?s)in emergency mode.*Failed to mount /x"):
        guest.wait_up(3600)


def test_on_a_read_only_root_no_start_fails_by_the_archives_mount_and_no_part_of_it_starts_before() -> None:
    assert "nofail" in read_only.MOUNT.split()[3].split(",")
    assert read_only.ARCHIVE in read_only.ARCHIVE_WAITS_TEXT
    # systemd reads NAME-.service.d for each service whose name begins with NAME-
    prefix = read_only.ARCHIVE_WAITS.split("/")[-2].removesuffix(".service.d")
    assert len(UNITS) >= 4
    assert all(unit.startswith(prefix) for unit in UNITS)
