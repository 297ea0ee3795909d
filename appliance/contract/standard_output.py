"""How far a command is; how it ends whose reader has gone, or whose output cannot be written."""

from __future__ import annotations

import os
import sys
from typing import Final, TextIO

BROKEN_PIPE: Final = 141
"""Exit status when the reader of the output has gone: 128 and SIGPIPE's number, as of a program that it ended."""


def flush_output() -> OSError | None:
    """Write what standard output and standard error still hold; return what went wrong with standard output.

    Nothing of it is tried again when the interpreter ends, which from Python 3.13 on would then end with 120.
    """
    failed = _flush(sys.stdout)
    _flush(sys.stderr)
    return failed


def _flush(stream: TextIO | None) -> OSError | None:
    if stream is None:
        # closed by whoever started us
        return None
    try:
        stream.flush()
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        return error
    return None


def nobody_reads() -> bool:
    """Tell whether the reader of standard output or standard error has gone."""
    return _reader_gone(sys.stdout) or _reader_gone(sys.stderr)


def _reader_gone(stream: TextIO | None) -> bool:
    if stream is None:
        # closed by whoever started us
        return False
    import select  # noqa: PLC0415 - lamps-out imports next to nothing

    poll = select.poll()
    try:
        poll.register(stream.fileno(), 0)
    except (OSError, ValueError):
        # no file behind it, or closed
        return False
    return any(found & select.POLLERR for _, found in poll.poll(0))


def show_progress(what: str, done: int, of: int) -> None:
    """Show on standard error how far long work is, where somebody looks at a terminal."""
    if not sys.stderr.isatty():
        return
    if done % 100 == 0:
        sys.stderr.write(f"\r{what}: {done} of {of}")
        sys.stderr.flush()
    if done == of - 1:
        sys.stderr.write("\r\x1b[K")
