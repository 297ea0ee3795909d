"""`plainsight read-only-root`: a box whose root a power cut cannot damage."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

from appliance.contract.errors import SettingsError

from . import plan
from .machine import (
    LOWER,
    Machine,
    RealMachine,
    in_root_itself,
    is_idle_now,
    root_is_overlay,
    root_itself_is_read_only,
)
from .switch import switch_off, switch_on

EPILOG = """examples:
  plainsight read-only-root on --data /dev/sda1
  plainsight read-only-root status --json
  plainsight read-only-root run --restart -- apt-get install ./plainsight-box_1.1_arm64.deb
"""


def main(arguments: list[str]) -> int:
    """Do what the subcommand names; return 0, or the exit status of a command that `run` ran. Raises our errors."""
    options = _parser().parse_args(arguments)
    machine = RealMachine()
    if options.do == "status":
        return _status(machine, as_json=options.json)
    if os.geteuid() != 0:
        raise SettingsError("it changes the system: run it as root")
    if options.do == "on":
        changed = switch_on(machine, options.data)
        print(
            "What is kept was moved onto the data partition, and the root is read-only from the next start on: "
            "start the box again now."
            if changed
            else "unchanged: the root is read-only"
        )
        return 0
    if options.do == "off":
        switch_off(machine)
        print("The root is writable from the next start on. What is kept stays on the data partition.")
        return 0
    return _run(machine, options.command, restart=options.restart)


def _run(machine: RealMachine, command: list[str], *, restart: bool) -> int:
    if not root_is_overlay(machine):
        raise SettingsError("the root is writable: run the command without plainsight read-only-root")
    mounted = [one for one in (*plan.KEPT, "/boot/firmware") if os.path.ismount(one)]
    before = _packages()
    status = in_root_itself(machine, command, mounted)
    if status == 0 and restart:
        if _packages() == before:
            print("No package changed, so the box is not started again.", file=sys.stderr)
            return 0
        # whoever records now is not cut off; the apt timer asked before, but an upgrade takes its time
        machine.run("plainsight", "idle", "--for-s", "60", "--wait-s", "18000", status=None)
        if not is_idle_now(machine):
            print("Somebody records: what changed holds from the next start on.", file=sys.stderr)
            return 0
        machine.run("systemctl", "reboot")
    elif status == 0:
        print("Start the box again: what changed holds from then on.", file=sys.stderr)
    return status


def _packages() -> bytes:
    """Return dpkg's list of what is installed in the root itself."""
    path = LOWER / "var/lib/dpkg/status"
    return path.read_bytes() if path.exists() else b""


def _status(machine: Machine, *, as_json: bool) -> int:
    on = root_is_overlay(machine)
    wrong = [
        f"{one} is not on the data partition, and lost at the next start"
        for one in plan.KEPT
        if on and Path(one).is_dir() and not os.path.ismount(one)
    ]
    if on and not root_itself_is_read_only(machine):
        wrong.append("the root below is mounted writable: take rw out of cmdline.txt, and start the box again")
    if as_json:
        print(json.dumps({"read_only": on, "data": os.path.ismount(plan.DATA), "wrong": wrong}))
    else:
        print("The root is read-only." if on else "The root is writable.")
        for one in wrong:
            print(f"WRONG: {one}")
    return 1 if wrong else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="plainsight read-only-root",
        description="Make the root of a box read-only, with a data partition for what is kept. "
        "docs/read-only-root.md says what that is good for.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="do", required=True, metavar="COMMAND")
    on = commands.add_parser("on", help="move what is kept onto the data partition, and make the root read-only")
    on.add_argument(
        "--data", type=Path, required=True, metavar="DEVICE", help="an ext4 partition that holds nothing else"
    )
    commands.add_parser("off", help="make the root writable from the next start on")
    run = commands.add_parser("run", help="run a command in the root itself, such as an upgrade")
    run.add_argument(
        "--restart", action="store_true", help="start the box again if packages changed, once nobody records"
    )
    run.add_argument("command", nargs="+", metavar="COMMAND", help="after --")
    status = commands.add_parser("status", help="say how it is; exit status 1 if something that must last does not")
    status.add_argument("--json", action="store_true", help="print one JSON object")
    return parser
