"""The file that carries a claim to a box's card."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Final, Literal

from django.conf import settings

from appliance.contract.errors import SettingsError
from archive.authority.authority import Authority

FILE_NAME: Final = "plainsight-claim.toml"
"""On the card's boot partition, which every computer can write."""


@dataclass(frozen=True)
class Hardware:
    """What the box is made of."""

    microphone: Literal["usb", "i2s"] = "usb"
    lamp_seen: bool = True
    """The sensor in the lamp is wired."""
    mic_rail: bool = True
    """The sense of the microphone's supply is wired."""


def claim_file(claim: str, hardware: Hardware, box: str | None = None) -> str:
    """Return the file's text (TOML; appliance.contract.enrollment.ClaimFile reads it).

    `box`: it is for the card of that one.

    Raises SettingsError or KeyFileError as long as no box could use a claim.
    """
    url = settings.ARCHIVE.box_url
    if not url.startswith("https://"):
        raise SettingsError("boxes reach an archive over https only; set it in archive.toml", field="site.url")
    authority = Authority.load(settings.ARCHIVE_HOME / "keys").pem.decode("ascii")
    return "\n".join(
        [
            "# Lets one box become known to its archive, once, within 72 hours. The box removes this file.",
            f"url = {json.dumps(url)}",
            f"claim = {json.dumps(claim)}",
            f"hardware = {json.dumps(hardware.microphone)}",
            f"lamp_seen = {json.dumps(hardware.lamp_seen)}",
            f"mic_rail = {json.dumps(hardware.mic_rail)}",
            *([f"box = {json.dumps(box)}"] if box is not None else []),
            f'authority = """\n{authority.strip()}\n"""',
            "",
        ]
    )
