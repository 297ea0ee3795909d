"""The bootloader's settings of a Pi 4 or 5: they lie in a chip of the board, so another board may have others.

The bootloader leaves them in memory for the kernel, which shows them to everybody as a device `rmem*` (compatible
`raspberrypi,bootloader-config`). So doctor needs neither root nor the firmware's own device, as `vcgencmd` does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from appliance.boot_files.box_files import bootloader_file
from appliance.boot_files.config_txt import read_settings
from appliance.boot_files.models import MODELS, Model
from appliance.contract.check_result import CheckResult
from appliance.contract.errors import SettingsError

CHECK: Final = "bootloader"
DEVICES: Final = Path("/sys/bus/nvmem/devices")
"""Where the kernel shows memories that keep something."""
_MOUNTS: Final = Path("/proc/self/mounts")
_COMPATIBLE: Final = b"raspberrypi,bootloader-config"
_LARGEST: Final = 64 << 10
_ORDER: Final = "BOOT_ORDER"
_DEFAULTS: Final = {"BOOT_UART": "0", "WAKE_ON_GPIO": "1"}
"""What holds where a setting is not there (Raspberry Pi documentation); the boot order depends on the board."""
_CHIPS: Final = {"Pi 4": "pi4", "Module 4": "pi4", "Pi 5": "pi5", "Module 5": "pi5"}
"""A part of what a board calls itself: the model whose filters its bootloader obeys. The others have no such chip."""
Reader = Callable[[], str | None]


def shown_by_kernel(devices: Path = DEVICES) -> str | None:
    """Return the settings that the bootloader started with, or None where the kernel does not show them."""
    for memory in sorted(devices.glob("rmem*/nvmem")):
        try:
            if _COMPATIBLE in (memory.parent / "of_node" / "compatible").read_bytes().split(b"\0"):
                with memory.open("rb") as file:
                    return file.read(_LARGEST).rstrip(b"\0\xff").decode("utf-8", "replace")
        except OSError:
            # another one may be the right one
            continue
    return None


def boot_device(boot: Path, mounts: Path = _MOUNTS) -> str:
    """Return the device of the mounted boot partition, or an empty text."""
    for line in mounts.read_text(encoding="utf-8", errors="replace").splitlines():
        device, where, *_ = line.split(" ")
        if where == str(boot):
            return device
    return ""


def check_bootloader(board: str, device: str, read: Reader = shown_by_kernel) -> Iterator[CheckResult]:
    """Yield what the bootloader of a board is set to, beside firmware_config/eeprom.conf.

    `board`: what the board calls itself; `device`: that of the boot partition.
    """
    model = next((MODELS[name] for part, name in _CHIPS.items() if part in board), None)
    if model is None:
        return
    try:
        path = bootloader_file()
    except SettingsError as error:
        yield CheckResult(CHECK, "warning", "not compared", error.message)
        return
    text = read()
    if text is None:
        remedy = f"look yourself: vcgencmd bootloader_config shows what must be as in {path}"
        yield CheckResult(CHECK, "warning", "the kernel does not show its settings", remedy)
        return
    holds, wanted = _settings(text, model), _settings(path.read_text(encoding="ascii"), model)
    if not device.startswith("/dev/mmcblk"):
        # whoever lets a box start from a stick has chosen to
        wanted.pop(_ORDER, None)
    differ = [
        f"{name} is {holds.get(name) or 'not set'}, not {value}"
        for name, value in wanted.items()
        if not _same(holds.get(name, _DEFAULTS.get(name, "")), value)
    ]
    if differ:
        remedy = f"run sudo rpi-eeprom-config --apply {path}, and start the box again"
        yield CheckResult(CHECK, "warning", "; ".join(differ), remedy)
    else:
        yield CheckResult(CHECK, "ok", ", ".join(f"{name}={value}" for name, value in wanted.items()))


def _settings(text: str, model: Model) -> dict[str, str]:
    return {line.name: line.value for line in read_settings(text, CHECK, model).lines if line.applies == "always"}


def _same(holds: str, wanted: str) -> bool:
    try:
        return int(holds, 0) == int(wanted, 0)
    except ValueError:
        return holds == wanted
