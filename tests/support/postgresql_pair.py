"""Two PostgreSQL servers of a test's own, of which one follows the other: each commit is on both before it is answered.

The first one begins as a copy of the server that most tests share (postgresql.py), with the tables that are there. The
two sockets stay where they are, whoever is the primary: the archive knows both.
"""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

from tests.support.postgresql import USER, Cluster, cluster, new_folder, run, section, start
from tests.support.waiting import until


def kill(server: Cluster) -> None:
    """End a server as a host ends that loses its power: none of its processes does anything more."""
    pid = server.process.pid
    # so that it starts no other process while these are counted
    os.kill(pid, signal.SIGSTOP)
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        os.kill(int(child), signal.SIGKILL)
    os.kill(pid, signal.SIGKILL)
    server.process.wait()


def stop_at_once(server: Cluster) -> None:
    """End a server as `pg_ctl stop --mode immediate` does."""
    server.process.send_signal(signal.SIGQUIT)
    server.process.wait(60)


AS_A_PAIR = {
    "synchronous_commit": "on",
    # what a server shares with its processes lies in its folder, and goes with that where it was killed
    "dynamic_shared_memory_type": "mmap",
}
Fall = Callable[[Cluster], None]


class Pair:
    """A primary and its synchronous standby."""

    def __init__(self) -> None:
        self._places = [new_folder(), new_folder()]
        self.primary = copy_of(cluster(), self._places[0], **AS_A_PAIR)
        self._follow()

    def section(self, name: str) -> str:
        """The section of archive.toml that names a database of whichever of both is the primary."""
        return section(",".join(map(str, self._places)), name)

    def fall(self, how: Fall) -> None:
        """Let the primary end; the standby stays one until `promote`."""
        how(self.primary)

    def promote(self) -> None:
        """Make the standby the primary, which waits for no standby of its own, and the other one its standby."""
        with self.standby.connect() as connection:
            connection.execute("ALTER SYSTEM SET synchronous_standby_names = ''")
            connection.execute("SELECT pg_reload_conf()")
            assert connection.execute("SELECT pg_promote(true, 600)").fetchone() == (True,)
        self.primary = self.standby
        self._follow()

    def end(self) -> None:
        """Let both end."""
        for server in (self.standby, self.primary):
            server.end()

    def _follow(self) -> None:
        folder = next(place for place in self._places if place != self.primary.folder)
        self.standby = copy_of(self.primary, folder, "--write-recovery-conf", **AS_A_PAIR)
        with self.primary.connect() as connection:
            connection.execute("ALTER SYSTEM SET synchronous_standby_names = '*'")
            connection.execute("SELECT pg_reload_conf()")
            until(lambda: connection.execute("SELECT 1 FROM pg_stat_replication WHERE sync_state = 'sync'").fetchone())


def copy_of(server: Cluster, folder: Path, *options: str, **other: str) -> Cluster:
    """Start a server in `folder` with all that `server` has, with settings `other` than these tests' usual ones."""
    shutil.rmtree(folder / "data", ignore_errors=True)
    run("pg_basebackup", "-h", server.folder, "-U", USER, "-D", folder / "data", "--checkpoint=fast", "--no-sync",
        *options, folder=folder)  # fmt: skip
    return start(folder, **other)
