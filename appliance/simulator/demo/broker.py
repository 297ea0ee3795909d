"""A private Mosquitto: TLS with client certificates, and the access list that the archive writes for its boxes."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from appliance.contract.errors import PlainSightError


class BrokerError(PlainSightError):
    """The private broker is not installed or does not start."""

    code = "broker"


def write_broker(folder: Path, port: int) -> list[str]:
    """Write a broker's settings into `folder`, and return the command that runs it; raise BrokerError.

    The folder has what the archive makes for a broker: `ca.pem`, `server.pem`, `server.key` and `access`.
    """
    program = shutil.which("mosquitto", path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin"]))
    if program is None:
        raise BrokerError("mosquitto is not installed; install the Debian package 'mosquitto'")
    settings = folder / "mosquitto.conf"
    settings.write_text(
        "\n".join(
            [
                f"listener {port} 127.0.0.1",
                f"cafile {folder / 'ca.pem'}",
                f"certfile {folder / 'server.pem'}",
                f"keyfile {folder / 'server.key'}",
                "require_certificate true",
                "use_identity_as_username true",
                "tls_version tlsv1.2",
                "allow_anonymous false",
                f"acl_file {folder / 'access'}",
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
    return [program, "-c", str(settings)]
