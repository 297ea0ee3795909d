"""What a card is to become."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from appliance.boot_files.box_files import Clock, Microphone, Parts

HOST_NAME: Final = re.compile(r"ps-[0-9a-z]{8}")
_LETTERS: Final = "0123456789abcdefghjkmnpqrstvwxyz"


def random_host_name() -> str:
    """Return a name that says nothing about school or room: `ps-` and 8 letters and digits (promise 7)."""
    return "ps-" + "".join(secrets.choice(_LETTERS) for _ in range(8))


@dataclass(frozen=True)
class Repository:
    """The district's signed repository of packages."""

    url: str
    """Its address, as apt knows it: http, https or file."""
    key: str
    """The public key that signs it, in ASCII armor."""


@dataclass(frozen=True)
class Wifi:
    """A wireless network."""

    name: str
    """Its SSID."""
    country: str
    """Two letters: which channels and powers the law allows."""
    security: Literal["wpa2", "wpa3", "enterprise"]
    password: str
    identity: str = ""
    """Account of the box, with `enterprise` (WPA2/3-Enterprise, PEAP)."""
    authority: str = ""
    """Certificate (PEM) that the network's server is known by, with `enterprise`."""


@dataclass(frozen=True)
class Plan:
    """Everything that is written onto a card."""

    host_name: str
    source: Repository | tuple[Path, ...]
    """Where the box gets its packages: a signed repository, or these files, which are copied onto the card."""
    microphone: Microphone = "usb"
    clock: Clock = "none"
    wifi: Wifi | None = None
    """None: the box has a cable, and its radio is switched off."""
    time_zone: str = "America/Chicago"
    """IANA name, for people who read the box's journal."""
    time_servers: tuple[str, ...] = ()
    """None: those of Debian's pool."""
    ssh_key: str = ""
    """Public key of a technician; empty: nobody can log in, neither over the network nor at the box."""

    def fragments(self) -> tuple[str, ...]:
        """Return the files of firmware_config that go into config.txt."""
        return Parts(self.microphone, self.clock, wired=self.wifi is None).fragments()
