"""What only the district knows: asked at a terminal, given as options, or read from a file."""

from __future__ import annotations

import zoneinfo
from ipaddress import ip_address
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from appliance.contract.encryption import parse_recipient
from appliance.contract.errors import KeyFileError
from appliance.contract.settings_file import AbsolutePath, Section
from archive.configuration.database import Database
from archive.configuration.storage import Backup


def _zone(text: str) -> str:
    try:
        zoneinfo.ZoneInfo(text)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"{text!r} is no time zone; an IANA name such as America/Chicago is needed") from error
    return text


def _address(text: str) -> str:
    return str(ip_address(text))


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
    names: Annotated[
        tuple[Annotated[str, Field(pattern=r"^[A-Za-z0-9.-]{1,253}$")], ...],
        # a file and the command line give a list
        Field(strict=False),
    ] = ()
    """Other names and addresses by which it is reached; they stand in its certificates."""
    port: Annotated[int, Field(ge=1024, le=65535)] = 8443
    """Port of the boxes' interface, and of the pages unless these have a certificate or a proxy of their own."""
    public_certificate: AbsolutePath | None = None
    """A certificate for the pages that browsers believe, with those between it and its root (PEM)."""
    public_key: AbsolutePath | None = None
    """Its private key (PEM, without a password)."""
    public_port: Annotated[int, Field(ge=1, le=65535)] = 443
    """Port of the pages with that certificate."""
    proxy: Annotated[str, AfterValidator(_address)] | None = None
    """Address of a proxy that has a certificate and passes the pages on (docs/proxies.md)."""
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
    database: Database | None = None
    """A PostgreSQL database, as archive.toml names it; None: SQLite, one file in the archive's folder."""
    backup: Backup | None = None
    """Three places for backups, as archive.toml names them (docs/backup.md); None: none yet, which the doctor tells."""

    @model_validator(mode="after")
    def _all_places_of_backups(self) -> Self:
        if self.backup is not None and None in {self.backup.folder, self.backup.keys, self.backup.generation_keys}:
            raise ValueError(
                "a backup needs three places: folder, keys and generation_keys; without the keys nobody can hear it"
            )
        return self

    @model_validator(mode="after")
    def _one_way_to_a_certificate(self) -> Self:
        if (self.public_certificate is None) != (self.public_key is None):
            raise ValueError("a public certificate needs its key, and the key its certificate")
        if self.public_certificate is not None and self.proxy is not None:
            raise ValueError("the public certificate is either the proxy's or this host's: leave one of them out")
        return self
