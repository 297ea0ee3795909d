"""Triggers are made of their text as it is, in the words of both databases."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from archive.core.triggers import Refusal
from archive.core.triggers import install as install_refusals
from archive.custody import triggers as custody


class Editor:
    """A schema editor that only notes what it is to execute."""

    def __init__(self, vendor: str) -> None:
        self.connection = SimpleNamespace(vendor=vendor)
        self.executed: list[tuple[str, Any]] = []

    def execute(self, statement: str, params: Any = ()) -> None:
        self.executed.append((statement, params))


@pytest.mark.parametrize("vendor", ["sqlite", "postgresql"])
def test_a_percent_sign_in_a_condition_is_one(vendor: str) -> None:
    """With parameters, even none, psycopg takes it for a place of one: no migration came to its end there."""
    editor = Editor(vendor)
    install_refusals(editor, [Refusal("no_x", "UPDATE", "thing", "NEW.detail LIKE '%x%'", "never")])
    custody.create(None, editor)
    assert any("'%x%'" in statement for statement, _ in editor.executed)
    assert {params for _, params in editor.executed} == {None}
