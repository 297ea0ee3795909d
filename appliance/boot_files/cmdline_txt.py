"""The kernel's command line: which words a box needs, and which it must not have."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from appliance.contract.check_result import CheckResult

from .config_txt import Config, read_text

CHECK: Final = "cmdline.txt"
_LAMP: Final = "the red lamp could go dark before the microphone is closed (docs/wiring)"
NEEDED: Final[dict[str, str]] = {
    "cgroup_enable=memory": "the firmware turns the memory controller off, and the services' limits need it",
    "module_blacklist=uvcvideo": "a USB camera that somebody plugs in would work (audio only)",
    "usbcore.autosuspend=-1": "a USB microphone would be put to sleep between meetings",
    "panic=10": "a kernel that gave up would stay so until somebody pulls the plug",
    "pinctrl_bcm2835.persist_gpio_outputs=y": _LAMP,
    "pinctrl_rp1.persist_gpio_outputs=y": _LAMP,
}
"""Each word of firmware_config/cmdline.txt, and what happens without it."""
_LISTS: Final = {"module_blacklist"}
"""Words whose value is a list: a longer one serves as well."""
_FORBIDDEN: Final = (
    (re.compile(r"init=(?!/usr/lib/raspberrypi-sys-mods/firstboot$|/usr/lib/raspi-config/init_resize\.sh$).*"),
     "another program runs in systemd's place, and nothing of the box starts"),
    (re.compile(r"systemd\.unit=(?!multi-user\.target$|kernel-command-line\.target$).*|single|emergency|rescue|S|1"),
     "the system stops before the box's services start"),
    (re.compile(r"cgroup_disable=memory"), "the services' limits need the memory controller"),
    (re.compile(r"systemd\.mask=plainsight-.*"), "it switches a service of the box off"),
)  # fmt: skip
_SERIAL: Final = re.compile(r"console=(serial0|ttyAMA\d|ttyS0)(,.*)?")


def file_name(config: Config) -> str:
    """Return the file that the kernel's command line comes from."""
    line = config.setting("cmdline")
    return line.value.lstrip("/") if line else "cmdline.txt"


def check_cmdline(folder: Path, config: Config) -> Iterator[CheckResult]:
    """Yield what is wrong with the command line; raise SettingsError if it cannot be read."""
    name = file_name(config)
    lines = read_text(folder, name).splitlines()
    if len([line for line in lines if line.strip()]) > 1:
        yield CheckResult(
            CHECK,
            "wrong",
            f"{name} has {len(lines)} lines, and only the first is read",
            "write all its words into one line",
        )
    words = lines[0].split() if lines else []
    if not any(word.startswith("root=") for word in words):
        yield CheckResult(
            CHECK, "wrong", f"{name} says no root=: the kernel finds no system to start",
            "take the line of a card that was just written, and append the words of firmware_config/cmdline.txt",
        )  # fmt: skip
    for needed, why in NEEDED.items():
        yield from _check_word(name, words, needed, why)
    for word in words:
        for form, why in _FORBIDDEN:
            if form.fullmatch(word):
                yield CheckResult(CHECK, "wrong", f"{name} has {word}: {why}", f"remove {word}")
        if _SERIAL.fullmatch(word):
            yield CheckResult(
                CHECK, "warning", f"{name} has {word}: whoever reaches the header's pins gets a login", f"remove {word}"
            )


def _check_word(name: str, words: list[str], needed: str, why: str) -> Iterator[CheckResult]:
    key, _, value = needed.partition("=")
    given = [word.partition("=")[2] for word in words if word.partition("=")[0].replace("-", "_") == key]
    remedy = f"append {needed} to the one line of {name}"
    if not given:
        yield CheckResult(CHECK, "wrong", f"{name} lacks {needed}: {why}", remedy)
    elif key in _LISTS:
        if not any(value in text.split(",") for text in given):
            yield CheckResult(CHECK, "wrong", f"{name} has {key}={given[-1]} without {value}: {why}", remedy)
    elif key == "cgroup_enable":
        if value not in given:
            yield CheckResult(CHECK, "wrong", f"{name} lacks {needed}: {why}", remedy)
    elif _same(given[-1], value) and len({_same(text, value) for text in given}) == 1:
        return
    else:
        yield CheckResult(
            CHECK, "wrong", f"{name} has {key}={given[-1]}, not {value}: {why}",
            f"write {needed} in its place, once",
        )  # fmt: skip


def _same(given: str, value: str) -> bool:
    """Tell whether two values are one to the kernel, for which y, Y, 1 and on are the same."""
    yes = {"y", "1", "on"}
    return given == value or (given.lower() in yes and value in yes)
