"""docs/architecture.md: each function in its diagram of one press exists, and the way is as short as it says."""

from __future__ import annotations

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
NAME = re.compile(r"\b(?:contract\.)?[a-z_]+\.(?:[A-Z]\w+\.)?[a-z_]+\b(?!\.py)")
HOPS = 10
"""Most arrows that one press takes: half of the twenty hops when events, notes and entries were dictionaries."""


def names() -> list[str]:
    quoted = " ".join(re.findall(r"`([^`]+)`", SECTION.replace(DIAGRAM, "")))
    return sorted({name for name in NAME.findall(f"{DIAGRAM} {quoted}") if not name.endswith((".py", ".md"))})


def module(name: str) -> Any:
    """The one module of the recorder, or of the contract, that is called so."""
    if name.startswith("contract."):
        return importlib.import_module(f"appliance.{name}")
    found = sorted((ROOT / "appliance" / "recorder").rglob(f"{name}.py"))
    assert len(found) == 1, f"{name} is the name of {len(found)} modules"
    return importlib.import_module(".".join(found[0].relative_to(ROOT).with_suffix("").parts))


@pytest.mark.parametrize("name", [name for name in names() if name != "module.function"])
def test_each_function_that_the_diagram_names_exists(name: str) -> None:
    where = 2 if name.startswith("contract.") else 1
    parts = name.split(".")
    found = module(".".join(parts[:where]))
    for part in parts[where:]:
        assert hasattr(found, part), f"{name} does not exist; correct docs/architecture.md"
        found = getattr(found, part)
    assert callable(found)


def test_the_diagram_names_the_way_from_one_end_to_the_other() -> None:
    assert {"wakeup_queue.WakeupQueue.put", "rules.apply_rules", "contract.ledger.Entry.sign"} <= set(names())
    assert DIAGRAM.count(">>") <= HOPS
