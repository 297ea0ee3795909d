"""What the tests share stands in tests/support, and stands alone there."""

from __future__ import annotations

import ast
from pathlib import Path

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
