"""The one formatter of every log: what others sent cannot end a line, forge one, or move a cursor."""

from __future__ import annotations

import logging
from types import TracebackType


def printable(text: str) -> str:
    """Return `text` with all that does not print (line feeds, escapes, marks of direction) escaped as Python does."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode("ascii") for one in text)


class PrintableFormatter(logging.Formatter):
    """Formats each message as one line; lines of a traceback begin with a bar, so that none passes for a message."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's own name
        """Return the message's line."""
        return printable(super().formatMessage(record))

    def formatException(  # noqa: N802 - logging's own name
        self,
        ei: tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None],
    ) -> str:
        """Return a traceback's lines."""
        return "\n".join("  | " + printable(line) for line in super().formatException(ei).split("\n"))


def handler(form: str) -> logging.Handler:
    """Return a handler that writes messages in the form `form` to standard error."""
    made = logging.StreamHandler()
    made.setFormatter(PrintableFormatter(form))
    return made
