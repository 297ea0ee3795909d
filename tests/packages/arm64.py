"""Tries the box's package in a Debian root for arm64 under qemu-user, and says what held.

deploy/arm64-test --json     builds, installs and imports it, and runs tests of recorder and courier
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from .root import NotHeldError, Root, require

TESTS: Final = (
    "appliance/boot_files/test_check.py",
    "appliance/contract",
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
MOST_CPU_S: Final = 8.0
"""Most CPU time of lamps-out under emulation, in seconds: some 0.03 on the machine itself, and systemd waits 15."""
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
    out = root.run(
        "PYTHONPATH=/usr/lib/plainsight:/usr/lib/plainsight/carried python3 -c '"
        "import importlib, pkgutil, platform, appliance; "
        'names = [m.name for m in pkgutil.walk_packages(appliance.__path__, "appliance.")]; '
        "[importlib.import_module(name) for name in names]; "
        "import pyrage, pyaudio, soundfile, systemd.daemon; print(platform.machine(), len(names))'"
    )
    machine, count = out.split()[-2:]
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
    return f"{loaded} modules, {user + system:.2f} s of CPU emulated"


def tests_of_recorder_and_courier_pass(root: Root) -> str:
    """The tests that need no sound device pass on arm64, on the installed libraries."""
    paths = " ".join(f"tests/{name}" for name in TESTS)
    out = root.run(
        "cd /src && PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=/src:/usr/lib/plainsight/carried "
        f"python3 -m pytest -q -p no:cacheprovider --tb=short {paths}",
        status=None,
    )
    last = out.strip().splitlines()[-1]
    require(re.search(r"\b[1-9]\d* passed", last) and "failed" not in last and "error" not in last, out[-3000:])
    return last.strip("= ")


TRIALS: Final[list[Callable[[Root], str | None]]] = [
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
    root, rows = Root(options.root, "", ""), []
    for trial in TRIALS:
        began, why, found = time.monotonic(), "", ""
        try:
            found = trial(root) or ""
        except NotHeldError as error:
            why = str(error)
        seconds = round(time.monotonic() - began, 1)
        rows.append({"name": trial.__name__, "held": not why, "seconds": seconds, "found": found, "why": why})
        print(f"{'held  ' if not why else 'FAILED'} {trial.__name__}: {why or found}", file=sys.stderr, flush=True)
        if why and trial is install_the_box:
            break
    held = all(row["held"] for row in rows) and len(rows) == len(TRIALS)
    if options.json:
        print(json.dumps({"held": held, "rows": rows}, indent=1))
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
