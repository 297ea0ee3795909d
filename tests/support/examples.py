"""The shipped example settings with what enrollment gives in place of their texts in angle brackets."""

from __future__ import annotations

import re


def fill(example: str, **values: str) -> str:
    """Return the example with each `name = "<...>"`, or a list of one, given a value; every text must be named."""
    for name, value in values.items():
        example, count = re.subn(rf'(?m)^({name} = \[?)"<[^"]*>"', rf'\1"{value}"', example)
        assert count == 1, f"the example asks for no {name}"
    assert '"<' not in example
    return example
