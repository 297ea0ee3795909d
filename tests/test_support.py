"""What the tests share stands in tests/support, and stands alone there."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from hypothesis import settings

from tests.support.waiting import PATIENCE_S

from .test_architecture import ROOT, imports, inside

TESTS = ROOT / "tests"
SUPPORT = TESTS / "support"


def test_support_imports_nothing_from_test_packages() -> None:
    wrong = {
        f"{path.relative_to(ROOT)} imports {name}"
        for path in SUPPORT.rglob("*.py")
        for name in imports(path)
        if inside(name, {"tests"}) and not inside(name, {"tests.support"})
    }
    assert not wrong, "move what support needs to tests/support"


def waits(path: Path) -> list[int]:
    """Lines where a loop looks for something until a deadline passes, and then complains."""
    loops = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.While)]
    return [
        loop.lineno
        for loop in loops
        if isinstance(loop.test, ast.UnaryOp)
        and any(isinstance(node, ast.Assert | ast.Raise) for node in ast.walk(loop))
        and "monotonic() " in ast.unparse(loop)
    ]


def test_tests_wait_in_one_way_only() -> None:
    found = {str(path.relative_to(ROOT)): lines for path in TESTS.rglob("*.py") if (lines := waits(path))}
    assert list(found) == ["tests/support/waiting.py"], "use until() of tests/support/waiting.py"


def test_triggers_are_set_aside_as_each_engine_does_it() -> None:
    """SQLite's words for it are an error on PostgreSQL, where a test with them fails before it looks at anything."""
    own = Path(__file__).resolve()
    found = {path for path in TESTS.rglob("*.py") if path != own and "DROP TRIGGER" in path.read_text()}
    each_engine = {path for path in found if "connection.vendor" in path.read_text()}
    assert found == each_engine, "use change_as_owner() or without_triggers() of tests/support/archives.py"


WAITS = {"communicate", "ended", "join", "receive", "result", "select", "settimeout", "until", "wait"}
"""Calls whose number, where it is a second or more, is how long a test waits before it gives up."""


def short_bounds(path: Path) -> list[int]:
    """Lines where a test gives up sooner than the busiest machine may need; shorter than a second is no bound."""
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        given = [word.value for word in node.keywords if word.arg in ("timeout", "seconds" if name in WAITS else "")]
        numbers = [
            one.value
            for one in (*given, *(node.args if name in WAITS else ()))
            if isinstance(one, ast.Constant) and isinstance(one.value, int | float)
        ]
        found += [node.lineno for number in numbers if 1 <= number < PATIENCE_S]
    return found


def test_no_bound_is_one_that_a_busy_machine_misses() -> None:
    found = {str(path.relative_to(ROOT)): lines for path in TESTS.rglob("*.py") if (lines := short_bounds(path))}
    assert not found, "wait for PATIENCE_S; hold a rule about time against a log and tests/support/lateness.py"


@pytest.mark.parametrize(
    "line",
    [
        "until(lambda: done(), 'it is done', 5)",
        "until(done, seconds=20)",
        "process.wait(10)",
        "thread.join(5)",
        "subprocess.run(['true'], timeout=30)",
        "requests.get(url, timeout=2.5)",
    ],
)
def test_a_short_bound_is_found(line: str, tmp_path: Path) -> None:
    (tmp_path / "test.py").write_text(line)
    assert short_bounds(tmp_path / "test.py") == [1]


def test_no_example_of_a_property_has_a_deadline() -> None:
    assert settings.default is not None
    assert settings.default.deadline is None
