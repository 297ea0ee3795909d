"""A whole site on this machine: an archive, its broker with TLS and an access list, and its database."""

from __future__ import annotations

import os
import pwd
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from appliance.contract.encryption import Identity
from appliance.contract.errors import SettingsError
from appliance.contract.stop_signal import StopSignal
from appliance.simulator.demo.broker import write_broker
from appliance.simulator.demo.files import toml
from appliance.simulator.demo.ports import free_ports

from .parts import FleetError, Part, run_once, wait_for_port
from .plan import Plan

START_S: Final = 120.0
"""So long a part may take to listen, in seconds."""
OTHER_FILES: Final = 1000
"""Files that a process has open besides its connections to boxes."""
DATABASE_SETTINGS: Final = {
    # what a receipt stands for is durable here as it is anywhere
    "listen_addresses": "",
    "max_connections": "100",
    "shared_buffers": "128MB",
}
_SUPERUSER: Final = "postgres"


class Site:
    """Everything that is no box."""

    def __init__(
        self, folder: Path, plan: Plan, stop: StopSignal, tell: Callable[[str], None], *, postgresql: bool
    ) -> None:
        """Make it in `folder`; at `stop`, starting it raises KeyboardInterrupt."""
        self.folder = folder
        self.parts: dict[str, Part] = {}
        self._plan = plan
        self._stop = stop
        self._tell = tell
        self._postgresql = postgresql
        self._home, self._broker = folder / "archive", folder / "broker"
        self._web_port, self._broker_port = free_ports(2)
        self.environment = {**os.environ, "ARCHIVE_HOME": str(self._home), "PYTHONUNBUFFERED": "1"}

    def start(self) -> None:
        """Make keys, certificates, database and boxes, and start every part; raise PlainSightError."""
        # the broker has one connection of each box, and half as many again while they come back
        _require_descriptors(self._plan.boxes * 3 // 2 + OTHER_FILES)
        for folder in (self._home, self._broker, self.folder / "logs"):
            folder.mkdir(exist_ok=True)
        database = self._start_database() if self._postgresql else {}
        (self._home / "archive.toml").write_text(self._settings(database))
        self._tell("making keys, certificates and the database")
        escrow = Identity.generate().recipient
        for arguments in (["make-keys", "--escrow", escrow], ["make-certificates"], ["migrate", "--no-input"]):
            self._archive(*arguments)
        self._enroll()
        self._archive("write-broker-access", str(self._broker))
        self.add("broker", write_broker(self._broker, self._broker_port)).start()
        for name in ("web", "worker", "listen"):
            self.add(name, [*program("archive.command"), name]).start()
        wait_for_port(self.parts["broker"], self._broker_port, START_S)
        wait_for_port(self.parts["web"], self._web_port, START_S)

    def add(self, name: str, command: list[str]) -> Part:
        """Make a part that logs into a file of its own."""
        self.parts[name] = Part(name, command, self.folder / "logs" / f"{name}.log", self.environment)
        return self.parts[name]

    def restart_broker(self) -> None:
        """End the broker and start it again: every box has to come back."""
        self.parts["broker"].measure()
        self.parts["broker"].stop()
        self.parts["broker"].start()
        wait_for_port(self.parts["broker"], self._broker_port, START_S)

    def stop(self) -> None:
        """End every part, the database last."""
        for name, part in sorted(self.parts.items(), key=lambda item: item[0] == "database"):
            # PostgreSQL's fast shutdown waits for nobody
            part.stop(signal.SIGINT if name == "database" else signal.SIGTERM)

    def _archive(self, *arguments: str) -> str:
        if self._stop.is_set():
            raise KeyboardInterrupt
        return run_once([*program("archive.command"), *arguments], self.environment)

    def _enroll(self) -> None:
        command = [*program("appliance.simulator.fleet.enrolling"), str(self.folder / "boxes"), "0"]
        self._tell(f"enrolling {self._plan.boxes} boxes")
        process = subprocess.Popen(
            [*command, str(self._plan.boxes)], env=self.environment, stderr=subprocess.PIPE, text=True
        )
        said = []
        for line in process.stderr or ():
            said.append(line)
            if self._stop.is_set():
                process.terminate()
            if line.strip().isdecimal() and int(line) % 1000 == 0:
                self._tell(f"{line.strip()} of them are enrolled")
        if process.wait() and not self._stop.is_set():
            raise FleetError(f"the boxes could not be enrolled: {''.join(said)[-1500:]}")

    def _settings(self, database: dict[str, object]) -> str:
        keys = self._home / "keys"
        sections: dict[str, dict[str, object]] = {
            "site": {"url": f"https://127.0.0.1:{self._web_port}"},
            "web": {
                "address": f"127.0.0.1:{self._web_port}",
                "certificate": keys / "web.pem",
                "key": keys / "web.key",
            },
            "mqtt": {
                "host": "127.0.0.1",
                "port": self._broker_port,
                "ca": keys / "authority.pem",
                "certificate": keys / "listener.pem",
                "key": keys / "listener.key",
                "broker_folder": self._broker,
            },
        }
        return toml(sections | ({"database": database} if database else {}))

    def _start_database(self) -> dict[str, object]:
        """Make and start a PostgreSQL of the distribution, on a socket in the folder; return the settings for it."""
        found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[4]))
        if not found:
            raise SettingsError("there is no PostgreSQL here: apt-get install postgresql", field="postgresql")
        place = self.folder / "database"
        place.mkdir(mode=0o700)
        drop: list[str] = []
        if os.geteuid() == 0:
            # the server refuses to run as root
            owner = pwd.getpwnam(_SUPERUSER)
            os.chown(place, owner.pw_uid, owner.pw_gid)
            self.folder.chmod(0o711)
            drop = ["setpriv", f"--reuid={_SUPERUSER}", f"--regid={_SUPERUSER}", "--init-groups", "--"]
        programs, data = found[-1].parent, place / "data"
        self._tell("making a database on PostgreSQL")
        initdb = [programs / "initdb", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "-Ufleet", "-D", data]
        run_once([*drop, *map(str, initdb)], self.environment)
        options = [f"-c{name}={value}" for name, value in DATABASE_SETTINGS.items()]
        part = self.add("database", [*drop, str(programs / "postgres"), "-D", str(data), "-k", str(place), *options])
        part.start()
        created = [str(programs / "createdb"), "-h", str(place), "-U", "fleet", "plainsight"]
        for left in range(100, -1, -1):
            try:
                run_once([*drop, *created], self.environment)
                break
            except FleetError:
                part.require_running()
                if not left:
                    raise
        return {"engine": "postgresql", "host": place, "name": "plainsight", "user": "fleet"}


def program(module: str) -> list[str]:
    """Return how to run one of our modules with this very interpreter."""
    return [sys.executable, "-m", module]


def machine() -> dict[str, Any]:
    """Return what the figures were measured on."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return {
        "processor": names[0] if names else "unknown",
        "cores": os.cpu_count(),
        "memory_gb": round(pages / 1e9, 1),
        "mosquitto": _version(["mosquitto", "-h"]),
    }


def _version(command: list[str]) -> str:
    program_path = shutil.which(command[0], path=f"{os.environ.get('PATH', '')}:/usr/sbin") or command[0]
    done = subprocess.run([program_path, *command[1:]], capture_output=True, text=True, check=False)
    return (done.stdout.splitlines() or ["unknown"])[0]


def _require_descriptors(count: int) -> None:
    """Allow so many open files to what is started from here; raise SettingsError if this machine does not."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < count:
        raise SettingsError(f"a process may open {hard} files here, and {count} are needed: ulimit -Hn", field="boxes")
    if soft < count:
        resource.setrlimit(resource.RLIMIT_NOFILE, (count, hard))
