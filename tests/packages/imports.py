"""Runs inside a root, on its own Python: names every import of installed code that fails there.

python3 imports.py PACKAGE... [-MODULE...]
    prints how many imports were tried, or each that fails with its place, exit status 1; -MODULE: not tried

What a function imports when it is called counts as well: it is read from the source. A package of what is carried can
be named too. Django's admin, which the archive does not have, is left out.
"""

from __future__ import annotations

import ast
import importlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

HOMES = (Path("/usr/lib/plainsight"), Path("/usr/lib/plainsight/carried"))


def imports(tree: ast.AST, package: str) -> Iterator[tuple[int, str, str]]:
    """Yield line, module and name (empty for a module alone) of each import, but for those for type checkers."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            if node.level:
                module = ".".join([*package.split(".")[: package.count(".") + 2 - node.level], *filter(None, [module])])
            yield from ((node.lineno, module, alias.name) for alias in node.names)
        else:
            yield from imports(node, package)


def load(module: str, name: str) -> str:
    """Import one thing; return what went wrong, or an empty text."""
    try:
        found = importlib.import_module(module)
        if name and name != "*" and not hasattr(found, name):
            importlib.import_module(f"{module}.{name}")
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever goes wrong is told
        return f"{type(error).__name__}: {error}"
    return ""


def wanted(packages: list[str]) -> dict[tuple[str, str], str]:
    """Return where each import stands: all modules of `packages`, and all that these import."""
    found: dict[tuple[str, str], str] = {}
    for name in packages:
        home = next(home for home in HOMES if home.joinpath(*name.split(".")).is_dir())
        for path in sorted(home.joinpath(*name.split(".")).rglob("*.py")):
            *parents, last = path.relative_to(home).with_suffix("").parts
            if last in {"__main__", "admin"}:
                continue
            package = ".".join(parents)
            found.setdefault((package if last == "__init__" else f"{package}.{last}", ""), str(path))
            for line, module, imported in imports(ast.parse(path.read_text("utf-8")), package):
                found.setdefault((module, imported), f"{path}:{line}")
    return found


def main(arguments: list[str]) -> int:
    """Try them all; return the exit status."""
    packages = [name for name in arguments if not name.startswith("-")]
    left_out = {name[1:] for name in arguments if name.startswith("-")}
    if "archive" in packages:
        os.environ["DJANGO_SETTINGS_MODULE"] = "archive.settings"
        importlib.import_module("django").setup()
    tried = {
        what: where
        for what, where in wanted(packages).items()
        if not any(f"{what[0]}.".startswith(f"{name}.") for name in left_out)
    }
    failed = [
        f"{where}: {'.'.join(filter(None, what))}: {said}" for what, where in tried.items() if (said := load(*what))
    ]
    print(*(failed or [str(len(tried))]), sep="\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
