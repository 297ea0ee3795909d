"""Tries the box's package in a Debian root for arm64 under qemu-user, and says what held.

deploy/arm64-test --json     builds, installs and imports it, and runs tests of recorder and courier
"""

from __future__ import annotations

import argparse
import re
import shutil
import sys
from pathlib import Path
from typing import Final

from .root import CODE, Root, require
from .table import Table, Trial

CONTRACT: Final = "appliance/contract"
TESTS: Final = (
    "appliance/boot_files/test_check.py",
    CONTRACT,
    "appliance/courier/test_backoff.py",
    "appliance/courier/test_health_reader.py",
    "appliance/courier/test_settings.py",
    "appliance/courier/test_status_reader.py",
    "appliance/courier/mqtt/test_publication_policy.py",
    "appliance/recorder/ipc/test_messages.py",
    "appliance/recorder/ipc/test_ring.py",
    "appliance/recorder/panel/test_dark.py",
    "appliance/recorder/panel/test_lamp_token.py",
    "appliance/recorder/supervisor/machine",
    "appliance/recorder/supervisor/test_indicators.py",
    "appliance/recorder/writer/test_gap_detector.py",
    "appliance/recorder/writer/test_read_back.py",
    "appliance/recorder/writer/test_recording_session.py",
    "appliance/recorder/writer/test_timeline.py",
)
"""Tests that need no sound device, no broker and no archive."""
LONGEST_S: Final = 4 * 3600.0
"""How long the tests may take, in seconds: two and a half minutes on a machine of the same kind, an hour and more
emulated. Half of that is the contract's, so both halves run at a time."""
MOST_CPU_S: Final = 8.0
"""Most CPU time of lamps-out under emulation, in seconds: some 0.03 on the machine itself, and systemd waits 15."""
MOST_CALLS: Final = 3000
"""Most system calls of lamps-out before it looks for the chip: Python's own start makes some hundreds."""
MOST_MODULES: Final = 80
"""Most modules that lamps-out may load: Python's own start takes about thirty."""


def it_is_arm64(root: Root) -> None:
    """The root runs programs for arm64, through the kernel and QEMU."""
    require(root.run("dpkg --print-architecture").strip() == "arm64", "dpkg's architecture")
    require(root.run("uname -m").strip() == "aarch64", "the machine")


def install_the_box(root: Root) -> None:
    """The package installs with what Debian has; stand-ins take the place of Raspberry Pi OS's pins."""
    root.run("apt-get update -q")
    root.run("apt-get install -q -y --no-install-recommends /packages/*.deb")
    require(root.run("dpkg-query -W -f '${Architecture}' plainsight-common") == "arm64", "the package's architecture")
    root.run("plainsight --version && plainsight --help")


def every_module_can_be_imported(root: Root) -> None:
    """All modules of the package load, with the carried and the distribution's libraries for arm64."""
    shutil.copy(Path(__file__).with_name("imports.py"), root.path("/tmp/imports.py"))
    out = root.run(
        f"cd /tmp && export LG_WD=/tmp {CODE} && python3 -W ignore imports.py appliance -gpiozero -lgpio && "
        "python3 -c 'import pyrage, pyaudio, soundfile, systemd.daemon, platform; print(platform.machine())'"
    )
    count, machine = out.split()[-2:]
    require(machine == "aarch64" and int(count) > 100, out)


def lamps_out_is_quick(root: Root) -> str:
    """`plainsight lamps-out` loads next to nothing, and ends in time even under emulation."""
    root.path("/lamps.toml").write_text('[panel]\nkind = "gpio"\n')
    out = root.run(
        "python3 -X importtime /usr/bin/plainsight lamps-out --config /lamps.toml 2>&1; bash -c "
        "'TIMEFORMAT=\"cpu %U %S\"; time plainsight lamps-out --config /lamps.toml' 2>&1",
        status=None,
    )
    require("no GPIO chip" in out, f"a root without pins is told so: {out[-600:]}")
    loaded = len(re.findall(r"^import time:", out, flags=re.MULTILINE)) - 1
    user, system = (float(part) for part in re.findall(r"cpu ([\d.]+) ([\d.]+)", out)[-1])
    require(loaded <= MOST_MODULES, f"it loads {loaded} modules")
    require(user + system <= MOST_CPU_S, f"it takes {user + system:.2f} s of CPU")
    calls = root.run("QEMU_STRACE=1 plainsight lamps-out --config /lamps.toml 2>&1", status=None).splitlines()
    # from here on it touches chips
    looked = next((number for number, call in enumerate(calls) if 'openat(AT_FDCWD,"/dev",' in call), None)
    require(looked is not None and looked <= MOST_CALLS, f"{looked} calls of the kernel before it looks for the chip")
    return f"{loaded} modules, {user + system:.2f} s of CPU emulated, {looked} system calls until it looks for the chip"


def tests_of_recorder_and_courier_pass(root: Root) -> str:
    """The tests that need no sound device pass on arm64, on the installed libraries."""
    command = (
        "PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=/src:/usr/lib/plainsight/carried "
        "python3 -m pytest -q -p no:cacheprovider --tb=short"
    )
    halves = {
        "contract": f"tests/{CONTRACT}",
        "recorder": " ".join(f"tests/{name}" for name in TESTS if name != CONTRACT),
    }
    started = [f"{command} {paths} >/tmp/{name}.log 2>&1 &" for name, paths in halves.items()]
    root.run(f"cd /src; {' '.join(started)} wait", seconds=LONGEST_S)
    passed = []
    for half in halves:
        out = root.path(f"/tmp/{half}.log").read_text("utf-8", "replace")
        last = (out.strip().splitlines() or [""])[-1]
        require(re.search(r"\b[1-9]\d* passed", last) and "failed" not in last and "error" not in last, out[-3000:])
        passed.append(last.strip("= "))
    return "; ".join(passed)


TRIALS: Final[list[Trial]] = [
    it_is_arm64,
    install_the_box,
    every_module_can_be_imported,
    lamps_out_is_quick,
    tests_of_recorder_and_courier_pass,
]


def main() -> int:
    """Try everything and print the table; exit status 0 only if all held."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=Path, required=True, help="a root for arm64, with /packages and /src")
    parser.add_argument("--json", action="store_true", help="print the table as JSON")
    options = parser.parse_args()
    root, table = Root(options.root, "", ""), Table()
    for trial in TRIALS:
        if not table.try_on(root, trial) and trial is install_the_box:
            break
    if options.json:
        print(table.as_json())
    return 0 if table.held else 1


if __name__ == "__main__":
    sys.exit(main())
