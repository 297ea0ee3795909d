"""Where packages and their copies are kept, and how often they are checked."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from .fields import SecretFile, Section, server_address


class S3(Section):
    """A bucket with Object Lock, for this archive alone (docs/object-store.md)."""

    endpoint: Annotated[str, AfterValidator(server_address), Field(max_length=255)]
    """Where the server answers, https://HOST[:PORT]."""
    bucket: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")]
    """Name of the bucket; it must keep versions, and have Object Lock."""
    region: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,63}$")] = "us-east-1"
    """Region, as requests are signed for it."""
    ca: Path | None = None
    """Certificate authority of the server (PEM); None: those that this system trusts."""
    credentials_file: SecretFile
    """A file as AWS' tools write it, with keys that list, read, write, lock and hold objects, and bypass nothing."""
    destruction_credentials_file: SecretFile | None = None
    """Keys that also bypass governance, and set no holds: for destructions, what was given up, and proofs."""
    mode: Literal["governance", "compliance"] = "governance"
    """`governance`: whoever may bypass it can remove an object before its lock ends; `compliance`: nobody can."""
    retention_days: Annotated[int, Field(ge=1, le=36500)] = 3650
    """For how long an object is locked from the moment it is kept."""
    destroys_early: bool = True
    """Whether the district destroys recordings before their lock ends; `compliance` needs false."""
    answer_s: Annotated[int, Field(ge=1, le=300)] = 30
    """How long an answer may take, in seconds; a request is made three times at most."""

    @model_validator(mode="after")
    def _destroys_as_it_locks(self) -> Self:
        if self.destroys_early and self.mode == "compliance":
            raise ValueError(
                "compliance lets nobody destroy a recording before its lock ends: say that the district never does, "
                "with destroys_early = false, or set mode = 'governance'"
            )
        if self.destroys_early and self.destruction_credentials_file is None:
            raise ValueError(
                "name a destruction_credentials_file, which may bypass governance, or set destroys_early = false"
            )
        if not self.destroys_early and self.destruction_credentials_file is not None:
            raise ValueError("destroys_early is false: remove destruction_credentials_file, and those keys with it")
        return self


class Store(Section):
    """Where sealed packages are kept. What arrives, drafts and keys lie in the archive's folder in any case."""

    engine: Literal["disk", "s3"] = "disk"
    """`disk` keeps packages in the archive's folder; `s3` in a bucket with Object Lock."""
    s3: S3 | None = None
    """The bucket; with `disk` it is only where `move-store` may bring packages."""

    @model_validator(mode="after")
    def _names_its_bucket(self) -> Self:
        if self.engine == "s3" and self.s3 is None:
            raise ValueError("engine = 's3' needs the section [store.s3]: endpoint, bucket and credentials_file")
        return self


class Backup(Section):
    """Where copies go. The three places lie apart: whoever holds one of them hears nothing."""

    folder: Path | None = None
    """Packages and database: they open nothing, and may be kept as long as the district likes."""
    keys: Path | None = None
    """Generations of the keys, each encrypted to a key of its own."""
    generation_keys: Path | None = None
    """What opens those generations: a place of which no other copies are made, because what is forgotten must be gone.
    """
    keep_days: Annotated[int, Field(ge=1, le=365)] = 30
    """After so many days a generation's key is forgotten, unless no newer one is there."""


class Fixity(Section):
    """How often the worker checks each sealed package by itself, at night."""

    every_days: Annotated[int, Field(ge=7, le=366)] = 90
    """Every package is checked at least once in so many days: digest, signatures, and the audio where its key is."""
    from_hour: Annotated[int, Field(ge=0, le=23)] = 20
    """When the night begins, by the site's clock."""
    to_hour: Annotated[int, Field(ge=0, le=23)] = 5
    """When it ends; the same hour as its begin: all day."""
