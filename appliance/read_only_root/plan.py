"""What a read-only root consists of: texts of files, made from what is there. Pure.

Debian's overlayroot puts a file system in memory over the root, so that a power cut finds nothing half written on it
and whatever somebody changes there is gone at the next start. What must last is kept on a data partition and mounted
over its usual place (docs/read-only-root.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final

DATA: Final = "/var/lib/plainsight-data"
"""Where the data partition is mounted."""
KEPT: Final = {
    "/etc/plainsight": "settings, keys, certificates",
    "/var/lib/plainsight": "recordings, receipts, the record of commissioning",
    "/var/lib/plainsight-courier": "what the courier has sent",
    "/var/lib/systemd": "the last known time, the seed of random numbers",
    "/var/log/journal": "the journal",
}
"""Folders on the data partition, and what is in them."""
OVERLAYROOT: Final = "/etc/overlayroot.local.conf"
ON: Final = '# Written by plainsight read-only-root.\noverlayroot="tmpfs:recurse=0"\n'
OFF: Final = '# Written by plainsight read-only-root.\noverlayroot="disabled"\n'
FSTAB: Final = "/etc/fstab"
_BEGIN: Final = "# plainsight read-only-root: begin"
_END: Final = "# plainsight read-only-root: end"
UNITS: Final = ("recorder", "courier", "enroll", "renew", "doctor")
"""Services that read or write something of what is kept."""
UPGRADE: Final = "/etc/systemd/system/apt-daily-upgrade.service.d/read-only-root.conf"
UPGRADE_TEXT: Final = """\
# Written by plainsight read-only-root: an upgrade changes the root itself, and holds from the next start on.
[Service]
ExecStart=
ExecStart=/usr/bin/plainsight read-only-root run --restart -- sh -c "apt-get -q update && unattended-upgrade"
"""
REMOUNT: Final = "/etc/systemd/system/systemd-remount-fs.service.d/read-only-root.conf"
REMOUNT_TEXT: Final = """\
# Written by plainsight read-only-root. At a start systemd mounts the root again with its line of /etc/fstab; by mount's
# newer interface an overlay refuses that, and where the kernel is told "ro" everything stays read-only, memory included
# (https://github.com/systemd/systemd/issues/39558).
[Service]
Environment=LIBMOUNT_FORCE_MOUNT2=always
"""


@dataclass(frozen=True)
class Disk:
    """What is known of a block device."""

    device: str
    """Its path, such as `/dev/sda1`."""
    uuid: str
    """Of its file system; empty where it has none."""
    kind: str
    """Its file system, such as `ext4`; empty where it has none."""
    mounted: str
    """Where it is mounted; empty where it is not."""


def objection(disk: Disk) -> str:
    """Say why a device cannot be the data partition, and what to do; empty if it can."""
    if not disk.kind:
        return f"{disk.device} has no file system. If nothing on it is needed: mkfs.ext4 -L plainsight {disk.device}"
    if disk.kind != "ext4":
        return (
            f"{disk.device} holds {disk.kind}; only ext4 is tried for recordings. If nothing on it is needed: "
            f"mkfs.ext4 -L plainsight {disk.device}"
        )
    if disk.mounted not in {"", DATA}:
        return f"{disk.device} is mounted at {disk.mounted}; name a partition that holds nothing else"
    return ""


def ours(kept: list[str]) -> list[str]:
    """Return those of the kept folders that only our services use."""
    return [folder for folder in kept if "plainsight" in folder]


def place_on_data(folder: str) -> str:
    """Return where a kept folder is on the data partition, from the partition's top: `etc/plainsight`."""
    return str(PurePosixPath(folder).relative_to("/"))


def with_data(fstab: str, uuid: str, kept: list[str]) -> str:
    """Return /etc/fstab with the data partition and what is mounted from it; what was there before is replaced.

    A partition that is missing keeps no box from starting (`nofail`): it stays dark, and can be looked at. The services
    ask for these mounts (`unit_text`), so that none of them writes into memory instead.
    """
    # fsck at each boot before it is mounted; noatime spares the card a write for each read
    lines = [f"UUID={uuid} {DATA} ext4 defaults,noatime,nofail,x-systemd.device-timeout=30s 0 2"]
    lines += [
        f"{DATA}/{place_on_data(folder)} {folder} none bind,nofail,x-systemd.requires-mounts-for={DATA} 0 0"
        for folder in kept
    ]
    rest = without_data(fstab)
    if rest and not rest.endswith("\n"):
        rest += "\n"
    return rest + "\n".join([_BEGIN, *lines, _END]) + "\n"


def without_data(fstab: str) -> str:
    """Return /etc/fstab as it was before `with_data`."""
    lines, inside = [], False
    for line in fstab.splitlines(keepends=True):
        if line.strip() == _BEGIN:
            inside = True
        elif line.strip() == _END:
            inside = False
        elif not inside:
            lines.append(line)
    return "".join(lines)


def unit_file(unit: str) -> str:
    """Return the path of the drop-in of a service."""
    return f"/etc/systemd/system/plainsight-{unit}.service.d/read-only-root.conf"


def unit_text(kept: list[str]) -> str:
    """Return a drop-in that keeps a service from running without the data partition."""
    return (
        "# Written by plainsight read-only-root: without the data partition it would write into memory.\n"
        f"[Unit]\nRequiresMountsFor={' '.join([DATA, *ours(kept)])}\n"
    )
