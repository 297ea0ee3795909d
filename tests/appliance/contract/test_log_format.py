"""Nothing that does not print reaches a log, whoever sent it, and whichever part of box or archive writes it."""

from __future__ import annotations

import ast
import logging
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from appliance.contract.log_format import PrintableFormatter, printable

ROOT = Path(__file__).resolve().parents[3]
FORMATTER = PrintableFormatter("%(levelname)s %(name)s: %(message)s")


def written(message: str, error: BaseException | None = None) -> str:
    info = (type(error), error, error.__traceback__) if error else None
    return FORMATTER.format(logging.LogRecord("a", logging.WARNING, "", 0, "%s", (message,), info))


@given(st.text())
def test_a_message_is_one_line_that_prints(message: str) -> None:
    assert written(message).isprintable()
    assert printable(printable(message)) == printable(message)


def test_a_forged_line_is_no_line_of_its_own() -> None:
    assert written("odd\nWARNING a: all is well\r\x1b[2J\u202e").count("\n") == 0


@given(st.text())
def test_no_line_of_a_traceback_passes_for_a_message(message: str) -> None:
    first, *rest = written("failed", ValueError(message)).split("\n")
    assert first == "WARNING a: failed"
    assert all(line.startswith("  | ") and line.isprintable() for line in rest)


def test_what_prints_stays_as_it_is() -> None:
    assert printable("Zimmer 12, größer, 部屋") == "Zimmer 12, größer, 部屋"


def test_no_other_formatter_writes_a_log() -> None:
    others = {
        path.relative_to(ROOT).as_posix()
        for folder in ("appliance", "archive")
        for path in (ROOT / folder).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if (isinstance(node, ast.Attribute) and node.attr in {"Formatter", "StreamHandler"})
        or (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr == "basicConfig"
            and "handlers" not in {keyword.arg for keyword in node.keywords}
        )
    }
    # the archive's formatter shows listed values alone, in JSON or through the same (tests/archive/core/test_logs.py)
    assert others == {"appliance/contract/log_format.py", "archive/core/logs.py"}
