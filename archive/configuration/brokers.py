"""The brokers that boxes report to: one, and more for groups of boxes."""

from __future__ import annotations

import re
from collections import Counter
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Final, Self

from pydantic import Field, model_validator

from appliance.contract.ids import BoxId

from .fields import Port, Section

MAIN: Final = "main"
"""Name of the broker in `[mqtt]` itself."""


class Broker(Section):
    """A group of boxes with a broker of its own (docs/scale.md)."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]
    """How the archive calls it; boxes are known to be its by this name, so it stays when host or port change."""
    host: Annotated[str, Field(pattern=r"^[A-Za-z0-9.:\[\]-]{1,253}$")]
    """Host name, as in this broker's certificate."""
    port: Port = 8883
    """Port of this broker."""
    broker_folder: Path | None = None
    """Folder that this broker reads, on the host that has it; each broker has one of its own."""
    rooms: list[Annotated[str, Field(min_length=1, max_length=120)]] = Field(default=[])
    """Boxes in rooms of these names are the group's; `*` stands for any letters: "North *"."""
    boxes: list[BoxId] = Field(default=[])
    """Boxes that are the group's wherever they stand, by identifier."""

    def has(self, box: str, room: str) -> bool:
        """Tell whether the group names this box, or the room of that name."""
        return box in self.boxes or any(_matches(name, room) for name in self.rooms)


def _matches(pattern: str, room: str) -> bool:
    # only * is special here: a room may well be called "Gym [old]" or "Why?"
    return fnmatchcase(room.casefold(), re.sub(r"([\[?])", r"[\1]", pattern.casefold()))


class Mqtt(Section):
    """The broker that boxes report to; where there are groups, all boxes that are in none."""

    host: Annotated[str, Field(pattern=r"^[A-Za-z0-9.:\[\]-]{1,253}$")] = "localhost"
    """Host name, as in the broker's certificate."""
    port: Port = 8883
    """Port of the broker."""
    ca: Path | None = None
    """Certificate authority of the broker (PEM); without it no TLS, which is only for this machine."""
    certificate: Path | None = None
    """The archive's client certificate (PEM)."""
    key: Path | None = None
    """Its private key (PEM)."""
    broker_folder: Path | None = None
    """Folder that a Mosquitto reads: a worker on its host writes its access list and renews its certificate there.
    None: the broker is looked after elsewhere."""
    client_id: str = "plainsight-archive"
    """Begin of the MQTT client identifier; a random part follows."""
    groups: list[Broker] = Field(default=[])
    """Groups of boxes with brokers of their own; the first that names a box or its room has it."""

    @model_validator(mode="after")
    def _groups_are_apart(self) -> Self:
        for group in self.groups:
            if not group.rooms and not group.boxes:
                raise ValueError(f"the group {group.name} names no boxes: set rooms or boxes, or remove it")
        for name in ("name", "broker_folder"):
            found = [value for one in self.brokers if (value := getattr(one, name)) is not None]
            if len(set(found)) < len(found):
                twice = Counter(found).most_common(1)[0][0]
                raise ValueError(f"two brokers have {name} = {str(twice)!r}; each needs its own")
        places = [(one.host, one.port) for one in self.brokers]
        if len(set(places)) < len(places):
            raise ValueError("two brokers have the same host and port; each needs its own")
        return self

    @property
    def brokers(self) -> list[Broker]:
        """All brokers; the first is that of boxes in no group, and where there are no groups the only one."""
        main = Broker(name=MAIN, host=self.host, port=self.port, broker_folder=self.broker_folder)
        return [main, *self.groups]

    def broker_for(self, box: str, room: str) -> Broker:
        """Return the broker that a box in the room of that name has to report to; empty is no room."""
        main, *groups = self.brokers
        return next((one for one in groups if one.has(box, room)), main)

    def called(self, name: str) -> Broker:
        """Return the broker of that name; the first for one that the settings no longer have."""
        return next((one for one in self.brokers if one.name == name), self.brokers[0])
