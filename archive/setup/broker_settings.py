"""What Mosquitto is told (mosquitto.conf(5)): TLS, who is let in, and where the access list is.

From version 2.1 on a plugin reads the access list, and the option `acl_file` is on its way out: 2.1 calls it
deprecated, 3.0 has it no more. Version 2.0 has no such plugin. So it depends on the broker that is installed which of
both stands there; everything else is the same, and said where the versions' defaults differ: how large a packet may be.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Final

PLUGIN: Final = "mosquitto_acl_file.so"
"""The plugin's file, where libraries are."""
MAX_PACKET: Final = 68 << 10
"""Largest packet that the broker takes from anybody, in bytes: as the listener does (archive.devices.listener). By
default 2.0 takes 256 MB and 2.1 two; a retained one stays in its memory."""
_FIRST_WITH_PLUGIN: Final = (2, 1)
_SETTINGS: Final = """\
# Written by plainsight-archive setup. Boxes are known by their certificates, and write under their own id.
listener 8883
cafile {folder}/ca.pem
certfile {folder}/server.pem
keyfile {folder}/server.key
require_certificate true
use_identity_as_username true
tls_version tlsv1.2
allow_anonymous false
{access}
max_queued_messages 10000
max_packet_size {packet}
"""


def broker_settings(folder: Path, plugin: Path | None) -> str:
    """Return the settings of a broker with files in `folder`, whose access list `plugin` reads, if any. Pure."""
    access = f"acl_file {folder}/access" if plugin is None else f"plugin {plugin}\nplugin_opt_acl_file {folder}/access"
    return _SETTINGS.format(folder=folder, access=access, packet=MAX_PACKET)


def program() -> Path | None:
    """Return the broker's program, where one is installed."""
    # root's folder of programs is on nobody else's path
    found = shutil.which("mosquitto", path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin"]))
    return None if found is None else Path(found)


def access_plugin(broker: Path | None) -> Path | None:
    """Return the plugin with which this broker reads an access list; None: by the option, as before 2.1."""
    if broker is None or _version(broker) < _FIRST_WITH_PLUGIN:
        return None
    libraries = broker.resolve().parent.parent / "lib"
    places = [libraries, libraries.with_name("lib64"), *sorted(libraries.glob("*-linux-gnu*"))]
    return next((place / PLUGIN for place in places if (place / PLUGIN).is_file()), None)


def _version(broker: Path) -> tuple[int, int]:
    """Return the first two numbers of the broker's version; zeros where it tells none."""
    try:
        # its help begins with the version; it ends with another status than 0
        said = subprocess.run([broker, "-h"], capture_output=True, text=True, check=False, timeout=30).stdout
    except (OSError, subprocess.TimeoutExpired):
        return (0, 0)
    found = re.match(r"mosquitto version (\d+)\.(\d+)", said)
    return (int(found[1]), int(found[2])) if found else (0, 0)
