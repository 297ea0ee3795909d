"""Each shipped example has every setting of its part, under the first sentence that the code says about it."""

from __future__ import annotations

import json
import re

import pytest

from tests.docs.example_settings import EXAMPLES, ROOT, SECTION, SETTING, sections, settings_of, words, written

SECTIONS = [(path, name) for path, model in EXAMPLES.items() for name, _ in sections(model)]


def lines_of(path: str, section: str) -> list[str]:
    """The lines of one section of an example, without its heading."""
    lines, current = [], ""
    for line in (ROOT / path).read_text(encoding="utf-8").splitlines():
        if begins := SECTION.match(line):
            current = begins["name"]
        elif current == section:
            lines.append(line)
    return lines


@pytest.mark.parametrize(("path", "section"), SECTIONS, ids=[f"{path}[{name}]" for path, name in SECTIONS])
def test_each_setting_stands_in_the_example_under_its_words(path: str, section: str) -> None:
    model = dict(sections(EXAMPLES[path]))[section]
    lines, told = lines_of(path, section), words(model)
    for name, default in settings_of(model).items():
        found = [number for number, line in enumerate(lines) if re.match(rf"(# )?{name} = ", line)]
        assert len(found) == 1, f"{path} has {section}.{name} {len(found)} times"
        assert told[name].endswith("."), f"{section}.{name} has no whole sentence"
        assert lines[found[0] - 1] == f"# {told[name]}", f"{section}.{name}: run python -m tests.docs.example_settings"
        setting = SETTING.fullmatch(lines[found[0]])
        assert setting is not None
        if setting["off"] and isinstance(default, bool | int | float):
            value = re.sub(r"\s+#.*", "", setting["value"])
            assert json.loads(value) == default, f"{path} shows another default of {section}.{name} than the code has"


@pytest.mark.parametrize("path", EXAMPLES)
def test_the_examples_are_as_the_tool_writes_them(path: str) -> None:
    """Write them anew with `python -m tests.docs.example_settings`."""
    text = (ROOT / path).read_text(encoding="utf-8")
    assert written(text, EXAMPLES[path]) == text
