"""Where the rows are kept."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from .fields import LOCAL, Port, SecretFile, Section


class Database(Section):
    """The database."""

    engine: Literal["sqlite", "postgresql"] = "sqlite"
    """`sqlite` keeps one file in the archive's home; `postgresql` is for several hosts."""
    busy_s: Annotated[int, Field(ge=1, le=120)] = 20
    """SQLite: how long to wait for another writer, in seconds."""
    host: Annotated[str, Field(pattern=r"^([^\s,]+(,[^\s,]+)*)?$", max_length=1023)] = ""
    """PostgreSQL: host, or a primary and its standbys with commas between, of which the one is used that takes writes;
    a path is the folder of the local socket, and empty means where this system has it."""
    port: Port = 5432
    """PostgreSQL: port."""
    ca: Path | None = None
    """PostgreSQL: certificate authority of the server (PEM). Needed where `host` is another machine: names pass there.
    """
    name: Annotated[str, Field(pattern=r"^[^\s\x00]+$", max_length=63)] = "plainsight"
    """PostgreSQL: name of the database."""
    user: Annotated[str, Field(max_length=63)] = ""
    """PostgreSQL: user; empty means the operating system's."""
    password_file: SecretFile | None = None
    """PostgreSQL: a file that holds the password."""
    application_name: Annotated[str, Field(pattern=r"^[!-~]+$", max_length=63)] = "plainsight-archive"
    """PostgreSQL: how the archive's connections are called in its own lists (pg_stat_activity)."""
    pool: Annotated[int, Field(ge=1, le=200)] | None = None
    """PostgreSQL: most connections of one web process; None: one for each of its threads, twice `[web] threads`."""
    statement_s: Annotated[int, Field(ge=1, le=3600)] = 30
    """PostgreSQL: a statement that takes longer is given up, in seconds; time that it waits for locks counts."""

    @model_validator(mode="after")
    def _fits_its_engine(self) -> Self:
        other = {"busy_s"} if self.engine == "postgresql" else set(type(self).model_fields) - {"engine", "busy_s"}
        if wrong := sorted(other & self.model_fields_set):
            needed = "sqlite" if self.engine == "postgresql" else "postgresql"
            raise ValueError(f"{wrong[0]} says nothing about {self.engine}; remove it, or set engine = {needed!r}")
        if not self.is_local and self.ca is None:
            raise ValueError(f"{self.host} is another machine, and names pass to it: set ca to its authority (PEM)")
        return self

    @property
    def is_local(self) -> bool:
        """Whether the server is on this machine."""
        return all(host.startswith("/") or host in {"", *LOCAL} for host in self.hosts)

    @property
    def hosts(self) -> list[str]:
        """The primary and its standbys, in the order in which they are asked; at least one."""
        return self.host.split(",")
