"""A throw-away PostgreSQL of the tests' own: the distribution's server, in a folder of its own, on a local socket.

It is started by the first test that needs it and ended with this process, also where that is killed. Nothing is synced
to the disk: what a power cut leaves is not what these tests are about.
"""

from __future__ import annotations

import atexit
import os
import pwd
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from typing import Any

from tests.support.kept import ROOT, code_digest, kept
from tests.support.waiting import until

OWNER = "postgres"
"""Whom root becomes, since the server refuses to run as root; the distribution's package makes this user."""
USER = "plainsight"
MIGRATED = "migrated"
"""A database with all tables of the archive, and nothing in them; on the server that most tests share."""
SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "max_connections": "100",
    "shared_buffers": "64MB",
    # what would deadlock is told before a test gives up
    "deadlock_timeout": "200ms",
}
_number = count(1)


def _programs() -> Path:
    """Where the newest server of the distribution is."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[4]))
    assert found, "there is no PostgreSQL server: apt-get install postgresql (deploy/test does)"
    return found[-1].parent


def _as_owner() -> list[str]:
    """What stands before a command so that it runs as another user than root and ends with this process."""
    drop = [f"--reuid={OWNER}", f"--regid={OWNER}", "--init-groups"] if os.geteuid() == 0 else []
    return ["setpriv", *drop, "--pdeathsig", "INT", "--"]


@dataclass(frozen=True)
class Cluster:
    """A running server."""

    folder: Path
    """Its socket is here, and its data in `data`."""
    process: subprocess.Popen[bytes]

    def connect(self, name: str = "postgres") -> Any:
        """A connection that commits each statement."""
        import psycopg  # noqa: PLC0415 - only where PostgreSQL is tested

        return psycopg.connect(host=str(self.folder), user=USER, dbname=name, autocommit=True)

    def create(self, template: str = "template1", name: str = "") -> str:
        """Make a database like another one, and return its name."""
        name = name or f"archive_{next(_number)}"
        with self.connect() as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return name

    def drop(self, name: str) -> None:
        """Remove a database, whoever is connected to it."""
        with self.connect() as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def settings(self, name: str) -> str:
        """The section of archive.toml that names a database."""
        return section(str(self.folder), name)

    def end(self) -> None:
        """Let it end in order, if it runs."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(60)


def section(host: str, name: str, port: int = 5432) -> str:
    """The section of archive.toml that names a database of the servers at `host`, or whose sockets are there."""
    return f'[database]\nengine = "postgresql"\nhost = "{host}"\nport = {port}\nname = "{name}"\nuser = "{USER}"\n'


def new_folder() -> Path:
    """Make a folder for a server, which goes with this process."""
    folder = Path(mkdtemp(prefix="archive-postgresql-"))
    if os.geteuid() == 0:
        owner = pwd.getpwnam(OWNER)
        os.chown(folder, owner.pw_uid, owner.pw_gid)
    atexit.register(shutil.rmtree, folder)
    return folder


def run(program: str, *arguments: object, folder: Path) -> None:
    """Run one of PostgreSQL's programs in `folder`, as its owner."""
    command = [*_as_owner(), str(_programs() / program), *map(str, arguments)]
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)


def start(folder: Path, **other: str) -> Cluster:
    """Start the server whose data is in `folder`, with settings `other` than these tests' usual ones."""
    options = [f"-c{name}={value}" for name, value in {**SETTINGS, **other}.items()]
    server = subprocess.Popen(
        [*_as_owner(), _programs() / "postgres", "-D", folder / "data", "-k", folder, *options],
        cwd=folder,
        stderr=(folder / "log").open("ab"),
    )
    found = Cluster(folder, server)
    # ended before its folder goes: what was registered last comes first
    atexit.register(found.end)
    until(lambda: _answers(found), alive=lambda: server.poll() is None)
    return found


@cache
def cluster() -> Cluster:
    """Start the server that most tests share, once; what is in it at first is made once for a state of the code."""
    folder = new_folder()
    with kept(f"{code_digest()}-{_programs().parent.name}.cluster") as file:
        if file.exists():
            subprocess.run(["tar", "--extract", "--file", file, "--directory", folder, "--numeric-owner"], check=True)
        else:
            _make(folder)
            subprocess.run(["tar", "--create", "--file", file, "--directory", folder, "data"], check=True)
    return start(folder)


def _make(folder: Path) -> None:
    """Make a server in `folder`, and the tables of the archive in it; it does not run afterwards."""
    run("initdb", "--no-sync", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", f"-U{USER}", "-D",
        folder / "data", folder=folder)  # fmt: skip
    server = start(folder)
    with TemporaryDirectory(prefix="archive-migrated-") as home:
        (Path(home) / "archive.toml").write_text(server.settings(server.create(name=MIGRATED)))
        environment = {name: value for name, value in os.environ.items() if name != "ARCHIVE_CONFIG"}
        subprocess.run(
            [sys.executable, "-m", "archive.command", "migrate", "--verbosity", "0"],
            cwd="/",
            env={**environment, "ARCHIVE_HOME": home, "PYTHONPATH": str(ROOT)},
            check=True,
        )
    server.end()


def _answers(found: Cluster) -> bool:
    import psycopg  # noqa: PLC0415 - as above

    try:
        found.connect().close()
    except psycopg.OperationalError:
        return False
    return True
