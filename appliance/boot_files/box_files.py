"""The boot files of a box: which fragments of firmware_config go into them, and the texts that come of it."""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal

from appliance.contract.errors import SettingsError

from .cmdline_txt import file_name
from .config_txt import read_config, read_text
from .fragments import add_to_cmdline, add_to_config
from .models import MODELS

Microphone = Literal["usb", "adau7002", "voicehat"]
Clock = Literal["none", "ds3231"]
_FIRMWARE: Final = (
    Path(__file__).resolve().parents[2] / "firmware_config",
    Path("/usr/share/plainsight/firmware"),
)
"""Where the fragments lie: in a checkout, and where the package puts them."""


def fragment_files(microphone: Microphone, clock: Clock, *, wired: bool) -> tuple[str, ...]:
    """Return the files of firmware_config that go into the config.txt of such a box."""
    found = ["config.txt"]
    if microphone != "usb":
        found.append(f"microphone-{microphone}.txt")
    if clock != "none":
        found.append(f"rtc-{clock}.txt")
    if wired:
        found.append("wired-only.txt")
    return tuple(found)


def boot_texts(boot: Path, fragments: tuple[str, ...]) -> dict[str, str]:
    """Return name: text of the boot files in `boot` with what a box needs.

    Raises SettingsError if they cannot be read.
    """
    folder = next((folder for folder in _FIRMWARE if (folder / "config.txt").exists()), None)
    if folder is None:
        raise SettingsError("firmware_config is not installed; install the package plainsight-common")
    parts = [(folder / name).read_text(encoding="ascii") for name in fragments]
    command_line = file_name(read_config(boot, MODELS["pi4"]))
    words = (folder / "cmdline.txt").read_text("ascii")
    return {
        "config.txt": add_to_config(read_text(boot, "config.txt"), parts),
        command_line: add_to_cmdline(read_text(boot, command_line), words),
    }
