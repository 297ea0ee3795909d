"""What a read-only root is done with: commands of the machine, passed in so that tests can watch them."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Protocol

from appliance.contract.errors import StorageError

from .plan import Disk

LOWER: Final = Path("/media/root-ro")
"""Where overlayroot mounts the root itself."""


class Machine(Protocol):
    """The machine that the command runs on."""

    def run(self, *command: str, status: int | None = 0) -> str:
        """Run a command and return its output; raise StorageError for another exit status."""
        ...

    def has(self, command: str) -> bool:
        """Tell whether a command is installed."""
        ...

    def is_block_device(self, path: Path) -> bool:
        """Tell whether it is a disk or a partition."""
        ...


class RealMachine:
    """The machine that runs this."""

    def run(self, *command: str, status: int | None = 0) -> str:
        """Run a command; what it prints on the standard error goes to ours."""
        try:
            done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
        except OSError as error:
            raise StorageError(f"cannot run {command[0]}: {error.strerror}") from error
        if status is not None and done.returncode != status:
            raise StorageError(f"{' '.join(command)} ended with {done.returncode}; see above")
        return done.stdout

    def has(self, command: str) -> bool:
        """Look for it in the path."""
        return shutil.which(command) is not None

    def is_block_device(self, path: Path) -> bool:
        """Look at it."""
        return path.is_block_device()


def disk(machine: Machine, device: Path) -> Disk:
    """Ask what is on a block device; raise StorageError if it is none."""
    if not machine.is_block_device(device):
        raise StorageError(f"{device} is no block device; `lsblk` lists them")
    found = json.loads(machine.run("lsblk", "--json", "--nodeps", "-o", "PATH,UUID,FSTYPE,MOUNTPOINT", str(device)))
    row = found["blockdevices"][0]
    return Disk(str(device), row["uuid"] or "", row["fstype"] or "", row["mountpoint"] or "")


def is_idle_now(machine: Machine) -> bool:
    """Ask the box whether it records nothing now."""
    return machine.run("sh", "-c", "plainsight idle && echo idle || true").strip() == "idle"


def root_is_overlay(machine: Machine) -> bool:
    """Tell whether the root lies below a file system in memory now."""
    # a root that is no mount point of its own, as in a chroot, is not found
    return machine.run("findmnt", "-n", "-o", "FSTYPE", "/", status=None).strip() == "overlay"


def root_itself_is_read_only(machine: Machine) -> bool:
    """Tell whether the root below the file system in memory is mounted read-only."""
    return "ro" in machine.run("findmnt", "-n", "-o", "OPTIONS", str(LOWER), status=None).strip().split(",")


def in_root_itself(machine: Machine, command: Sequence[str], keep_mounted: Sequence[str]) -> int:
    """Run a command in the root itself, writable meanwhile, with what must be there mounted; return its exit status.

    overlayroot-chroot makes it writable and read-only again, and mounts /proc, /run and /sys there, but no devices. The
    mounts stand in a name space of their own, and go with it, also if something is killed. Nothing is restarted:
    systemd's commands see that they are in another root.
    """
    binds = "".join(f'mount --rbind "{one}" "{LOWER}{one}"; ' for one in ["/dev", *keep_mounted])
    script = f'set -e; {binds}exec overlayroot-chroot "$@"'
    done = subprocess.run(["unshare", "--mount", "sh", "-c", script, "sh", *command], check=False)
    if not root_itself_is_read_only(machine):
        machine.run("mount", "-o", "remount,ro", str(LOWER))
    return done.returncode
