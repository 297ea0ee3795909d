"""Style sheets and pages fit each other: every class that is used has a rule, and every rule is used."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from archive.ui.signs import SIGNS
from tests.archive.page_sources import MARKUP, SCRIPTS, SHAPES, STYLE

ROOT = Path(__file__).resolve().parents[3]
PANEL = ROOT / "appliance" / "simulator" / "static"
CLASS = re.compile(r"""class="([^"]*)"|className = [`"]([^`"]*)|classList\.\w+\(([^)]*)\)|"class": "([^"]*)\"""")
DYNAMIC = {"sign-": set(SIGNS)}
"""Classes whose end is filled in, and what may stand there."""
DJANGO = {"errorlist"}
"""Classes that Django's own forms use."""


def used(sources: list[Path]) -> set[str]:
    """The classes that markup, scripts and Python give to elements, with every value of what is filled in."""
    found: set[str] = set()
    for source in sources:
        for attribute, name, calls, python in CLASS.findall(source.read_text()):
            text = re.sub(r"{%.*?%}", " ", attribute or name or " ".join(re.findall(r'"([^"]+)"', calls)) or python)
            found |= set(re.sub(r"{{.*?}}|\${.*?}|{\d}", "*", text).split())
    for name in {name for name in found if name.endswith("*")}:
        found.remove(name)
        found |= {name[:-1] + end for end in DYNAMIC[name[:-1]]}
    return found


def styled(style: Path) -> set[str]:
    """The classes that a style sheet has rules for."""
    text = re.sub(r"/\*.*?\*/|@import [^\n]*", "", style.read_text(), flags=re.DOTALL)
    selectors = re.sub(r"{[^{}]*}", " { } ", text)
    return set(re.findall(r"\.(-?[a-z_][\w-]*)", selectors))


@pytest.mark.parametrize(
    ("sources", "style"),
    [
        pytest.param([*MARKUP, *SCRIPTS], STYLE, id="archive"),
        pytest.param([PANEL / "panel.html", PANEL / "panel.js"], PANEL / "panel.css", id="panel"),
    ],
)
def test_every_class_has_a_rule_and_every_rule_a_use(sources: list[Path], style: Path) -> None:
    assert used(sources) == styled(style) - DJANGO


def test_every_sign_has_a_shape_and_every_shape_a_sign() -> None:
    assert set(re.findall(r'id="shape-([a-z-]+)"', SHAPES.read_text())) == set(SIGNS)


def test_red_is_the_color_of_recording_and_of_its_lamp_alone() -> None:
    rules = re.findall(r"([^{}]+){([^{}]*)}", re.sub(r"/\*.*?\*/", "", STYLE.read_text(), flags=re.DOTALL))
    assert [selector.strip() for selector, body in rules if "var(--recording)" in body] == [".sign-recording", ".lamp"]


def test_every_color_that_is_used_is_defined_in_light_dark_and_print() -> None:
    text = STYLE.read_text()
    named = set(re.findall(r"var\((--[a-z]+)\)", text))
    themes = [set(re.findall(r"(--[a-z]+):", body)) for body in re.findall(r":root\s*{([^}]*)}", text)]
    assert len(themes) == 3
    assert all(theme == named for theme in themes)


@pytest.mark.usefixtures("archive")
def test_every_template_can_be_read() -> None:
    """A tag that is gone is found where its page is shown, which may be a state that no other test shows."""
    from django.template.loader import get_template  # noqa: PLC0415 - the settings are made by the fixture

    pages = [path for path in (ROOT / "archive").rglob("templates/**/*") if path.is_file()]
    assert len(pages) > 100
    for path in pages:
        get_template(path.as_posix().partition("/templates/")[2])
