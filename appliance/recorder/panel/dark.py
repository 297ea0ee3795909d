"""Puts every light of the panel out while no recorder runs: the unit's last act, however the recorder ended.

It runs when a process was killed and the lamp may still be lit, on a machine that may be short of everything, and
systemd gives it little time. So it imports only small modules of the interpreter (a test holds the list), asks the
kernel directly instead of gpiozero, and does not care whether the other settings are right.

The structures are those of Linux's GPIO character device, version 2 (include/uapi/linux/gpio.h).
"""

from __future__ import annotations

import errno
import fcntl
import os
import struct
import time
import tomllib
from collections.abc import Callable, Sequence
from typing import Any, Final

from appliance.contract.errors import DeviceError, SettingsError

DEFAULT_PINS: Final = {"red": 23, "green": 22, "amber": 17}
"""BCM numbers of the lines that drive a light, as in PanelSettings."""
DEFAULT_CLIENT: Final = "appliance.simulator.panel:SimulatedPanel"
HEADER_CHIPS: Final = ("pinctrl-bcm", "pinctrl-rp1")
"""How the labels of the chips begin that carry the header's pins: Pi 3, 4 and Zero 2 W; Pi 5."""

CHIP_INFO: Final = struct.Struct("=32s32sI")
"""struct gpiochip_info: name, label, lines."""
CHIP_INFO_REQUEST: Final = 0x8044B401
"""GPIO_GET_CHIPINFO_IOCTL."""
LINE_REQUEST: Final = struct.Struct("=64I32sQI5I240sII5Ii")
"""struct gpio_v2_line_request: offsets, consumer, config (flags, number of attributes, padding, attributes), number of
lines, event buffer, padding, descriptor."""
LINE_REQUEST_REQUEST: Final = 0xC250B407
"""GPIO_V2_GET_LINE_IOCTL."""
FLAG_OUTPUT: Final = 1 << 3
"""GPIO_V2_LINE_FLAG_OUTPUT; without an attribute that says otherwise, the kernel drives the lines low."""

CLOSES_S: Final = 1.0
"""So long the kernel may take to close the microphone of a process that is gone, in seconds."""

Ioctl = Callable[[int, int, bytearray], int]


def lights_out(config: str, devices: str = "/dev", ioctl: Ioctl = fcntl.ioctl, asound: str = "/proc/asound") -> None:
    """Put the lights of the panel in the settings file `config` out.

    Where the file cannot be read and the machine has the pins of a Raspberry Pi, the default pins go dark before the
    error is raised. While a microphone is open, the red lamp stays as it is (promise 1). Raises SettingsError or
    DeviceError.
    """
    try:
        panel = read_panel(config)
        pins = [_pin(panel, name) for name in DEFAULT_PINS]
    except SettingsError:
        if find_chip(devices, ioctl) is not None:
            _dark_if_closed(devices, list(DEFAULT_PINS.values()), ioctl, asound)
        raise
    if panel.get("kind", "gpio") == "gpio":
        _dark_if_closed(devices, pins, ioctl, asound)
    else:
        _simulated(panel)


def _dark_if_closed(devices: str, pins: Sequence[int], ioctl: Ioctl, asound: str) -> None:
    """Drive `pins` low, of which the first is the red lamp's; that one only when no microphone is open."""
    patient_until = time.monotonic() + CLOSES_S
    while (held := open_microphone(asound)) and time.monotonic() < patient_until:
        time.sleep(0.02)
    drive_low(devices, pins[1:] if held else pins, ioctl)
    if held:
        raise DeviceError(
            f"a microphone is still open ({held}), so the red lamp stays as it is; "
            "unplug the microphone, or switch the box off and on",
            field="microphone",
        )


def open_microphone(asound: str) -> str | None:
    """Return the path that tells of a sound card's open capture device, or None; the kernel's word."""
    for folder, _, files in os.walk(asound):
        if "status" in files and "/pcm" in folder and folder.rsplit("/", 2)[1].endswith("c"):
            path = f"{folder}/status"
            try:
                with open(path, encoding="ascii", errors="replace") as file:  # noqa: PTH123 - pathlib is not imported
                    text = file.read().strip()
            except OSError:
                # it went away with its card
                continue
            if text not in ("closed", ""):
                return path
    return None


def read_panel(config: str) -> dict[str, Any]:
    """Return the section [panel] of the settings file as it stands there; raise SettingsError if it cannot be read."""
    try:
        with open(config, "rb") as file:  # noqa: PTH123 - pathlib is not imported here
            panel = tomllib.load(file).get("panel", {})
    except OSError as error:
        raise SettingsError(f"cannot read {config}: {error.strerror}; name the settings file with --config") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{config} is not TOML: {error}") from error
    if not isinstance(panel, dict):
        raise SettingsError("[panel] must be a section", field="panel")
    return panel


def find_chip(devices: str, ioctl: Ioctl = fcntl.ioctl) -> str | None:
    """Return the path of the GPIO chip that carries the header's pins, or None."""
    for name in sorted(name for name in os.listdir(devices) if name.startswith("gpiochip")):  # noqa: PTH208 - the same
        path = f"{devices}/{name}"
        information = bytearray(CHIP_INFO.size)
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            # one that this user may not open is not the one that the udev rules gave to the box
            continue
        try:
            ioctl(descriptor, CHIP_INFO_REQUEST, information)
        except OSError:
            continue
        finally:
            os.close(descriptor)
        label = CHIP_INFO.unpack(information)[1].rstrip(b"\0").decode("ascii", "replace")
        if label.startswith(HEADER_CHIPS):
            return path
    return None


def drive_low(devices: str, pins: Sequence[int], ioctl: Ioctl = fcntl.ioctl) -> None:
    """Make `pins` (BCM numbers) outputs that are low, and let go of them; raise DeviceError if that is not possible."""
    path = find_chip(devices, ioctl)
    if path is None:
        raise DeviceError(
            f"no GPIO chip of a Raspberry Pi that this user may open is in {devices}; "
            "run this as root or as a member of the group 'plainsight-gpio'",
            field="panel.kind",
        )
    chip = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        request = bytearray(pack_request(pins))
        try:
            ioctl(chip, LINE_REQUEST_REQUEST, request)
        except OSError as error:
            why = "another program holds them; stop it first" if error.errno == errno.EBUSY else error.strerror
            raise DeviceError(f"cannot drive the pins {list(pins)} of {path} low: {why}", field="panel") from error
        # the lines stay low when they are let go, or fall back to their pull-downs: dark both ways
        os.close(LINE_REQUEST.unpack(request)[-1])
    finally:
        os.close(chip)


def pack_request(pins: Sequence[int]) -> bytes:
    """Return a `struct gpio_v2_line_request` that makes `pins` outputs, all of them low."""
    offsets = [*pins, *[0] * (64 - len(pins))]
    padding = [0] * 5
    return LINE_REQUEST.pack(
        *offsets, b"plainsight lamps-out", FLAG_OUTPUT, 0, *padding, b"", len(pins), 0, *padding, 0
    )


def _pin(panel: dict[str, Any], name: str) -> int:
    pin = panel.get(name, DEFAULT_PINS[name])
    if not isinstance(pin, int) or not 0 <= pin <= 27:
        raise SettingsError(f"{pin!r} is no BCM number of a pin (0 to 27)", field=f"panel.{name}")
    return pin


def _simulated(panel: dict[str, Any]) -> None:
    import importlib  # noqa: PLC0415 - never on a real box
    from pathlib import Path  # noqa: PLC0415 - the same

    socket = panel.get("socket")
    if not isinstance(socket, str):
        raise SettingsError("kind 'simulated' needs 'socket', the path of the simulator's panel.sock", field="panel")
    module = str(panel.get("client", DEFAULT_CLIENT)).partition(":")[0]
    try:
        # the module of a simulated panel has a function of this name, which works beside a recorder that hangs
        put_out = importlib.import_module(module).lamps_out
    except (ImportError, AttributeError) as error:
        raise SettingsError(f"panel.client names no class: {error}", field="panel.client") from error
    put_out(Path(socket))
