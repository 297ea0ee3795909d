"""The README promises seven things, and each link in the documents leads somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_leads_somewhere(document: Path) -> None:
    targets = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", document.read_text())
    missing = [
        target for target in targets if not target.startswith("http") and not (document.parent / target).exists()
    ]
    assert not missing


def test_each_promise_links_to_what_tests_it() -> None:
    section = (ROOT / "README.md").read_text().split("## Seven promises")[1].split("\n## ")[0]
    promises = re.split(r"\n\d\. ", section)[1:]
    assert len(promises) == 7
    assert all("](tests/" in promise for promise in promises)


def test_the_commands_of_the_readme_exist() -> None:
    text = (ROOT / "README.md").read_text()
    for command in set(re.findall(r"\./(deploy/[\w-]+)", text)):
        assert (ROOT / command).stat().st_mode & 0o111
