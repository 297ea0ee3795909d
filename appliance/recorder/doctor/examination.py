"""What `plainsight doctor` looks at: each check with what was found and, unless all is well, what to do."""

from __future__ import annotations

import fcntl
import importlib.util
import os
import shutil
import stat
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from pydantic import ValidationError

from appliance.contract import amber_codes
from appliance.contract.check_result import CheckResult, Verdict
from appliance.contract.commissioning import Commissioning
from appliance.contract.kernel_clock import read_clock
from appliance.contract.status import RecorderStatus
from appliance.contract.times import boot_id
from appliance.recorder import resources
from appliance.recorder.device_checks import (
    card_identity,
    card_number,
    is_held,
    keys_fault,
    listening_cards,
    wrong_microphone,
)
from appliance.recorder.panel.choose import DEVICES
from appliance.recorder.panel.real_box import find_real_box
from appliance.recorder.settings import MicrophoneSettings, RecorderSettings

from .check_result import AS_RECORDER, by_table, not_readable
from .compare import compare

_MOUNTS = Path("/proc/self/mounts")
AMBER = "recorder's amber light"
"""The check that repeats what the recorder's status says."""
_MEMORY = ("tmpfs", "ramfs")
_CHIP_INFO = 0x8044B401
"""GPIO_GET_CHIPINFO_IOCTL of linux/gpio.h: a chip answers it whoever holds its lines."""
MODULES = Path("/sys/module")
"""Where the kernel shows the parameters of its drivers."""


def examine(settings: RecorderSettings, devices: Path = DEVICES) -> list[CheckResult]:
    """Return every finding; nothing is opened but files."""
    record, about = compare(settings)
    return [*examine_box(settings, devices, record), *about, *_recorder(settings)]


def examine_box(
    settings: RecorderSettings,
    devices: Path = DEVICES,
    record: Commissioning | None = None,
    modules: Path = MODULES,
) -> list[CheckResult]:
    """Return what can be found without a running recorder, the microphone compared with `record`'s if there is one."""
    return [
        _keys(settings),
        *_folders(settings),
        _room(settings),
        _names(settings),
        _resource("memory", resources.MEMORY, resources.memory_fault()),
        _resource("file handles", resources.HANDLES, resources.handles_fault()),
        _panel(settings, devices),
        *_lines(settings, modules),
        *_microphone(settings, record),
        _clock(settings),
    ]


def _keys(settings: RecorderSettings) -> CheckResult:
    fault = keys_fault(settings)
    if fault and not_readable(settings.box.signing_key_path()):
        return CheckResult("signing key", "wrong", fault.split(";")[0], AS_RECORDER)
    if fault:
        return by_table("signing key", "keys", fault)
    return CheckResult("signing key", "ok", str(settings.box.signing_key_path()))


def _folders(settings: RecorderSettings) -> Iterator[CheckResult]:
    for name, setting, path, mode in (
        ("spool", "spool.path", settings.spool.path, os.R_OK | os.W_OK | os.X_OK),
        ("inbox", "spool.inbox", settings.spool.inbox, os.R_OK | os.X_OK),
        ("run folder", "spool.run", settings.spool.run, os.R_OK | os.X_OK),
    ):
        if name == "run folder" and not path.exists() and _kind_of_mount(path) in _MEMORY:
            # systemd makes it with the recorder's start and removes it with its end
            yield CheckResult(name, "ok", f"{path} is made when the recorder starts")
        elif not _is(path, stat.S_ISDIR):
            remedy = f"make it, set {setting}, or {AS_RECORDER}"
            yield CheckResult(name, "wrong", f"{path} is no folder that this user may see", remedy)
        elif not os.access(path, mode):
            yield CheckResult(name, "wrong", f"{path} is not accessible to this user", AS_RECORDER)
        elif name == "run folder" and _kind_of_mount(path) not in _MEMORY:
            yield CheckResult(
                name, "warning", f"{path} is on a disk", "lay it on a tmpfs, so that a hung disk cannot hang the lights"
            )
        else:
            yield CheckResult(name, "ok", str(path))


def _is(path: Path, kind: Callable[[int], bool]) -> bool:
    """Tell whether something of that kind is there, as far as this user may see."""
    try:
        return kind(path.stat().st_mode)
    except OSError:
        return False


def _kind_of_mount(path: Path) -> str:
    best, kind = -1, ""
    for line in _MOUNTS.read_text(encoding="utf-8", errors="replace").splitlines():
        _, where, name, *_ = line.split(" ")
        if path.resolve().is_relative_to(where) and len(where) >= best:
            best, kind = len(where), name
    return kind


def _room(settings: RecorderSettings) -> CheckResult:
    limits = settings.limits
    try:
        free = shutil.disk_usage(settings.spool.path).free
    except OSError as error:
        return by_table("free space", "spool-failed", f"{settings.spool.path}: {error.strerror}")
    found = f"{free // 1_000_000} MB free"
    if free <= limits.min_free_bytes:
        return by_table("free space", "spool-full", found)
    longest = limits.longest_bytes(settings.microphone.rate)
    if free < longest:
        wanted = longest // 1_000_000
        return by_table("free space", "spool-low", f"{found}, {wanted} MB wanted for the longest recording", "warning")
    return CheckResult("free space", "ok", found)


def _names(settings: RecorderSettings) -> CheckResult:
    """Each second of a recording is a file; a disk of many small files has room, and no names for more."""
    wanted = int(settings.limits.cap_s)
    try:
        names = resources.free_names(settings.spool.path)
    except OSError as error:
        return by_table("file names", "spool-failed", f"{settings.spool.path}: {error.strerror}")
    found = "no limit" if names is None else f"{names} files may still be made"
    if names is not None and names < wanted:
        return by_table("file names", resources.NAMES, f"{found}, {wanted} wanted for the longest recording", "warning")
    return CheckResult("file names", "ok", found)


def _resource(name: str, code: str, fault: str | None) -> CheckResult:
    return CheckResult(name, "ok", "enough") if fault is None else by_table(name, code, fault, "warning")


def _panel(settings: RecorderSettings, devices: Path) -> CheckResult:
    panel = settings.panel
    chips = sorted(path.name for path in devices.glob("gpiochip*"))
    if panel.kind == "simulated":
        if found := find_real_box():
            return CheckResult("panel", "wrong", "simulated, on a machine that is set up as a real box", found)
        if panel.socket is None or not _is(panel.socket, stat.S_ISSOCK):
            return CheckResult(
                "panel",
                "wrong",
                f"no simulator at {panel.socket} that this user may see",
                "start 'plainsight simulator'",
            )
        return CheckResult("panel", "warning", "simulated: recordings say so", "set panel.kind to 'gpio' on a real box")
    return _pins(settings, devices, chips)


def _pins(settings: RecorderSettings, devices: Path, chips: list[str]) -> CheckResult:
    if not chips:
        return CheckResult("panel", "wrong", "no GPIO chip", "run on a Raspberry Pi, or set panel.kind to 'simulated'")
    for module in ("gpiozero", "lgpio"):
        if importlib.util.find_spec(module) is None:
            remedy = f"install it: the Debian package python3-{module}, or plainsight[box]"
            return CheckResult("panel", "wrong", f"{chips[0]}, but Python has no module {module}", remedy)
    unopened = [why for why in (_why_unopened(devices / chip) for chip in chips) if why]
    if len(unopened) == len(chips):
        remedy = f"join the group 'plainsight-gpio' (firmware_config/99-plainsight.rules), or {AS_RECORDER}"
        return CheckResult("panel", "wrong", f"{chips[0]} does not open: {unopened[0]}", remedy)
    if not settings.panel.sensed:
        remedy = "wire LAMP_SEEN and set panel.lamp_seen, so that a broken lamp is noticed"
        return CheckResult("panel", "warning", f"{chips[0]}; the lamp is unverified", remedy)
    return CheckResult("panel", "ok", f"{chips[0]}, lamp sensed on GPIO {settings.panel.lamp_seen}")


def _why_unopened(chip: Path) -> str | None:
    """Return why a GPIO chip cannot be used by this user, or None; no line is asked for."""
    try:
        with chip.open("r+b", buffering=0) as device:
            fcntl.ioctl(device, _CHIP_INFO, bytearray(68))
    except OSError as error:
        return error.strerror
    return None


def _lines(settings: RecorderSettings, modules: Path) -> Iterator[CheckResult]:
    """Yield what the kernel does with the lamp's line when the recorder dies (docs/wiring.md); real pins only."""
    if settings.panel.kind != "gpio":
        return
    found = {path.parts[-3]: _first_line(path) for path in modules.glob("pinctrl_*/parameters/persist_gpio_outputs")}
    if not found:
        yield CheckResult(
            "lines of a dead recorder",
            "warning",
            "this kernel does not say what it does with them",
            "use a kernel of Raspberry Pi OS from 2024 or later",
        )
    for driver, value in sorted(found.items()):
        if value in ("Y", "1"):
            yield CheckResult("lines of a dead recorder", "ok", f"{driver} keeps their level until lamps-out")
        else:
            yield CheckResult(
                "lines of a dead recorder",
                "wrong",
                f"{driver} drops them, so that the lamp may be dark before the microphone is closed",
                f"append {driver}.persist_gpio_outputs=y to cmdline.txt, take strict_gpiod out of config.txt, restart",
            )


def _first_line(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except OSError:
        return ""


def _microphone(settings: RecorderSettings, record: Commissioning | None) -> Iterator[CheckResult]:
    microphone = settings.microphone
    if not microphone.card:
        yield _microphone_without_card(microphone)
        return
    number = card_number(microphone)
    if number is None:
        yield by_table("microphone", "microphone-missing", f"no card {microphone.card!r} in {microphone.asound}/cards")
        return
    identity = card_identity(microphone.asound, number)
    wrong = wrong_microphone(microphone, number, record)
    if wrong:
        yield by_table("microphone", "microphone-wrong", wrong)
        return
    yield CheckResult("microphone", "ok", f"card {microphone.card!r}{f', {identity}' if identity else ''}")


def _microphone_without_card(microphone: MicrophoneSettings) -> CheckResult:
    """Such are the settings where the lamp switches a USB microphone's supply; one that is idle and there is not so."""
    idle = [number for number in listening_cards(microphone.asound) if not is_held(microphone.asound, number)]
    if idle:
        return CheckResult(
            "microphone",
            "warning",
            f"card {idle[0]} can listen while the box is idle, and without microphone.card a missing one is not told",
            "set microphone.card, or let the lamp switch the microphone's supply (docs/wiring)",
        )
    return CheckResult("microphone", "ok", "its card is not set, so its presence is not checked while the box is idle")


def _clock(settings: RecorderSettings) -> CheckResult:
    clock = read_clock()
    if clock.synchronized:
        return CheckResult("clock", "ok", f"synchronized ({clock.source})")
    verdict: Verdict = "warning"
    if settings.checks.clock:
        return by_table("clock", "clock", "not synchronized", verdict)
    return CheckResult("clock", verdict, "not synchronized; recordings say so", amber_codes.find("clock").remedy)


def _recorder(settings: RecorderSettings) -> Iterator[CheckResult]:
    path = settings.spool.run / "status.json"
    try:
        status = RecorderStatus.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        yield CheckResult("recorder", "warning", f"it does not run: there is no {path}", "start it")
        return
    except OSError as error:
        yield CheckResult("recorder", "warning", f"cannot read {path}: {error.strerror}", AS_RECORDER)
        return
    except ValidationError:
        yield CheckResult("recorder", "wrong", f"{path} is no status", "start the recorder again")
        return
    if not status.fresh(boot_id(), time.monotonic_ns()):
        yield CheckResult("recorder", "wrong", "silent: its last word is old", "read its journal and start it again")
        return
    yield CheckResult("recorder", "ok", f"{status.state}{', ready' if status.ready else ''}")
    for code in status.faults:
        fault = amber_codes.find(code)
        verdict: Verdict = "warning" if fault.press == "records" else "wrong"
        yield by_table(AMBER, code, fault.cause, verdict)
