"""What a broker lets each box do (mosquitto.conf(5), acl_file): written from the boxes that are believed.

Each broker lets in the boxes that were told of it, and no other. A worker writes the lists of the brokers whose folders
are on its host.

Mosquitto reads it at its start and when it is told to (SIGHUP, sent by plainsight-broker.path when the file changes).
A box that was retired keeps its connection, and every word that it says is refused; nobody else is disturbed.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from django.conf import settings
from django.db.models import QuerySet

from appliance.contract.durable_files import replace
from appliance.contract.errors import PlainSightError, StorageError
from appliance.contract.stop_signal import StopSignal
from appliance.contract.topics import PREFIX, Topics
from archive.authority.files import LISTENER
from archive.configuration.brokers import MAIN, Broker

from .models import Box

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
        # by name: a broker keeps what is retained in its memory, and a box could make up topics without end
        lines += ["", f"user {box}", *(f"topic write {topic}" for topic in Topics(box).all())]
    return "\n".join([*lines, ""])


def boxes_of(broker: Broker) -> QuerySet[Box]:
    """Return the boxes that this broker has: those that were told of it, and are not retired."""
    known = Box.objects.filter(retired_at=None)
    groups = [group.name for group in settings.ARCHIVE.mqtt.groups]
    # a box that was told of a broker that the settings no longer have is the first one's
    return known.exclude(broker__in=groups) if broker.name == MAIN else known.filter(broker=broker.name)


def wanted_access(broker: Broker) -> bytes:
    """Return the list of this broker as it has to be now."""
    return access_list(boxes_of(broker).values_list("pk", flat=True)).encode("ascii")


def write_access(path: Path, broker: Broker) -> bool:
    """Write the list of this broker if it changed, and tell whether it did; raise StorageError."""
    text = wanted_access(broker)
    try:
        if path.exists() and path.read_bytes() == text:
            return False
        replace(path, text, mode=0o640, durable=True)
    except OSError as error:
        raise StorageError(f"cannot write {path}: {error.strerror}; run 'plainsight-archive setup' as root") from error
    return True


def write_for_brokers(_stop: StopSignal) -> None:
    """Write the list of each broker whose folder is on this host; raise the first error once each had its turn."""
    errors: list[PlainSightError] = []
    for broker in settings.ARCHIVE.mqtt.brokers:
        if broker.broker_folder is not None and broker.broker_folder.is_dir():
            try:
                write_access(broker.broker_folder / FILE_NAME, broker)
            except PlainSightError as error:
                errors.append(error)
    if errors:
        raise errors[0]
