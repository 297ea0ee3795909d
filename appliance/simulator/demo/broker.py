"""A private Mosquitto: TLS with client certificates, and each box may write under its own id alone."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

from appliance.contract.errors import PlainSightError
from appliance.contract.topics import PREFIX

from .certificates import Authority

ARCHIVE = "archive"
"""Common name of the one client that may read."""
START_S = 10.0
"""How long a broker may take to listen, in seconds."""
STOP_S = 5.0
"""How long it may take to end, in seconds."""


class BrokerError(PlainSightError):
    """The private broker is not installed or does not start."""

    code = "broker"


def write_broker(folder: Path, authority: Authority, port: int) -> list[str]:
    """Write a broker's certificate, access list and settings into `folder`, and return the command that runs it."""
    program = shutil.which("mosquitto", path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin"]))
    if program is None:
        raise BrokerError("mosquitto is not installed; install the Debian package 'mosquitto'")
    files = authority.server(folder)
    access, settings = folder / "access", folder / "mosquitto.conf"
    access.write_text(
        f"user {ARCHIVE}\ntopic read {PREFIX}/#\n\n"
        f"# %u is the certificate's common name: the box's id\npattern write {PREFIX}/%u/#\n",
        encoding="ascii",
    )
    settings.write_text(
        "\n".join(
            [
                f"listener {port} 127.0.0.1",
                f"cafile {files.ca}",
                f"certfile {files.certificate}",
                f"keyfile {files.key}",
                "require_certificate true",
                "use_identity_as_username true",
                "tls_version tlsv1.2",
                "allow_anonymous false",
                f"acl_file {access}",
                "persistence false",
                "max_queued_messages 10000",
                "log_dest stdout",
                # counts only where it is started as root, and keeps it able to read the key
                "user root",
                "",
            ]
        ),
        encoding="utf-8",
    )
    # 2.x warns about, and later refuses, an access list that others can read
    access.chmod(0o600)
    return [program, "-c", str(settings)]


def free_port() -> int:
    """Return a port of 127.0.0.1 on which nothing listens now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Broker:
    """A broker that this process starts and ends."""

    folder: Path
    """Where its files and its log lie."""
    authority: Authority
    """Who vouches for it and its clients."""
    port: int = field(default_factory=free_port)
    """Port on 127.0.0.1, kept over restarts."""
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    @property
    def log(self) -> Path:
        """What it said."""
        return self.folder / "mosquitto.log"

    def start(self) -> None:
        """Start it and return when it listens."""
        command = write_broker(self.folder, self.authority, self.port)
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        deadline = time.monotonic() + START_S
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError as error:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    self.stop()
                    raise BrokerError(f"the broker does not start: {self.log.read_text()[-500:]}") from error
                time.sleep(0.02)
            else:
                return

    def stop(self, *, kill: bool = False) -> None:
        """End it, at once with `kill`; a broker that does not run is none the worse."""
        process, self._process = self._process, None
        if process is None:
            return
        if kill:
            process.kill()
        else:
            process.terminate()
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
