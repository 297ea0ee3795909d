"""Writes a plan onto the mounted boot partition of a card; never onto a raw device."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

from appliance.boot_files.box_files import boot_texts
from appliance.boot_files.check import check_boot
from appliance.boot_files.panel_pins import SHIPPED
from appliance.contract.check_result import CheckResult
from appliance.contract.durable_files import replace, sync_folder
from appliance.contract.enrollment import ClaimFile
from appliance.contract.errors import SettingsError, StorageError
from appliance.contract.settings_file import load_settings

from .first_boot import PACKAGES, WIFI_AUTHORITY, meta_data, network_config, user_data
from .plan import Plan

CLAIM: Final = "plainsight-claim.toml"
_FIRST_BOOT: Final = ("user-data", "network-config", "meta-data")
_LEFTOVERS: Final = ("ssh", "ssh.txt", "userconf", "userconf.txt", "firstrun.sh", "wpa_supplicant.conf")
"""Files with which Raspberry Pi OS starts SSH, makes an account or runs something at its first boot."""


def check_folder(card: Path) -> None:
    """Raise SettingsError unless `card` is the mounted boot partition of a fresh Raspberry Pi OS with cloud-init."""
    again = "name the folder where the card's boot partition (bootfs) is mounted"
    if not card.exists():
        raise SettingsError(f"{card} does not exist; {again}", field="DIR")
    if not card.is_dir():
        raise SettingsError(f"{card} is no folder, and this never writes to a raw device; {again}", field="DIR")
    if not (card / "config.txt").exists() or not (card / "overlays").is_dir():
        raise SettingsError(f"{card} has no config.txt and overlays, so it is no boot partition; {again}", field="DIR")
    if not (card / "user-data").exists():
        raise SettingsError(
            f"{card} has no user-data, so this system does not use cloud-init; write Raspberry Pi OS Lite (trixie, "
            "64 bit) onto the card with Raspberry Pi Imager",
            field="DIR",
        )
    if left := [name for name in _LEFTOVERS if (card / name).exists()]:
        raise SettingsError(
            f"{card} has {', '.join(left)}: somebody set this card up for logins; write it anew and leave Raspberry Pi "
            "Imager's customization out",
            field="DIR",
        )


def read_claim_file(path: Path) -> ClaimFile:
    """Return the claim; raise SettingsError that says how to get one."""
    if not path.exists():
        raise SettingsError(
            f"there is no claim {path}; make one on the archive with 'plainsight-archive enroll ROOM -o DIR'",
            field="--claim",
        )
    return load_settings(path, ClaimFile, "name the claim's file with --claim")


def fit(plan: Plan, claim: ClaimFile) -> None:
    """Raise SettingsError unless plan and claim speak of one microphone."""
    if (claim.hardware == "usb") != (plan.microphone == "usb"):
        raise SettingsError(
            f"the claim is for a {claim.hardware} microphone and this card for {plan.microphone}; make the claim with "
            f"--hardware {'usb' if plan.microphone == 'usb' else 'i2s'}",
            field="--microphone",
        )


def write_card(card: Path, plan: Plan, claim: Path) -> list[CheckResult]:
    """Write everything and return what the boot-file checker says; doing it again gives the same card.

    Raises SettingsError if card or claim will not do (nothing was written), StorageError if the card cannot be written.
    """
    check_folder(card)
    fit(plan, read_claim_file(claim))
    files = {
        **boot_texts(card, plan.fragments()),
        CLAIM: claim.read_text(encoding="utf-8"),
        **dict(zip(_FIRST_BOOT, (user_data(plan), network_config(plan.wifi), meta_data(plan)), strict=True)),
    }
    if plan.wifi is not None and plan.wifi.authority:
        files[WIFI_AUTHORITY] = plan.wifi.authority
    try:
        if isinstance(plan.source, tuple):
            (card / PACKAGES).mkdir(exist_ok=True)
            # of an earlier call: apt installs all that lie there, and no two versions of one package
            for old in set((card / PACKAGES).glob("*.deb")) - {card / PACKAGES / one.name for one in plan.source}:
                old.unlink()
            for package in plan.source:
                shutil.copyfile(package, card / PACKAGES / package.name)
        for name, text in files.items():
            replace(card / name, text.encode(), mode=0o600, durable=True)
        sync_folder(card)
    except OSError as error:
        raise StorageError(
            f"cannot write {error.filename or card}: {error.strerror}; is the card full or write-protected?"
        ) from error
    return check_boot(card, SHIPPED)
