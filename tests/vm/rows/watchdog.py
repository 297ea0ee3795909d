"""Row 5: process 1 hangs, and the hardware watchdog starts the box again."""

from __future__ import annotations

import time

from tests.support.waiting import until
from tests.vm import sound
from tests.vm.box import GREEN, RED, Box
from tests.vm.limits import patience
from tests.vm.row import Row, progress
from tests.vm.stage import Stage


def run(row: Row, stage: Stage) -> None:
    """Freeze systemd in the middle of a meeting."""
    with stage.guest(row) as guest:
        box = Box(guest)
        sound.play(guest)
        recording = box.begin(5)
        boot = guest.run("cat /proc/sys/kernel/random/boot_id")
        progress("process 1 is frozen")
        guest.run("echo 1 >/sys/fs/cgroup/init.scope/cgroup.freeze")
        began = time.monotonic()
        until(guest.events, "the watchdog resets the box", patience(120), pause=lambda: time.sleep(1))
        row.hold(guest.resets == ["reset"], f"the watchdog resets the box after {time.monotonic() - began:.0f} s")
        guest.boots += 1
        guest.wait_up(patience(20))
        red = box.level(RED)
        box.wait_ready(patience(30))
        row.hold(guest.run("cat /proc/sys/kernel/random/boot_id") != boot, "it is another boot")
        row.hold(not red and not box.level(RED) and box.level(GREEN), "dark, idle and ready")
        state = box.wait_sealed({recording})[recording]
        row.hold(state["outcome"] == "interrupted", f"{state['seconds']:.1f} s are sealed as interrupted", state)
