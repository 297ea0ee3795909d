"""docs/architecture.md: each function in its diagram of one press exists, and the way is as short as it says."""

from __future__ import annotations

import ast
import importlib
import re
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
SECTION = (
    (ROOT / "docs" / "architecture.md")
    .read_text(encoding="utf-8")
    .partition("## One press, from the button to the signed line")[2]
    .partition("\n## ")[0]
)
DIAGRAM = SECTION.partition("```mermaid")[2].partition("```")[0]
NAME = re.compile(r"\b(?:(?:contract|writer)\.)?[a-z_]+\.(?:[A-Z]\w+\.)?[a-z_]+\b(?!\.py)")
TABLE = re.findall(
    r"^\| [^|]+ \| `([^`]+)` \| `([^`]+)` \|$",
    (ROOT / "docs" / "architecture.md")
    .read_text(encoding="utf-8")
    .partition("\n## Where is what\n")[2]
    .partition("\n## ")[0],
    re.MULTILINE,
)
"""File and name of each line of the table at the top."""
HOPS = 10
"""Most arrows that one press takes: half of the twenty hops when events, notes and entries were dictionaries."""


def names() -> list[str]:
    quoted = " ".join(re.findall(r"`([^`]+)`", SECTION.replace(f"```mermaid{DIAGRAM}```", "")))
    return sorted({name for name in NAME.findall(f"{DIAGRAM} {quoted}") if not name.endswith((".py", ".md"))})


def module(name: str) -> Any:
    """The one module of the recorder, or of the contract, that is called so."""
    if name.startswith("contract."):
        return importlib.import_module(f"appliance.{name}")
    path = name.replace(".", "/")
    recorder = ROOT / "appliance" / "recorder"
    found = [*recorder.rglob(f"{path}.py"), *(one.parent for one in recorder.rglob(f"{path}/__init__.py"))]
    assert len(found) == 1, f"{name} is the name of {len(found)} modules"
    return importlib.import_module(".".join(found[0].relative_to(ROOT).with_suffix("").parts))


@pytest.mark.parametrize("name", [name for name in names() if name != "module.function"])
def test_each_function_that_the_diagram_names_exists(name: str) -> None:
    where = 2 if name.startswith(("contract.", "writer.")) else 1
    parts = name.split(".")
    found = module(".".join(parts[:where]))
    for part in parts[where:]:
        assert hasattr(found, part), f"{name} does not exist; correct docs/architecture.md"
        found = getattr(found, part)
    assert callable(found)


def test_the_diagram_names_the_way_from_one_end_to_the_other() -> None:
    ends = {"wakeup_queue.WakeupQueue.put", "machine.step", "writer.process.Writer._begin"}
    assert ends | {"recording_file.RecordingFile.begin", "contract.signed.SignedModel.sign"} <= set(names())
    assert DIAGRAM.count(">>") <= HOPS


@pytest.mark.parametrize(("path", "name"), TABLE)
def test_what_the_table_names_is_there(path: str, name: str) -> None:
    text = (ROOT / path).read_text(encoding="utf-8")
    if path.endswith(".toml"):
        assert re.search(rf"^#? ?{name} = ", text, re.MULTILINE), f"{path} has no setting {name}"
        return
    found: ast.AST = ast.parse(text)
    for part in name.split("."):
        inside = {known: node for node in getattr(found, "body", ()) for known in called(node)}
        assert part in inside, f"{path} has no {name}; correct docs/architecture.md"
        found = inside[part]


def called(node: ast.AST) -> list[str]:
    """The names that a statement gives: archive modules are read, not imported, since Django would have to run."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return [node.name]
    if isinstance(node, ast.AnnAssign):
        return [node.target.id] if isinstance(node.target, ast.Name) else []
    return [target.id for target in getattr(node, "targets", ()) if isinstance(target, ast.Name)]


def test_the_table_is_there_and_the_first_pages_lead_to_it() -> None:
    assert len(TABLE) >= 15
    for page in ("README.md", "CONTRIBUTING.md"):
        assert "docs/architecture.md#where-is-what" in (ROOT / page).read_text(encoding="utf-8"), page
