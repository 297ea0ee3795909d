"""What the broker lets each box do (mosquitto.conf(5), acl_file): written from the boxes that are believed.

Mosquitto reads it at its start and when it is told to (SIGHUP, sent by plainsight-broker.path when the file changes).
A box that was retired keeps its connection, and every word that it says is refused; nobody else is disturbed.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from django.conf import settings

from appliance.contract.durable_files import replace
from appliance.contract.errors import StorageError
from appliance.contract.stop_signal import StopSignal
from appliance.contract.topics import PREFIX

from .models import Box

LISTENER: Final = "archive"
"""Common name of the archive's own client."""
FILE_NAME: Final = "access"
"""In the folder that the broker reads."""
WRITE_S: Final = 10.0
"""How often the list is compared with the enrolled boxes, in seconds: a box that was retired is stopped well within a
minute."""


def access_list(boxes: Iterable[str]) -> str:
    """Return the access list for these boxes; each is known to the broker by its certificate's common name."""
    lines = [
        "# Written by the archive from its enrolled boxes; changes by hand are lost.",
        f"user {LISTENER}",
        f"topic read {PREFIX}/#",
    ]
    for box in sorted(boxes):
        lines += ["", f"user {box}", f"topic write {PREFIX}/{box}/#"]
    return "\n".join([*lines, ""])


def wanted_access() -> bytes:
    """Return the list as it has to be now."""
    return access_list(Box.objects.filter(retired_at=None).values_list("pk", flat=True)).encode("ascii")


def write_access(path: Path) -> bool:
    """Write the list if it changed, and tell whether it did; raise StorageError."""
    text = wanted_access()
    try:
        if path.exists() and path.read_bytes() == text:
            return False
        replace(path, text, mode=0o640, durable=True)
    except OSError as error:
        raise StorageError(f"cannot write {path}: {error.strerror}; run 'plainsight-archive setup' as root") from error
    return True


def write_for_the_broker(_stop: StopSignal) -> None:
    """Write the list where a broker on this host reads it, if there is one."""
    folder = settings.ARCHIVE.mqtt.broker_folder
    if folder is not None:
        write_access(folder / FILE_NAME)
