"""Every document: lines that a terminal shows whole, and names of files that exist."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = [
    *sorted(ROOT.glob("*.md")),
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted(ROOT.glob("[a-z]*/README.md")),
]
COLUMNS = 100
by_name = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))


def too_long(text: str) -> list[str]:
    """Lines beyond the column, but for tables and for what cannot be broken: one name, one link."""
    return [
        line
        for line in text.splitlines()
        if len(line) > COLUMNS
        and not line.startswith("|")
        and len(re.sub(r"\[[^\]]*\]\([^)]*\)|`[^`]*`", "x", line.strip()).removeprefix("- ").split()) > 1
    ]


@by_name
def test_lines_end_before_column_100(document: Path) -> None:
    assert too_long(document.read_text(encoding="utf-8")) == []


def test_the_check_above_notices_a_long_line() -> None:
    assert too_long("word " * 21)
    assert not too_long(f"- `{'x' * 120}`")


@by_name
def test_files_that_are_named_exist(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    named = re.findall(r"`((?:appliance|archive|tests|docs|deploy|systemd|firmware_config)/[\w./-]+)(?:::\w+)?`", text)
    assert not [name for name in named if not (ROOT / name).exists()]


def functions(path: Path) -> set[str]:
    return {node.name for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef)}


def test_each_test_that_the_policy_names_exists_and_each_guideline_says_how_it_is_held() -> None:
    text = (ROOT / "docs/policy.md").read_text(encoding="utf-8")
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", text)
    assert named
    assert not [f"{path}::{test}" for path, test in named if test not in functions(ROOT / path)]
    parts = re.split(r"^### ", text, flags=re.MULTILINE)[1:]
    assert [part.split(":")[0].splitlines()[0] for part in parts] == [
        *(f"Guideline {number}" for number in range(1, 11)),
        "Note on permission",
        "Note on passing a recording on",
    ]
    assert all("`tests/" in part or "Not built." in part for part in parts)


def test_guidelines_are_cited_where_they_stand() -> None:
    sources = [
        path
        for folder in ("appliance", "archive", "tests", "firmware_config", "systemd", "deploy")
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and path.suffix in {".py", ".txt", ".service", ".conf", ".toml", ".rules", ".sh"}
    ]
    wrong = {
        f"{path.relative_to(ROOT)}: {line.strip()}"
        for path in sources
        if path != Path(__file__)
        for line in path.read_text(encoding="utf-8").splitlines()
        if re.search(r"\bDESIGN\b|\b[Pp]olicy \d|(?<!docs/policy\.md, )\bguideline \d", line)
    }
    assert not wrong, "name docs/policy.md and the guideline's number, or another page of docs"
