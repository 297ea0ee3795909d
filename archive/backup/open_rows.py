"""All rows of an archive as lines of JSON, one file a table, and back: what no other program needs ours to read.

A line is an object in ASCII whose members are the table's columns. Numbers, texts, true, false and null are themselves;
moments are ISO 8601 with microseconds and zone, bytes are base64, JSON is JSON. `schema.json` names each column's kind.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.db import models

from appliance.contract.durable_files import create
from appliance.contract.errors import StorageError

from .rows import ROWS, at_one_moment, fields_of, fill, tables

SCHEMA: Final = "schema.json"


def write_rows(folder: Path) -> int:
    """Write every table into a folder that is there and empty, as all rows are at one moment; return how many rows."""
    count = 0
    with at_one_moment("default"):
        described = {}
        for table in tables():
            described[table._meta.label_lower] = _described(table)
            lines = _Lines(table)
            create(folder / _file(table), lines)
            count += lines.count
    create(folder / SCHEMA, [json.dumps(described, indent=1).encode("ascii") + b"\n"])
    return count


def read_rows(folder: Path) -> None:
    """Fill the archive's own database, which is empty, with the rows in a folder; raise StorageError that names one."""
    fill(lambda table: _rows(folder / _file(table), table))


def _file(table: type[models.Model]) -> str:
    return f"{table._meta.label_lower}.jsonl"


def _described(table: type[models.Model]) -> dict[str, Any]:
    columns = {field.attname: field.get_internal_type() for field in fields_of(table)}
    references = {
        field.attname: field.target_field.model._meta.label_lower
        for field in fields_of(table)
        if isinstance(field, models.ForeignKey)
    }
    return {"file": _file(table), "columns": columns, "references": references}


class _Lines:
    """A table's lines, counted."""

    def __init__(self, table: type[models.Model]) -> None:
        self._table, self.count = table, 0

    def __iter__(self) -> Iterator[bytes]:
        fields = fields_of(self._table)
        for row in self._table._base_manager.order_by("pk").iterator(chunk_size=ROWS):
            self.count += 1
            members = {field.attname: _as_json(field, row) for field in fields}
            yield json.dumps(members).encode("ascii") + b"\n"


def _as_json(field: models.Field[Any, Any], row: models.Model) -> Any:
    value = getattr(row, field.attname)
    plain = isinstance(value, bool | int | float | str)
    if value is None or isinstance(field, models.JSONField) or (plain and not isinstance(field, models.DateTimeField)):
        return value
    return field.value_to_string(row)


def _rows(path: Path, table: type[models.Model]) -> Iterator[list[models.Model]]:
    fields = {field.attname: field for field in fields_of(table)}
    with path.open("rb") as file:
        made = (_row(table, fields, line, f"{path.name} line {number}") for number, line in enumerate(file, 1))
        while batch := list(islice(made, ROWS)):
            yield batch


def _row(table: type[models.Model], fields: dict[str, models.Field[Any, Any]], line: bytes, place: str) -> models.Model:
    try:
        members = json.loads(line)
        # a column too many or too few is a KeyError or a TypeError
        return table(**{name: _as_python(fields[name], members.pop(name)) for name in fields}, **members)
    except (ValidationError, LookupError, AttributeError, ValueError, TypeError) as error:
        raise StorageError(f"{place} is damaged: {error}; take another export") from error


def _as_python(field: models.Field[Any, Any], value: Any) -> Any:
    if value is None or isinstance(field, models.JSONField):
        return value
    target = field.target_field if isinstance(field, models.ForeignKey) else field
    return target.to_python(value)
