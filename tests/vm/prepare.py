"""From a Debian with the hardware of a box to one that is enrolled and ready, as a technician would do it.

Nothing is done here that docs/install.md does not tell, but for SETTINGS of limits.py and the sound to be played.
All paths in commands are the guest's.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import numpy as np

from appliance.simulator.speech import room

from . import sound
from .box import ARCHIVE_USER, Box
from .commissioning import commission
from .guest import Guest, GuestError, Machine, overlay
from .limits import SETTINGS, UNIT, patience
from .row import Row, progress

SNAPSHOT: Final = "ready"
HOST: Final = "archive.district.example"
CLAIM: Final = "/boot/firmware/plainsight-claim.toml"
APT: Final = "DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends"


@dataclass(frozen=True)
class Prepared:
    """A disk with a snapshot of a ready box, and how it came about."""

    disk: Path
    held: list[str]
    failed: list[str]
    seconds: dict[str, float]
    """Duration of each step, in seconds of the host under emulation."""


def prepare(machine: Machine, disk: Path, packages: Path, ready: Path, meeting: Path) -> Prepared:
    """Make `ready` if there is none; raise GuestError for the first step that fails."""
    account = ready.with_suffix(".json")
    if ready.exists() and account.exists():
        kept = json.loads(account.read_text())
        return Prepared(ready, kept["held"], kept["failed"], kept["seconds"])
    made = overlay(disk, ready.with_suffix(".new"))
    guest = Guest(machine, made)
    seconds: dict[str, float] = {}
    row = Row("prepare")

    def step(name: str, do: Callable[[], object]) -> None:
        began = time.monotonic()
        progress(f"{name} ...")
        do()
        seconds[name] = round(time.monotonic() - began, 1)
        row.hold(True, f"{name} ({seconds[name]} s)")

    try:
        _prepare(guest, packages, meeting, row, step)
        # a second box is booted from this disk, without the memory of the snapshot
        guest.run("systemctl stop speaker; sync")
        guest.save(SNAPSHOT)
    finally:
        guest.cut_power()
    made.rename(ready)
    prepared = Prepared(ready, row.held, row.failed, seconds)
    account.write_text(json.dumps(asdict(prepared) | {"disk": ready.name}))
    return prepared


def _prepare(
    guest: Guest, packages: Path, meeting: Path, row: Row, step: Callable[[str, Callable[[], object]], None]
) -> None:
    box = Box(guest)

    def boot() -> None:
        guest.start()
        guest.wait_up(patience(20))

    def files() -> None:
        for package in sorted(packages.glob("*.deb")):
            if "dbgsym" not in package.name and "arm64" not in package.name:
                guest.write(f"/packages/{package.name}", package.read_bytes())

    def set_up() -> None:
        guest.run(
            f"plainsight-archive setup --host {HOST} --user m.jones --new-escrow /root/escrow.txt </dev/null",
            patience(60),
        )

    def claim() -> None:
        guest.run(
            "mkdir /run/vm/claim; chown plainsight-archive /run/vm/claim; "
            f'{ARCHIVE_USER} plainsight-archive enroll "Room 12" -o /run/vm/claim && '
            f"install -m 600 /run/vm/claim/plainsight-claim.toml {CLAIM}",
            patience(10),
        )

    def enrolled() -> None:
        # is-active of two units is content with one
        for unit in ("plainsight-recorder", "plainsight-courier"):
            guest.run(f"until systemctl --quiet is-active {unit}; do sleep 1; done", patience(60))
        guest.run(f"test ! -e {CLAIM}")

    def scaled() -> None:
        text = "".join(f"{name} = {value}\n" for name, value in SETTINGS.items())
        guest.write("/run/vm/times.toml", f"\n[times]\n{text}".encode())
        for unit, lines in UNIT.items():
            folder = f"/etc/systemd/system/{unit}.service.d"
            guest.run(f"mkdir -p {folder}")
            guest.write(f"{folder}/emulated.conf", f"[Service]\n{lines}".encode())
        guest.run(
            "cat /run/vm/times.toml >>/etc/plainsight/recorder.toml; mkdir -p /var/lib/vm; systemctl daemon-reload; "
            "systemctl stop plainsight-recorder plainsight-courier; "
            "systemctl start --no-block plainsight-recorder plainsight-courier",
            patience(30),
        )
        guest.write(sound.MEETING, meeting.read_bytes())
        guest.write(sound.QUIET, np.rint(room(60 * 48000)).astype("<i2").tobytes())

    def commissioned() -> None:
        try:
            commission(box)
        except GuestError as error:
            row.hold(False, "the box is commissioned by its lights and its button alone", error)
            # the other rows want a box whose first press records; the status is the old recorder's until this has ended
            guest.run(
                "printf '\\n[checks]\\ncommissioned = false\\n' >>/etc/plainsight/recorder.toml; "
                "systemctl restart plainsight-recorder",
                patience(30),
            )
            box.wait_ready(patience(30))

    step("first boot", boot)
    step("copying the packages", files)
    step("apt install of the archive", lambda: guest.run(
        f"cd /packages && {APT} ./plainsight-common_*.deb ./plainsight-archive_*.deb", patience(60)
    ))  # fmt: skip
    step("plainsight-archive setup", set_up)
    step("a claim onto the card", claim)
    step("apt install of the box", lambda: guest.run(
        f"cd /packages && {APT} ./plainsight-gpio_*.deb ./plainsight-box_*.deb", patience(60)
    ))  # fmt: skip
    step("enrolled by the claim, recorder and courier started, nothing else done", enrolled)
    step("limits of time scaled for the emulator", scaled)
    step("idle and ready", box.wait_ready)
    step("commissioning by lights and button has ended", commissioned)
