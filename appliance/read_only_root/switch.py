"""Making a box's root read-only, and writable again."""

from __future__ import annotations

import filecmp
import os
import shutil
from pathlib import Path
from typing import Final

from appliance.contract.durable_files import replace
from appliance.contract.errors import ConflictError, PlainSightError, SettingsError, StorageError

from . import plan
from .machine import Machine, disk, in_root_itself, is_idle_now, root_is_overlay

_TIMERS: Final = ("plainsight-renew.timer", "plainsight-doctor.timer")
"""What would start a service again while its folders are copied."""
_SERVICES: Final = tuple(f"plainsight-{unit}.service" for unit in plan.UNITS)


def switch_on(machine: Machine, device: Path, root: Path = Path("/")) -> bool:
    """Move what is kept onto the data partition, and make the root read-only from the next start on.

    Returns False where that is so already. It may be repeated after a power cut at any moment: folders are copied whole
    or not at all, and removed from the root only when the next start will mount them. Raises StorageError for a device
    that cannot be the data partition, SettingsError where overlayroot or busybox is missing, ConflictError where the
    root holds something that the data partition, in use before, does not, or while somebody records. The box goes on as
    before then.
    """
    if root_is_overlay(machine):
        return False
    if not machine.has("overlayroot-chroot"):
        raise SettingsError("overlayroot is not installed: apt install overlayroot")
    if not machine.has("busybox"):
        # its script in the initial RAM disk calls trap, grep and sed, which klibc's shell alone does not have
        raise SettingsError("busybox is not installed, and overlayroot needs it at a start: apt install busybox")
    _check_initial_ram_disk(root)
    data_disk = disk(machine, device)
    if told := plan.objection(data_disk):
        raise StorageError(told, field="--data")
    if not is_idle_now(machine):
        raise ConflictError("somebody records now; run this again after the meeting")
    machine.run("systemctl", "stop", *_TIMERS, *_SERVICES, status=None)
    data = root / plan.DATA.lstrip("/")
    copied: list[Path] = []
    try:
        data.mkdir(parents=True, exist_ok=True)
        if not data_disk.mounted:
            machine.run("mount", "-t", "ext4", str(device), str(data))
        kept = [folder for folder in plan.KEPT if _keep(machine, root, data, folder, copied)]
    except (PlainSightError, OSError) as error:
        # nothing was changed on the root: the box goes on as before, and what it records now is in no copy
        for copy in copied:
            shutil.rmtree(copy, ignore_errors=True)
        machine.run("systemctl", "start", "--no-block", *_TIMERS, *_SERVICES[:2], status=None)
        if isinstance(error, OSError):
            raise StorageError(f"{error.filename or device}: {error.strerror}; nothing was changed") from error
        raise
    _write(root, plan.FSTAB, plan.with_data(_read(root, plan.FSTAB), data_disk.uuid, kept))
    for unit in plan.UNITS:
        _write(root, plan.unit_file(unit), plan.unit_text(kept))
    _write(root, plan.UPGRADE, plan.UPGRADE_TEXT)
    _write(root, plan.REMOUNT, plan.REMOUNT_TEXT)
    _write(root, plan.OVERLAYROOT, plan.ON)
    for folder in plan.ours(kept):
        # keys and recordings stand in one place only; what belongs to the running system stays until it has ended
        source = root / folder.lstrip("/")
        # where the root was made writable again, the partition is still mounted over it: that is no second copy
        if source.is_dir() and not source.samefile(data / plan.place_on_data(folder)):
            _empty(source)
    machine.run("sync")
    return True


def switch_off(machine: Machine, root: Path = Path("/")) -> None:
    """Make the root writable from the next start on; what is kept stays on the data partition. Raises StorageError."""
    if not root_is_overlay(machine):
        _write(root, plan.OVERLAYROOT, plan.OFF)
        return
    script = f"printf %s '{plan.OFF}' >{plan.OVERLAYROOT} && sync"
    if in_root_itself(machine, ["sh", "-c", script], []) != 0:
        raise StorageError(f"{plan.OVERLAYROOT} could not be written in the root itself; see above")


def _check_initial_ram_disk(root: Path) -> None:
    config = root / "boot/firmware/config.txt"
    if config.exists() and "auto_initramfs=1" not in config.read_text("utf-8", "replace").split():
        raise SettingsError(f"{config} loads no initial RAM disk, which overlayroot needs: add auto_initramfs=1 to it")


def _keep(machine: Machine, root: Path, data: Path, folder: str, copied: list[Path]) -> bool:
    """Copy a folder onto the data partition, unless it is there; tell whether it is kept. A copy made now is noted."""
    source, target = root / folder.lstrip("/"), data / plan.place_on_data(folder)
    if target.exists():
        if folder in plan.ours([folder]) and (left := _only_in(source, target)) is not None:
            raise ConflictError(
                f"{source / left} is not on the data partition as it is here, though that holds this folder of a box. "
                f"If this box is to go on with what the partition holds, move {source / left} away; else take {target} "
                "away",
                field="--data",
            )
        return True
    if not source.is_dir():
        return False
    unfinished = target.with_name(f".{target.name}.new")
    target.parent.mkdir(parents=True, exist_ok=True)
    if unfinished.exists():
        shutil.rmtree(unfinished)
    machine.run("cp", "-a", str(source), str(unfinished))
    machine.run("sync", "-f", str(unfinished))
    unfinished.rename(target)
    copied.append(target)
    machine.run("sync", "-f", str(target))
    return True


def _only_in(source: Path, target: Path) -> Path | None:
    """Return a file of `source`, relative to it, that `target` has not or has otherwise; None if there is none."""
    for path in sorted(source.rglob("*")) if source.is_dir() else []:
        there = target / path.relative_to(source)
        if path.is_file() and not (there.is_file() and filecmp.cmp(path, there, shallow=False)):
            return path.relative_to(source)
    return None


def _empty(folder: Path) -> None:
    for entry in list(folder.iterdir()) if folder.is_dir() else []:
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()


def _read(root: Path, name: str) -> str:
    path = root / name.lstrip("/")
    return path.read_text("utf-8") if path.exists() else ""


def _write(root: Path, name: str, text: str) -> None:
    path = root / name.lstrip("/")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        replace(path, text.encode(), mode=0o644, durable=True)
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise StorageError(f"cannot write {path}: {reason}; run this as root") from error
