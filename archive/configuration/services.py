"""What the archive itself talks to: the mail server, and the witnesses of its custody log."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from .fields import Port, SecretFile, Section


class Mail(Section):
    """How the archive sends mail. No mail holds a student's name."""

    host: Annotated[str, Field(min_length=1, max_length=255)]
    """The district's mail server."""
    port: Port = 587
    """Its port."""
    security: Literal["starttls", "tls", "none"] = "starttls"
    """How the connection to the mail server is encrypted; `none` is only for this machine."""
    user: str = ""
    """Name to sign in with; empty: none."""
    password_file: SecretFile | None = None
    """A file that holds the password."""
    sender: Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+$", max_length=254)]
    """From whom mail comes."""
    readiness_to: list[Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+$", max_length=254)]] = Field(default=[])
    """Who gets the readiness report at seven in the morning; none: nobody, and the page alone shows it."""


class Custody(Section):
    """Witnesses: where the signed head of the custody log is kept each day, off this machine."""

    folder: Path | None = None
    """A folder of another machine, mounted here; it gets the file `custody-heads.tsv`."""
    syslog: Annotated[str, Field(pattern=r"^[^\s/]+:\d{1,5}$")] | None = None
    """A syslog server, HOST:PORT; it gets a message of RFC 5424 by UDP."""
    url: Annotated[str, Field(pattern=r"^https://[^\s]+$|^http://(localhost|127\.0\.0\.1)(:\d+)?/[^\s]*$")] | None = (
        None
    )
    """An HTTPS address that gets the signed line by POST and answers 2xx once it is kept."""
    authority_url: Annotated[str, Field(pattern=r"^https?://[^\s]+$")] | None = None
    """A time-stamp authority (RFC 3161); it gets the head's digest. Its tokens are kept, and signed, so `http://` is as
    good."""
    authority_certificates: Path | None = None
    """Certificates of that authority's roots (PEM), from a place that you trust: every token is verified against them.
    Keep those of an authority that was used before in the same file."""

    @model_validator(mode="after")
    def _both_or_none(self) -> Custody:
        if (self.authority_url is None) < (self.authority_certificates is None):
            raise ValueError("authority_url needs authority_certificates: without them nobody could verify a token")
        return self
