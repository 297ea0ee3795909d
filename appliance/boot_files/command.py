"""`plainsight boot-files`: bring a box's own boot files up to date, as `plainsight card` wrote them."""

from __future__ import annotations

import argparse
from dataclasses import fields
from dataclasses import replace as replace_members
from pathlib import Path
from typing import get_args

from appliance.contract.durable_files import replace
from appliance.contract.errors import StorageError

from .box_files import Clock, Microphone, Parts, boot_texts, parts_in
from .check import check_boot
from .panel_pins import SHIPPED


def main(arguments: list[str]) -> int:
    """Write what differs, then check; return 1 if the boot files are wrong. Raises SettingsError or StorageError."""
    parser = argparse.ArgumentParser(
        prog="plainsight boot-files",
        description="Bring config.txt and cmdline.txt of a box up to date, keep what else is in them, and check them. "
        "Its first line begins with 'changed' or 'unchanged'; what changed holds from the next start on. What is not "
        "given stays as the card was made for.",
        epilog="example: plainsight boot-files /boot/firmware --microphone voicehat --wired",
    )
    parser.add_argument("boot", metavar="DIR", type=Path, help="where the boot partition is mounted")
    parser.add_argument("--microphone", choices=get_args(Microphone), help="on a new card: usb")
    parser.add_argument("--clock", choices=get_args(Clock), help="a clock on I2C; on a new card: none")
    parser.add_argument(
        "--wired",
        action=argparse.BooleanOptionalAction,
        help="the box has a cable: switch its radio off; on a new card it stays on",
    )
    parser.add_argument("--check", action="store_true", help="write nothing: only say what is wrong")
    options = parser.parse_args(arguments)
    if not options.check:
        _bring_up_to_date(options)
    results = check_boot(options.boot, SHIPPED)
    for result in results:
        print(result.as_text())
    return 1 if any(result.verdict == "wrong" for result in results) else 0


def _bring_up_to_date(options: argparse.Namespace) -> None:
    given = {name: getattr(options, name) for name in ("microphone", "clock", "wired")}
    given = {name: value for name, value in given.items() if value is not None}
    made_for = Parts() if len(given) == len(fields(Parts)) else parts_in(options.boot) or Parts()
    texts = boot_texts(options.boot, replace_members(made_for, **given).fragments())
    changed = {name: text for name, text in texts.items() if (options.boot / name).read_text("utf-8") != text}
    for name, text in changed.items():
        try:
            replace(options.boot / name, text.encode(), mode=0o600, durable=True)
        except OSError as error:
            raise StorageError(f"cannot write {options.boot / name}: {error.strerror}; run this as root") from error
    print("changed: start the box again" if changed else "unchanged")
