"""All rows of an archive, from one database into another one of either engine, as they are.

So a backup is the same file whichever engine it was made on, is read without a server, and is restored into either.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, Final

from django.apps import apps
from django.core.management import call_command
from django.core.management.color import no_style
from django.db import connections, transaction
from django.db.models import Model
from django.db.models.sql import InsertQuery

from archive.configuration.database import Database
from archive.core.triggers import set_aside
from archive.database import database_settings

_FILE: Final = "backup"
"""How Django calls the file's database."""
ROWS: Final = 500
"""Rows that are held in memory at once."""
Batches = Callable[[type[Model]], Iterator[list[Model]]]


def write_file(folder: Path) -> None:
    """Make the file of a SQLite database in `folder` with all rows of the archive's own, as they are at one moment."""
    with _opened(folder):
        call_command("migrate", database=_FILE, verbosity=0, interactive=False)
        _copy("default", _FILE)


def read_file(folder: Path) -> None:
    """Fill the archive's own database, which is empty, with all rows of the file in `folder`."""
    call_command("migrate", verbosity=0, interactive=False)
    with _opened(folder):
        _copy(_FILE, "default")


@contextmanager
def _opened(folder: Path) -> Iterator[None]:
    made = database_settings(Database(), folder)
    # one file, whole when it is closed
    made["OPTIONS"]["init_command"] = "PRAGMA journal_mode=DELETE; PRAGMA synchronous=FULL;"
    connections.databases[_FILE] = connections.configure_settings({"default": made})["default"]
    try:
        yield
    finally:
        connections[_FILE].close()
        del connections[_FILE], connections.databases[_FILE]


def _copy(source: str, target: str) -> None:
    with at_one_moment(source):
        _fill(target, lambda table: _batches(table, source))


def fill(batches: Batches) -> None:
    """Fill the archive's own database, which is empty, with the rows that `batches` yields for each table."""
    call_command("migrate", verbosity=0, interactive=False)
    _fill("default", batches)


def tables() -> list[type[Model]]:
    """Return every table of the archive."""
    return [one for one in apps.get_models(include_auto_created=True) if one._meta.managed and not one._meta.proxy]


def fields_of(table: type[Model]) -> list[Any]:
    """Return a table's columns, but for what the database makes from others."""
    return [field for field in table._meta.local_concrete_fields if not field.generated]


def _fill(target: str, batches: Batches) -> None:
    with transaction.atomic(using=target), set_aside(connections[target]):
        for table in tables():
            # what the migrations made is in the source as well
            table._base_manager.using(target).all().delete()
        for table in tables():
            for batch in batches(table):
                _insert(table, batch, target)
        with connections[target].cursor() as cursor:
            for statement in connections[target].ops.sequence_reset_sql(no_style(), tables()):
                cursor.execute(statement)


def _batches(table: type[Model], source: str) -> Iterator[list[Model]]:
    rows = iter(table._base_manager.using(source).order_by("pk").iterator(chunk_size=ROWS))
    while batch := list(islice(rows, ROWS)):
        yield batch


def _insert(table: type[Model], rows: list[Model], target: str) -> None:
    fields = fields_of(table)
    most = max(min(ROWS, connections[target].ops.bulk_batch_size(fields, rows)), 1)
    for first in range(0, len(rows), most):
        query = InsertQuery(table)
        # raw: also what a model fills in by itself stays as it is
        query.insert_values(fields, rows[first : first + most], raw=True)
        query.get_compiler(using=target).execute_sql()


@contextmanager
def at_one_moment(alias: str) -> Iterator[Any]:
    """Read a database as it is at one moment, whatever is written meanwhile."""
    with transaction.atomic(using=alias):
        if connections[alias].vendor == "postgresql":
            with connections[alias].cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
                # it takes as long as it takes
                cursor.execute("SET LOCAL statement_timeout = 0")
                cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        yield
