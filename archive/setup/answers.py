"""What only the district knows: asked at a terminal, given as options, or read from a file."""

from __future__ import annotations

import zoneinfo
from typing import Annotated

from pydantic import AfterValidator, Field

from appliance.contract.encryption import parse_recipient
from appliance.contract.errors import KeyFileError
from appliance.contract.settings_file import AbsolutePath, Section


def _zone(text: str) -> str:
    try:
        zoneinfo.ZoneInfo(text)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"{text!r} is no time zone; an IANA name such as America/Chicago is needed") from error
    return text


def _recipient(text: str) -> str:
    try:
        parse_recipient(text)
    except KeyFileError as error:
        raise ValueError(error.message) from error
    return text


class Answers(Section):
    """The answers."""

    host: Annotated[str, Field(pattern=r"^[A-Za-z0-9.-]{1,253}$")]
    """Name or address by which boxes and browsers reach this host."""
    port: Annotated[int, Field(ge=1024, le=65535)] = 8443
    """Port of the pages and of the boxes' interface."""
    time_zone: Annotated[str, AfterValidator(_zone)] = "America/Chicago"
    """Time zone of the pages (IANA name)."""
    contact: Annotated[str, Field(max_length=200)] = ""
    """Whom people may ask, as the pages say it."""
    user: Annotated[str, Field(pattern=r"^[^\s]+$", max_length=150)]
    """Sign-in name of the first account, the records custodian's."""
    escrow: Annotated[str, AfterValidator(_recipient)] | None = None
    """The district's escrow age recipient, if its identity is kept offline already."""
    new_escrow: AbsolutePath | None = None
    """Where a new escrow identity is written, to be taken offline: a stick, not this host's disk."""
    broker: bool = True
    """Set up the Mosquitto on this host."""
