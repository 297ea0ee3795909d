"""The proof that a PostgreSQL database can hold an archive, before anything is written.

It is made as the archive's own user, since the server may know people by the operating system's names: root starts this
module as a process, with a `Question` on its standard input, and reads an `Answer` from its output.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ConfigDict

from appliance.contract.errors import SettingsError
from archive.configuration.database import Database
from archive.database import database_settings

MODULE: Final = "archive.setup.database_proof"
OLDEST: Final = 15
"""The oldest PostgreSQL that the archive is tried on (docs/postgresql.md)."""
_TABLES: Final = """SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v') AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'"""
_REFUSALS: Final = (
    # what the server says, in the language of its own messages; in another one the place below is named
    ("session is read-only", "database.host", "name the primary as well: this server is a standby of it"),
    ("password authentication failed", "database.password_file", "write that user's password into the file"),
    ("no password supplied", "database.password_file", "give a file that holds the password"),
    ("authentication failed", "database.user", "give the user that the server knows this one by, or mend pg_hba.conf"),
    ("no pg_hba.conf entry", "database.user", "let this user in with a line in the server's pg_hba.conf"),
    ("role", "database.user", "make the user with createuser, or give another name"),
    ("certificate", "database.ca", "name the authority of the server's certificate, and the host as it stands there"),
    ("database", "database.name", "make it with 'createdb --owner USER --encoding UTF8 NAME', or give another name"),
)
_UNREACHED: Final = "start the server, or give its host (or the folder of its socket) and port"


class Question(BaseModel):
    """What is to be proved."""

    model_config = ConfigDict(frozen=True)

    database: Database
    """The settings, as they will stand in archive.toml."""
    new: bool
    """Whether the archive is a new one, whose database has to be empty."""


class Answer(BaseModel):
    """What was found."""

    model_config = ConfigDict(frozen=True)

    server: str = ""
    """The server's version; empty if there is a refusal."""
    field: str | None = None
    """The setting that is wrong."""
    refusal: str = ""
    """What is wrong and what to do; empty if the database is good."""


def prove(question: Question) -> Answer:
    """Connect and look; raise SettingsError, which names the setting and what to do."""
    database = question.database
    # checks the files that the settings name, and that psycopg is there
    settings = database_settings(database, Path("/"))
    from archive.postgresql import driver  # noqa: PLC0415 - psycopg is there only where it is used

    where: dict[str, Any] = {
        **{name: value for name, value in settings["OPTIONS"].items() if name != "isolation_level"},
        "host": database.host,
        "port": database.port,
        "dbname": database.name,
        "user": database.user,
    }
    try:
        with driver.connect(**where, password=settings["PASSWORD"]) as connection:
            _require_new_enough(connection.info.server_version)
            _require_utf8(connection.info.parameter_status("server_encoding") or "")
            row = connection.execute("SELECT has_schema_privilege(current_schema(), 'CREATE'), current_user").fetchone()
            if row is None or not row[0]:
                raise SettingsError(
                    f"the user {row[1] if row else database.user} may make no tables in {database.name}: make that "
                    "user its owner (ALTER DATABASE ... OWNER TO ...)",
                    field="database.user",
                )
            tables = {str(one[0]) for one in connection.execute(_TABLES).fetchall()}
            _require_its_own(tables, database.name, new=question.new)
            version = connection.info.server_version
    except driver.Error as error:
        raise refused(" ".join(str(error).split())) from error
    return Answer(server=f"{version // 10000}.{version % 10000}")


def _require_new_enough(version: int) -> None:
    if version // 10000 < OLDEST:
        raise SettingsError(
            f"the server is PostgreSQL {version // 10000}; {OLDEST} or later is needed", field="database.host"
        )


def _require_utf8(encoding: str) -> None:
    if encoding != "UTF8":
        raise SettingsError(
            f"the database is in {encoding}, which cannot hold every name; make it with 'createdb --encoding UTF8'",
            field="database.name",
        )


def _require_its_own(tables: set[str], name: str, *, new: bool) -> None:
    if tables and new:
        whose = "another archive's" if "custody_entry" in tables else "other"
        raise SettingsError(
            f"the database {name} holds {whose} tables, and this archive is new: make an empty one with createdb and "
            "name that, or bring an archive here with 'restore' (docs/postgresql.md)",
            field="database.name",
        )


def refused(said: str) -> SettingsError:
    """Return the error for a server's refusal, by what it said."""
    reached = any(word in said for word in ("FATAL", "certificate", "read-only"))
    for words, field, remedy in _REFUSALS if reached else ():
        if words in said:
            return SettingsError(f"PostgreSQL refuses: {said}; {remedy}", field=field)
    return SettingsError(f"PostgreSQL cannot be reached: {said}; {_UNREACHED}", field="database.host")


def main() -> int:
    """Answer the question on the standard input."""
    question = Question.model_validate_json(sys.stdin.read())
    try:
        answer = prove(question)
    except SettingsError as error:
        answer = Answer(field=error.field, refusal=error.message)
    sys.stdout.write(answer.model_dump_json())
    return 0


if __name__ == "__main__":
    sys.exit(main())
