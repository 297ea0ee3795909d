"""Row 7: the root made read-only, with a data partition; power cuts, a change that is lost, an upgrade that is not."""

from __future__ import annotations

import json
import time
from typing import Final

from tests.vm import sound
from tests.vm.box import Box
from tests.vm.guest import blank
from tests.vm.limits import patience
from tests.vm.row import Row, progress
from tests.vm.stage import Stage

from .power import read_acknowledged

DATA: Final = "/var/lib/plainsight-data"
ARCHIVE: Final = "/var/lib/plainsight-archive"
NEWER: Final = "/run/vm/newer"
MOUNT: Final = f"{DATA}/archive {ARCHIVE} none bind,nofail,x-systemd.requires-mounts-for={DATA} 0 0"
"""Without `nofail` a partition that is late would end the start in emergency mode."""
ARCHIVE_WAITS: Final = "/etc/systemd/system/plainsight-archive-.service.d/data.conf"
"""Read for every service whose name begins so. With `nofail` nothing waits for the mount by itself: the archive would
start on the root's copy in memory, and be hidden by the mount a moment later."""
ARCHIVE_WAITS_TEXT: Final = f"[Unit]\nRequiresMountsFor={ARCHIVE}\n"


def run(row: Row, stage: Stage) -> None:
    """Switch it on, start again, record, pull the plug, upgrade."""
    disk = blank(stage.folder / "data.qcow2", "2G")
    try:
        with stage.guest(row, snapshot="", data=disk) as guest:
            box = Box(guest)
            box.wait_ready(patience(30))
            _switch_on(row, box)
            guest.power_off(patience(10))
            _start(row, box, "after it was switched on")
            _recorded_and_cut(row, box)
            _upgrade(row, box, stage)
    finally:
        disk.unlink(missing_ok=True)


def _start(row: Row, box: Box, when: str) -> None:
    box.guest.start()
    box.guest.wait_up(patience(20))
    box.wait_ready(patience(40))
    said = json.loads(box.guest.run("plainsight read-only-root status --json", patience(5), None))
    row.hold(said == {"read_only": True, "data": True, "wrong": []}, f"{when}: ready on a read-only root", said)
    failed = box.guest.run("systemctl list-units --failed --no-legend --plain").strip()
    row.hold(not failed, f"{when}: no unit has failed", failed)


def _switch_on(row: Row, box: Box) -> None:
    progress("switching it on")
    said = box.guest.run("plainsight read-only-root on --data /dev/vdb 2>&1", patience(10), None)
    row.hold("mkfs.ext4" in said, "a disk without a file system is refused, with the command that makes one", said)
    box.guest.run("mkfs.ext4 -q -L plainsight /dev/vdb", patience(10))
    # box and archive share this guest; on a host of its own the archive's root is an ordinary one
    box.guest.run(
        f"systemctl stop 'plainsight-archive-*'; mkdir -p {DATA} {ARCHIVE_WAITS.rpartition('/')[0]} && "
        f"mount /dev/vdb {DATA} && cp -a {ARCHIVE} {DATA}/archive && echo '{MOUNT}' >>/etc/fstab",
        patience(20),
    )
    box.guest.write(ARCHIVE_WAITS, ARCHIVE_WAITS_TEXT.encode())
    box.guest.run("plainsight read-only-root on --data /dev/vdb", patience(20))
    # an emulated udev names a disk after more than the 30 s that a box waits for its partition
    box.guest.run(f"sed -i s/device-timeout=30s/device-timeout={patience(30):.0f}s/ /etc/fstab && sync")
    left = box.guest.run("ls -A /etc/plainsight /var/lib/plainsight | grep -c . || true").strip()
    row.hold(int(left) <= 3, "settings, keys and recordings stand on the data partition alone", left)


def _recorded_and_cut(row: Row, box: Box) -> None:
    box.guest.run("echo changed >/etc/motd")
    sound.play(box.guest)
    whole = box.begin(5)
    box.end()
    progress("the plug is pulled in a meeting")
    cut = box.begin(5)
    time.sleep(5)
    box.guest.cut_power()
    acknowledged = read_acknowledged(box.guest.acked)
    _start(row, box, "after a power cut")
    found = box.wait_sealed({whole, cut}, patience(60))
    lost = {name: acknowledged.get(name, 0) - found[name]["frames"] for name in (whole, cut)}
    outcomes = (found[whole]["outcome"], found[cut]["outcome"])
    row.hold(all(frames <= 0 for frames in lost.values()), "nothing acknowledged is lost", lost)
    row.hold(outcomes == ("complete", "interrupted"), "both are sealed, as what they are", outcomes)
    row.hold("changed" not in box.guest.run("cat /etc/motd"), "what was changed on the root is gone")


def _upgrade(row: Row, box: Box, stage: Stage) -> None:
    if stage.newer is None:
        row.hold(False, "there are newer packages to upgrade to")
        return
    progress("an upgrade of the root itself")
    version = stage.newer.name.split("-")[1]
    box.guest.run(f"mkdir -p {NEWER}")
    for package in sorted(stage.newer.glob(f"plainsight-*_{version}_*.deb")):
        if "dbgsym" not in package.name and "arm64" not in package.name:
            box.guest.write(f"{NEWER}/{package.name}", package.read_bytes())
    # the guest knows no repository, so that dpkg does what apt would
    box.guest.run(f"plainsight read-only-root run -- sh -c 'dpkg --install {NEWER}/*.deb'", patience(120))
    status = box.guest.run("plainsight read-only-root status --json", patience(5), None)
    row.hold(json.loads(status)["wrong"] == [], "the root is read-only again after an upgrade", status)
    box.guest.power_off(patience(10))
    _start(row, box, "after an upgrade")
    about = box.guest.run("plainsight --version").strip()
    row.hold(version in about, f"the new version runs ({about})", about)
