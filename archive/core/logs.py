"""What the archive's processes log: one gate for every line, and only what stands on a list gets through it.

A log leaves the archive (a journal, a syslog server, a vendor's search), so no name of a person, room or meeting may
stand in it. Our own messages are constant texts with named values, `_log.error("cannot seal %(recording)s", values)`,
and a value is shown only if its name is among `KEYS` and it has the form that stands there. Everything else is
withheld: values without a name, what a library says, and the text of exceptions that are not our own, which may quote
a row. Where a text was withheld, the line says which line of which program wrote it.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import traceback
from collections.abc import Callable, Mapping
from copy import copy
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Final

from django.db import OperationalError

from appliance.contract.errors import PlainSightError
from appliance.contract.log_format import PrintableFormatter, printable

WITHHELD: Final = "(withheld)"
"""Stands for what the list does not let through."""
LONGEST: Final = 500
"""Most characters of one value."""
OURS: Final = "archive."
"""How the names of our own loggers begin; their texts are constant, which a test holds."""
TRUSTED: Final = frozenset({"_granian"})
"""Libraries whose texts are shown, the first line of each: they name processes and addresses."""
_SYSTEM: Final = frozenset({"builtins", "socket", "ssl"})
"""Modules whose OSErrors say what the system said; others', such as smtplib's, may quote an address."""
_PLACEHOLDER: Final = re.compile(r"%(?:\((\w+)\))?[-#0 +]*[\d*]*(?:\.[\d*]+)?[hlL]?([a-zA-Z%])")
_Value = Callable[[Any], str | int | float | None]
"""Returns what is shown of a value, or None if it has not the form that it must have."""


def _number(value: Any) -> int | float | None:
    return value if isinstance(value, int | float) else None


def _words(value: Any) -> str:
    """Our own sentence, or what may be told of an exception."""
    return told(value) if isinstance(value, BaseException) else str(value)


def _like(pattern: str) -> _Value:
    wanted = re.compile(pattern)
    return lambda value: text if wanted.fullmatch(text := str(value)) else None


_WORD: Final = _like(r"[\w.:/@ -]{1,120}")
KEYS: Final[dict[str, _Value]] = {
    "box": _like(r"[a-z0-9-]{1,64}"),
    "certificate": _WORD,
    "claim": _WORD,
    "code": _like(r"[a-z0-9-]{1,40}"),
    "count": _number,
    "destruction": _like(r"[0-9a-f-]{36}"),
    "entry": _number,
    "generation": _like(r"[0-9TZa-f-]{1,40}"),
    "host": _WORD,
    "job": _WORD,
    "outcome": _like(r"[a-z-]{0,20}"),
    "part": _WORD,
    "path": _like(r"[^\s?]{1,300}"),
    "port": _number,
    "problem": _words,
    "recording": _like(r"[0-9a-f]{32}"),
    "redaction": _like(r"[0-9a-f-]{36}"),
    "route": _WORD,
    "subject": _like(r"[\w./-]{1,120}"),
    "witness": _words,
}
"""Names of values that a line may show, and the form of each. An entry here is a decision: no name of a person, room or
meeting fits it. `problem` is a sentence of ours or an exception; `subject` an identifier or a name in the store."""


def told(error: BaseException) -> str:
    """Return what may be told of an exception: our own words and the system's, of others no more than their kind."""
    if isinstance(error, PlainSightError):
        return error.message
    kind = type(error).__name__
    if isinstance(error, OperationalError):
        # such as `database is locked`; other errors of a database may quote a row
        return f"{kind}: {str(error).partition(chr(10))[0]}"
    if isinstance(error, OSError) and type(error).__module__ in _SYSTEM:
        return str(error) if error.strerror else kind
    return kind


def values_of(record: logging.LogRecord) -> dict[str, str | int | float]:
    """Return the named values of a line that may be shown."""
    if not isinstance(record.args, Mapping):
        return {}
    shown: dict[str, str | int | float] = {}
    for name, value in record.args.items():
        form = KEYS.get(name)
        found = form(value) if form is not None else None
        shown[name] = WITHHELD if found is None else found[:LONGEST] if isinstance(found, str) else found
    return shown


def text_of(record: logging.LogRecord) -> str:
    """Return the text of a line, with what may be shown in it."""
    if record.name in TRUSTED:
        return record.getMessage().partition("\n")[0][:LONGEST]
    if not record.name.startswith(OURS) and not record.args:
        # may have been put together before it came here
        return f"{WITHHELD}; see {_source(record)}"
    values = values_of(record)

    def fill(found: re.Match[str]) -> str:
        if found[2] == "%":
            return "%"
        return str(values.get(found[1], WITHHELD)) if found[1] else WITHHELD

    return _PLACEHOLDER.sub(fill, str(record.msg)) if record.args else str(record.msg)


def _source(record: logging.LogRecord) -> str:
    """Return which line of which program wrote a line of the log, without where it is installed."""
    path = Path(record.pathname)
    root = next((Path(one) for one in sys.path if one and path.is_relative_to(one)), path.parent)
    return f"{path.relative_to(root)}:{record.lineno}"


_Raised = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


def _raised(raised: _Raised) -> list[str]:
    """Return where an exception was raised, and what may be told of it."""
    _, error, trace = raised
    if error is None:
        return []
    frames = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(trace)]
    return [*frames, told(error) if isinstance(error, PlainSightError) else f"{type(error).__name__}: {told(error)}"]


class TextFormatter(PrintableFormatter):
    """One line for people; those of an exception begin with a bar."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        shown = copy(record)
        shown.msg, shown.args, shown.exc_text, shown.stack_info = text_of(record), None, None, None
        return super().format(shown)

    def formatException(self, ei: _Raised) -> str:  # noqa: N802 - logging's own name
        """Return the lines of an exception."""
        return "\n".join("  | " + printable(line) for line in _raised(ei))


class JsonFormatter(logging.Formatter):
    """One JSON object a line for programs: `at`, `level`, `logger`, `message`, and each value by its name."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        members: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": printable(text_of(record)),
        }
        members |= {name: value for name, value in values_of(record).items() if name in KEYS}
        if record.exc_info:
            members["exception"] = _raised(record.exc_info)
        return json.dumps(members)
