"""The boot files of a box: which fragments of firmware_config go into them, and the texts that come of it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Final, Literal, get_args

from appliance.contract.errors import SettingsError

from .cmdline_txt import file_name
from .config_txt import read_config, read_text
from .fragments import add_to_cmdline, add_to_config, made_of
from .models import MODELS

Microphone = Literal["usb", "adau7002", "voicehat"]
Clock = Literal["none", "ds3231"]
_FIRMWARE: Final = (
    Path(__file__).resolve().parents[2] / "firmware_config",
    Path("/usr/share/plainsight/firmware"),
)
"""Where the fragments lie: in a checkout, and where the package puts them."""


@dataclass(frozen=True)
class Parts:
    """What a box has, as far as its boot files speak of it."""

    microphone: Microphone = "usb"
    """How the microphone is connected."""
    clock: Clock = "none"
    """The clock on I2C, if any."""
    wired: bool = False
    """Whether it has a cable, and its radio is switched off."""

    def fragments(self) -> tuple[str, ...]:
        """Return the files of firmware_config that go into the config.txt of such a box."""
        found = ["config.txt"]
        if self.microphone != "usb":
            found.append(f"microphone-{self.microphone}.txt")
        if self.clock != "none":
            found.append(f"rtc-{self.clock}.txt")
        if self.wired:
            found.append("wired-only.txt")
        return tuple(found)


def parts_in(boot: Path) -> Parts | None:
    """Return what the boot files in `boot` were made for; None where nobody made them. Raises SettingsError."""
    names = made_of(read_text(boot, "config.txt"))
    if names is None:
        return None
    for microphone, clock, wired in product(get_args(Microphone), get_args(Clock), (False, True)):
        parts = Parts(microphone, clock, wired)
        if parts.fragments() == names:
            return parts
    raise SettingsError(
        f"{boot / 'config.txt'} does not say what this box was made for; give --microphone, --clock, and --wired or "
        "--no-wired",
        field="--microphone",
    )


def boot_texts(boot: Path, fragments: tuple[str, ...]) -> dict[str, str]:
    """Return name: text of the boot files in `boot` with what a box needs.

    Raises SettingsError if they cannot be read.
    """
    folder = _firmware()
    parts = {name: (folder / name).read_text(encoding="ascii") for name in fragments}
    command_line = file_name(read_config(boot, MODELS["pi4"]))
    words = (folder / "cmdline.txt").read_text("ascii")
    return {
        "config.txt": add_to_config(read_text(boot, "config.txt"), parts),
        command_line: add_to_cmdline(read_text(boot, command_line), words),
    }


def bootloader_file() -> Path:
    """Return the file with the settings that belong into a bootloader's chip; raise SettingsError if there is none."""
    return _firmware() / "eeprom.conf"


def _firmware() -> Path:
    folder = next((folder for folder in _FIRMWARE if (folder / "config.txt").exists()), None)
    if folder is None:
        raise SettingsError("firmware_config is not installed; install the package plainsight-common")
    return folder
