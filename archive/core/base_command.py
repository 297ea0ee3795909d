"""What the archive's own commands share: an example in --help, --json, and no traceback for a person's mistake."""

from __future__ import annotations

import argparse
import json
import textwrap
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar

from django.core.management.base import BaseCommand, CommandParser
from django.db import DatabaseError, OperationalError, ProgrammingError, connection
from django.utils import timezone

from appliance.contract.errors import SettingsError, StorageError


class ArchiveCommand(BaseCommand):
    """A command of the archive."""

    example: ClassVar[str] = ""
    """Shown below the help."""
    requires_system_checks: tuple[str, ...] = ()
    """What of Django's checks is looked at first: nothing, since they look at the program, which is the same on every
    host and was tested; they would import every page for a command that shows none. `web` looks."""
    needs_database: ClassVar[bool] = True
    """Whether it cannot do anything without the database."""
    suppressed_base_arguments = {  # noqa: RUF012 - as below
        "--version",
        "--verbosity",
        "--settings",
        "--pythonpath",
        "--traceback",
        "--no-color",
        "--force-color",
    }
    """Django's own options work, but help nobody here."""

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        """Return the parser, with the example at its end."""
        parser = super().create_parser(
            prog_name,
            subcommand.replace("_", "-"),
            epilog=f"example: {self.example}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
            **kwargs,
        )
        # filled here, because the example below it must stay one line that can be copied
        parser.description = textwrap.fill(self.help, 78)
        return parser

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002 - Django calls it so
        """Run, and explain a database that is not there."""
        if self.needs_database:
            _check_database()
        try:
            self.work(options)
        except (OperationalError, ProgrammingError) as error:
            raise StorageError(explained(error)) from error

    def work(self, options: dict[str, Any]) -> None:
        """Do what the command is for."""
        raise NotImplementedError

    def show(self, options: dict[str, Any], members: Any, text: str) -> None:
        """Print `members` as JSON where that was asked for, else `text`."""
        self.stdout.write(json.dumps(members, indent=2) if options.get("json") else text)


def explained(error: DatabaseError) -> str:
    """Return what a database that fails means for who typed the command, in one line."""
    said = " ".join(str(error).split())
    if connection.vendor == "postgresql" and isinstance(error, OperationalError):
        return f"PostgreSQL does not answer as it should: {said}; look at [database] in archive.toml, and at the server"
    if isinstance(error, ProgrammingError) or connection.vendor == "postgresql":
        return f"the database failed: {said}; run 'plainsight-archive migrate' if that was not done yet"
    return (
        f"the database failed: {said}; $ARCHIVE_HOME must name a folder that exists and belongs to you; run "
        "'plainsight-archive migrate' if that was not done yet"
    )


def _check_database() -> None:
    """Raise StorageError if there is none: opening it would leave an empty file behind."""
    if connection.vendor != "sqlite":
        return
    path = Path(connection.settings_dict["NAME"])
    if not path.exists():
        raise StorageError(f"there is no {path}; set $ARCHIVE_HOME to the archive's folder, or run 'migrate' first")


def add_json(parser: CommandParser) -> None:
    """Add --json."""
    parser.add_argument("--json", action="store_true", help="print JSON")


def moment(text: str | None, field: str) -> datetime | None:
    """Return the moment that was typed (ISO 8601, in the site's time zone if it names none); raise SettingsError."""
    if text is None:
        return None
    try:
        typed = datetime.fromisoformat(text)
    except ValueError as error:
        raise SettingsError(f"{text!r} is no time; write it as 2027-06-30T17:00", field=field) from error
    return timezone.make_aware(typed) if timezone.is_naive(typed) else typed
